// That SQLite goes along the index which a query names, and never sorts: asked of SQLite itself.
#include "query_plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/rows/sqlite_store.hpp"
#include "leftfold/sim/files.hpp"

#include "random_rows.hpp"
#include "schema.hpp"
#include "seeds.hpp"
#include "sqlite_connection.hpp"

namespace leftfold::rows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Plans {
  public:
    explicit Plans(const Schema& schema) : files_(sim::SimRandom(1), trace_), schema_(schema) {
        auto store = open_sqlite_store(files_, "store", schema);
        EXPECT_TRUE(store) << store.error().message();
        auto connection = SqliteConnection::open(SqliteVfs::of(files_), "store", SqliteAccess::read_write);
        EXPECT_TRUE(connection) << connection.error().message();
        connection_ = std::make_unique<SqliteConnection>(*std::move(connection));
    }

    // What SQLite means to do, a line for each step.
    std::vector<std::string> explain(const std::string& sql) {
        std::vector<std::string> steps;
        auto statement = connection_->prepare("EXPLAIN QUERY PLAN " + sql);
        EXPECT_TRUE(statement) << statement.error().message();
        if (!statement)
            return steps;
        SqliteRun run(*connection_, *statement);
        for (auto row = run.step("explain"); row && *row; row = run.step("explain"))
            steps.push_back(*run.text(3));
        return steps;
    }
    std::vector<std::string> explain(const Query& query) {
        std::vector<std::string> steps;
        for (const RangeQuery& range : plan_query(schema_.tables[query.table.value()], query)) {
            const auto of_range = explain(range.sql);
            steps.insert(steps.end(), of_range.begin(), of_range.end());
        }
        return steps;
    }

  private:
    sim::Trace trace_;
    sim::SimFileSystem files_;
    Schema schema_;
    std::unique_ptr<SqliteConnection> connection_;
};

Schema statements() {
    return {{{.name = "entries",
              .columns = {{.name = "account"},
                          {.name = "number", .type = CellType::integer},
                          {.name = "day"},
                          {.name = "amount", .type = CellType::integer, .nullable = true}},
              .key_columns = 2,
              .indexes = {{.name = "by_day", .columns = {0, 2}}, {.name = "by_amount", .columns = {3}}}}}};
}

constexpr IndexId kByDay{0};
constexpr IndexId kByAmount{1};

Filter equals(std::uint32_t column, const Cell& value) {
    return {.column = column, .low = Bound{value}, .high = Bound{value}};
}

TEST(QueryPlan, key_and_cursor_are_one_range_of_the_key) {
    Plans plans(statements());
    EXPECT_THAT(plans.explain(Query{}), ElementsAre("SCAN entries"));
    EXPECT_THAT(plans.explain(Query{.after = {"a", std::int64_t{5}}}),
                ElementsAre("SEARCH entries USING PRIMARY KEY ((account,number)>(?,?))"));
    EXPECT_THAT(plans.explain(Query{.descending = true, .after = {"a", std::int64_t{5}}}),
                ElementsAre("SEARCH entries USING PRIMARY KEY ((account,number)<(?,?))"));
    EXPECT_THAT(plans.explain(Query{.filters = {equals(0, "a")}, .after = {"a", std::int64_t{5}}}),
                ElementsAre("SEARCH entries USING PRIMARY KEY (account=? AND number>?)"));
    EXPECT_THAT(plans.explain(Query{.filters = {equals(0, "a"), {.column = 1, .low = Bound{std::int64_t{1}}}},
                                    .after = {"a", std::int64_t{5}}}),
                ElementsAre("SEARCH entries USING PRIMARY KEY (account=? AND number>?)"));
}

TEST(QueryPlan, index_and_cursor_are_one_range_of_the_index) {
    Plans plans(statements());
    EXPECT_THAT(plans.explain(Query{.order = kByDay}), ElementsAre("SCAN entries USING INDEX entries.by_day"));
    const std::vector<Filter> month{equals(0, "a"),
                                    {.column = 2, .low = Bound{"1993-05-01"}, .high = Bound{"1993-06-01", false}}};
    EXPECT_THAT(plans.explain(Query{.filters = month, .order = kByDay}),
                ElementsAre("SEARCH entries USING INDEX entries.by_day (account=? AND day>? AND day<?)"));
    EXPECT_THAT(
        plans.explain(Query{.filters = month, .order = kByDay, .after = {"a", "1993-05-07", "a", std::int64_t{7}}}),
        ElementsAre("SEARCH entries USING INDEX entries.by_day (account=? AND (day,number)>(?,?) AND day<?)"));
    EXPECT_THAT(plans.explain(Query{.order = kByDay, .after = {"a", "1993-05-07", "a", std::int64_t{7}}}),
                ElementsAre("SEARCH entries USING INDEX entries.by_day ((account,day,number)>(?,?,?))"));
}

TEST(QueryPlan, cursor_over_nulls_is_a_range_for_each) {
    Plans plans(statements());
    EXPECT_THAT(plans.explain(Query{.order = kByAmount, .after = {std::int64_t{7}, "a", std::int64_t{1}}}),
                ElementsAre("SEARCH entries USING INDEX entries.by_amount (amount=? AND (account,number)>(?,?))",
                            "SEARCH entries USING INDEX entries.by_amount (amount>?)"));
    EXPECT_THAT(
        plans.explain(Query{.order = kByAmount, .descending = true, .after = {std::int64_t{7}, "a", std::int64_t{1}}}),
        ElementsAre("SEARCH entries USING INDEX entries.by_amount (amount=? AND (account,number)<(?,?))",
                    "SEARCH entries USING INDEX entries.by_amount (amount<?)",
                    "SEARCH entries USING INDEX entries.by_amount (amount=?)"));
    EXPECT_THAT(plans.explain(Query{.order = kByAmount, .after = {Cell{}, "a", std::int64_t{1}}}),
                ElementsAre("SEARCH entries USING INDEX entries.by_amount (amount=? AND (account,number)>(?,?))",
                            "SEARCH entries USING INDEX entries.by_amount (amount>?)"));
}

TEST(QueryPlan, cursor_before_or_behind_all_that_passes_is_none) {
    Plans plans(statements());
    EXPECT_THAT(plans.explain(Query{.filters = {equals(0, "b")}, .after = {"a", std::int64_t{5}}}),
                ElementsAre("SEARCH entries USING PRIMARY KEY (account=?)"));
    EXPECT_THAT(plans.explain(Query{.filters = {equals(0, "a")}, .after = {"b", std::int64_t{5}}}), IsEmpty());
}

TEST(QueryPlan, index_whose_columns_are_all_fixed_serves_the_order_by_key) {
    Plans plans(statements());
    EXPECT_THAT(plans.explain(Query{.filters = {equals(3, std::int64_t{7})}}),
                ElementsAre("SEARCH entries USING INDEX entries.by_amount (amount=?)"));
    EXPECT_THAT(plans.explain(Query{.filters = {equals(3, std::int64_t{7})}, .after = {"a", std::int64_t{5}}}),
                ElementsAre("SEARCH entries USING INDEX entries.by_amount (amount=? AND (account,number)>(?,?))"));
    EXPECT_THAT(plans.explain(Query{.filters = {{.column = 3, .low = Bound{std::int64_t{7}}}}}),
                ElementsAre("SCAN entries"));
}

TEST(QueryPlan, no_query_sorts) {
    const Seeds seeds(60);
    for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
        sim::SimRandom random(seed);
        RandomRows rows(random);
        Plans plans(rows.schema());
        for (int i = 0; i < 40; ++i) {
            const TableId id = rows.table();
            const Table& table = rows.schema().tables[id.value()];
            const Query query = rows.query({}, id);
            for (const RangeQuery& range : plan_query(table, query)) {
                const auto steps = plans.explain(range.sql);
                ASSERT_EQ(steps.size(), 1U) << range.sql << "\n"
                                            << fmt::format("{}", fmt::join(steps, "\n")) << "\n"
                                            << describe(rows.schema()) << rerun(seed, "QueryPlan.no_query_sorts");
                if (query.order) {
                    ASSERT_THAT(steps[0], HasSubstr(index_name(table, table.indexes[query.order->value()])));
                }
            }
            ASSERT_THAT(plans.explain(plan_count(table, query).sql), Not(testing::Contains(HasSubstr("TEMP"))));
        }
    }
}

}  // namespace
}  // namespace leftfold::rows
