#pragma once

#include <string>
#include <string_view>

namespace leftfold::http {

// "name: value\r\n"; control characters of the value become spaces.
void append_header_line(std::string& lines, std::string_view name, std::string_view value);

}  // namespace leftfold::http
