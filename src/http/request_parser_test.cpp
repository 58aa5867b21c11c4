#include "request_parser.hpp"

#include <random>

#include <gtest/gtest.h>

namespace leftfold::http {
namespace {

constexpr CodecLimits kLimits{.header_bytes_max = 256, .header_count_max = 8, .body_bytes_max = 64};

// What a parser makes of bytes that come in these pieces: one line for each request, one for the fault.
std::string read_all(const std::vector<std::string_view>& pieces, const CodecLimits& limits = kLimits) {
    RequestScratch scratch;
    RequestParser parser(limits, scratch);
    std::string seen;
    for (const std::string_view piece : pieces) {
        // Of exactly its size, so that a sanitizer sees a read behind it.
        const std::vector<char> copy(piece.begin(), piece.end());
        std::string_view input(copy.data(), copy.size());
        while (!input.empty()) {
            const auto outcome = parser.feed(input);
            if (outcome == RequestParser::Outcome::refused)
                return seen + "refused " + std::to_string(static_cast<int>(parser.fault())) + "\n";
            if (outcome == RequestParser::Outcome::need_more) {
                EXPECT_TRUE(input.empty());
                continue;
            }
            const Request& request = scratch.request;
            seen.append(to_string(request.method)).append(" ").append(request.path);
            seen.append("?").append(request.query);
            for (const HeaderField& field : request.fields)
                seen.append(" ").append(field.name).append("=").append(field.value);
            seen.append(" [").append(request.body).append(parser.closes() ? "] closes\n" : "]\n");
        }
    }
    return seen + (parser.mid_request() ? "more\n" : "");
}

std::vector<std::string_view> bytes_one_by_one(std::string_view all) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < all.size(); ++i)
        pieces.push_back(all.substr(i, 1));
    return pieces;
}

// However the bytes are cut, the result is the same.
void expect_read(std::string_view bytes, const std::string& expected, const CodecLimits& limits = kLimits) {
    EXPECT_EQ(read_all({bytes}, limits), expected) << "whole: " << bytes;
    EXPECT_EQ(read_all(bytes_one_by_one(bytes), limits), expected) << "one by one: " << bytes;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
        EXPECT_EQ(read_all({bytes.substr(0, cut), bytes.substr(cut)}, limits), expected)
            << "cut at " << cut << ": " << bytes;
}

struct GoodCase {
    const char* name;
    std::string_view bytes;
    std::string expected;
};

class GoodRequest : public testing::TestWithParam<GoodCase> {};

TEST_P(GoodRequest, is_read_however_cut) {
    expect_read(GetParam().bytes, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodRequest,
    testing::Values(
        GoodCase{"plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? Host=a []\n"},
        GoodCase{"header_space", "GET / HTTP/1.1\r\nHost:  a \t \r\nX:\r\nY: b c\r\n\r\n",
                 "GET /? Host=a X= Y=b c []\n"},
        GoodCase{"query", "GET /p/q?a=1&b=%20 HTTP/1.1\r\nHost: a:1\r\n\r\n", "GET /p/q?a=1&b=%20 Host=a:1 []\n"},
        GoodCase{"path_decoded", "GET /a%20b/%c3%a9 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a b/\xC3\xA9? Host=a []\n"},
        GoodCase{"empty_host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET /? Host= []\n"},
        GoodCase{"obs_text", "GET / HTTP/1.1\r\nHost: a\r\nX: \xE9\r\n\r\n", "GET /? Host=a X=\xE9 []\n"},
        GoodCase{"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz",
                 "POST /? Host=a Content-Length=3 [xyz]\n"},
        GoodCase{"empty_body", "PUT / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
                 "PUT /? Host=a content-length=0 []\n"},
        GoodCase{"get_with_body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
                 "GET /? Host=a Content-Length=1 [x]\n"},
        GoodCase{"chunked",
                 "PATCH / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                 "Chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
                 "PATCH /? Host=a Transfer-Encoding=Chunked [abc0123456789]\n"},
        GoodCase{"chunk_extension",
                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0;z\r\n\r\n",
                 "POST /? Host=a Transfer-Encoding=chunked [x]\n"},
        GoodCase{"trailers_dropped",
                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\nC: d\r\n\r\n",
                 "POST /? Host=a Transfer-Encoding=chunked []\n"},
        GoodCase{"pipelined",
                 "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxDELETE /3 "
                 "HTTP/1.1\r\nHost: "
                 "a\r\n\r\n",
                 "GET /1? Host=a []\nPOST /2? Host=a Content-Length=1 [x]\nDELETE /3? Host=a []\n"},
        GoodCase{"empty_lines_before",
                 "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
                 "GET /? Host=a []\nHEAD /? Host=a []\n"},
        GoodCase{"absolute_form", "GET http://b:80/x?y HTTP/1.1\r\nHost: b:80\r\n\r\n", "GET /x?y Host=b:80 []\n"},
        GoodCase{"absolute_form_without_path", "GET HTTPS://[::1] HTTP/1.1\r\nHost: b\r\n\r\n", "GET /? Host=b []\n"},
        GoodCase{"absolute_form_with_query_only", "GET http://b?q HTTP/1.1\r\nHost: b\r\n\r\n", "GET /?q Host=b []\n"},
        GoodCase{"http10", "GET / HTTP/1.0\r\n\r\n", "GET /? [] closes\n"},
        GoodCase{"http10_keep_alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                 "GET /? Connection=keep-alive [] closes\n"},
        GoodCase{"http12_read_as_11", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "GET /? Host=a []\n"},
        GoodCase{"close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x , Close\r\n\r\n",
                 "GET /? Host=a Connection=x , Close [] closes\n"},
        GoodCase{"options", "OPTIONS /a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /a? Host=a []\n"},
        GoodCase{"cut_short", "GET / HTTP/1.1\r\nHost: a\r\n", "more\n"},
        GoodCase{"body_cut_short", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx", "more\n"}),
    [](const auto& one) { return std::string(one.param.name); });

struct BadCase {
    const char* name;
    std::string_view bytes;
    Fault fault;
    int status;
};

class BadRequest : public testing::TestWithParam<BadCase> {};

TEST_P(BadRequest, is_refused_however_cut) {
    expect_read(GetParam().bytes, "refused " + std::to_string(static_cast<int>(GetParam().fault)) + "\n");
    EXPECT_EQ(describe(GetParam().fault).status, GetParam().status);
}

constexpr std::string_view operator""_raw(const char* text, std::size_t size) {
    return {text, size};
}

INSTANTIATE_TEST_SUITE_P(
    Smuggling, BadRequest,
    testing::Values(
        BadCase{"length_and_coding",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                Fault::length_with_coding, 400},
        BadCase{"coding_and_length",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                Fault::length_with_coding, 400},
        BadCase{"two_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                Fault::length_repeated, 400},
        BadCase{"two_equal_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                Fault::length_repeated, 400},
        BadCase{"length_list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", Fault::length_invalid,
                400},
        BadCase{"length_plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", Fault::length_invalid, 400},
        BadCase{"length_minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx", Fault::length_invalid,
                400},
        BadCase{"length_hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx", Fault::length_invalid, 400},
        BadCase{"length_empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nx", Fault::length_invalid, 400},
        BadCase{"length_over_64_bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nx",
                Fault::body_too_large, 413},
        BadCase{"coding_unknown", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                Fault::coding_unknown, 400},
        BadCase{"coding_list", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                Fault::coding_unknown, 400},
        BadCase{"coding_identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
                Fault::coding_unknown, 400},
        BadCase{
            "coding_twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Fault::coding_unknown, 400},
        BadCase{"coding_vertical_tab",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0B"
                "chunked\r\n\r\n0\r\n\r\n",
                Fault::bad_header_value, 400},
        BadCase{"coding_in_http10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                Fault::coding_in_http10, 400},
        BadCase{"folded", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", Fault::folded_header, 400},
        BadCase{"folded_first", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Fault::folded_header, 400},
        BadCase{"space_before_colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", Fault::space_in_header_name, 400},
        BadCase{"tab_before_colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 1\r\n\r\nx",
                Fault::space_in_header_name, 400},
        BadCase{"bare_line_feeds", "GET / HTTP/1.1\nHost: a\n\n", Fault::bare_line_feed, 400},
        BadCase{"bare_line_feed_in_header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", Fault::bare_line_feed, 400},
        BadCase{"bare_return_in_header", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", Fault::bad_header_value, 400},
        BadCase{"bare_return_in_name", "GET / HTTP/1.1\r\nHo\rst: a\r\n\r\n", Fault::bad_header_name, 400},
        BadCase{"double_return", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Fault::bad_header_value, 400},
        BadCase{"host_missing", "GET / HTTP/1.1\r\nX: a\r\n\r\n", Fault::host_missing, 400},
        BadCase{"no_headers", "GET / HTTP/1.1\r\n\r\n", Fault::host_missing, 400},
        BadCase{"host_missing_absolute", "GET http://a/ HTTP/1.1\r\n\r\n", Fault::host_missing, 400},
        BadCase{"host_twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Fault::host_repeated, 400},
        BadCase{"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Fault::host_invalid, 400},
        BadCase{"host_list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Fault::host_invalid, 400},
        BadCase{"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Fault::host_invalid, 400}),
    [](const auto& one) { return std::string(one.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Form, BadRequest,
    testing::Values(
        BadCase{"tls", "\x16\x03\x01\x02\x00\x01"_raw, Fault::not_http, 400},
        BadCase{"leading_space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::not_http, 400},
        BadCase{"leading_line_feed", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::not_http, 400},
        BadCase{"many_empty_lines", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::not_http, 400},
        BadCase{"return_then_request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::not_http, 400},
        BadCase{"http09", "GET /\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"space_in_target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"tab_in_line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"space_at_end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"method_not_token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"version_lower_case", "GET / http/1.1\r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"version_long", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", Fault::bad_start_line, 400},
        BadCase{"version_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Fault::version_unsupported, 505},
        BadCase{"http2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Fault::version_unsupported, 505},
        BadCase{"method_unknown", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::method_unknown, 501},
        BadCase{"method_lower_case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::method_unknown, 501},
        BadCase{"connect", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", Fault::method_unknown, 501},
        BadCase{"trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::method_unknown, 501},
        BadCase{"options_asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_asterisk, 400},
        BadCase{"target_relative", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_other_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_without_host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_with_user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_not_ascii", "GET /\xC3\xA9 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_control", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_invalid, 400},
        BadCase{"target_nul", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"_raw, Fault::target_invalid, 400},
        BadCase{"encoding_cut", "GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_encoding_invalid, 400},
        BadCase{"encoding_not_hex", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_encoding_invalid, 400},
        BadCase{"encoding_nul", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_encoding_invalid, 400},
        BadCase{"encoding_in_query", "GET /?a=%4 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::target_encoding_invalid, 400},
        BadCase{"header_nul", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"_raw, Fault::bad_header_value, 400},
        BadCase{"header_delete", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7F\r\n\r\n", Fault::bad_header_value, 400},
        BadCase{"header_without_colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", Fault::bad_header_name, 400},
        BadCase{"header_without_name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", Fault::bad_header_name, 400},
        BadCase{"header_name_not_token", "GET / HTTP/1.1\r\nHost: a\r\nX(: x\r\n\r\n", Fault::bad_header_name, 400},
        BadCase{"expectation_unknown", "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx",
                Fault::expectation_unknown, 417}),
    [](const auto& one) { return std::string(one.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Chunks, BadRequest,
    testing::Values(
        BadCase{"size_missing", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"size_not_hex", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"size_prefixed", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"size_space", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"size_of_17_digits",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000001\r\na\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"size_line_feed_only", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"size_overflows",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                Fault::body_too_large, 413},
        BadCase{"data_too_long", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"data_line_feed_only",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"extension_control", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;\n\r\n",
                Fault::chunk_invalid, 400},
        BadCase{"trailer_space", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n A: b\r\n\r\n",
                Fault::trailer_invalid, 400},
        BadCase{"trailer_line_feed_only",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n",
                Fault::trailer_invalid, 400},
        BadCase{"end_line_feed_only", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\rx",
                Fault::trailer_invalid, 400}),
    [](const auto& one) { return std::string(one.param.name); });

std::string refusal(Fault fault) {
    return "refused " + std::to_string(static_cast<int>(fault)) + "\n";
}

TEST(RequestParser, head_of_just_the_limit_passes_one_byte_more_does_not) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const std::string fits(kLimits.header_bytes_max - start.size() - 4, 'x');
    expect_read(start + fits + "\r\n\r\n", "GET /? Host=a X=" + fits + " []\n");
    expect_read(start + fits + "x\r\n\r\n", refusal(Fault::headers_too_large));
    EXPECT_EQ(describe(Fault::headers_too_large).status, 431);
}

TEST(RequestParser, target_longer_than_all_headers_may_be_is_414) {
    expect_read("GET /" + std::string(kLimits.header_bytes_max, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
                refusal(Fault::target_too_long));
    EXPECT_EQ(describe(Fault::target_too_long).status, 414);
}

TEST(RequestParser, too_many_headers_are_refused) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < kLimits.header_count_max; ++i)
        head += "A: b\r\n";
    EXPECT_EQ(read_all({head + "\r\n"}).substr(0, 7), "GET /? ");
    expect_read(head + "A: b\r\n\r\n", refusal(Fault::headers_too_many));
}

TEST(RequestParser, body_of_just_the_limit_passes_one_byte_more_does_not) {
    const std::string body(kLimits.body_bytes_max, 'b');
    expect_read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\n\r\n" + body,
                "POST /? Host=a Content-Length=64 [" + body + "]\n");
    expect_read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n" + body + "b",
                refusal(Fault::body_too_large));

    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect_read(head + "40\r\n" + body + "\r\n0\r\n\r\n", "POST /? Host=a Transfer-Encoding=chunked [" + body + "]\n");
    expect_read(head + "41\r\n" + body + "b\r\n0\r\n\r\n", refusal(Fault::body_too_large));
    expect_read(head + "3f\r\n" + body.substr(1) + "\r\n2\r\nbb\r\n0\r\n\r\n", refusal(Fault::body_too_large));
}

TEST(RequestParser, chunk_extensions_are_bounded_together) {
    std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 5; ++i)
        bytes += "1;" + std::string(1000, 'e') + "\r\nx\r\n";
    EXPECT_EQ(read_all({bytes + "0\r\n\r\n"}), refusal(Fault::chunk_extensions_too_large));
}

TEST(RequestParser, trailers_are_bounded) {
    const std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    EXPECT_EQ(read_all({bytes + "A: " + std::string(kLimits.header_bytes_max, 'x') + "\r\n\r\n"}),
              refusal(Fault::trailers_too_large));
}

TEST(RequestParser, collected_memory_goes_when_a_request_is_over) {
    RequestScratch scratch;
    const CodecLimits limits{.header_bytes_max = 1000, .header_count_max = 8, .body_bytes_max = 100'000};
    RequestParser parser(limits, scratch);
    const std::string body(50'000, 'b');
    std::string_view input = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n";
    EXPECT_EQ(parser.feed(input), RequestParser::Outcome::need_more);
    EXPECT_TRUE(parser.mid_body());
    input = body;
    EXPECT_EQ(parser.feed(input), RequestParser::Outcome::complete);
    EXPECT_EQ(scratch.request.body, body);
    EXPECT_EQ(scratch.request.header("host"), "a");
    parser.release_memory();
}

// Two connections share the scratch: what one has half read must not leak into the other.
TEST(RequestParser, connections_that_share_a_scratch_do_not_mix) {
    RequestScratch scratch;
    RequestParser first(kLimits, scratch);
    RequestParser second(kLimits, scratch);
    std::string_view a = "POST /a%41 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx";
    EXPECT_EQ(first.feed(a), RequestParser::Outcome::need_more);
    std::string_view b = "GET /b%42 HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";
    EXPECT_EQ(second.feed(b), RequestParser::Outcome::complete);
    EXPECT_EQ(scratch.request.path, "/bB");
    a = "z";
    EXPECT_EQ(first.feed(a), RequestParser::Outcome::complete);
    EXPECT_EQ(scratch.request.path, "/aA");
    EXPECT_EQ(scratch.request.body, "xz");
    EXPECT_EQ(scratch.request.fields.size(), 2U);
    EXPECT_EQ(scratch.request.header("HOST"), "a");
}

TEST(RequestParser, random_cuts_of_many_requests_give_the_same) {
    std::string bytes;
    for (
        const std::string_view one :
        {"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"_raw,
         "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"_raw,
         "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n"_raw,
         "\r\nGET /4%20 HTTP/1.1\r\nHost: a\r\n\r\n"_raw})
        bytes += one;
    bytes += bytes + bytes + "GET / HTTP/1.1\r\n\r\n";
    const std::string expected = read_all({bytes});
    ASSERT_TRUE(expected.ends_with(refusal(Fault::host_missing)));
    const unsigned seed = static_cast<unsigned>(testing::UnitTest::GetInstance()->random_seed());
    SCOPED_TRACE("rerun with --gtest_shuffle --gtest_random_seed=" + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::string_view> pieces;
        for (std::string_view left = bytes; !left.empty(); left.remove_prefix(pieces.back().size()))
            pieces.push_back(left.substr(0, 1 + random() % 40));
        ASSERT_EQ(read_all(pieces), expected);
    }
}

}  // namespace
}  // namespace leftfold::http
