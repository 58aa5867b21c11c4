#include "leftfold/projection/rows.hpp"

#include <limits>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/bank.hpp"
#include "testing/watched_store.hpp"

namespace leftfold {
namespace {

using testing::Balance;
using ::testing::HasSubstr;
using testing::Statement;
using testing::WatchedStore;

enum class Level : std::uint8_t { low, in_between, high };
struct Place {
    std::string town;
    std::optional<std::int32_t> number;
    friend bool operator==(const Place&, const Place&) = default;
};
struct Everything {
    Key<Uuid> id;
    Key<Personal<std::string>> name;
    Key<Level> level{};
    bool flag = false;
    std::int8_t small = 0;
    std::uint64_t large = 0;
    Bounded<int, 5, 9> bounded;
    Decimal<6> rate;
    Timestamp time;
    Indexed<std::optional<Money>> limit;
    std::optional<Indexed<double>> ratio;
    float rough = 0;
    Place place;
    std::vector<Place> places;
    std::optional<std::vector<Money>> amounts;

    friend bool operator==(const Everything&, const Everything&) = default;
};

template <class R>
struct World {
    explicit World(std::size_t rows_max = 1000) : rows({store, rows::TableId(0), form, rows_max}) {
        EXPECT_TRUE(store.begin());
    }
    void commit() {
        ASSERT_TRUE(rows.flush());
        ASSERT_TRUE(store.commit());
        ASSERT_TRUE(store.begin());
    }
    // What another fold finds in the store.
    template <class... K>
    std::optional<R> stored(const K&... key) {
        Rows<R> others({store, rows::TableId(0), form, 1000});
        const R* row = others.find(key...);
        return row == nullptr ? std::nullopt : std::optional(*row);
    }

    TableForm form = table_form<R>();
    WatchedStore store{rows::Schema{{form.table}}};
    Rows<R> rows;
};

Everything an_everything() {
    Everything row;
    row.id = *Uuid::parse("0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f");
    row.name = Personal<std::string>("Jana \"J\" Nováková");
    row.level = Level::in_between;
    row.flag = true;
    row.small = -128;
    row.large = std::numeric_limits<std::int64_t>::max();
    row.bounded = 9;
    row.rate = Decimal<6>("-1.234567");
    row.time = *parse_rfc3339("1993-01-31T12:00:00.250001Z");
    row.limit = Money("12.50");
    row.ratio = 0.1;
    row.rough = 2.5F;
    row.place = {"Praha", 3};
    row.places = {{"Brno", std::nullopt}, {"Plzeň", -1}};
    row.amounts = std::vector{Money("1.00")};
    return row;
}

TEST(Rows, every_kind_of_field_comes_back) {
    World<Everything> world;
    const Everything full = an_everything();
    Everything sparse;
    sparse.name = Personal<std::string>("x");
    world.rows.put(full);
    world.rows.put(sparse);
    world.commit();
    EXPECT_EQ(world.stored(full.id, full.name, full.level), full);
    EXPECT_EQ(world.stored(Uuid(), "x", Level::low), sparse);
    EXPECT_EQ(world.stored(Uuid(), "x", Level::high), std::nullopt);
}

TEST(Rows, row_is_read_once_and_written_once_a_batch) {
    World<Balance> world;
    for (int i = 0; i < 10; ++i)
        world.rows["a"].balance += Money("1.00");
    EXPECT_EQ(world.rows.find("a")->balance, Money("10.00"));
    EXPECT_EQ(world.rows.find("b"), nullptr);
    EXPECT_EQ(world.rows.find("b"), nullptr);
    EXPECT_EQ(world.store.gets, 2U);
    world.commit();
    EXPECT_EQ(world.store.puts, 1U);
    world.commit();
    EXPECT_EQ(world.store.puts, 1U);
    world.rows["a"].balance += Money("1.00");
    world.commit();
    EXPECT_EQ(world.store.gets, 2U);
    EXPECT_EQ(world.stored("a")->balance, Money("11.00"));
}

TEST(Rows, what_is_only_looked_at_is_not_written) {
    World<Balance> world;
    world.rows["a"].owner = "Jana";
    world.commit();
    EXPECT_EQ(world.rows.find("a")->owner, "Jana");
    world.commit();
    EXPECT_EQ(world.store.puts, 1U);
}

TEST(Rows, overwriting_asks_nothing) {
    World<Balance> world;
    world.rows.put({"a", Money("1.00"), "Jana"});
    world.rows.erase("b");
    EXPECT_EQ(world.store.gets, 0U);
    EXPECT_EQ(world.rows.find("a")->owner, "Jana");
    EXPECT_EQ(world.rows.find("b"), nullptr);
    EXPECT_EQ(world.store.gets, 0U);
}

TEST(Rows, erased_row_is_gone_and_comes_again_empty) {
    World<Balance> world;
    world.rows["a"].balance = Money("5.00");
    world.commit();
    world.rows.erase("a");
    EXPECT_EQ(world.rows.find("a"), nullptr);
    EXPECT_TRUE(world.stored("a"));  // until the batch ends
    world.commit();
    EXPECT_FALSE(world.stored("a"));
    EXPECT_EQ(world.rows["a"].balance, Money());
    EXPECT_EQ(world.rows["a"].account, "a");
    world.commit();
    EXPECT_EQ(world.stored("a")->balance, Money());
}

TEST(Rows, row_that_comes_and_goes_in_one_batch_is_not_written) {
    World<Balance> world;
    world.rows["a"].balance = Money("5.00");
    world.rows.erase("a");
    world.commit();
    EXPECT_EQ(world.store.puts + world.store.erases, 0U);
}

TEST(Rows, references_stay_good_while_others_come) {
    World<Statement> world(1 << 20);
    Statement& first = world.rows["a", 0];
    for (int i = 1; i < 5000; ++i)
        world.rows["a", i].amount = Money::from_minor(i);
    first.amount = Money("7.00");
    world.commit();
    EXPECT_EQ(world.stored("a", 0)->amount, Money("7.00"));
    EXPECT_EQ(world.stored("a", 4999)->amount, Money::from_minor(4999));
}

TEST(Rows, more_than_may_be_kept_are_forgotten_and_read_again) {
    World<Balance> world(3);
    for (const char* account : {"a", "b", "c", "d"}) {
        EXPECT_FALSE(world.rows.is_full());
        world.rows[account].owner = account;
    }
    EXPECT_TRUE(world.rows.is_full());
    world.commit();
    EXPECT_FALSE(world.rows.is_full());
    EXPECT_EQ(world.store.gets, 4U);
    EXPECT_EQ(world.rows["a"].owner, "a");
    EXPECT_EQ(world.store.gets, 5U);
}

TEST(Rows, long_texts_count_as_many_rows) {
    World<Balance> world;
    const std::string long_text(Rows<Balance>::kBytesMax / 4, 'x');
    for (const char* account : {"a", "b", "c", "d"})
        world.rows[account].owner = long_text;
    world.commit();
    EXPECT_EQ(world.store.gets, 4U);
    EXPECT_EQ(world.rows.find("a")->owner, long_text);
    EXPECT_EQ(world.store.gets, 5U);  // forgotten
    for (int i = 0; i < 10; ++i) {    // one row counts once, however often it is written
        world.rows["a"].changes = i;
        world.commit();
    }
    EXPECT_EQ(world.store.gets, 5U);
}

TEST(Rows, discarded_changes_are_forgotten) {
    World<Balance> world;
    world.rows["a"].owner = "Jana";
    world.commit();
    world.rows["a"].owner = "Petr";
    world.rows["b"].owner = "Petr";
    world.rows.discard();
    world.commit();
    EXPECT_EQ(world.rows.find("a")->owner, "Jana");
    EXPECT_EQ(world.rows.find("b"), nullptr);
}

TEST(Rows, starting_with_sees_store_and_batch_in_order_of_the_key) {
    World<Statement> world;
    for (const int number : {3, 1, 2})
        world.rows["a", number].amount = Money("1.00");
    world.rows["aa", 1];
    world.rows["b", 1];
    world.commit();
    world.rows.discard();
    Statement& held = world.rows["a", 5];
    world.rows["a", 2].amount = Money("2.00");
    world.rows.erase("a", 1);

    std::vector<std::pair<std::int64_t, Money>> seen;
    for (const Statement* row : world.rows.starting_with("a"))
        seen.emplace_back(row->number, row->amount);
    EXPECT_THAT(
        seen, ::testing::ElementsAre(std::pair(2, Money("2.00")), std::pair(3, Money("1.00")), std::pair(5, Money())));
    EXPECT_TRUE(world.rows.starting_with("c").empty());

    held.amount = Money("9.00");  // a reference of before goes on to write
    world.commit();
    EXPECT_EQ(world.stored("a", 5)->amount, Money("9.00"));
    EXPECT_EQ(world.stored("a", 1), std::nullopt);
}

TEST(Rows, starting_with_goes_on_over_pages_up_to_its_bound) {
    World<Statement> world(1 << 20);
    const auto bound = static_cast<std::int64_t>(Rows<Statement>::kPrefixRowsMax);
    for (std::int64_t i = 0; i < bound; ++i)
        world.rows["a", i];
    EXPECT_EQ(world.rows.starting_with("a").size(), Rows<Statement>::kPrefixRowsMax);
    world.rows["a", bound];
    EXPECT_THROW(world.rows.starting_with("a"), std::length_error);
}

TEST(Rows, failure_of_the_store_is_told_though_the_handler_swallows_it) {
    World<Balance> world;
    world.store.calls_until_failure = 0;
    try {
        world.rows["a"].owner = "Jana";
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::exception&) {
        ADD_FAILURE() << "taken for an exception of the handler";
    } catch (const detail::RowsFailed& failed) {
        EXPECT_EQ(failed.error.code(), ErrorCode::io);
    }
    const auto flushed = world.rows.flush();
    ASSERT_FALSE(flushed);
    EXPECT_THAT(flushed.error().message(), HasSubstr("the disk is gone"));
    world.rows.discard();
    EXPECT_TRUE(world.rows.flush());
}

TEST(Rows, failing_write_is_told) {
    World<Balance> world;
    world.rows["a"];
    world.store.calls_until_failure = 0;
    EXPECT_EQ(world.rows.flush().error().code(), ErrorCode::io);
}

TEST(Rows, changed_key_is_refused) {
    World<Balance> world;
    world.rows["a"].account = "b";
    const auto flushed = world.rows.flush();
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code(), ErrorCode::user_code);
    EXPECT_EQ(
        flushed.error().message(),
        "a handler changed the key of a row of table 'balance' to (\"b\"): put() a row with that key, and erase() "
        "the other one");
}

TEST(Rows, value_without_a_cell_is_refused) {
    World<Everything> world;
    const auto problem_of = [&](auto change) {
        Everything row;
        change(row);
        world.rows.put(row);
        const auto flushed = world.rows.flush();
        world.rows.discard();
        EXPECT_FALSE(flushed);
        return flushed ? "" : flushed.error().message();
    };
    EXPECT_THAT(problem_of([](Everything& row) { row.rough = std::numeric_limits<float>::quiet_NaN(); }),
                HasSubstr("NaN"));
    EXPECT_THAT(problem_of([](Everything& row) { row.ratio = std::numeric_limits<double>::infinity(); }),
                HasSubstr("infinite"));
    EXPECT_THAT(problem_of([](Everything& row) { row.large = std::numeric_limits<std::uint64_t>::max(); }),
                HasSubstr("9223372036854775807"));
    EXPECT_THAT(problem_of([](Everything& row) { row.time = Timestamp::max(); }), HasSubstr("9999"));
    World<Everything> other;
    EXPECT_THROW(other.rows.find(Uuid(), "", static_cast<Level>(7)), std::range_error);
}

TEST(Rows, damaged_row_is_corrupt) {
    World<Everything> world;
    world.rows.put(an_everything());
    world.commit();
    world.rows.discard();
    rows::Row row = world.store.query({.table = rows::TableId(0)})->front();
    row[6] = std::int64_t{4};  // below the bound
    ASSERT_TRUE(world.store.put(rows::TableId(0), row));
    try {
        world.rows.find(an_everything().id, an_everything().name, an_everything().level);
        ADD_FAILURE() << "it was read";
    } catch (const detail::RowsFailed& failed) {
        EXPECT_EQ(failed.error.code(), ErrorCode::corrupt);
        EXPECT_THAT(failed.error.message(), HasSubstr("\"in-between\") of table 'everything' does not read"));
    }
}

// Any sequence of calls, batches and forgetting is a map.
TEST(Rows, random_calls_are_those_of_a_map) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random(seed);
        const auto below = [&](std::uint64_t bound) { return random() % bound; };
        World<Statement> world(below(4) == 0 ? 2 : 30);
        std::map<std::pair<std::string, std::int64_t>, Money> expected;
        auto committed = expected;
        for (int i = 0; i < 400; ++i) {
            const std::string account(1 + below(2), static_cast<char>('a' + below(3)));
            const auto number = static_cast<std::int64_t>(below(8)) - 4;
            const auto known = expected.find({account, number});
            switch (below(7)) {
                case 0:
                    world.rows.erase(account, number);
                    expected.erase({account, number});
                    break;
                case 1:
                    world.rows.put({account, number, {}, "", Money::from_minor(i)});
                    expected[{account, number}] = Money::from_minor(i);
                    break;
                case 2: {
                    const Statement* row = world.rows.find(account, number);
                    ASSERT_EQ(row != nullptr, known != expected.end()) << "seed " << seed;
                    if (row != nullptr) {
                        ASSERT_EQ(row->amount, known->second) << "seed " << seed;
                    }
                    break;
                }
                case 3: {
                    std::vector<Money> amounts;
                    for (const Statement* row : world.rows.starting_with(account))
                        amounts.push_back(row->amount);
                    std::vector<Money> expected_amounts;
                    for (const auto& [key, amount] : expected) {
                        if (key.first == account)
                            expected_amounts.push_back(amount);
                    }
                    ASSERT_EQ(amounts, expected_amounts) << "seed " << seed;
                    break;
                }
                case 4:
                    if (below(4) == 0) {
                        world.commit();
                        committed = expected;
                    } else if (below(8) == 0) {
                        world.rows.discard();
                        world.store.rollback();
                        ASSERT_TRUE(world.store.begin());
                        expected = committed;
                    }
                    break;
                default:
                    world.rows[account, number].amount += Money::from_minor(1);
                    expected[{account, number}] += Money::from_minor(1);
            }
        }
        world.commit();
        std::map<std::pair<std::string, std::int64_t>, Money> stored;
        const auto found = world.store.query({.table = rows::TableId(0)}).value();
        for (const rows::Row& row : found)
            stored[{std::get<std::string>(row[0]), std::get<std::int64_t>(row[1])}] =
                Money::from_minor(std::get<std::int64_t>(row[4]));
        ASSERT_EQ(stored, expected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace leftfold
