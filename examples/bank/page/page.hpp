#pragma once

#include <string_view>

namespace bank {

// Balances, events and alerts, live: one page with all that it needs.
std::string_view page_html() noexcept;

}  // namespace bank
