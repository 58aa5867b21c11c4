#include "leftfold/event/event_codec.hpp"

#include <random>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/seed.hpp"

namespace leftfold {
namespace {

using testing::HasSubstr;

struct Deposited {
    Money amount;
    friend bool operator==(const Deposited&, const Deposited&) = default;
};
// Version 1 had "sum" in whole units, as a number; version 2 "amount", as a number; version 3 has the decimal.
struct Withdrawn {
    Money amount;
    std::optional<std::string> reason;
    friend bool operator==(const Withdrawn&, const Withdrawn&) = default;

    static constexpr std::uint32_t event_version = 3;
    static void upcast(json::Value& payload, std::uint32_t from_version) {
        if (from_version == 1)
            payload.rename("sum", "amount");
        if (from_version == 2)
            payload["amount"] = payload["amount"].integer().value() == 13
                                    ? throw std::runtime_error("unlucky")
                                    : std::string(payload["amount"].number_text()) + ".00";
    }
};
struct Shut {
    static constexpr std::string_view event_name = "closed";
    friend bool operator==(const Shut&, const Shut&) = default;
};
using Event = std::variant<Deposited, Withdrawn, Shut>;

Record record_of(std::string_view type, std::uint32_t version, std::string_view payload) {
    Record record;
    record.meta.type = type;
    record.meta.type_version = version;
    record.meta.key = "acc-1";
    record.meta.version = Version(7);
    record.payload = payload;
    return record;
}

class EventCodecTest : public testing::Test {
  protected:
    std::string error_of(std::string_view type, std::uint32_t version, std::string_view payload) {
        const auto event = codec.decode(record_of(type, version, payload), reader);
        return event ? "no error" : event.error().message();
    }

    EventCodec<Event> codec{"bank.account"};
    json::Reader reader;
};

TEST_F(EventCodecTest, encoded_event_has_name_version_and_payload) {
    std::string payload;
    const StoredType type = codec.encode(Withdrawn{Money("12.50"), std::nullopt}, payload);
    EXPECT_EQ(type.name, "bank.account.withdrawn");
    EXPECT_EQ(type.version, 3U);
    EXPECT_EQ(payload, R"({"amount":"12.50"})");
    EXPECT_EQ(codec.type_of(Shut{}).name, "bank.account.closed");
}

TEST_F(EventCodecTest, older_versions_go_step_by_step) {
    EXPECT_EQ(codec.decode(record_of("bank.account.withdrawn", 1, R"({"sum":12,"reason":"rent"})"), reader).value(),
              Event(Withdrawn{Money("12.00"), "rent"}));
    EXPECT_EQ(codec.decode(record_of("bank.account.withdrawn", 2, R"({"amount":12})"), reader).value(),
              Event(Withdrawn{Money("12.00"), std::nullopt}));
    EXPECT_EQ(codec.decode(record_of("bank.account.withdrawn", 3, R"({"amount":"12.00"})"), reader).value(),
              Event(Withdrawn{Money("12.00"), std::nullopt}));
}

TEST_F(EventCodecTest, unknown_fields_pass) {
    EXPECT_EQ(codec.decode(record_of("bank.account.closed", 1, R"({"why":[1]})"), reader).value(), Event(Shut{}));
}

TEST_F(EventCodecTest, what_cannot_be_read_says_where_and_why) {
    EXPECT_THAT(
        error_of("bank.account.opened", 1, "{}"),
        HasSubstr("event 7 of 'acc-1' (bank.account.opened, version 1) is of a type that this build does not know"));
    EXPECT_THAT(error_of("bank.account.opened", 1, "{}"), HasSubstr("bank.account.deposited, bank.account.withdrawn"));
    EXPECT_THAT(error_of("bank.account.withdrawn", 4, "{}"),
                HasSubstr("newer than this build, which reads up to version 3"));
    EXPECT_THAT(error_of("bank.account.deposited", 1, R"({"amount":1})"),
                HasSubstr("does not read: /amount: expected"));
    EXPECT_THAT(error_of("bank.account.withdrawn", 1, "{"), HasSubstr("does not read: malformed JSON"));
    EXPECT_THAT(error_of("bank.account.withdrawn", 1, R"({"sum":13})"), HasSubstr("upcast() threw: unlucky"));
    EXPECT_THAT(error_of("bank.account.withdrawn", 0, "{}"), HasSubstr("versions count from 1"));
}

TEST_F(EventCodecTest, every_event_decodes_as_it_was) {
    const Seed seed("EventCodecTest.every_event_decodes_as_it_was");
    SCOPED_TRACE(seed.rerun());
    std::mt19937_64 random(seed.value());
    const auto money = [&] { return Money::from_minor(static_cast<std::int64_t>(random()) >> (random() % 64)); };
    const auto text = [&] {
        std::string bytes;
        for (auto left = random() % 20; left > 0; --left) {
            constexpr std::string_view kPieces[] = {"a", "\"", "\\", "\n",   std::string_view("\0", 1),
                                                    "é", "€",  "😀", "\x7F", "/"};
            bytes += kPieces[random() % std::size(kPieces)];
        }
        return bytes;
    };
    for (int i = 0; i < 5'000; ++i) {
        Event event = Shut{};
        if (const auto choice = random() % 3; choice == 0)
            event = Deposited{money()};
        else if (choice == 1)
            event = Withdrawn{money(), random() % 2 == 0 ? std::optional(text()) : std::nullopt};
        std::string payload;
        const StoredType type = codec.encode(event, payload);
        ASSERT_EQ(codec.decode(record_of(type.name, type.version, payload), reader).value(), event) << payload;
    }
}

TEST(EventTypeTable, finds_each_of_many_names_and_no_other) {
    std::vector<EventTypeTable::Entry> entries;
    for (int i = 0; i < 300; ++i)
        entries.push_back({"shop.order.event-" + std::to_string(i), 1, nullptr});
    const EventTypeTable table(entries);
    for (std::size_t i = 0; i < entries.size(); ++i)
        EXPECT_EQ(table.find(entries[i].name), i);
    EXPECT_EQ(table.find("shop.order.event-300"), EventTypeTable::kNone);
    EXPECT_EQ(table.find(""), EventTypeTable::kNone);
    EXPECT_EQ(EventTypeTable({}).find("x"), EventTypeTable::kNone);
}

}  // namespace
}  // namespace leftfold
