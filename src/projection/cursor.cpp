#include "cursor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "leftfold/base/bytes.hpp"
#include "leftfold/base/hex.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kPrefix = "1.";
constexpr CursorProblem kMalformed = "this is no cursor: give the `next` of the page before, as it is";

bool read_bytes(std::string_view digits, std::string& bytes) {
    if (digits.size() % 2 != 0)
        return false;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = hex_digit(digits[i]);
        const int low = hex_digit(digits[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return true;
}

void write_cell(ByteWriter& out, const rows::Cell& cell) {
    out.integer(static_cast<std::uint8_t>(cell.index()));
    if (const auto* integer = std::get_if<std::int64_t>(&cell))
        out.signed_varint(*integer);
    else if (const auto* real = std::get_if<double>(&cell))
        out.integer(std::bit_cast<std::uint64_t>(*real));
    else if (const auto* text = std::get_if<std::string>(&cell))
        out.text(*text);
}

bool read_cell(ByteReader& in, const rows::Column& column, rows::Cell& cell) {
    const std::size_t type = in.integer<std::uint8_t>();
    if (type == 0)
        return in.ok() && column.nullable;
    if (type != 1 + static_cast<std::size_t>(column.type))
        return false;
    switch (column.type) {
        case rows::CellType::integer:
            cell = in.signed_varint();
            break;
        case rows::CellType::real:
            cell = std::bit_cast<double>(in.integer<std::uint64_t>());
            if (!std::isfinite(std::get<double>(cell)))
                return false;
            break;
        case rows::CellType::text:
            cell = std::string(in.text());
            break;
    }
    return in.ok();
}

}  // namespace

std::string write_cursor(std::uint64_t fingerprint, std::span<const rows::Cell> cells) {
    std::string bytes;
    ByteWriter out(bytes);
    out.integer(fingerprint);
    for (const rows::Cell& cell : cells)
        write_cell(out, cell);
    std::string text(kPrefix);
    for (const char c : bytes) {
        constexpr std::string_view kHex = "0123456789abcdef";
        text.push_back(kHex[static_cast<std::uint8_t>(c) >> 4]);
        text.push_back(kHex[static_cast<std::uint8_t>(c) & 0xF]);
    }
    return text;
}

std::expected<std::vector<rows::Cell>, CursorProblem> read_cursor(std::string_view text, std::uint64_t fingerprint,
                                                                  const TableForm& form,
                                                                  std::span<const std::uint32_t> columns) {
    std::string bytes;
    if (!text.starts_with(kPrefix) || !read_bytes(text.substr(kPrefix.size()), bytes))
        return std::unexpected(kMalformed);
    ByteReader in(bytes);
    const auto asked = in.integer<std::uint64_t>();
    if (!in.ok())
        return std::unexpected(kMalformed);
    if (asked != fingerprint)
        return std::unexpected(
            "this cursor is of another query: filters, order and direction must be those of the page before");
    std::vector<rows::Cell> cells(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!read_cell(in, form.table.columns[columns[i]], cells[i]))
            return std::unexpected(kMalformed);
        // A column that is in index and key has one value.
        const auto before = std::ranges::find(columns.first(i), columns[i]);
        if (before != columns.begin() + static_cast<std::ptrdiff_t>(i) &&
            cells[static_cast<std::size_t>(before - columns.begin())] != cells[i])
            return std::unexpected(kMalformed);
    }
    if (!in.at_end())
        return std::unexpected(kMalformed);
    return cells;
}

}  // namespace leftfold
