// The forms of RFC 3986 that CloudEvents demands, checked by characters, percent-encoding, scheme and fragment.
#pragma once

#include <string_view>

namespace leftfold {

bool is_uri_reference(std::string_view text) noexcept;
// With a scheme.
bool is_absolute_uri(std::string_view text) noexcept;

}  // namespace leftfold
