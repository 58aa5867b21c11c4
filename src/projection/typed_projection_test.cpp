#include "leftfold/projection/typed_projection.hpp"

#include <cstdlib>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/bank.hpp"
#include "testing/events.hpp"
#include "testing/watched_store.hpp"

namespace leftfold {
namespace {

using testing::AccountEvents;
using testing::Balance;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LoanEvents;
using testing::OwnedRecord;
using testing::record_of;
using testing::Statement;
using testing::WatchedStore;

// One projection over one store, in transactions.
struct World {
    explicit World(std::size_t rows_cached_max = 1000)
        : model(make_typed_projection<testing::Balances>("bank", "balances", {.rows_cached_max = rows_cached_max})) {
        EXPECT_TRUE(store.begin());
    }

    Result<> apply(const OwnedRecord& record) { return fold->apply(record.view()); }
    void commit() {
        ASSERT_TRUE(fold->flush());
        ASSERT_TRUE(store.commit());
        ASSERT_TRUE(store.begin());
    }
    void rollback() {
        fold->discard();
        store.rollback();
        ASSERT_TRUE(store.begin());
    }
    template <class R>
    std::vector<R> all(std::uint32_t table) {
        std::vector<R> rows;
        json::Reader reader;
        auto stored = store.query({.table = rows::TableId(table), .limit = 1'000'000}).value();
        for (rows::Row& row : stored)
            EXPECT_TRUE(detail::read_cells(std::span(row), rows.emplace_back(), reader));
        return rows;
    }

    std::unique_ptr<ProjectionModel> model;
    WatchedStore store{model->schema()};
    std::unique_ptr<ProjectionFold> fold = model->fold_into(store);
};

TEST(TypedProjection, schema_is_that_of_the_rows) {
    const auto model = make_typed_projection<testing::Balances>("bank", "balances");
    EXPECT_EQ(model->name(), "balances");
    EXPECT_THAT(model->topics(), ElementsAre("bank.account", "bank.loan"));
    using enum rows::CellType;
    const rows::Schema expected{
        {{.name = "balance",
          .columns = {{"account", text}, {"balance", integer}, {"owner", text}, {"changes", integer}},
          .key_columns = 1,
          .indexes = {{"owner", {2}}}},
         {.name = "statement",
          .columns = {{"account", text}, {"number", integer}, {"time", integer}, {"month", text}, {"amount", integer}},
          .key_columns = 2,
          .indexes = {{"time", {2}}, {"by_month", {0, 3}}}}}};
    EXPECT_EQ(model->schema(), expected);
    ASSERT_EQ(model->forms().size(), 2U);
    EXPECT_EQ(model->forms()[1].row_type, "Statement");
    EXPECT_EQ(model->forms()[1].columns[2].kind, ColumnKind::timestamp);
}

TEST(TypedProjection, shape_tells_all_that_rows_depend_on) {
    EXPECT_EQ(make_typed_projection<testing::Balances>("bank", "balances")->shape(),
              R"J({"stored_form":1,"version":3,"topics":["bank.account","bank.loan"],"events":["bank.account.opened",)J"
              R"J("bank.account.deposited","bank.account.withdrawn","bank.account.closed","bank.account.broken",)J"
              R"J("bank.loan.lent","bank.loan.closed"],"tables":[{"name":"balance","key":1,"columns":{)J"
              R"J("account":"string","balance":"decimal(2)","owner":"string","changes":"int64"},)J"
              R"J("indexes":{"owner":["owner"]}},{"name":"statement","key":2,"columns":{"account":"string",)J"
              R"J("number":"int64","time":"timestamp","month":"string","amount":"decimal(2)"},)J"
              R"J("indexes":{"time":["time"],"by_month":["account","month"]}}]})J");
}

struct Owner {
    Key<std::string> name;
    std::int64_t accounts = 0;
};
struct Owners {
    using Events = ReadsFrom<AccountEvents>;
    using Tables = std::tuple<Owner>;
    static constexpr std::uint32_t version = 1;
    void on(const testing::Opened& event, Rows<Owner>& rows) const { ++rows[event.owner].accounts; }
};
struct MoreOwners : Owners {
    using Owners::on;
    void on(const testing::Closed&, Rows<Owner>&) const {}
};
// For whatever comes.
struct Counts {
    using Events = ReadsFrom<AccountEvents, LoanEvents>;
    using Tables = std::tuple<Owner>;
    static constexpr std::uint32_t version = 1;
    void on(const auto&, const EventMeta& meta, Rows<Owner>& rows) const { ++rows[meta.type].accounts; }
};

TEST(TypedProjection, handler_that_is_added_changes_the_shape) {
    EXPECT_NE(make_typed_projection<Owners>("bank", "x")->shape(),
              make_typed_projection<MoreOwners>("bank", "x")->shape());
    EXPECT_NE(make_typed_projection<Owners>("bank", "x")->shape(),
              make_typed_projection<Owners>("other", "x")->shape());
}

TEST(TypedProjection, one_handler_may_take_all_events) {
    const auto model = make_typed_projection<Counts>("bank", "counts");
    WatchedStore store{model->schema()};
    ASSERT_TRUE(store.begin());
    const auto fold = model->fold_into(store);
    ASSERT_TRUE(fold->apply(record_of<AccountEvents>("a", testing::Noted{"x"}).view()));
    ASSERT_TRUE(fold->apply(record_of<AccountEvents>("a", testing::Closed{}).view()));
    ASSERT_TRUE(fold->apply(record_of<LoanEvents>("a", testing::Closed{}).view()));
    ASSERT_TRUE(fold->apply(record_of<LoanEvents>("a", testing::Closed{}).view()));
    ASSERT_TRUE(fold->flush());
    const auto rows = store.query({.table = rows::TableId(0)}).value();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[2][0], rows::Cell("bank.loan.closed"));
    EXPECT_EQ(rows[2][1], rows::Cell(std::int64_t{2}));
}

TEST(TypedProjection, events_become_rows) {
    World world;
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Opened{"Jana"})));
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Deposited{Money("7.00")}, 2)));
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Withdrawn{Money("2.50")}, 3)));
    ASSERT_TRUE(world.apply(record_of<LoanEvents>("l", testing::Lent{"a", Money("100.00")})));
    EXPECT_TRUE(world.all<Balance>(0).empty());  // the batch has not ended
    world.commit();
    EXPECT_THAT(world.all<Balance>(0), ElementsAre(Balance{"a", Money("104.50"), "Jana", 2}));
    EXPECT_THAT(world.all<Statement>(1), ElementsAre(Statement{"a", 2, testing::kNoon, "1993-05", Money("7.00")},
                                                     Statement{"a", 3, testing::kNoon, "1993-05", Money("-2.50")}));
    EXPECT_EQ(world.store.puts, 3U);
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Closed{}, 4)));
    world.commit();
    EXPECT_TRUE(world.all<Balance>(0).empty());
    EXPECT_TRUE(world.all<Statement>(1).empty());
}

TEST(TypedProjection, more_rows_than_may_be_kept_are_written_within_the_batch) {
    World world(2);
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(world.apply(record_of<AccountEvents>(std::to_string(i), testing::Opened{"Jana"})));
    EXPECT_EQ(world.store.puts, 3U);
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("0", testing::Deposited{Money("1.00")}, 2)));
    world.rollback();  // within the same transaction: all of it goes
    world.commit();
    EXPECT_TRUE(world.all<Balance>(0).empty());
}

TEST(TypedProjection, event_without_a_handler_passes_unread) {
    World world;
    OwnedRecord record = record_of<AccountEvents>("a", testing::Noted{"x"});
    record.payload = "{";
    EXPECT_TRUE(world.apply(record));
    record.type = "process.timer-set";  // not of a stream's own events
    EXPECT_TRUE(world.apply(record));
    record.type = "bank.accounts.opened";
    EXPECT_TRUE(world.apply(record));
}

TEST(TypedProjection, event_that_cannot_be_read_stops) {
    World world;
    OwnedRecord record = record_of<AccountEvents>("acc-1", testing::Deposited{Money("1.00")}, 3);
    record.type = "bank.account.audited";
    auto applied = world.apply(record);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(applied.error().message(), HasSubstr("projection 'balances' (position 3): event 3 of 'acc-1' "
                                                     "(bank.account.audited, version 1) is of a type"));

    record = record_of<AccountEvents>("acc-1", testing::Deposited{Money("1.00")}, 3);
    record.type_version = 2;
    EXPECT_EQ(world.apply(record).error().code(), ErrorCode::unsupported);

    record.type_version = 1;
    record.payload = R"({"amount":1})";
    applied = world.apply(record);
    EXPECT_EQ(applied.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(applied.error().message(), HasSubstr("/amount: expected a decimal"));
}

TEST(TypedProjection, handler_that_throws_is_named_with_its_event) {
    World world;
    OwnedRecord record = record_of<AccountEvents>("acc-1", testing::Broken{"standard"}, 3);
    record.position = 17;
    auto applied = world.apply(record);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), ErrorCode::user_code);
    EXPECT_EQ(
        applied.error().message(),
        "projection 'balances': on() threw for bank.account.broken at version 3 of 'acc-1' (position 17): broken on "
        "purpose");
    world.rollback();
    EXPECT_THAT(world.apply(record_of<AccountEvents>("a", testing::Broken{"other"})).error().message(),
                HasSubstr("something that is no std::exception"));
}

TEST(TypedProjection, handler_that_throws_changes_nothing) {
    World world;
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Opened{"Jana"})));
    world.commit();
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Deposited{Money("1.00")}, 2)));
    ASSERT_FALSE(world.apply(record_of<AccountEvents>("a", testing::Broken{"standard"}, 3)));
    world.rollback();
    world.commit();
    EXPECT_THAT(world.all<Balance>(0), ElementsAre(Balance{"a", Money(), "Jana", 0}));
    ASSERT_TRUE(world.apply(record_of<AccountEvents>("a", testing::Deposited{Money("1.00")}, 2)));
    world.commit();
    EXPECT_THAT(world.all<Balance>(0), ElementsAre(Balance{"a", Money("1.00"), "Jana", 1}));
}

TEST(TypedProjection, store_that_fails_is_named_with_the_event) {
    World world;
    world.store.calls_until_failure = 0;
    const auto applied = world.apply(record_of<AccountEvents>("a", testing::Opened{"Jana"}));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), ErrorCode::io);
    EXPECT_EQ(applied.error().message(),
              "projection 'balances' at bank.account.opened at version 1 of 'a' (position 1): "
              "reading table 'balance': the disk is gone");
}

struct OpenedTwice {
    std::string owner;
    std::string country;
    static constexpr std::string_view event_name = "opened";
    static constexpr std::uint32_t event_version = 2;
    static void upcast(json::Value& payload, std::uint32_t) { payload["country"] = "CZ"; }
};
struct LaterEvents {
    static constexpr std::string_view aggregate = "account";
    using Event = std::variant<OpenedTwice>;
};
struct Countries {
    using Events = ReadsFrom<LaterEvents>;
    using Tables = std::tuple<Owner>;
    static constexpr std::uint32_t version = 1;
    void on(const OpenedTwice& event, Rows<Owner>& rows) const { ++rows[event.country].accounts; }
};

TEST(TypedProjection, older_event_is_brought_up) {
    const auto model = make_typed_projection<Countries>("bank", "countries");
    WatchedStore store{model->schema()};
    ASSERT_TRUE(store.begin());
    const auto fold = model->fold_into(store);
    ASSERT_TRUE(fold->apply(record_of<AccountEvents>("a", testing::Opened{"Jana"}).view()));
    ASSERT_TRUE(fold->apply(record_of<LaterEvents>("b", OpenedTwice{"Jana", "SK"}).view()));
    ASSERT_TRUE(fold->flush());
    EXPECT_EQ(store.query({.table = rows::TableId(0)})->size(), 2U);
    OwnedRecord record = record_of<AccountEvents>("a", testing::Opened{"Jana"});
    record.payload = "[";
    EXPECT_EQ(fold->apply(record.view()).error().code(), ErrorCode::corrupt);
}

// The rows, computed apart.
struct Expected {
    std::map<std::string, Balance> balances;
    std::map<std::pair<std::string, std::int64_t>, Statement> statements;

    void move(const std::string& account, std::int64_t version, Money amount) {
        Balance& row = balances.try_emplace(account, Balance{account, {}, {}, 0}).first->second;
        row.balance += amount;
        ++row.changes;
        statements[{account, version}] = {account, version, testing::kNoon, "1993-05", amount};
    }
    void close(const std::string& account) {
        balances.erase(account);
        std::erase_if(statements, [&](const auto& each) { return each.first.first == account; });
    }
};

void random_events_equal_computation(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    World world(below(2) == 0 ? 1 + below(10) : 1000);
    Expected expected;
    Expected committed;
    std::map<std::string, std::int64_t> versions;
    for (int i = 0; i < 500; ++i) {
        const std::string account = "acc-" + std::to_string(below(12));
        const std::int64_t version = ++versions[account];
        const Money amount = Money::from_minor(static_cast<std::int64_t>(below(1000)));
        const std::uint64_t what = below(20);
        Result<> applied;
        if (what < 3) {
            applied = world.apply(record_of<AccountEvents>(account, testing::Opened{account + "'s"}, version));
            expected.balances.try_emplace(account, Balance{account, {}, {}, 0}).first->second.owner = account + "'s";
        } else if (what == 3) {
            applied = world.apply(record_of<AccountEvents>(account, testing::Closed{}, version));
            expected.close(account);
        } else if (what == 4) {
            applied = world.apply(record_of<LoanEvents>("loan", testing::Lent{account, amount}, version));
            expected.balances.try_emplace(account, Balance{account, {}, {}, 0}).first->second.balance += amount;
        } else if (what == 5) {
            applied = world.apply(record_of<AccountEvents>(account, testing::Noted{"x"}, version));
        } else if (what < 12) {
            applied = world.apply(record_of<AccountEvents>(account, testing::Deposited{amount}, version));
            expected.move(account, version, amount);
        } else {
            applied = world.apply(record_of<AccountEvents>(account, testing::Withdrawn{amount}, version));
            expected.move(account, version, -amount);
        }
        ASSERT_TRUE(applied) << applied.error().message();
        if (below(10) == 0) {
            world.commit();
            committed = expected;
        } else if (below(60) == 0) {
            world.rollback();
            expected = committed;
        }
    }
    world.commit();
    std::vector<Balance> balances;
    for (const auto& [account, row] : expected.balances)
        balances.push_back(row);
    std::vector<Statement> statements;
    for (const auto& [key, row] : expected.statements)
        statements.push_back(row);
    ASSERT_EQ(world.all<Balance>(0), balances);
    ASSERT_EQ(world.all<Statement>(1), statements);
}

TEST(TypedProjection, random_events_equal_an_independent_computation) {
    const char* chosen = std::getenv("LEFTFOLD_SEED");
    const std::uint64_t first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
    for (std::uint64_t seed = first; seed < first + (chosen != nullptr ? 1 : 30); ++seed) {
        SCOPED_TRACE("again: LEFTFOLD_SEED=" + std::to_string(seed) +
                     " projection_test --gtest_filter=TypedProjection.random*");
        random_events_equal_computation(seed);
        if (::testing::Test::HasFatalFailure())
            return;
    }
}

}  // namespace
}  // namespace leftfold
