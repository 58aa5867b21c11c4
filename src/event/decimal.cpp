#include "leftfold/event/decimal.hpp"

#include <algorithm>
#include <stdexcept>

namespace leftfold::detail {

void throw_decimal_overflow(const char* operation) {
    throw std::overflow_error(std::string("Decimal: the result of ") + operation + " does not fit");
}

std::size_t format_decimal(std::int64_t minor, unsigned digits, char* out) noexcept {
    char reversed[kDecimalCharactersMax];
    std::size_t size = 0;
    std::uint64_t rest = minor < 0 ? 0 - static_cast<std::uint64_t>(minor) : static_cast<std::uint64_t>(minor);
    for (unsigned written = 0; rest != 0 || written <= digits; ++written) {
        if (written == digits && digits != 0)
            reversed[size++] = '.';
        reversed[size++] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    }
    if (minor < 0)
        reversed[size++] = '-';
    std::reverse_copy(reversed, reversed + size, out);
    return size;
}

}  // namespace leftfold::detail
