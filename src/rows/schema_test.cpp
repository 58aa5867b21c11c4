#include "schema.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leftfold::rows {
namespace {

using ::testing::HasSubstr;

Table balances() {
    return {.name = "balances",
            .columns = {{.name = "account"}, {.name = "amount", .type = CellType::real, .nullable = true}},
            .key_columns = 1,
            .indexes = {{.name = "by_amount", .columns = {1}}}};
}

std::string refusal(const Table& table) {
    const auto checked = check_schema({{table}});
    if (checked)
        return "accepted";
    EXPECT_EQ(checked.error().code(), ErrorCode::invalid_argument);
    return checked.error().message();
}

TEST(Schema, names_keys_and_indexes_are_checked) {
    EXPECT_EQ(refusal(balances()), "accepted");
    for (const char* name : {"", "Balances", "_x", "a-b", "a.b", "sqlite_x", "1a", "ä"}) {
        Table table = balances();
        table.name = name;
        EXPECT_THAT(refusal(table), HasSubstr("no name of a table")) << name;
    }
    Table table = balances();
    table.columns[1].name = "account";
    EXPECT_THAT(refusal(table), HasSubstr("column 'account' is there twice"));
    table = balances();
    table.columns[0].nullable = true;
    EXPECT_THAT(refusal(table), HasSubstr("'account' is of the key"));
    for (const std::uint32_t key_columns : {0U, 3U}) {
        table = balances();
        table.key_columns = key_columns;
        EXPECT_THAT(refusal(table), HasSubstr("cannot be the key"));
    }
    for (const std::vector<std::uint32_t>& columns : {std::vector<std::uint32_t>{}, {2}, {1, 1}}) {
        table = balances();
        table.indexes[0].columns = columns;
        EXPECT_THAT(refusal(table), HasSubstr("index 'by_amount' of table 'balances'"));
    }
    table = balances();
    table.indexes.push_back(table.indexes.front());
    EXPECT_THAT(refusal(table), HasSubstr("index 'by_amount' is there twice"));
    EXPECT_THAT(check_schema({{balances(), balances()}}).error().message(), HasSubstr("'balances' is there twice"));
}

TEST(Schema, texts_differ_where_schemas_do_and_the_difference_is_named) {
    const std::string text = describe({{balances()}});
    EXPECT_EQ(text,
              "table balances with a key of 1\n"
              "column balances.account text\n"
              "column balances.amount real nullable\n"
              "index balances.by_amount on amount\n");
    Table table = balances();
    table.columns[1].nullable = false;
    EXPECT_EQ(first_difference(text, describe({{table}})),
              "it has 'column balances.amount real nullable', wanted is 'column balances.amount real'");
    table = balances();
    table.indexes.clear();
    EXPECT_EQ(first_difference(text, describe({{table}})),
              "it has 'index balances.by_amount on amount', wanted is 'nothing more'");
}

TEST(Schema, cells_that_do_not_fit_are_refused) {
    const Table table = balances();
    EXPECT_TRUE(check_row(table, Row{"a", 1.0}));
    EXPECT_TRUE(check_row(table, Row{"a", Cell{}}));
    EXPECT_THAT(check_row(table, Row{"a", std::int64_t{1}}).error().message(), HasSubstr("is real, not integer"));
    EXPECT_THAT(check_row(table, Row{Cell{}, 1.0}).error().message(), HasSubstr("'account' of table 'balances'"));
    EXPECT_THAT(check_row(table, Row{"a", std::nan("")}).error().message(), HasSubstr("NaN"));
    EXPECT_THAT(check_row(table, Row{"a"}).error().message(), HasSubstr("has 2 cells, not 1"));
    EXPECT_FALSE(check_key(table, Row{"a", 1.0}));
    EXPECT_TRUE(check_key(table, Row{"a"}));
}

TEST(Schema, queries_that_do_not_fit_are_refused) {
    Table table = balances();
    EXPECT_TRUE(check_query(table, {.filters = {{.column = 0, .low = Bound{"a"}, .high = Bound{Cell{}}}}}));
    EXPECT_FALSE(check_query(table, {.filters = {{.column = 2}}}));
    EXPECT_FALSE(check_query(table, {.filters = {{.column = 0, .low = Bound{1.0}}}}));
    EXPECT_FALSE(check_query(table, {.order = IndexId(1)}));
    EXPECT_FALSE(check_query(table, {.after = {1.0}}));
    EXPECT_FALSE(check_query(table, {.order = IndexId(0), .after = {"a"}}));
    EXPECT_TRUE(check_query(table, {.order = IndexId(0), .after = {Cell{}, "a"}}));
    EXPECT_FALSE(check_query(table, {.order = IndexId(0), .after = {1.0, Cell{}}}));
    table.indexes[0].columns = {0, 1};
    EXPECT_TRUE(check_query(table, {.order = IndexId(0), .after = {"a", 1.0, "a"}}));
    EXPECT_FALSE(check_query(table, {.order = IndexId(0), .after = {"a", 1.0, "b"}})) << "two values for one column";
}

}  // namespace
}  // namespace leftfold::rows
