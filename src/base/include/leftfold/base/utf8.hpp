// UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace leftfold {

// Length of the valid sequence at the front, 0 if there is none.
std::size_t utf8_sequence_size(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

}  // namespace leftfold
