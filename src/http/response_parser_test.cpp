#include "response_parser.hpp"

#include <gtest/gtest.h>

namespace leftfold::http {
namespace {

constexpr CodecLimits kLimits{.header_bytes_max = 200, .header_count_max = 5, .body_bytes_max = 20};

// "status body" with "+" where the connection lives on, or what went wrong; `ended`: the server finished sending.
std::string read(const std::vector<std::string_view>& pieces, bool to_head, bool ended) {
    ResponseParser parser(kLimits);
    parser.begin(to_head);
    auto outcome = ResponseParser::Outcome::need_more;
    for (const std::string_view piece : pieces) {
        const std::vector<char> copy(piece.begin(), piece.end());
        std::string_view input(copy.data(), copy.size());
        outcome = parser.feed(input);
        if (outcome != ResponseParser::Outcome::need_more)
            break;
    }
    if (outcome == ResponseParser::Outcome::need_more && ended)
        outcome = parser.end();
    if (outcome == ResponseParser::Outcome::need_more)
        return "more";
    if (outcome == ResponseParser::Outcome::refused)
        return parser.fault() == Fault::none ? "cut" : "refused " + std::string(describe(parser.fault()).detail);
    return std::to_string(parser.status()) + " " + parser.take_body() + (parser.keeps_alive() ? "+" : "");
}

void expect_read(std::string_view bytes, const std::string& expected, bool to_head = false, bool ended = false) {
    EXPECT_EQ(read({bytes}, to_head, ended), expected) << bytes;
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        pieces.push_back(bytes.substr(i, 1));
    EXPECT_EQ(read(pieces, to_head, ended), expected) << "one by one: " << bytes;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
        EXPECT_EQ(read({bytes.substr(0, cut), bytes.substr(cut)}, to_head, ended), expected) << cut << ": " << bytes;
}

std::string refused(Fault fault) {
    return "refused " + std::string(describe(fault).detail);
}

TEST(ResponseParser, responses_are_read_however_cut) {
    expect_read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 hi+");
    expect_read("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 +");
    expect_read("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 +");
    expect_read("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "404 x");
    expect_read("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 x");
    expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1;e\r\n!\r\n0\r\nT: r\r\n\r\n",
                "200 hi!+");
    expect_read("HTTP/1.1 204 No Content\r\n\r\n", "204 +");
    expect_read("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 +");
    expect_read(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n",
        "201 +");
}

TEST(ResponseParser, response_to_head_has_no_body) {
    expect_read("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", "200 +", true);
    expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200 +", true);
}

TEST(ResponseParser, body_without_length_ends_with_the_connection) {
    expect_read("HTTP/1.1 200 OK\r\n\r\nall of it", "200 all of it", false, true);
    expect_read("HTTP/1.1 200 OK\r\n\r\n", "200 ", false, true);
    expect_read("HTTP/1.1 200 OK\r\n\r\nall of it", "more");
    expect_read("HTTP/1.1 200 OK\r\n\r\n" + std::string(21, 'x'), refused(Fault::body_too_large));
}

TEST(ResponseParser, response_that_is_cut_is_not_complete) {
    expect_read("HTTP/1.1 200 OK\r\nContent-Le", "cut", false, true);
    expect_read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", "cut", false, true);
    expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "cut", false, true);
    expect_read("HTTP/1.1 100 Continue\r\n\r\n", "cut", false, true);
}

TEST(ResponseParser, malformed_responses_are_refused) {
    expect_read("SSH-2.0-x\r\n\r\n", refused(Fault::bad_status_line));
    expect_read("HTTP/1.1 2000 OK\r\n\r\n", refused(Fault::bad_status_line));
    expect_read("HTTP/1.1 2x0 OK\r\n\r\n", refused(Fault::bad_status_line));
    expect_read("HTTP/1.1 099 OK\r\n\r\n", refused(Fault::bad_status_line));
    expect_read("HTTP/1.1 101 Switching\r\n\r\n", refused(Fault::bad_status_line));
    expect_read("HTTP/2.0 200 OK\r\n\r\n", refused(Fault::version_unsupported));
    expect_read("HTTP/1.1 200 OK\n\n", refused(Fault::bare_line_feed));
    expect_read("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", refused(Fault::folded_header));
    expect_read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", refused(Fault::length_repeated));
    expect_read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
                refused(Fault::length_with_coding));
    expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", refused(Fault::coding_unknown));
    expect_read("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", refused(Fault::body_too_large));
    expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n", refused(Fault::body_too_large));
    expect_read("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x') + "\r\n\r\n", refused(Fault::headers_too_large));
    std::string interim;
    for (int i = 0; i < 9; ++i)
        interim += "HTTP/1.1 100 Continue\r\n\r\n";
    expect_read(interim, refused(Fault::bad_status_line));
}

}  // namespace
}  // namespace leftfold::http
