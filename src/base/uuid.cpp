#include "leftfold/base/uuid.hpp"

#include <fmt/format.h>

#include "leftfold/base/hex.hpp"

namespace leftfold {

namespace {

constexpr std::size_t kTextSize = 36;

constexpr bool is_dash(std::size_t index) noexcept {
    return index == 8 || index == 13 || index == 18 || index == 23;
}

}  // namespace

Uuid Uuid::v7(Timestamp now, std::uint64_t random_high, std::uint64_t random_low) noexcept {
    const auto milliseconds =
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
    std::array<std::uint8_t, 16> bytes;
    for (std::size_t i = 0; i < 6; ++i)
        bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
    bytes[6] = static_cast<std::uint8_t>(0x70 | (random_high & 0x0F));
    bytes[7] = static_cast<std::uint8_t>(random_high >> 8);
    bytes[8] = static_cast<std::uint8_t>(0x80 | (random_low & 0x3F));
    for (std::size_t i = 9; i < 16; ++i)
        bytes[i] = static_cast<std::uint8_t>(random_low >> (8 * (i - 8)));
    return Uuid(bytes);
}

Result<Uuid> Uuid::parse(std::string_view text) {
    const auto malformed = [&] {
        return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not a UUID", text.substr(0, kTextSize)));
    };
    if (text.size() != kTextSize)
        return malformed();
    std::array<std::uint8_t, 16> bytes{};
    std::size_t digits = 0;
    for (std::size_t i = 0; i < kTextSize; ++i) {
        if (is_dash(i)) {
            if (text[i] != '-')
                return malformed();
            continue;
        }
        const int digit = hex_digit(text[i]);
        if (digit < 0)
            return malformed();
        bytes[digits / 2] = static_cast<std::uint8_t>((bytes[digits / 2] << 4) | digit);
        ++digits;
    }
    return Uuid(bytes);
}

std::string Uuid::to_string() const {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    text.reserve(kTextSize);
    for (const std::uint8_t byte : bytes_) {
        if (is_dash(text.size()))
            text.push_back('-');
        text.push_back(kHex[byte >> 4]);
        text.push_back(kHex[byte & 0x0F]);
    }
    return text;
}

}  // namespace leftfold
