#include "leftfold/projection/queries.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/event/json_value.hpp"

#include "memory_store.hpp"
#include "testing/bank.hpp"

namespace leftfold {
namespace {

using testing::Balance;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Statement;

enum class Level : std::uint8_t { low, in_between, high };
struct Tag {
    std::string name;
};
struct Alert {
    Key<Uuid> id;
    Indexed<Level> level{};
    Indexed<bool> open = false;
    Indexed<std::optional<double>> score;
    Indexed<std::optional<Timestamp>> seen;
    Indexed<std::int64_t> count = 0;
    std::vector<Tag> tags;
};

template <class R>
class Table {
  public:
    Table() { EXPECT_TRUE(store->begin()); }

    void put(const R& row) {
        rows::Row cells(form.columns.size());
        detail::write_cells(std::span(cells), row);
        ASSERT_TRUE(store->put(rows::TableId(0), cells));
    }
    OrQueryProblem<PageQuestion> prepare(std::vector<QueryParameter> parameters) const {
        return queries.prepare_page(parameters);
    }
    std::string page(std::vector<QueryParameter> parameters) const {
        const auto question = queries.prepare_page(parameters);
        if (!question)
            return question.error().message();
        std::string out;
        const auto written = queries.write_page(*store, *question, out);
        return written ? out : written.error().message();
    }
    // Parameter by parameter, the values of this column in a page; what else a page is goes wrong.
    std::vector<std::string> values(std::string_view column, std::vector<QueryParameter> parameters) const {
        const std::string text = page(std::move(parameters));
        const auto parsed = json::Value::parse(text);
        std::vector<std::string> values;
        if (!parsed || parsed->find("rows") == nullptr)
            return {text};
        for (const json::Value& row : *parsed->find("rows")->array()) {
            const json::Value* value = row.find(column);
            values.push_back(value == nullptr             ? "none"
                             : value->string() != nullptr ? *value->string()
                                                          : value->to_string());
        }
        return values;
    }
    std::string next(std::vector<QueryParameter> parameters) const {
        const auto parsed = json::Value::parse(page(std::move(parameters)));
        const json::Value* next = parsed ? parsed->find("next") : nullptr;
        return next == nullptr ? "" : *next->string();
    }
    std::string row(std::vector<QueryParameter> parameters) const {
        const auto key = queries.prepare_row(parameters);
        if (!key)
            return key.error().message();
        std::string out;
        const auto found = queries.write_row(*store, *key, out);
        return !found ? found.error().message() : *found ? out : "none";
    }

    TableForm form = table_form<R>();
    std::unique_ptr<rows::RowStore> store = rows::make_memory_store({{form.table}});
    TableQueries queries{form, rows::TableId(0)};
};

Table<Balance> three_balances() {
    Table<Balance> table;
    table.put({"acc-1", Money("10.00"), "Jana", 3});
    table.put({"acc-2", Money("-0.50"), "Petr \"P\"", 1});
    table.put({"acc-3", Money("7.00"), "Jana", 2});
    return table;
}

Table<Statement> statements() {
    Table<Statement> table;
    const auto put = [&](const char* account, std::int64_t number, const char* day, const char* amount) {
        table.put({account, number, *parse_date(day), std::string(day).substr(0, 7), *Money::parse(amount)});
    };
    put("a", 1, "1993-04-30", "1.00");
    put("a", 2, "1993-05-01", "2.00");
    put("a", 3, "1993-05-31", "3.00");
    put("a", 4, "1993-06-01", "4.00");
    put("b", 1, "1993-05-10", "5.00");
    return table;
}

TEST(Queries, one_row_by_its_key) {
    const auto table = three_balances();
    EXPECT_EQ(table.row({{"account", "acc-2"}}),
              R"({"account":"acc-2","balance":"-0.50","owner":"Petr \"P\"","changes":1})");
    EXPECT_EQ(table.row({{"account", "acc-9"}}), "none");
    EXPECT_EQ(statements().row({{"number", "2"}, {"account", "a"}}),
              R"({"account":"a","number":2,"time":"1993-05-01T00:00:00Z","month":"1993-05","amount":"2.00"})");
    EXPECT_EQ(statements().row({{"number", "2"}}),
              "parameter 'account': required: one row is asked for by its key, that is account, number");
    EXPECT_EQ(statements().row({{"number", "2x"}, {"account", "a"}}), "parameter 'number': expected a whole number");
    EXPECT_EQ(statements().row({{"account", "a"}, {"account", "a"}}), "parameter 'account': given twice");
    EXPECT_EQ(table.row({{"account", "a"}, {"limit", "7"}}),
              "parameter 'limit': one row is asked for by its key and nothing else, that is account");
}

TEST(Queries, every_kind_of_column_is_written_as_the_struct_would_be) {
    Table<Alert> table;
    Alert alert;
    alert.id = *Uuid::parse("0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f");
    alert.level = Level::in_between;
    alert.score = 0.1;
    alert.seen = *parse_rfc3339("1993-01-31T12:00:00.250Z");
    alert.tags = {{"x"}, {"y"}};
    table.put(alert);
    table.put({});
    EXPECT_EQ(table.row({{"id", "0190C2E4-9F7A-7CC3-98C4-DC0C0C07398F"}}),
              R"({"id":"0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f","level":"in-between","open":false,"score":0.1,)"
              R"("seen":"1993-01-31T12:00:00.250Z","count":0,"tags":[{"name":"x"},{"name":"y"}]})");
    EXPECT_EQ(table.row({{"id", "00000000-0000-0000-0000-000000000000"}}),
              R"({"id":"00000000-0000-0000-0000-000000000000","level":"low","open":false,"count":0,"tags":[]})");
}

TEST(Queries, page_is_by_key_unless_told) {
    const auto table = three_balances();
    EXPECT_EQ(table.page({{"limit", "2"}, {"owner", "Petr \"P\""}}),
              R"({"rows":[{"account":"acc-2","balance":"-0.50","owner":"Petr \"P\"","changes":1}]})");
    EXPECT_THAT(table.values("account", {}), ElementsAre("acc-1", "acc-2", "acc-3"));
    EXPECT_THAT(table.values("account", {{"descending", "true"}}), ElementsAre("acc-3", "acc-2", "acc-1"));
    EXPECT_THAT(table.values("account", {{"order", "owner"}}), ElementsAre("acc-1", "acc-3", "acc-2"));
    EXPECT_THAT(table.values("account", {{"owner", "Jana"}, {"descending", "true"}}), ElementsAre("acc-3", "acc-1"));
    EXPECT_THAT(table.values("account", {{"account.min", "acc-2"}}), ElementsAre("acc-2", "acc-3"));
    EXPECT_THAT(table.values("account", {{"owner", "Jana"}, {"account.above", "acc-1"}}), ElementsAre("acc-3"));
    EXPECT_EQ(table.page({{"owner", "nobody"}}), R"({"rows":[]})");
}

TEST(Queries, counts) {
    const auto table = three_balances();
    EXPECT_EQ(table.page({{"count", "true"}}), R"({"count":3})");
    EXPECT_EQ(table.page({{"count", "true"}, {"owner", "Jana"}}), R"({"count":2})");
    EXPECT_THAT(table.page({{"count", "true"}, {"cursor", "1.00"}}),
                HasSubstr("parameter 'cursor': a count is of all"));
}

TEST(Queries, ranges_of_times_and_dates) {
    const auto table = statements();
    EXPECT_THAT(table.values("number", {{"account", "a"}, {"month", "1993-05"}}), ElementsAre("2", "3"));
    EXPECT_THAT(table.values("amount", {{"time.min", "1993-05-01"}, {"time.below", "1993-06-01"}}),
                ElementsAre("2.00", "5.00", "3.00"));
    EXPECT_THAT(table.values("amount", {{"time.above", "1993-05-01"}, {"time.max", "1993-05-31"}}),
                ElementsAre("5.00", "3.00"));
    EXPECT_THAT(table.values("amount", {{"time", "1993-05-31"}}), ElementsAre("3.00"));
    EXPECT_THAT(table.values("amount", {{"time.max", "1993-04-30T00:00:00+02:00"}}), ElementsAre());
    EXPECT_THAT(table.values("number", {{"account", "a"}, {"number.above", "1"}, {"number.below", "4"}}),
                ElementsAre("2", "3"));
}

TEST(Queries, values_of_every_kind) {
    Table<Alert> table;
    for (std::uint8_t i = 1; i < 5; ++i) {
        Alert alert;
        alert.id = Uuid({i});
        alert.level = static_cast<Level>(i % 3);
        alert.open = i % 2 == 0;
        if (i > 2)
            alert.score = i / 2.0;
        alert.count = i;
        table.put(alert);
    }
    EXPECT_THAT(table.values("count", {{"level", "in-between"}}), ElementsAre("1", "4"));
    EXPECT_THAT(table.values("count", {{"level.min", "in-between"}}), ElementsAre("1", "4", "2"));  // as declared
    EXPECT_THAT(table.values("count", {{"open", "true"}}), ElementsAre("2", "4"));
    EXPECT_THAT(table.values("count", {{"score.max", "2e0"}}), ElementsAre("3", "4"));  // not those without one
    EXPECT_THAT(table.values("count", {{"order", "score"}}), ElementsAre("1", "2", "3", "4"));
    EXPECT_THAT(table.values("count", {{"count.min", "2"}, {"count.max", "2"}}), ElementsAre("2"));
    EXPECT_EQ(table.page({{"level", "lowest"}}), "parameter 'level': expected one of 'low', 'in-between', 'high'");
    EXPECT_EQ(table.page({{"level", ""}}), "parameter 'level': expected one of 'low', 'in-between', 'high'");
    EXPECT_EQ(table.page({{"open", "1"}}), "parameter 'open': expected 'true' or 'false'");
    EXPECT_EQ(table.page({{"score", "nan"}}), "parameter 'score': expected a number");
    EXPECT_THAT(table.page({{"seen", "yesterday"}}), HasSubstr("expected a time such as '1993-01-31T12:00:00Z'"));
    EXPECT_THAT(table.page({{"id", "17"}}), HasSubstr("expected a UUID"));
    EXPECT_EQ(table.page({{"tags", "x"}}), "parameter 'tags': column 'tags' is nested and cannot be asked for");
    EXPECT_THAT(three_balances().page({{"owner", "\xFF"}}), HasSubstr("expected a text in UTF-8"));
}

struct Price {
    Key<Decimal<4>> value;
};
TEST(Queries, decimals_need_not_be_written_out) {
    Table<Price> table;
    for (const std::int64_t minor : {-5000, 0, 5000, 100000})
        table.put({Decimal<4>::from_minor(minor)});
    EXPECT_THAT(table.values("value", {{"value.min", "-.5"}}), ElementsAre(HasSubstr("expected a decimal number")));
    EXPECT_THAT(table.values("value", {{"value.min", "-0.5"}, {"value.below", "10"}}),
                ElementsAre("-0.5000", "0.0000", "0.5000"));
    for (const char* text : {"", "1.", "1.00000", "1e3", "+1", "99999999999999999999"})
        EXPECT_THAT(table.page({{"value", text}}), HasSubstr("with at most 4 digits behind the point")) << text;
}

TEST(Queries, refusals_name_the_parameter_and_what_is_allowed) {
    const auto table = three_balances();
    for (const char* limit : {"0", "1001", "-1", "x", "", "1.5"})
        EXPECT_EQ(table.page({{"limit", limit}}), "parameter 'limit': expected a whole number from 1 to 1000");
    EXPECT_EQ(table.page({{"color", "red"}}),
              "parameter 'color': there is no such column; there are account, balance, owner, changes, each also with "
              ".min, .max, .above or .below, and order, descending, limit, cursor, count");
    EXPECT_THAT(table.page({{"owner.like", "J"}}), HasSubstr("parameter 'owner.like': there is no such column"));
    EXPECT_THAT(table.page({{"owner.", "J"}}), HasSubstr("there is no such column"));
    EXPECT_EQ(table.page({{"descending", "yes"}}), "parameter 'descending': expected 'true' or 'false'");
    EXPECT_EQ(table.page({{"owner", "a"}, {"owner", "b"}}), "parameter 'owner': given twice");
    EXPECT_EQ(table.page({{"owner.min", "a"}, {"owner", "b"}}), "parameter 'owner': there is a bound already");
    EXPECT_EQ(table.page({{"owner.min", "a"}, {"owner.above", "b"}}),
              "parameter 'owner.above': there is a lower bound already");
    EXPECT_EQ(table.page({{"owner", "a"}, {"owner.max", "b"}}),
              "parameter 'owner.max': there is an upper bound already");
    EXPECT_EQ(table.page({{"order", "nothing"}}),
              "parameter 'order': expected a column of the key or an index; indexes are 'owner'");
}

TEST(Queries, what_no_index_serves_is_refused_with_the_one_that_would) {
    const auto table = three_balances();
    EXPECT_EQ(table.page({{"balance.min", "1"}}),
              "parameter 'balance.min': neither the key nor an index serves this query together with its order; this "
              "would: leftfold::Indexed<…> around Balance::balance");
    EXPECT_THAT(table.page({{"order", "changes"}}), HasSubstr("parameter 'order': neither the key nor an index"));
    EXPECT_THAT(table.page({{"owner", "Jana"}, {"order", "balance"}}),
                HasSubstr("leftfold::Index<\"by_owner_balance\", &Balance::owner, &Balance::balance>"));
    EXPECT_THAT(
        table.page({{"owner", "Jana"}, {"changes", "1"}, {"balance.min", "1"}}),
        HasSubstr("Index<\"by_owner_changes_balance\", &Balance::owner, &Balance::changes, &Balance::balance>"));
    EXPECT_EQ(
        table.page({{"owner.min", "J"}, {"account.min", "a"}}),
        "parameter 'account.min': column 'owner' has a range already, and one query has one: ask for equality, or "
        "drop one");
    EXPECT_EQ(table.page({{"account.min", "a"}, {"order", "owner"}}),
              "parameter 'order': a query with a range of 'account' can only be ordered by 'account'");
    const auto all = statements();
    EXPECT_EQ(all.page({{"order", "by_month"}, {"time.min", "1993-01-01"}}),
              "parameter 'order': the index 'by_month' does not begin with the columns that are asked for");
    EXPECT_THAT(all.page({{"month", "1993-05"}}), HasSubstr("leftfold::Indexed<…> around Statement::month"));
    EXPECT_THAT(all.page({{"number", "1"}}), HasSubstr("leftfold::Indexed<…> around Statement::number"));
    EXPECT_THAT(all.values("number", {{"order", "by_month"}, {"account", "a"}, {"descending", "true"}}),
                ElementsAre("4", "3", "2", "1"));
    EXPECT_THAT(all.values("number", {{"account", "a"}, {"month.min", "1993-05"}}), ElementsAre("2", "3", "4"));
}

TEST(Queries, cursor_goes_on_where_the_page_ended) {
    auto table = three_balances();
    const std::string first = table.next({{"order", "owner"}, {"limit", "1"}});
    EXPECT_THAT(table.values("account", {{"limit", "1"}, {"cursor", first}, {"order", "owner"}}), ElementsAre("acc-3"));
    EXPECT_EQ(table.next({{"limit", "2"}, {"cursor", first}, {"order", "owner"}}), "");
    table.put({"acc-0", Money(), "Zuzana", 0});
    table.put({"acc-9", Money(), "Abel", 0});
    ASSERT_TRUE(table.store->erase(rows::TableId(0), std::vector<rows::Cell>{"acc-1"}));
    EXPECT_THAT(table.values("account", {{"order", "owner"}, {"cursor", first}}),
                ElementsAre("acc-3", "acc-2", "acc-0"));
}

TEST(Queries, cursor_of_another_query_is_refused) {
    const auto table = three_balances();
    const std::string cursor = table.next({{"owner", "Jana"}, {"limit", "1"}});
    ASSERT_NE(cursor, "");
    EXPECT_THAT(table.values("account", {{"cursor", cursor}, {"owner", "Jana"}}), ElementsAre("acc-3"));
    const std::vector<std::vector<QueryParameter>> others = {
        {{"cursor", cursor}, {"owner", "Petr"}},
        {{"cursor", cursor}, {"owner", "Jana"}, {"descending", "true"}},
        {{"cursor", cursor}, {"owner.min", "Jana"}},
        {{"cursor", cursor}, {"order", "owner"}},
        {{"cursor", cursor}}};
    for (const auto& parameters : others)
        EXPECT_THAT(table.page(parameters), HasSubstr("parameter 'cursor': this cursor is of another query"));
    EXPECT_THAT(statements().page({{"cursor", cursor}}), HasSubstr("this cursor is of another query"));
    for (const char* text : {"", "1.", "2.00", "1.0", "1.zz", "x", "1.0000000000000000"})
        EXPECT_THAT(table.page({{"cursor", text}, {"owner", "Jana"}}), HasSubstr("parameter 'cursor': this")) << text;
}

TEST(Queries, damaged_cursor_never_does_harm) {
    const auto table = statements();
    const std::vector<QueryParameter> query{{"order", "by_month"}, {"limit", "1"}};
    const std::string cursor = table.next(query);
    ASSERT_NE(cursor, "");
    std::mt19937_64 random(1);
    int answered = 0;
    for (int i = 0; i < 3000; ++i) {
        std::string damaged = cursor;
        for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
            const std::size_t at = random() % damaged.size();
            if (random() % 4 == 0)
                damaged.erase(at, 1 + random() % 4);
            else
                damaged[at] = "0123456789abcdef"[random() % 16];
            if (damaged.empty())
                break;
        }
        auto parameters = query;
        parameters.push_back({"cursor", damaged});
        const std::string page = table.page(parameters);
        const bool is_answer = page.starts_with("{\"rows\":[");
        answered += is_answer ? 1 : 0;
        ASSERT_TRUE(is_answer || page.starts_with("parameter 'cursor': this")) << damaged << "\n" << page;
    }
    EXPECT_GT(answered, 0);  // other places of the same order are places
}

TEST(Queries, page_ends_when_it_is_large) {
    Table<Balance> table;
    const std::string long_text(TableQueries::kPageBytesMax / 3, 'x');
    for (const char* account : {"a", "b", "c", "d", "e"})
        table.put({account, {}, long_text, 0});
    const std::string page = table.page({});
    EXPECT_LT(page.size(), 2 * TableQueries::kPageBytesMax);
    const std::string next = table.next({});
    ASSERT_NE(next, "");
    EXPECT_THAT(table.values("account", {{"cursor", next}}), ElementsAre("d", "e"));
}

TEST(Queries, damaged_row_is_an_error) {
    Table<Alert> table;
    table.put({});
    rows::Row row = table.store->query({.table = rows::TableId(0)})->front();
    row[1] = std::int64_t{9};
    ASSERT_TRUE(table.store->put(rows::TableId(0), row));
    EXPECT_EQ(table.page({}), "column 'level' of table 'alert' holds what it cannot: rebuild the projection");
}

// Pages of any size, joined, are the rows that a few lines choose and sort.
struct Asked {
    std::vector<QueryParameter> parameters;
    std::function<bool(const Statement&)> matches;
    std::function<std::string(const Statement&)> order;  // sorts as the texts do
};

std::string padded(std::int64_t number) {
    std::string digits = std::to_string(number);
    return std::string(20 - digits.size(), '0') + digits;
}

void pages_are_a_sorted_choice(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    Table<Statement> table;
    std::map<std::pair<std::string, std::int64_t>, Statement> all;
    for (std::uint64_t i = 0; i < 80; ++i) {
        const Statement row{std::string(1, static_cast<char>('a' + below(3))), static_cast<std::int64_t>(below(40)),
                            timestamp_from_micros(static_cast<std::int64_t>(below(10)) * 86'400'000'000),
                            "m" + std::to_string(below(3)), Money::from_minor(static_cast<std::int64_t>(i))};
        all[{*row.account, *row.number}] = row;
        table.put(row);
    }
    const std::string account(1, static_cast<char>('a' + below(3)));
    const std::string month = "m" + std::to_string(below(3));
    const std::string number = std::to_string(below(40));
    const std::string day = "1970-01-0" + std::to_string(1 + below(9));
    const auto key = [](const Statement& row) { return *row.account + padded(*row.number); };
    const auto by_time = [&](const Statement& row) { return padded(to_micros(*row.time)) + key(row); };
    const auto by_month = [&](const Statement& row) { return *row.account + row.month + key(row); };
    const std::vector<Asked> questions = {
        {{}, [](const Statement&) { return true; }, key},
        {{{"order", "time"}}, [](const Statement&) { return true; }, by_time},
        {{{"order", "by_month"}}, [](const Statement&) { return true; }, by_month},
        {{{"account", account}}, [&](const Statement& row) { return *row.account == account; }, key},
        {{{"account", account}, {"number.above", number}},
         [&](const Statement& row) { return *row.account == account && *row.number > std::stol(number); },
         key},
        {{{"account.below", account}}, [&](const Statement& row) { return *row.account < account; }, key},
        {{{"month", month}, {"account", account}},
         [&](const Statement& row) { return *row.account == account && row.month == month; },
         key},
        {{{"account", account}, {"month.min", month}},
         [&](const Statement& row) { return *row.account == account && row.month >= month; },
         by_month},
        {{{"time.min", day}}, [&](const Statement& row) { return *row.time >= *parse_date(day); }, by_time},
        {{{"time", day}}, [&](const Statement& row) { return *row.time == *parse_date(day); }, by_time}};

    const Asked& asked = questions[below(questions.size())];
    const bool descending = below(2) == 0;
    std::vector<Statement> chosen;
    for (const auto& [place, row] : all) {
        if (asked.matches(row))
            chosen.push_back(row);
    }
    std::ranges::sort(chosen, [&](const Statement& left, const Statement& right) {
        return descending ? asked.order(right) < asked.order(left) : asked.order(left) < asked.order(right);
    });
    std::vector<std::string> expected;
    for (const Statement& row : chosen)
        expected.push_back(row.amount.to_string());

    std::vector<std::string> seen;
    std::string cursor;
    do {
        auto parameters = asked.parameters;
        const std::string limit = std::to_string(1 + below(30));
        parameters.push_back({"limit", limit});
        if (descending)
            parameters.push_back({"descending", "true"});
        if (!cursor.empty())
            parameters.push_back({"cursor", cursor});
        const auto page = table.values("amount", parameters);
        ASSERT_LE(page.size(), std::stoul(limit));
        seen.insert(seen.end(), page.begin(), page.end());
        cursor = table.next(parameters);
        ASSERT_LE(seen.size(), expected.size());
    } while (!cursor.empty());
    ASSERT_EQ(seen, expected) << ::testing::PrintToString(asked.parameters.size());
    auto parameters = asked.parameters;
    parameters.push_back({"count", "true"});
    ASSERT_EQ(table.page(parameters), "{\"count\":" + std::to_string(expected.size()) + "}");
}

TEST(Queries, random_pages_are_a_sorted_choice) {
    const char* chosen = std::getenv("LEFTFOLD_SEED");
    const std::uint64_t first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
    for (std::uint64_t seed = first; seed < first + (chosen != nullptr ? 1 : 200); ++seed) {
        SCOPED_TRACE("again: LEFTFOLD_SEED=" + std::to_string(seed) +
                     " projection_test --gtest_filter=Queries.random*");
        pages_are_a_sorted_choice(seed);
        if (::testing::Test::HasFatalFailure())
            return;
    }
}

TEST(Queries, tables_of_a_projection_in_order) {
    const auto model = make_typed_projection<testing::Balances>("bank", "balances");
    const auto tables = table_queries(*model);
    ASSERT_EQ(tables.size(), 2U);
    EXPECT_EQ(tables[0].form().table.name, "balance");
    EXPECT_EQ(tables[1].form().table.name, "statement");
}

}  // namespace
}  // namespace leftfold
