// Any bytes: reading must neither crash nor take what it cannot write again. What reads, writes, and then reads and
// writes as the same.
#include "leftfold/base/assert.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/json_value.hpp"

namespace {

using namespace leftfold;

enum class State : std::uint8_t { open, in_review };
struct Note {
    std::int32_t x;
    std::optional<std::string> text;
};
struct Close {};
struct Everything {
    std::string text;
    std::optional<Note> note;
    std::vector<Note> notes;
    std::map<std::string, Money> amounts;
    std::variant<Note, Close> command;
    State state{};
    Bounded<int, 0, 100> percent;
    Uuid id;
    Timestamp time;
    bool flag{};
    std::uint64_t large{};
    std::vector<Everything> children;
};

template <class T>
void check(std::string_view text, json::Strictness strictness, json::Reader& reader) {
    const auto value = json::read<T>(text, strictness, reader);
    if (!value) {
        LEFTFOLD_ASSERT(!value.error().problem.empty());
        return;
    }
    const std::string written = json::to_string(*value);
    const auto again = json::read<T>(written, json::Strictness::strict, reader);
    LEFTFOLD_ASSERT(again.has_value());
    LEFTFOLD_ASSERT(json::to_string(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static json::Reader reader;  // as in production: what one text leaves behind must not reach the next
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check<Everything>(text, json::Strictness::strict, reader);
    check<Everything>(text, json::Strictness::lenient, reader);
    check<json::Value>(text, json::Strictness::lenient, reader);
    return 0;
}
