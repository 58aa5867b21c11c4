// The conformance suite of RowStore: what every engine must do, whatever is behind it.
//
// A test binary defines a StoreWorld for its engine and instantiates the suite:
//
//     INSTANTIATE_TEST_SUITE_P(SqliteOnDisk, RowStoreConformance, testing::Values(StoreWorldFactory{"disk",
//     make_world}));
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

// One engine and its data, which survives close and open.
class StoreWorld {
  public:
    virtual ~StoreWorld() = default;
    // Where the engine keeps a store of that name.
    virtual std::string path_of(const std::string& name) { return name; }
    virtual Result<std::unique_ptr<RowStore>> open(const std::string& path, const Schema& schema) = 0;
};

struct StoreWorldFactory {
    std::string name;
    std::function<std::unique_ptr<StoreWorld>()> make;

    friend void PrintTo(const StoreWorldFactory& factory, std::ostream* out) { *out << factory.name; }
};

class RowStoreConformance : public testing::TestWithParam<StoreWorldFactory> {
  protected:
    static constexpr TableId kAccounts{0};
    static constexpr TableId kEntries{1};
    static constexpr IndexId kByOwner{0};
    static constexpr IndexId kByLimitAndOwner{1};
    static constexpr Cell kNull{};

    static Schema two_tables() {
        return {{{.name = "accounts",
                  .columns = {{.name = "id"},
                              {.name = "owner"},
                              {.name = "credit_limit", .type = CellType::integer, .nullable = true},
                              {.name = "rate", .type = CellType::real, .nullable = true}},
                  .key_columns = 1,
                  .indexes = {{.name = "by_owner", .columns = {1}}, {.name = "by_limit", .columns = {2, 1}}}},
                 {.name = "entries",
                  .columns = {{.name = "account"}, {.name = "number", .type = CellType::integer}, {.name = "note"}},
                  .key_columns = 2}}};
    }

    void SetUp() override {
        world_ = GetParam().make();
        store_ = open(two_tables());
    }

    std::unique_ptr<RowStore> open(const Schema& schema, const std::string& name = "store") {
        auto opened = world_->open(world_->path_of(name), schema);
        EXPECT_TRUE(opened) << opened.error().message();
        return opened ? *std::move(opened) : nullptr;
    }
    void reopen() {
        store_.reset();
        store_ = open(two_tables());
    }

    void put_all(TableId table, const std::vector<Row>& rows) {
        ASSERT_TRUE(store_->begin());
        for (const Row& row : rows)
            ASSERT_TRUE(store_->put(table, row));
        const auto committed = store_->commit();
        ASSERT_TRUE(committed) << committed.error().message();
    }
    static std::optional<Row> get(RowReader& from, TableId table, const Row& key) {
        auto row = from.get(table, key);
        EXPECT_TRUE(row) << row.error().message();
        return row ? *row : std::nullopt;
    }
    static std::vector<Row> rows_of(RowReader& from, const Query& query) {
        auto rows = from.query(query);
        EXPECT_TRUE(rows) << rows.error().message();
        return rows ? *rows : std::vector<Row>{};
    }
    // The first cells of the rows, which are texts.
    std::string ids(const Query& query) {
        std::string text;
        for (const Row& row : rows_of(*store_, query))
            text += std::get<std::string>(row[0]);
        return text;
    }
    std::uint64_t count(const Query& query) {
        const auto counted = store_->count(query);
        EXPECT_TRUE(counted) << counted.error().message();
        return counted ? *counted : 0;
    }
    // a to f: owners with repeats, limits with nulls and repeats.
    void put_accounts() {
        put_all(kAccounts, {{"a", "x", std::int64_t{10}, 0.5},
                            {"b", "y", kNull, kNull},
                            {"c", "x", std::int64_t{20}, -1.0},
                            {"d", "x", kNull, 2.0},
                            {"e", "", std::int64_t{-5}, 2.0},
                            {"f", "y", std::int64_t{10}, kNull}});
    }

    std::unique_ptr<StoreWorld> world_;
    std::unique_ptr<RowStore> store_;
};

TEST_P(RowStoreConformance, row_put_is_read_and_replaced_and_erased) {
    EXPECT_EQ(get(*store_, kAccounts, {"a"}), std::nullopt);
    const Row row{"a", "x", std::int64_t{10}, 0.5};
    put_all(kAccounts, {row});
    EXPECT_EQ(get(*store_, kAccounts, {"a"}), row);
    EXPECT_EQ(get(*store_, kAccounts, {"b"}), std::nullopt);
    EXPECT_EQ(get(*store_, kAccounts, {"A"}), std::nullopt);
    const Row other{"a", "y", kNull, kNull};
    put_all(kAccounts, {other});
    EXPECT_EQ(get(*store_, kAccounts, {"a"}), other);
    EXPECT_EQ(ids({.table = kAccounts, .filters = {{.column = 1, .low = Bound{"x"}, .high = Bound{"x"}}}}), "");
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->erase(kAccounts, Row{"a"}));
    ASSERT_TRUE(store_->erase(kAccounts, Row{"never"}));
    ASSERT_TRUE(store_->commit());
    EXPECT_EQ(get(*store_, kAccounts, {"a"}), std::nullopt);
    EXPECT_EQ(count({.table = kAccounts}), 0U);
}

TEST_P(RowStoreConformance, every_value_comes_back_as_it_was) {
    const std::vector<std::string> texts{"",
                                         std::string("\0", 1),
                                         std::string("a\0b", 3),
                                         "'\";--",
                                         "\xC3\xA4\xF0\x9F\x92\xB6",
                                         "\xFF\xFE\xC0",
                                         std::string(100'000, 'x')};
    using Integers = std::numeric_limits<std::int64_t>;
    const std::vector<Cell> integers{kNull, Integers::min(), std::int64_t{-1}, std::int64_t{0}, Integers::max()};
    using Reals = std::numeric_limits<double>;
    const std::vector<Cell> reals{kNull,
                                  Reals::infinity(),
                                  -Reals::infinity(),
                                  Reals::max(),
                                  Reals::denorm_min(),
                                  0.1,
                                  1e15,
                                  9007199254740993.0,
                                  -3.0,
                                  9223372036854775808.0};
    std::vector<Row> rows;
    for (std::size_t i = 0; i < std::max({texts.size(), integers.size(), reals.size()}); ++i)
        rows.push_back({texts[i % texts.size()] + std::to_string(i), texts[i % texts.size()],
                        integers[i % integers.size()], reals[i % reals.size()]});
    put_all(kAccounts, rows);
    put_all(kEntries, {{"", Integers::min(), ""}});
    reopen();
    for (const Row& row : rows)
        EXPECT_EQ(get(*store_, kAccounts, {row[0]}), row);
    EXPECT_EQ(get(*store_, kEntries, {"", Integers::min()}), (Row{"", Integers::min(), ""}));
}

TEST_P(RowStoreConformance, negative_zero_is_stored_as_zero) {
    put_all(kAccounts, {{"a", "", kNull, -0.0}});
    const auto row = get(*store_, kAccounts, {"a"});
    ASSERT_TRUE(row);
    EXPECT_FALSE(std::signbit(std::get<double>((*row)[3])));
    EXPECT_EQ(ids({.table = kAccounts, .filters = {{.column = 3, .low = Bound{-0.0}, .high = Bound{0.0}}}}), "a");
}

TEST_P(RowStoreConformance, transaction_sees_itself_and_others_see_it_whole) {
    auto reader = store_->reader();
    ASSERT_TRUE(reader) << reader.error().message();
    put_accounts();
    EXPECT_EQ(rows_of(**reader, {.table = kAccounts}).size(), 6U);
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->put(kAccounts, Row{"g", "z", kNull, kNull}));
    ASSERT_TRUE(store_->erase(kAccounts, Row{"a"}));
    ASSERT_TRUE(store_->set_position({"bank.account", PartitionId(2), Position(41)}));
    ASSERT_TRUE(store_->set_value("state", "catching up"));
    EXPECT_EQ(ids({.table = kAccounts}), "bcdefg");
    EXPECT_EQ(store_->positions()->size(), 1U);
    EXPECT_EQ(*store_->value("state"), "catching up");
    EXPECT_EQ(rows_of(**reader, {.table = kAccounts}).size(), 6U);
    EXPECT_EQ(get(**reader, kAccounts, {"g"}), std::nullopt);
    EXPECT_TRUE((*reader)->positions()->empty());
    EXPECT_EQ(*(*reader)->value("state"), std::nullopt);
    ASSERT_TRUE(store_->commit());
    EXPECT_EQ(get(**reader, kAccounts, {"a"}), std::nullopt);
    EXPECT_TRUE(get(**reader, kAccounts, {"g"}));
    EXPECT_EQ((*reader)->positions()->at(0).position, Position(41));
    EXPECT_EQ(*(*reader)->value("state"), "catching up");
}

TEST_P(RowStoreConformance, rollback_leaves_nothing) {
    put_accounts();
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->put(kAccounts, Row{"g", "z", kNull, kNull}));
    ASSERT_TRUE(store_->erase(kAccounts, Row{"a"}));
    ASSERT_TRUE(store_->set_position({"t", PartitionId(0), Position(1)}));
    ASSERT_TRUE(store_->set_value("v", "1"));
    store_->rollback();
    store_->rollback();
    EXPECT_EQ(ids({.table = kAccounts}), "abcdef");
    EXPECT_TRUE(store_->positions()->empty());
    EXPECT_EQ(*store_->value("v"), std::nullopt);
    put_all(kAccounts, {{"h", "z", kNull, kNull}});
    EXPECT_EQ(ids({.table = kAccounts}), "abcdefh");
}

TEST_P(RowStoreConformance, refused_write_leaves_the_transaction_to_be_rolled_back) {
    const std::vector<std::function<Result<>()>> writes = {
        [&] { return store_->put(kAccounts, Row{"a", "x", "ten", kNull}); },
        [&] { return store_->put(kAccounts, Row{"a", kNull, kNull, kNull}); },
        [&] { return store_->put(kAccounts, Row{"a", "x", kNull, std::nan("")}); },
        [&] { return store_->put(kAccounts, Row{"a", "x"}); },
        [&] { return store_->put(TableId(2), Row{"a"}); },
        [&] { return store_->erase(kEntries, Row{"a"}); },
        [&] { return store_->erase(kEntries, Row{"a", "1"}); },
    };
    for (const auto& refused : writes) {
        ASSERT_TRUE(store_->begin());
        ASSERT_TRUE(store_->put(kEntries, Row{"a", std::int64_t{1}, ""}));
        const auto result = refused();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument) << result.error().message();
        EXPECT_EQ(store_->put(kEntries, Row{"a", std::int64_t{2}, ""}).error().message(), result.error().message());
        EXPECT_EQ(store_->commit().error().message(), result.error().message());
        EXPECT_EQ(count({.table = kEntries}), 0U);
        store_->rollback();
    }
    put_all(kEntries, {{"a", std::int64_t{1}, ""}});
    EXPECT_EQ(count({.table = kEntries}), 1U);
}

TEST_P(RowStoreConformance, text_over_the_bound_is_too_large) {
    const std::string text(kTextBytesMax + 1, 't');
    for (const auto& refused :
         std::vector<std::function<Result<>()>>{[&] { return store_->put(kEntries, Row{"a", std::int64_t{1}, text}); },
                                                [&] { return store_->set_value("name", text); }}) {
        ASSERT_TRUE(store_->begin());
        const auto result = refused();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code(), ErrorCode::too_large);
        store_->rollback();
    }
}

TEST_P(RowStoreConformance, refused_queries_say_why) {
    for (const Query& query : std::vector<Query>{{.table = TableId(7)},
                                                 {.table = kAccounts, .filters = {{.column = 4}}},
                                                 {.table = kAccounts, .filters = {{.column = 2, .low = Bound{"10"}}}},
                                                 {.table = kAccounts, .order = IndexId(2)},
                                                 {.table = kAccounts, .after = {"a", "b"}},
                                                 {.table = kAccounts, .after = {std::int64_t{1}}}}) {
        const auto rows = store_->query(query);
        ASSERT_FALSE(rows);
        EXPECT_EQ(rows.error().code(), ErrorCode::invalid_argument) << rows.error().message();
    }
    EXPECT_FALSE(store_->get(kEntries, Row{"a"}));
    EXPECT_FALSE(store_->count({.table = kAccounts, .filters = {{.column = 4}}}));
}

TEST_P(RowStoreConformance, positions_and_values_are_the_last_ones_in_order) {
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->set_position({"b", PartitionId(1), Position(5)}));
    ASSERT_TRUE(store_->set_position({"b", PartitionId(10), Position(6)}));
    ASSERT_TRUE(store_->set_position({"b", PartitionId(2), Position(7)}));
    ASSERT_TRUE(
        store_->set_position({"a", PartitionId(4294967295), Position(std::numeric_limits<std::int64_t>::max())}));
    ASSERT_TRUE(store_->set_value("", "empty name"));
    ASSERT_TRUE(store_->set_value("empty", ""));
    ASSERT_TRUE(store_->set_value(std::string_view("n\0", 2), std::string_view("v\0\xFF", 3)));
    ASSERT_TRUE(store_->commit());
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->set_position({"b", PartitionId(1), Position(8)}));
    ASSERT_TRUE(store_->set_value("empty", "no more"));
    ASSERT_TRUE(store_->commit());
    reopen();
    EXPECT_EQ(
        *store_->positions(),
        (std::vector<FoldedPosition>{{"a", PartitionId(4294967295), Position(std::numeric_limits<std::int64_t>::max())},
                                     {"b", PartitionId(1), Position(8)},
                                     {"b", PartitionId(2), Position(7)},
                                     {"b", PartitionId(10), Position(6)}}));
    EXPECT_EQ(*store_->value(""), "empty name");
    EXPECT_EQ(*store_->value("empty"), "no more");
    EXPECT_EQ(*store_->value(std::string_view("n\0", 2)), std::string("v\0\xFF", 3));
    EXPECT_EQ(*store_->value("n"), std::nullopt);
}

TEST_P(RowStoreConformance, rows_come_by_key_or_by_index_and_within_it_by_key) {
    put_accounts();
    EXPECT_EQ(ids({.table = kAccounts}), "abcdef");
    EXPECT_EQ(ids({.table = kAccounts, .descending = true}), "fedcba");
    EXPECT_EQ(ids({.table = kAccounts, .limit = 2}), "ab");
    EXPECT_EQ(ids({.table = kAccounts, .limit = 0}), "");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByOwner}), "eacdbf");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByOwner, .descending = true}), "fbdcae");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByLimitAndOwner}), "dbeafc");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByLimitAndOwner, .descending = true}), "cfaebd");
    put_all(kEntries, {{"b", std::int64_t{-1}, "3"}, {"a", std::int64_t{10}, "2"}, {"a", std::int64_t{9}, "1"}});
    const std::vector<Row> entries = rows_of(*store_, {.table = kEntries});
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(std::get<std::string>(entries[0][2]) + std::get<std::string>(entries[1][2]), "12");
}

TEST_P(RowStoreConformance, texts_are_ordered_by_bytes) {
    const std::vector<std::string> in_order{
        "",    std::string("\0", 1), std::string("\0a", 2), "A", "B", "a", std::string("a\0", 2), "ab", "b", "\xC3\xA4",
        "\xFF"};
    std::vector<Row> rows;
    for (std::size_t i = 0; i < in_order.size(); ++i)
        rows.push_back({std::to_string(i), in_order[(i * 7) % in_order.size()], kNull, kNull});
    put_all(kAccounts, rows);
    std::vector<std::string> found;
    for (const Row& row : rows_of(*store_, {.table = kAccounts, .order = kByOwner}))
        found.push_back(std::get<std::string>(row[1]));
    EXPECT_EQ(found, in_order);
    EXPECT_EQ(count({.table = kAccounts, .filters = {{.column = 1, .low = Bound{"a"}, .high = Bound{"ab", false}}}}),
              2U);
}

TEST_P(RowStoreConformance, filters_let_through_what_lies_between_their_bounds) {
    put_accounts();
    const auto limit = [](std::optional<Bound> low, std::optional<Bound> high) {
        return std::vector<Filter>{{.column = 2, .low = std::move(low), .high = std::move(high)}};
    };
    const auto number = [](std::int64_t value, bool inclusive = true) { return Bound{value, inclusive}; };
    const std::vector<std::pair<std::vector<Filter>, std::string>> cases = {
        {{}, "abcdef"},
        {limit({}, {}), "abcdef"},
        {limit(number(10), number(10)), "af"},
        {limit(number(10), {}), "acf"},
        {limit(number(10, false), {}), "c"},
        {limit({}, number(10)), "aef"},
        {limit({}, number(10, false)), "e"},
        {limit(number(-5, false), number(20, false)), "af"},
        {limit(number(20), number(10)), ""},
        {limit(number(10), number(10, false)), ""},
        {limit(Bound{kNull}, Bound{kNull}), "bd"},
        {limit(Bound{kNull, false}, {}), "acef"},
        {limit(Bound{kNull}, {}), "abcdef"},
        {limit({}, Bound{kNull}), "bd"},
        {limit({}, Bound{kNull, false}), ""},
        {limit(Bound{kNull}, number(10)), "abdef"},
        {limit(Bound{kNull, false}, number(10)), "aef"},
        {limit(number(10), Bound{kNull}), ""},
        {{{.column = 1, .low = Bound{"x"}, .high = Bound{"x"}}, {.column = 2, .low = number(11)}}, "c"},
        {{{.column = 2, .low = number(0)}, {.column = 2, .high = number(15)}}, "af"},
        {{{.column = 0, .low = Bound{"b", false}, .high = Bound{"e"}}}, "cde"},
        {{{.column = 1, .low = Bound{""}, .high = Bound{""}}}, "e"},
        {{{.column = 3, .low = Bound{-1.0}, .high = Bound{0.5}}}, "ac"},
        {{{.column = 0, .low = Bound{kNull, false}}}, "abcdef"},
        {{{.column = 0, .high = Bound{kNull}}}, ""},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto& [filters, expected] = cases[i];
        EXPECT_EQ(ids({.table = kAccounts, .filters = filters}), expected) << "case " << i;
        EXPECT_EQ(ids({.table = kAccounts, .filters = filters, .descending = true}),
                  std::string(expected.rbegin(), expected.rend()))
            << "case " << i;
        EXPECT_EQ(count({.table = kAccounts, .filters = filters, .limit = 1}), expected.size()) << "case " << i;
        for (const IndexId order : {kByOwner, kByLimitAndOwner}) {
            std::string found = ids({.table = kAccounts, .filters = filters, .order = order});
            std::ranges::sort(found);
            EXPECT_EQ(found, expected) << "case " << i << " by index " << order.value();
        }
    }
}

TEST_P(RowStoreConformance, pages_follow_each_other_without_gap_or_repeat) {
    put_accounts();
    const Schema schema = two_tables();
    for (const std::optional<IndexId> order :
         {std::optional<IndexId>(), std::optional(kByOwner), std::optional(kByLimitAndOwner)}) {
        for (const bool descending : {false, true}) {
            const std::string whole = ids({.table = kAccounts, .order = order, .descending = descending});
            for (const std::size_t limit : {1U, 2U, 4U}) {
                Query query{.table = kAccounts, .order = order, .descending = descending, .limit = limit};
                std::string found;
                for (auto page = rows_of(*store_, query); !page.empty(); page = rows_of(*store_, query)) {
                    ASSERT_LE(page.size(), limit);
                    for (const Row& row : page)
                        found += std::get<std::string>(row[0]);
                    query.after.clear();
                    if (order)
                        for (const std::uint32_t column : schema.tables[0].indexes[order->value()].columns)
                            query.after.push_back(page.back()[column]);
                    query.after.push_back(page.back()[0]);
                    ASSERT_LE(found.size(), whole.size());
                }
                EXPECT_EQ(found, whole) << "limit " << limit;
            }
        }
    }
}

TEST_P(RowStoreConformance, cursor_need_not_be_a_row) {
    put_accounts();
    EXPECT_EQ(ids({.table = kAccounts, .after = {"bb"}}), "cdef");
    EXPECT_EQ(ids({.table = kAccounts, .descending = true, .after = {"bb"}}), "ba");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByOwner, .after = {"x", "b"}}), "cdbf");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByLimitAndOwner, .after = {kNull, "z", "z"}}), "eafc");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByLimitAndOwner, .descending = true, .after = {kNull, "y", "a"}}),
              "d");
    EXPECT_EQ(ids({.table = kAccounts,
                   .filters = {{.column = 2, .low = Bound{std::int64_t{10}}}},
                   .order = kByLimitAndOwner,
                   .after = {kNull, "z", "z"}}),
              "afc");
    EXPECT_EQ(ids({.table = kAccounts,
                   .filters = {{.column = 2, .high = Bound{std::int64_t{10}}}},
                   .order = kByLimitAndOwner,
                   .descending = true,
                   .after = {kNull, "z", "z"}}),
              "");
    EXPECT_EQ(ids({.table = kAccounts,
                   .filters = {{.column = 1, .low = Bound{"x"}, .high = Bound{"x"}}},
                   .order = kByOwner,
                   .after = {"", "z"}}),
              "acd");
    EXPECT_EQ(ids({.table = kAccounts,
                   .filters = {{.column = 1, .low = Bound{"x"}, .high = Bound{"x"}}},
                   .order = kByOwner,
                   .after = {"y", ""}}),
              "");
}

TEST_P(RowStoreConformance, store_opened_again_is_as_committed) {
    put_accounts();
    ASSERT_TRUE(store_->sync());
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->put(kAccounts, Row{"g", "z", kNull, kNull}));
    reopen();
    EXPECT_EQ(ids({.table = kAccounts}), "abcdef");
    EXPECT_EQ(ids({.table = kAccounts, .order = kByOwner}), "eacdbf");
}

TEST_P(RowStoreConformance, other_schema_is_refused_and_named) {
    store_.reset();
    Schema other = two_tables();
    other.tables[0].columns[2].nullable = false;
    const auto opened = world_->open(world_->path_of("store"), other);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::conflict);
    EXPECT_NE(opened.error().message().find("column accounts.credit_limit integer"), std::string::npos)
        << opened.error().message();
    other.tables[0].columns[0].name = "Id";
    EXPECT_EQ(world_->open(world_->path_of("store"), other).error().code(), ErrorCode::invalid_argument);
    store_ = open(two_tables());
}

TEST_P(RowStoreConformance, copy_is_a_store_of_its_own) {
    put_accounts();
    const auto copied = store_->copy_to(world_->path_of("copy"));
    ASSERT_TRUE(copied) << copied.error().message();
    put_all(kAccounts, {{"g", "z", kNull, kNull}});
    const auto copied_again = store_->copy_to(world_->path_of("copy"));
    ASSERT_FALSE(copied_again);
    EXPECT_EQ(copied_again.error().code(), ErrorCode::already_exists);
    auto copy = open(two_tables(), "copy");
    ASSERT_TRUE(copy);
    EXPECT_EQ(rows_of(*copy, {.table = kAccounts}).size(), 6U);
    ASSERT_TRUE(copy->begin());
    ASSERT_TRUE(copy->put(kAccounts, Row{"h", "z", kNull, kNull}));
    ASSERT_TRUE(copy->commit());
    EXPECT_EQ(ids({.table = kAccounts}), "abcdefg");
    EXPECT_EQ(rows_of(*copy, {.table = kAccounts, .order = kByOwner}).size(), 7U);
}

TEST_P(RowStoreConformance, schema_without_tables_holds_positions) {
    auto store = open(Schema{}, "none");
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->begin());
    ASSERT_TRUE(store->set_position({"t", PartitionId(0), Position(1)}));
    ASSERT_TRUE(store->commit());
    EXPECT_EQ(store->positions()->size(), 1U);
}

TEST_P(RowStoreConformance, names_may_be_words_of_sql) {
    const Schema words{{{.name = "order",
                         .columns = {{.name = "select"}, {.name = "group", .type = CellType::integer}},
                         .key_columns = 1,
                         .indexes = {{.name = "index", .columns = {1}}}},
                        {.name = "values", .columns = {{.name = "rowid"}}, .key_columns = 1}}};
    auto store = open(words, "words");
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->begin());
    ASSERT_TRUE(store->put(TableId(0), Row{"from", std::int64_t{1}}));
    ASSERT_TRUE(store->put(TableId(1), Row{"where"}));
    ASSERT_TRUE(store->put(TableId(1), Row{"where"}));
    ASSERT_TRUE(store->commit());
    EXPECT_EQ(rows_of(*store, {.table = TableId(0), .order = IndexId(0)}),
              (std::vector<Row>{{"from", std::int64_t{1}}}));
    EXPECT_EQ(rows_of(*store, {.table = TableId(1)}), (std::vector<Row>{{"where"}}));
}

}  // namespace leftfold::rows
