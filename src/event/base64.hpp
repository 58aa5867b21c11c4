// Base64 (RFC 4648 §4), with padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leftfold {

std::string base64_encode(std::string_view bytes);
// Only the form that base64_encode gives: no white space, padded, no stray bits.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace leftfold
