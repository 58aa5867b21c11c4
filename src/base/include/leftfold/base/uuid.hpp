// Uuid: 128 bits, printed in the form of RFC 9562 §4.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "leftfold/base/error.hpp"
#include "leftfold/base/time.hpp"

namespace leftfold {

class Uuid {
  public:
    constexpr Uuid() noexcept = default;  // nil
    constexpr explicit Uuid(const std::array<std::uint8_t, 16>& bytes) noexcept : bytes_(bytes) {}

    // Version 7 (RFC 9562 §5.7): the time to the millisecond, then random bits, which the caller draws.
    static Uuid v7(Timestamp now, std::uint64_t random_high, std::uint64_t random_low) noexcept;
    // Exactly the 36-character form, in either case.
    static Result<Uuid> parse(std::string_view text);

    constexpr const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    std::string to_string() const;
    constexpr bool is_nil() const noexcept { return *this == Uuid(); }

    friend constexpr auto operator<=>(const Uuid&, const Uuid&) noexcept = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace leftfold
