#include "leftfold/sim/trace.hpp"

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"

namespace leftfold::sim {

void Trace::mix(std::uint64_t value) noexcept {
    // FNV-1a over words, and a shift so that high bits reach low ones.
    hash_ = (hash_ ^ value) * 0x0000'0100'0000'01B3ULL;
    hash_ ^= hash_ >> 29;
}

void Trace::note(std::string_view what, std::string_view where, std::initializer_list<std::uint64_t> numbers) noexcept {
    ++event_count_;
    mix((std::uint64_t{crc32c(bytes_of(what))} << 32) | crc32c(bytes_of(where)));
    mix(numbers.size());
    for (const std::uint64_t number : numbers)
        mix(number);
}

}  // namespace leftfold::sim
