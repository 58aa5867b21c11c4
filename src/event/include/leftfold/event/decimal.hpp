// Decimal<Digits>: an exact decimal number with a fixed count of digits behind the point, kept as a count of minor
// units in 64 bits. Money is Decimal<2>. On the wire it is a string with exactly that many digits: "-12.50".
//
// Arithmetic is checked: what does not fit throws std::overflow_error, which fails the command and changes nothing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace leftfold {

namespace detail {

[[noreturn]] void throw_decimal_overflow(const char* operation);

// The one written form of each value: an optional '-', no '+', no leading zero before another digit, exactly `digits`
// digits behind the point, no "-0".
constexpr std::optional<std::int64_t> parse_decimal(std::string_view text, unsigned digits) noexcept {
    const bool negative = text.starts_with('-');
    if (negative)
        text.remove_prefix(1);
    const std::size_t behind = digits == 0 ? 0 : digits + 1;
    if (text.size() <= behind || (digits != 0 && text[text.size() - behind] != '.'))
        return std::nullopt;
    const std::size_t whole = text.size() - behind;
    if (whole > 1 && text[0] == '0')
        return std::nullopt;
    std::int64_t value = 0;  // negated, since the smallest value has no positive counterpart
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == whole)
            continue;
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text[i] - '0', &value))
            return std::nullopt;
    }
    if (negative)
        return value == 0 ? std::nullopt : std::optional(value);
    if (value == std::numeric_limits<std::int64_t>::min())
        return std::nullopt;
    return -value;
}

inline constexpr std::size_t kDecimalCharactersMax = 24;

// Writes at most kDecimalCharactersMax characters and returns how many.
std::size_t format_decimal(std::int64_t minor, unsigned digits, char* out) noexcept;

}  // namespace detail

template <unsigned Digits>
class Decimal {
    static_assert(Digits <= 18, "leftfold: a Decimal holds up to 18 digits behind the point");

  public:
    static constexpr unsigned kDigits = Digits;

    constexpr Decimal() noexcept = default;  // zero

    // Money("12.50"): checked by the compiler.
    template <std::size_t Size>
    explicit consteval Decimal(const char (&text)[Size])
        : minor_(detail::parse_decimal(std::string_view(text, Size - 1), Digits).value()) {}

    static constexpr Decimal from_minor(std::int64_t minor) noexcept {
        Decimal out;
        out.minor_ = minor;
        return out;
    }
    // Exactly the form that to_string() gives; nothing else, and nothing that does not fit.
    static constexpr std::optional<Decimal> parse(std::string_view text) noexcept {
        const auto minor = detail::parse_decimal(text, Digits);
        return minor ? std::optional(from_minor(*minor)) : std::nullopt;
    }

    constexpr std::int64_t minor() const noexcept { return minor_; }
    std::string to_string() const {
        char text[detail::kDecimalCharactersMax];
        return {text, detail::format_decimal(minor_, Digits, text)};
    }

    constexpr Decimal& operator+=(Decimal other) {
        if (__builtin_add_overflow(minor_, other.minor_, &minor_))
            detail::throw_decimal_overflow("+");
        return *this;
    }
    constexpr Decimal& operator-=(Decimal other) {
        if (__builtin_sub_overflow(minor_, other.minor_, &minor_))
            detail::throw_decimal_overflow("-");
        return *this;
    }
    friend constexpr Decimal operator+(Decimal a, Decimal b) { return a += b; }
    friend constexpr Decimal operator-(Decimal a, Decimal b) { return a -= b; }
    friend constexpr Decimal operator-(Decimal a) { return Decimal() -= a; }
    friend constexpr auto operator<=>(Decimal, Decimal) noexcept = default;

  private:
    std::int64_t minor_ = 0;
};

using Money = Decimal<2>;

}  // namespace leftfold
