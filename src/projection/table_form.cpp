#include "leftfold/projection/table_form.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "leftfold/event/json_writer.hpp"

namespace leftfold {

namespace {

void append_real(std::string& out, double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

bool write_integer_cell(std::string& out, const ColumnForm& column, std::int64_t value) {
    switch (column.kind) {
        case ColumnKind::boolean:
            out.append(value != 0 ? "true" : "false");
            return true;
        case ColumnKind::integer:
            json::write_integer(out, value);
            return true;
        case ColumnKind::decimal:
            json::write_decimal(out, value, column.digits);
            return true;
        case ColumnKind::timestamp: {
            const Timestamp time = timestamp_from_micros(value);
            if (time < json::kRfc3339First || time >= json::kRfc3339Behind)
                return false;
            json::write_timestamp(out, time);
            return true;
        }
        case ColumnKind::enumeration: {
            const auto index = static_cast<std::size_t>(value);  // a negative value becomes a large one
            if (index >= column.names.size() || column.names[index].empty())
                return false;
            json::write_string(out, column.names[index]);
            return true;
        }
        default:
            return false;
    }
}

bool write_text_cell(std::string& out, const ColumnForm& column, const std::string& text) {
    switch (column.kind) {
        case ColumnKind::text:
        case ColumnKind::uuid:
            json::write_string(out, text);
            return true;
        case ColumnKind::json:
            out.append(text);
            return true;
        default:
            return false;
    }
}

bool write_cell(std::string& out, const ColumnForm& column, const rows::Cell& cell) {
    if (const auto* integer = std::get_if<std::int64_t>(&cell))
        return write_integer_cell(out, column, *integer);
    if (const auto* text = std::get_if<std::string>(&cell))
        return write_text_cell(out, column, *text);
    if (const auto* real = std::get_if<double>(&cell); real != nullptr && column.kind == ColumnKind::real) {
        append_real(out, *real);
        return true;
    }
    return false;
}

std::unexpected<Error> not_of_column(const TableForm& form, const ColumnForm& column) {
    return fail(ErrorCode::corrupt,
                fmt::format("column '{}' of table '{}' holds what it cannot: rebuild the projection", column.name,
                            form.table.name));
}

}  // namespace

Result<> write_row(std::string& out, const TableForm& form, std::span<const rows::Cell> row) {
    if (row.size() != form.columns.size())
        return fail(ErrorCode::corrupt, fmt::format("a row of table '{}' has {} cells, not {}: rebuild the projection",
                                                    form.table.name, row.size(), form.columns.size()));
    out.push_back('{');
    for (std::size_t i = 0; i < row.size(); ++i) {
        const ColumnForm& column = form.columns[i];
        if (std::holds_alternative<std::monostate>(row[i]) && column.nullable)
            continue;
        json::write_key(out, column.name);
        if (!write_cell(out, column, row[i]))
            return not_of_column(form, column);
    }
    out.push_back('}');
    return {};
}

std::string key_text(const TableForm& form, std::span<const rows::Cell> row) {
    std::string text;
    for (std::size_t i = 0; i < form.table.key_columns && i < row.size(); ++i) {
        text += text.empty() ? "(" : ", ";
        if (!write_cell(text, form.columns[i], row[i]))
            text += "?";
    }
    return text + ")";
}

void append_shape(std::string& out, const TableForm& form) {
    out += "{\"name\":";
    json::write_string(out, form.table.name);
    out += fmt::format(",\"key\":{},\"columns\":{{", form.table.key_columns);
    for (const ColumnForm& column : form.columns) {
        json::write_key(out, column.name);
        out += column.shape;
    }
    out += "},\"indexes\":{";
    for (const rows::Index& index : form.table.indexes) {
        json::write_key(out, index.name);
        out.push_back('[');
        for (const std::uint32_t column : index.columns) {
            if (out.back() != '[')
                out.push_back(',');
            json::write_string(out, form.columns[column].name);
        }
        out.push_back(']');
    }
    out += "}}";
}

}  // namespace leftfold
