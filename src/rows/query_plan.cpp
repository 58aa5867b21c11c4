#include "query_plan.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "schema.hpp"

namespace leftfold::rows {

namespace {

bool is_null(const Cell& cell) noexcept {
    return std::holds_alternative<std::monostate>(cell);
}

// The one value that a filter lets through, if it is one.
const Cell* fixed_value(const Filter& filter) {
    const bool is_equality = filter.low && filter.high && filter.low->inclusive && filter.high->inclusive &&
                             compare(filter.low->value, filter.high->value) == 0;
    return is_equality ? &filter.low->value : nullptr;
}

bool lets_null_through(const Filter& filter) {
    if (!filter.low && !filter.high)
        return true;
    const bool low_lets = !filter.low || (is_null(filter.low->value) && filter.low->inclusive);
    const bool high_lets = !filter.high || !is_null(filter.high->value) || filter.high->inclusive;
    const bool has_null_bound =
        (filter.low && is_null(filter.low->value)) || (filter.high && is_null(filter.high->value));
    return has_null_bound && low_lets && high_lets;
}

const Cell* fixed_value(const Query& query, std::uint32_t column) {
    for (const Filter& filter : query.filters) {
        if (filter.column != column)
            continue;
        if (const Cell* value = fixed_value(filter))
            return value;
    }
    return nullptr;
}

// Terms of a WHERE and the values of their parameters.
struct Terms {
    std::string text;
    std::vector<const Cell*> values;

    void add(std::string_view term) {
        text += text.empty() ? " WHERE " : " AND ";
        text += term;
    }
    void add(std::string_view expression, std::string_view comparison, const Cell& value) {
        add(fmt::format("{} {} ?", expression, comparison));
        values.push_back(&value);
    }
    void add_equal(std::string_view expression, const Cell& value) {
        if (is_null(value))
            add(fmt::format("{} IS NULL", expression));
        else
            add(expression, "=", value);
    }
};

void add_low(Terms& terms, std::string_view expression, const Bound& low) {
    if (!is_null(low.value))
        terms.add(expression, low.inclusive ? ">=" : ">", low.value);
    else if (!low.inclusive)
        terms.add(fmt::format("{} IS NOT NULL", expression));
}

void add_high(Terms& terms, std::string_view expression, const Filter& filter) {
    const Bound& high = *filter.high;
    if (is_null(high.value)) {
        terms.add(high.inclusive ? fmt::format("{} IS NULL", expression) : "0");
        return;
    }
    const std::string_view comparison = high.inclusive ? "<=" : "<";
    if (!lets_null_through(filter)) {
        terms.add(expression, comparison, high.value);
        return;
    }
    terms.add(fmt::format("({} IS NULL OR {} {} ?)", expression, expression, comparison));
    terms.values.push_back(&high.value);
}

void add_filter(Terms& terms, std::string_view expression, const Filter& filter, bool with_low, bool with_high) {
    if (const Cell* value = fixed_value(filter)) {
        terms.add_equal(expression, *value);
        return;
    }
    if (filter.low && with_low)
        add_low(terms, expression, *filter.low);
    if (filter.high && with_high)
        add_high(terms, expression, filter);
}

// What is left of the cursor when the filters have had their say.
struct Cursor {
    enum class Reach : std::uint8_t { all, some, none };

    Reach reach = Reach::all;
    std::vector<std::uint32_t> columns;  // where some: rows behind these values of these columns
    std::vector<const Cell*> values;
    bool covers_bound = false;  // the filters' bound of columns[0] on the cursor's side says nothing more
};

class Planner {
  public:
    Planner(const Table& table, const Query& query) : table_(table), query_(query), index_(choose_index()) {
        for (const std::uint32_t column : order_columns(table, query)) {
            if (std::ranges::find(order_, column) == order_.end())
                order_.push_back(column);
        }
        if (index_ != nullptr)
            source_ = fmt::format("{} INDEXED BY {}", quoted(table.name), quoted(index_name(table, *index_)));
        else
            source_ = quoted(table.name);
        for (const std::uint32_t column : order_)
            order_text_ += fmt::format("{}{}{}", order_text_.empty() ? "" : ", ", quoted(table.columns[column].name),
                                       query.descending ? " DESC" : "");
    }

    std::vector<RangeQuery> plan() {
        const Cursor cursor = cut_cursor();
        if (cursor.reach == Cursor::Reach::none)
            return {};
        if (cursor.reach == Cursor::Reach::all)
            return {finish(filters({}))};
        return ranges(cursor);
    }

  private:
    // By key, the rows of an index are in the same order if all its columns are fixed.
    const Index* choose_index() const {
        if (query_.order)
            return &table_.indexes[query_.order->value()];
        for (const Index& index : table_.indexes) {
            if (std::ranges::all_of(index.columns, [&](auto column) { return fixed_value(query_, column) != nullptr; }))
                return &index;
        }
        return nullptr;
    }

    bool is_nullable(std::uint32_t column) const { return table_.columns[column].nullable; }
    std::string name(std::uint32_t column) const { return quoted(table_.columns[column].name); }

    // Along the key, a filter that does not narrow its range must not tempt SQLite to go along another index and sort.
    std::string filter_name(std::uint32_t column) const {
        const auto is_fixed = [&](std::uint32_t before) { return fixed_value(query_, before) != nullptr; };
        const bool narrows =
            column < table_.key_columns && std::ranges::all_of(order_.begin(), order_.begin() + column, is_fixed);
        return (index_ == nullptr && !narrows ? "+" : "") + name(column);
    }

    Cursor cut_cursor() const {
        Cursor cursor;
        if (query_.after.empty())
            return cursor;
        const std::vector<std::uint32_t> all = order_columns(table_, query_);
        const auto value_of = [&](std::uint32_t column) {
            return &query_.after[static_cast<std::size_t>(std::ranges::find(all, column) - all.begin())];
        };
        // How a value lies to another in the direction of the query.
        const auto ahead = [&](const Cell& left, const Cell& right) {
            return query_.descending ? compare(right, left) : compare(left, right);
        };
        std::size_t fixed = 0;
        for (; fixed < order_.size(); ++fixed) {
            const Cell* value = fixed_value(query_, order_[fixed]);
            if (value == nullptr)
                break;
            const auto place = ahead(*value, *value_of(order_[fixed]));
            if (place != 0) {
                cursor.reach = place > 0 ? Cursor::Reach::all : Cursor::Reach::none;
                return cursor;
            }
        }
        if (fixed == order_.size()) {
            cursor.reach = Cursor::Reach::none;
            return cursor;
        }
        for (const Filter& filter : query_.filters) {
            const std::optional<Bound>& bound = query_.descending ? filter.high : filter.low;
            if (filter.column != order_[fixed] || !bound)
                continue;
            const auto place = ahead(bound->value, *value_of(filter.column));
            if (place > 0 || (place == 0 && !bound->inclusive))
                return cursor;  // all that passes lies behind
        }
        cursor.reach = Cursor::Reach::some;
        // A cursor at null lies outside of bounds that keep null out.
        cursor.covers_bound = !is_null(*value_of(order_[fixed]));
        for (std::size_t i = fixed; i < order_.size(); ++i) {
            cursor.columns.push_back(order_[i]);
            cursor.values.push_back(value_of(order_[i]));
        }
        return cursor;
    }

    // Without the bounds of `covered` on the cursor's side: two bounds of one side, and SQLite may take the wider.
    Terms filters(std::optional<std::uint32_t> covered) const {
        Terms terms;
        for (const Filter& filter : query_.filters) {
            const bool is_covered = filter.column == covered && fixed_value(filter) == nullptr;
            add_filter(terms, filter_name(filter.column), filter, !is_covered || query_.descending,
                       !is_covered || !query_.descending);
        }
        return terms;
    }

    // Rows equal to the cursor in its first columns and behind it in the next; the deepest first, so that their order
    // is that of the query. The columns at the end that cannot be null are one comparison.
    std::vector<RangeQuery> ranges(const Cursor& cursor) const {
        std::vector<RangeQuery> all;
        const std::size_t count = cursor.columns.size();
        std::size_t tail = count;
        while (tail > 0 && !is_nullable(cursor.columns[tail - 1]))
            --tail;
        const std::string_view behind = query_.descending ? "<" : ">";
        if (tail < count) {
            Terms terms = equal_to(cursor, tail);
            std::string names;
            std::string marks;
            for (std::size_t i = tail; i < count; ++i) {
                names += (i == tail ? "" : ", ") + name(cursor.columns[i]);
                marks += i == tail ? "?" : ", ?";
                terms.values.push_back(cursor.values[i]);
            }
            terms.add(fmt::format("({}) {} ({})", names, behind, marks));
            all.push_back(finish(std::move(terms)));
        }
        for (std::size_t i = tail; i-- > 0;)
            add_ranges_of(cursor, i, all);
        return all;
    }

    void add_ranges_of(const Cursor& cursor, std::size_t i, std::vector<RangeQuery>& all) const {
        const std::uint32_t column = cursor.columns[i];
        const Cell& value = *cursor.values[i];
        if (!is_null(value)) {
            Terms terms = equal_to(cursor, i);
            terms.add(name(column), query_.descending ? "<" : ">", value);
            all.push_back(finish(std::move(terms)));
        } else if (!query_.descending) {
            Terms terms = equal_to(cursor, i);
            terms.add(fmt::format("{} IS NOT NULL", name(column)));
            all.push_back(finish(std::move(terms)));
        }
        const bool passes_null = std::ranges::all_of(
            query_.filters, [&](const Filter& filter) { return filter.column != column || lets_null_through(filter); });
        if (query_.descending && is_nullable(column) && !is_null(value) && passes_null) {
            Terms terms = equal_to(cursor, i);
            terms.add(fmt::format("{} IS NULL", name(column)));
            all.push_back(finish(std::move(terms)));
        }
    }

    Terms equal_to(const Cursor& cursor, std::size_t count) const {
        Terms terms = filters(cursor.covers_bound ? std::optional(cursor.columns[0]) : std::nullopt);
        for (std::size_t i = 0; i < count; ++i)
            terms.add_equal(name(cursor.columns[i]), *cursor.values[i]);
        return terms;
    }

    RangeQuery finish(Terms terms) const {
        return {fmt::format("SELECT {} FROM {}{} ORDER BY {} LIMIT ?", column_list(table_), source_, terms.text,
                            order_text_),
                std::move(terms.values)};
    }

    const Table& table_;
    const Query& query_;
    const Index* index_;
    std::vector<std::uint32_t> order_;  // each column once
    std::string source_;
    std::string order_text_;
};

}  // namespace

std::string quoted(std::string_view name) {
    return fmt::format("\"{}\"", name);
}

std::string column_list(const Table& table) {
    std::string list;
    for (const Column& column : table.columns)
        list += (list.empty() ? "" : ", ") + quoted(column.name);
    return list;
}

std::string index_name(const Table& table, const Index& index) {
    return fmt::format("{}.{}", table.name, index.name);
}

std::vector<RangeQuery> plan_query(const Table& table, const Query& query) {
    return Planner(table, query).plan();
}

RangeQuery plan_count(const Table& table, const Query& query) {
    Terms terms;
    for (const Filter& filter : query.filters)
        add_filter(terms, quoted(table.columns[filter.column].name), filter, true, true);
    return {fmt::format("SELECT count(*) FROM {}{}", quoted(table.name), terms.text), std::move(terms.values)};
}

}  // namespace leftfold::rows
