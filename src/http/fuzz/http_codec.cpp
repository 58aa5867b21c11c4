// Any bytes through a server's connection, whole and cut into pieces, must give the same requests and the same answers,
// and every request must hold what a Handler relies on. The first byte of an input says how it is cut.
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "leftfold/base/assert.hpp"
#include "leftfold/http/url.hpp"

#include "../server_codec.hpp"

namespace {

using namespace leftfold;
using namespace leftfold::http;

class StoppedClock final : public Clock {
  public:
    Timestamp now() const noexcept override { return timestamp_from_micros(0); }
    MonotonicTime monotonic() const noexcept override { return MonotonicTime{}; }
};

constexpr CodecLimits kLimits{.header_bytes_max = 512, .header_count_max = 16, .body_bytes_max = 256};

void check(const Request& request) {
    LEFTFOLD_ASSERT(request.raw_path.starts_with('/'));
    LEFTFOLD_ASSERT(percent_decode(request.raw_path) == request.path);
    LEFTFOLD_ASSERT(request.path.find('\0') == std::string_view::npos);
    LEFTFOLD_ASSERT(request.body.size() <= kLimits.body_bytes_max && request.fields.size() <= kLimits.header_count_max);
    for (const HeaderField& field : request.fields)
        LEFTFOLD_ASSERT(!field.name.empty() && field.value.find_first_of("\r\n") == std::string_view::npos &&
                        field.value.find('\0') == std::string_view::npos);
    static_cast<void>(parse_query(request.query));
}

// Requests, as read, then answers, as written. A 100 depends on whether the body was there, so it is left out.
std::string run(std::string_view bytes, std::minstd_rand* cuts) {
    const StoppedClock clock;
    CodecShared shared{.limits = kLimits, .scratch = {}, .writer = ResponseWriter(clock)};
    ServerCodec codec(shared);
    std::string seen;
    std::string written;
    std::vector<std::uint64_t> unanswered;
    const auto answer = [&] {
        // Backwards, so that all but the last have to wait.
        for (; !unanswered.empty(); unanswered.pop_back())
            codec.reply(unanswered.back(), text_response(200, "x"));
        written += codec.take_output();
    };
    while (!bytes.empty() && !codec.finished()) {
        const std::size_t size = cuts == nullptr ? bytes.size() : 1 + (*cuts)() % 16;
        std::string piece(bytes.substr(0, size));
        piece.shrink_to_fit();
        bytes.remove_prefix(piece.size());
        std::string_view input = piece;
        while (!input.empty()) {
            const ServerCodec::Event event = codec.read(input);
            if (event == ServerCodec::Event::refused || event == ServerCodec::Event::over)
                break;
            if (event == ServerCodec::Event::need_more) {
                LEFTFOLD_ASSERT(input.empty());
                break;
            }
            const Request& request = shared.scratch.request;
            check(request);
            seen.append(to_string(request.method)).append(request.path).append("?").append(request.query).append("\n");
            seen.append(request.body).append("\n");
            unanswered.push_back(codec.ticket());
        }
        answer();
    }
    constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for (std::size_t at = written.find(interim); at != std::string::npos; at = written.find(interim))
        written.erase(at, interim.size());
    return seen + written;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::minstd_rand cuts(data[0]);
    LEFTFOLD_ASSERT(run(bytes, nullptr) == run(bytes, &cuts));
    return 0;
}
