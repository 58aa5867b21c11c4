// Any bytes as an event stream, whole and cut into pieces, must give the same events; and what was read, written again,
// reads the same. The first byte says how it is cut.
#include <cstdint>
#include <random>
#include <string>

#include "leftfold/base/assert.hpp"
#include "leftfold/http/sse.hpp"

namespace {

using namespace leftfold;
using namespace leftfold::http;

constexpr std::size_t kEventBytesMax = 200;

std::string run(std::string_view bytes, std::minstd_rand* cuts, std::string* again) {
    SseReader reader(kEventBytesMax);
    std::string seen;
    const auto receive = [&](const SseReader::Event& event) {
        LEFTFOLD_ASSERT(event.data.size() <= kEventBytesMax);
        LEFTFOLD_ASSERT(event.last_id.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos);
        seen.append(event.type).append("|").append(event.data).append("|").append(event.last_id).append("\n");
        if (again == nullptr)
            return;
        append_sse_field(*again, "event", event.type);
        append_sse_field(*again, "id", event.last_id);
        append_sse_field(*again, "data", event.data);
        again->push_back('\n');
    };
    while (!bytes.empty()) {
        const std::string piece(bytes.substr(0, cuts == nullptr ? bytes.size() : 1 + (*cuts)() % 16));
        bytes.remove_prefix(piece.size());
        if (!reader.feed(piece, receive))
            return seen + "too large";
    }
    return seen + reader.last_id();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::minstd_rand cuts(data[0]);
    std::string again;
    const std::string whole = run(bytes, nullptr, &again);
    LEFTFOLD_ASSERT(whole == run(bytes, &cuts, nullptr));
    const std::string events = whole.substr(0, whole.rfind('\n') + 1);
    const std::string reread = run(again, nullptr, nullptr);
    LEFTFOLD_ASSERT(reread.starts_with(events) || reread.ends_with("too large"));
    return 0;
}
