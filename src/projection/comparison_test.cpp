#include "comparison.hpp"

#include <gtest/gtest.h>

#include "leftfold/event/json_value.hpp"

#include "memory_store.hpp"

namespace leftfold {
namespace {

using rows::CellType;
using rows::Row;
using rows::Schema;

const Schema kSchema{
    {{.name = "items",
      .columns = {{"shop", CellType::text, false}, {"item", CellType::integer, false}, {"price", CellType::real, true}},
      .key_columns = 2}}};

std::unique_ptr<rows::RowStore> store_of(const Schema& schema, const std::vector<std::pair<std::uint32_t, Row>>& rows) {
    auto store = rows::make_memory_store(schema);
    EXPECT_TRUE(store->begin());
    for (const auto& [table, row] : rows)
        EXPECT_TRUE(store->put(rows::TableId(table), row));
    EXPECT_TRUE(store->commit());
    return store;
}

Row item(const char* shop, std::int64_t number, double price) {
    return {std::string(shop), number, price};
}

struct Compared {
    Comparison comparison;
    int steps = 0;
};

Compared compare(rows::RowStore& older, rows::RowStore& newer, Comparison::Limits limits = {}) {
    Compared compared{Comparison({&older, &older.schema()}, {&newer, &newer.schema()}, limits)};
    for (Result<bool> done = false; !*done; ++compared.steps) {
        done = compared.comparison.step();
        EXPECT_TRUE(done && compared.steps < 1'000);
        if (!done || compared.steps >= 1'000)
            break;
    }
    return compared;
}

TEST(Comparison, equal_rows_are_equal) {
    const auto a = store_of(kSchema, {{0, item("x", 1, 1.5)}, {0, item("x", 2, 2.5)}});
    const auto b = store_of(kSchema, {{0, item("x", 1, 1.5)}, {0, item("x", 2, 2.5)}});
    const auto [comparison, steps] = compare(*a, *b);
    EXPECT_TRUE(comparison.is_equal());
    EXPECT_TRUE(comparison.is_complete());
    ASSERT_EQ(comparison.tables().size(), 1U);
    EXPECT_EQ(comparison.tables()[0].older_rows, 2U);
}

TEST(Comparison, every_kind_of_difference_is_counted_and_shown) {
    const auto a = store_of(kSchema, {{0, item("x", 1, 1)}, {0, item("x", 3, 3)}, {0, item("y", 1, 5)}});
    const auto b =
        store_of(kSchema, {{0, item("x", 2, 2)}, {0, item("x", 3, 4)}, {0, item("y", 1, 5)}, {0, item("z", 0, 0)}});
    const auto [comparison, steps] = compare(*a, *b, {.page_rows = 2});
    const TableDifference& table = comparison.tables()[0];
    EXPECT_FALSE(comparison.is_equal());
    EXPECT_EQ(table.only_older, 1U);
    EXPECT_EQ(table.only_newer, 2U);
    EXPECT_EQ(table.different, 1U);
    ASSERT_EQ(table.sample.size(), 4U);
    EXPECT_EQ(table.sample[0].older, R"({"shop":"x","item":1,"price":1})");
    EXPECT_EQ(table.sample[0].newer, "");
    EXPECT_EQ(table.sample[2].older, R"({"shop":"x","item":3,"price":3})");
    EXPECT_EQ(table.sample[2].newer, R"({"shop":"x","item":3,"price":4})");
    EXPECT_EQ(table.sample[3].newer, R"({"shop":"z","item":0,"price":0})");

    std::string json;
    write_tables(json, comparison.tables());
    const auto parsed = json::Value::parse(json);
    ASSERT_TRUE(parsed) << json;
    EXPECT_EQ(parsed->array()->at(0).find("sample")->array()->size(), 4U);
}

TEST(Comparison, sample_and_rows_are_bounded) {
    std::vector<std::pair<std::uint32_t, Row>> older, newer;
    for (int i = 0; i < 100; ++i) {
        older.emplace_back(0, item("x", i, i));
        newer.emplace_back(0, item("x", i, i + 1));
    }
    const auto a = store_of(kSchema, older);
    const auto b = store_of(kSchema, newer);
    const auto all = compare(*a, *b, {.sample_max = 3, .page_rows = 7});
    EXPECT_EQ(all.comparison.tables()[0].different, 100U);
    EXPECT_EQ(all.comparison.tables()[0].sample.size(), 3U);
    EXPECT_GT(all.steps, 10) << "a page at a time";
    const auto part = compare(*a, *b, {.rows_max = 30, .page_rows = 7});
    EXPECT_FALSE(part.comparison.is_complete());
    EXPECT_LT(part.comparison.tables()[0].different, 40U);
    EXPECT_EQ(part.comparison.tables()[0].older_rows, 100U);
}

TEST(Comparison, pages_that_end_with_the_table) {
    for (std::size_t rows = 0; rows <= 5; ++rows) {
        std::vector<std::pair<std::uint32_t, Row>> some;
        for (std::size_t i = 0; i < rows; ++i)
            some.emplace_back(0, item("x", static_cast<std::int64_t>(i), 0));
        const auto a = store_of(kSchema, some);
        const auto b = store_of(kSchema, some);
        const auto none = store_of(kSchema, {});
        EXPECT_TRUE(compare(*a, *b, {.page_rows = 2}).comparison.is_equal()) << rows;
        EXPECT_TRUE(compare(*a, *b, {.page_rows = 2}).comparison.is_complete()) << rows;
        EXPECT_EQ(compare(*a, *none, {.page_rows = 2}).comparison.tables()[0].only_older, rows);
        EXPECT_EQ(compare(*none, *b, {.page_rows = 2}).comparison.tables()[0].only_newer, rows);
    }
}

TEST(Comparison, shapes_that_differ_are_compared_where_they_can_be) {
    Schema later = kSchema;
    later.tables[0].columns.erase(later.tables[0].columns.begin() + 2);
    later.tables[0].columns.push_back({"stock", CellType::integer, false});
    later.tables.push_back({.name = "shops", .columns = {{"shop", CellType::text, false}}});
    const auto a = store_of(kSchema, {{0, item("x", 1, 1)}});
    const auto b = store_of(later, {{0, {"x", std::int64_t{1}, std::int64_t{7}}}, {1, {"x"}}});
    const auto [comparison, steps] = compare(*a, *b);
    ASSERT_EQ(comparison.tables().size(), 2U);
    EXPECT_EQ(comparison.tables()[0].older_columns, std::vector<std::string>{"price"});
    EXPECT_EQ(comparison.tables()[0].newer_columns, std::vector<std::string>{"stock"});
    EXPECT_EQ(comparison.tables()[0].different, 0U);
    EXPECT_FALSE(comparison.tables()[1].older_rows);
    EXPECT_EQ(comparison.tables()[1].newer_rows, 1U);
    EXPECT_TRUE(comparison.is_complete());
    EXPECT_FALSE(comparison.is_equal());

    Schema other_key = kSchema;
    other_key.tables[0].key_columns = 1;
    const auto c = store_of(other_key, {{0, item("x", 1, 1)}});
    const auto counted = compare(*a, *c);
    EXPECT_FALSE(counted.comparison.is_complete());
    EXPECT_EQ(counted.comparison.tables()[0].newer_rows, 1U);
}

}  // namespace
}  // namespace leftfold
