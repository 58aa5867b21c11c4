// Trace: a running hash over everything that happens in a simulation. Two runs of one seed must end with the same hash.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace leftfold::sim {

class Trace {
  public:
    // One thing that happened: what, where, and the numbers that tell it from others.
    void note(std::string_view what, std::string_view where,
              std::initializer_list<std::uint64_t> numbers = {}) noexcept;

    std::uint64_t hash() const noexcept { return hash_; }
    std::uint64_t event_count() const noexcept { return event_count_; }

  private:
    void mix(std::uint64_t value) noexcept;

    std::uint64_t hash_ = 0xCBF2'9CE4'8422'2325ULL;
    std::uint64_t event_count_ = 0;
};

}  // namespace leftfold::sim
