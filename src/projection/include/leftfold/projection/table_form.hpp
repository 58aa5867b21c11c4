// TableForm: a projection's table as people and programs see it: what each column means beyond the type of its cells.
//
// Made from a row's struct by row_type.hpp. What reads or shows rows without knowing the struct (queries, tools, live
// streams) works by it. Immutable: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

enum class ColumnKind : std::uint8_t {
    boolean,      // integer cell, 0 or 1
    integer,      // integer cell
    decimal,      // integer cell: minor units
    timestamp,    // integer cell: microseconds since 1970, UTC
    enumeration,  // integer cell: the enumerator's value, so that rows are ordered as the enum declares
    real,         // real cell
    text,         // text cell
    uuid,         // text cell: the 36-character form, in lower case
    json,         // text cell: whatever else a field may be. It has no order
};

constexpr rows::CellType cell_type_of(ColumnKind kind) noexcept {
    switch (kind) {
        case ColumnKind::real:
            return rows::CellType::real;
        case ColumnKind::text:
        case ColumnKind::uuid:
        case ColumnKind::json:
            return rows::CellType::text;
        default:
            return rows::CellType::integer;
    }
}

struct ColumnForm {
    std::string name;
    ColumnKind kind = ColumnKind::text;
    bool nullable = false;
    unsigned digits = 0;                      // of a decimal, behind the point
    std::span<const std::string_view> names;  // of an enumeration, by value; static storage; some may be empty
    std::string shape;                        // shape.hpp
};

struct TableForm {
    std::string row_type;  // the struct's own name: "Balance"
    rows::Table table;     // "balance": the schema
    std::vector<ColumnForm> columns;
};

// One JSON object, as json::write gives of the struct: fields in declared order, without those that are absent.
// `corrupt` if the cells are not what the columns say; then `out` has half a row behind its former end.
Result<> write_row(std::string& out, const TableForm& form, std::span<const rows::Cell> row);

// The key of a row for messages: "(acc-1, 17)".
std::string key_text(const TableForm& form, std::span<const rows::Cell> row);

// Of tables, for the fingerprint of a projection: names, keys, columns with their shapes, indexes.
void append_shape(std::string& out, const TableForm& form);

}  // namespace leftfold
