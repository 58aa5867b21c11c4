// Any bytes as a server's answer, whole and cut into pieces, must give the same. The first byte says how it is cut, and
// whether the request was a HEAD.
#include <cstdint>
#include <random>
#include <string>

#include "leftfold/base/assert.hpp"
#include "leftfold/http/client.hpp"

#include "../response_parser.hpp"

namespace {

using namespace leftfold::http;

constexpr CodecLimits kLimits{.header_bytes_max = 512, .header_count_max = 16, .body_bytes_max = 256};

std::string run(std::string_view bytes, bool to_head, std::minstd_rand* cuts) {
    ResponseParser parser(kLimits);
    parser.begin(to_head);
    auto outcome = ResponseParser::Outcome::need_more;
    std::size_t read = 0;
    while (!bytes.empty() && outcome == ResponseParser::Outcome::need_more) {
        const std::string piece(bytes.substr(0, cuts == nullptr ? bytes.size() : 1 + (*cuts)() % 16));
        bytes.remove_prefix(piece.size());
        std::string_view input = piece;
        outcome = parser.feed(input);
        read += piece.size() - input.size();
    }
    if (outcome == ResponseParser::Outcome::need_more)
        outcome = parser.end();
    if (outcome == ResponseParser::Outcome::refused)
        return "refused " + std::to_string(static_cast<int>(parser.fault()));
    ClientResponse response;
    response.status = parser.status();
    response.head = parser.take_head();
    response.body = parser.take_body();
    LEFTFOLD_ASSERT(response.body.size() <= kLimits.body_bytes_max);
    LEFTFOLD_ASSERT(response.status >= 200 && response.status <= 599);
    static_cast<void>(response.header("content-type"));
    return std::to_string(response.status) + response.head + response.body + std::to_string(read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const bool to_head = (data[0] & 1U) != 0;
    std::minstd_rand cuts(data[0]);
    LEFTFOLD_ASSERT(run(bytes, to_head, nullptr) == run(bytes, to_head, &cuts));
    return 0;
}
