#include "query_plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "schema.hpp"

namespace leftfold::rows {

namespace {

bool is_null(const Cell& cell) noexcept {
    return std::holds_alternative<std::monostate>(cell);
}

// What all filters of a column together let through: an interval of the order of cells, in which null comes first. None
// of a bound: from the first, to the last.
struct Interval {
    std::optional<Bound> low = {};
    std::optional<Bound> high = {};

    bool is_empty() const {
        if (!low || !high)
            return false;
        const auto order = compare(low->value, high->value);
        return order > 0 || (order == 0 && !(low->inclusive && high->inclusive));
    }
    // The one value that lies in it, if it is one.
    const Cell* fixed_value() const {
        const bool is_one = low && high && low->inclusive && high->inclusive && compare(low->value, high->value) == 0;
        return is_one ? &low->value : nullptr;
    }
    bool has_null() const { return !low || (is_null(low->value) && low->inclusive); }
    bool has_only_null() const { return high && is_null(high->value); }

    void narrow_low(const Bound& bound) {
        const auto order = low ? compare(low->value, bound.value) : std::weak_ordering::less;
        if (order < 0 || (order == 0 && low->inclusive))
            low = bound;
    }
    void narrow_high(const Bound& bound) {
        const auto order = high ? compare(high->value, bound.value) : std::weak_ordering::greater;
        if (order > 0 || (order == 0 && high->inclusive))
            high = bound;
    }
};

// Null passes a filter only if a bound of it is null.
void narrow(Interval& interval, const Filter& filter) {
    if (!filter.low && !filter.high)
        return;
    if (filter.low)
        interval.narrow_low(*filter.low);
    else if (is_null(filter.high->value))
        interval.narrow_low({Cell{}, true});
    else
        interval.narrow_low({Cell{}, false});
    if (filter.high)
        interval.narrow_high(*filter.high);
}

std::map<std::uint32_t, Interval> intervals_of(const Table& table, const Query& query) {
    std::map<std::uint32_t, Interval> intervals;
    for (const Filter& filter : query.filters)
        narrow(intervals[filter.column], filter);
    for (auto& [column, interval] : intervals) {
        if (!table.columns[column].nullable && interval.low && is_null(interval.low->value))
            interval.low = std::nullopt;
    }
    return intervals;
}

// Terms of a WHERE and the values of their parameters.
struct Terms {
    std::string text;
    std::vector<Cell> values;
    bool are_hidden = false;  // those added from now on, from SQLite's planner

    void add(std::string_view term) {
        text += text.empty() ? " WHERE " : " AND ";
        if (are_hidden)
            text += fmt::format("likelihood({}, 1.0)", term);
        else
            text += term;
    }
    void add(std::string_view expression, std::string_view comparison, const Cell& value) {
        add(fmt::format("{} {} ?", expression, comparison));
        values.push_back(value);
    }
    void add_equal(std::string_view expression, const Cell& value) {
        if (is_null(value))
            add(fmt::format("{} IS NULL", expression));
        else
            add(expression, "=", value);
    }
};

// Says no more than it must: with two bounds of one side, SQLite may search by the wider.
void add_interval(Terms& terms, std::string_view name, const Interval& interval, bool is_nullable, bool with_low,
                  bool with_high) {
    const std::string expression = (terms.are_hidden ? "+" : "") + std::string(name);
    if (const Cell* value = interval.fixed_value()) {
        terms.add_equal(expression, *value);
        return;
    }
    const bool has_high = with_high && interval.high;
    if (with_low && interval.low) {
        if (!is_null(interval.low->value))
            terms.add(expression, interval.low->inclusive ? ">=" : ">", interval.low->value);
        else if (!interval.low->inclusive && !has_high)
            terms.add(fmt::format("{} IS NOT NULL", expression));
    }
    if (!has_high)
        return;
    const std::string_view comparison = interval.high->inclusive ? "<=" : "<";
    if (!is_nullable || !interval.has_null()) {
        terms.add(expression, comparison, interval.high->value);
        return;
    }
    const bool were_hidden = std::exchange(terms.are_hidden, true);
    terms.add(fmt::format("+{} IS NULL OR +{} {} ?", name, name, comparison));
    terms.values.push_back(interval.high->value);
    terms.are_hidden = were_hidden;
}

// What is left of the cursor when the filters have had their say.
struct Cursor {
    enum class Reach : std::uint8_t { all, some, none };

    Reach reach = Reach::all;
    std::vector<std::uint32_t> columns;  // where some: rows behind these values of these columns
    std::vector<const Cell*> values;
};

class Planner {
  public:
    Planner(const Table& table, const Query& query)
        : table_(table), query_(query), intervals_(intervals_of(table, query)), index_(choose_index()) {
        if (index_ != nullptr)
            range_columns_ = index_->columns;
        for (std::uint32_t i = 0; i < table.key_columns; ++i)
            range_columns_.push_back(i);
        for (const std::uint32_t column : order_columns(table, query)) {
            if (std::ranges::find(order_, column) == order_.end())
                order_.push_back(column);
        }
        source_ = quoted(table.name);
        if (index_ != nullptr)
            source_ += fmt::format(" INDEXED BY {}", quoted(index_name(table, *index_)));
        const auto is_free = [&](std::uint32_t column) { return fixed_value(column) == nullptr; };
        for (auto place = std::ranges::find_if(order_, is_free); place != order_.end(); ++place)
            order_text_ += fmt::format("{}{}{}", order_text_.empty() ? " ORDER BY " : ", ", name(*place),
                                       query.descending ? " DESC" : "");
    }

    std::vector<RangeQuery> plan() {
        for (const auto& [column, interval] : intervals_) {
            if (interval.is_empty() || (interval.has_only_null() && !is_nullable(column)))
                return {};
        }
        const Cursor cursor = cut_cursor();
        if (cursor.reach == Cursor::Reach::none)
            return {};
        if (cursor.reach == Cursor::Reach::all)
            return {finish(filters(nullptr, 0))};
        return ranges(cursor);
    }

  private:
    // By key, the rows of an index are in the same order if all its columns are fixed.
    const Index* choose_index() const {
        if (query_.order)
            return &table_.indexes[query_.order->value()];
        for (const Index& index : table_.indexes) {
            if (std::ranges::all_of(index.columns, [&](auto column) { return fixed_value(column) != nullptr; }))
                return &index;
        }
        return nullptr;
    }

    const Cell* fixed_value(std::uint32_t column) const {
        const auto found = intervals_.find(column);
        return found == intervals_.end() ? nullptr : found->second.fixed_value();
    }
    bool is_nullable(std::uint32_t column) const { return table_.columns[column].nullable; }
    std::string name(std::uint32_t column) const { return quoted(table_.columns[column].name); }

    bool narrows_range(std::uint32_t column) const {
        const auto place = std::ranges::find(range_columns_, column);
        return place != range_columns_.end() && std::all_of(range_columns_.begin(), place, [&](std::uint32_t before) {
                   return fixed_value(before) != nullptr;
               });
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
            const Cell* value = fixed_value(order_[fixed]);
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
        if (const auto found = intervals_.find(order_[fixed]); found != intervals_.end()) {
            const std::optional<Bound>& near = query_.descending ? found->second.high : found->second.low;
            const std::optional<Bound>& far = query_.descending ? found->second.low : found->second.high;
            const Cell& value = *value_of(order_[fixed]);
            // All that passes lies behind the cursor, or before it. Else its value passes.
            if (near && (ahead(near->value, value) > 0 || (ahead(near->value, value) == 0 && !near->inclusive)))
                return cursor;
            if (far && (ahead(far->value, value) < 0 || (ahead(far->value, value) == 0 && !far->inclusive))) {
                cursor.reach = Cursor::Reach::none;
                return cursor;
            }
        }
        cursor.reach = Cursor::Reach::some;
        for (std::size_t i = fixed; i < order_.size(); ++i) {
            cursor.columns.push_back(order_[i]);
            cursor.values.push_back(value_of(order_[i]));
        }
        return cursor;
    }

    // A filter that does not narrow the range of the index is hidden from SQLite's planner: it might go along another
    // index and sort, and it sorts where a column in the middle of the order is fixed, and where it expects few rows.
    Terms filters(const Cursor* cursor, std::size_t equal_count) const {
        Terms terms;
        for (const auto& [column, interval] : intervals_) {
            const bool is_of_cursor = cursor != nullptr && column == cursor->columns[0];
            // Equal to the cursor, the column passes. Behind it, the bound on the cursor's side says nothing more.
            if (is_of_cursor && equal_count > 0)
                continue;
            terms.are_hidden = !narrows_range(column);
            add_interval(terms, name(column), interval, is_nullable(column), !is_of_cursor || query_.descending,
                         !is_of_cursor || !query_.descending);
        }
        terms.are_hidden = false;
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
        if (tail < count) {
            Terms terms = equal_to(cursor, tail);
            std::string names;
            std::string marks;
            for (std::size_t i = tail; i < count; ++i) {
                names += (i == tail ? "" : ", ") + name(cursor.columns[i]);
                marks += i == tail ? "?" : ", ?";
                terms.values.push_back(*cursor.values[i]);
            }
            terms.add(fmt::format("({}) {} ({})", names, query_.descending ? "<" : ">", marks));
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
        const auto found = intervals_.find(column);
        const bool passes_null = found == intervals_.end() || found->second.has_null();
        if (query_.descending && is_nullable(column) && !is_null(value) && passes_null) {
            Terms terms = equal_to(cursor, i);
            terms.add(fmt::format("{} IS NULL", name(column)));
            all.push_back(finish(std::move(terms)));
        }
    }

    Terms equal_to(const Cursor& cursor, std::size_t count) const {
        Terms terms = filters(&cursor, count);
        for (std::size_t i = 0; i < count; ++i)
            terms.add_equal(name(cursor.columns[i]), *cursor.values[i]);
        return terms;
    }

    RangeQuery finish(Terms terms) const {
        return {fmt::format("SELECT {} FROM {}{}{} LIMIT ?", column_list(table_), source_, terms.text, order_text_),
                std::move(terms.values)};
    }

    const Table& table_;
    const Query& query_;
    std::map<std::uint32_t, Interval> intervals_;  // by column
    const Index* index_;
    std::vector<std::uint32_t> range_columns_;  // of the index, then of the key
    std::vector<std::uint32_t> order_;          // each column once
    std::string source_;
    std::string order_text_;  // without the columns at its beginning that are fixed
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
    for (const auto& [column, interval] : intervals_of(table, query)) {
        const bool is_nullable = table.columns[column].nullable;
        if (interval.is_empty() || (interval.has_only_null() && !is_nullable))
            terms.add("0");
        else
            add_interval(terms, quoted(table.columns[column].name), interval, is_nullable, true, true);
    }
    return {fmt::format("SELECT count(*) FROM {}{}", quoted(table.name), terms.text), std::move(terms.values)};
}

}  // namespace leftfold::rows
