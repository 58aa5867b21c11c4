// The text of a cursor: "1." and hexadecimal digits of a fingerprint and of the cells of a place in an order.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/projection/table_form.hpp"

namespace leftfold {

std::string write_cursor(std::uint64_t fingerprint, std::span<const rows::Cell> cells);

// Why it was refused, for people.
using CursorProblem = std::string_view;

// Cells of the types of these columns.
std::expected<std::vector<rows::Cell>, CursorProblem> read_cursor(std::string_view text, std::uint64_t fingerprint,
                                                                  const TableForm& form,
                                                                  std::span<const std::uint32_t> columns);

}  // namespace leftfold
