#include "leftfold/event/json.hpp"

#include <chrono>
#include <stdexcept>

#include <gtest/gtest.h>

namespace leftfold::json {
namespace {

struct Withdraw {
    Money amount;
    friend bool operator==(const Withdraw&, const Withdraw&) = default;
};
struct Note {
    int x;
    std::optional<std::string> text;
    friend bool operator==(const Note&, const Note&) = default;
};
struct Close {
    friend bool operator==(const Close&, const Close&) = default;
};
enum class State : std::uint8_t { open, in_review };

struct Everything {
    Indexed<std::string> text;
    Personal<std::string> owner;
    std::optional<Note> note;
    std::vector<Note> notes;
    std::map<std::string, Money> amounts;
    std::variant<Withdraw, Note, Close> command;
    State state{};
    Bounded<int, 0, 100> percent;
    Uuid id;
    Timestamp time;
    bool flag{};
    std::uint8_t small{};
    std::int64_t large{};
    friend bool operator==(const Everything&, const Everything&) = default;
};
struct Tree {
    std::vector<Tree> children;
};

template <class T>
std::string strict_error(std::string_view text) {
    const auto value = read<T>(text, Strictness::strict);
    return value ? "no error" : value.error().message();
}

Everything an_everything() {
    Everything value;
    value.text = "a\"b\\c\n\x01 é";
    value.owner = "Jana";
    value.note = Note{1, std::nullopt};
    value.notes = {{2, "two"}, {3, std::nullopt}};
    value.amounts = {{"b", Money("1.00")}, {"a", Money("-0.50")}};
    value.command = Note{4, "four"};
    value.state = State::in_review;
    value.percent = 7;
    value.id = *Uuid::parse("0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f");
    value.time = *parse_rfc3339("1993-01-31T12:00:00.250Z");
    value.flag = true;
    value.small = 200;
    value.large = std::numeric_limits<std::int64_t>::min();
    return value;
}

constexpr std::string_view kEverything =
    R"({"text":"a\"b\\c\n\u0001 é","owner":"Jana","note":{"x":1},"notes":[{"x":2,"text":"two"},{"x":3}],)"
    R"("amounts":{"a":"-0.50","b":"1.00"},"command":{"type":"note","x":4,"text":"four"},"state":"in-review","percent":7,)"
    R"("id":"0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f","time":"1993-01-31T12:00:00.250Z","flag":true,"small":200,)"
    R"("large":-9223372036854775808})";

TEST(Json, written_form_is_canonical) {
    EXPECT_EQ(to_string(an_everything()), kEverything);
}

TEST(Json, written_value_reads_back_equal) {
    EXPECT_EQ(read<Everything>(kEverything, Strictness::strict).value(), an_everything());
    EXPECT_EQ(read<Everything>(kEverything, Strictness::lenient).value(), an_everything());
}

TEST(Json, invalid_utf8_is_replaced_when_written) {
    EXPECT_EQ(to_string(std::string("a\xFF\xC3z\xED\xA0\x80")), "\"a\uFFFD\uFFFDz\uFFFD\uFFFD\uFFFD\"");
    EXPECT_EQ(to_string(std::string("é€😀")), "\"é€😀\"");
}

TEST(Json, value_without_a_written_form_throws) {
    std::string out;
    EXPECT_THROW(write(out, static_cast<State>(9)), std::range_error);
    EXPECT_THROW(write(out, Timestamp(std::chrono::sys_days(std::chrono::year(10000) / 1 / 1))), std::range_error);
    EXPECT_THROW(write(out, Timestamp(std::chrono::sys_days(std::chrono::year(0) / 1 / 1))), std::range_error);
}

TEST(Json, fields_may_come_in_any_order_with_white_space) {
    EXPECT_EQ(read<Note>(" { \"text\" : \"a\" ,\r\n\t\"x\":1 } ", Strictness::strict).value(), (Note{1, "a"}));
    EXPECT_EQ(read<Withdraw>(R"({"\u0061mount":"1.00"})", Strictness::strict)->amount, Money("1.00"));
}

TEST(Json, absent_and_null_optionals_are_empty) {
    EXPECT_EQ(read<Note>(R"({"x":1})", Strictness::strict).value(), (Note{1, std::nullopt}));
    EXPECT_EQ(read<Note>(R"({"x":1,"text":null})", Strictness::strict).value(), (Note{1, std::nullopt}));
    EXPECT_EQ(to_string(std::vector<std::optional<int>>{1, std::nullopt}), "[1,null]");
}

TEST(Json, strict_error_names_the_path) {
    EXPECT_EQ(strict_error<Withdraw>(R"({"amount":"12.5"})"), "/amount: expected a decimal string such as \"12.50\"");
    EXPECT_EQ(strict_error<Withdraw>(R"({"amount":12.50})"), "/amount: expected a decimal string such as \"12.50\"");
    EXPECT_EQ(strict_error<Withdraw>(R"({"amuont":"12.50"})"), "/amuont: unknown field; known are amount");
    EXPECT_EQ(strict_error<Close>(R"({"x":1})"), "/x: unknown field; there are none here");
    EXPECT_EQ(strict_error<Withdraw>("{}"), "/amount: required, but missing");
    EXPECT_EQ(strict_error<Withdraw>(R"({"amount":"1.00","amount":"1.00"})"), "/amount: given twice");
    EXPECT_EQ(strict_error<Withdraw>(R"([])"), "expected an object");
    EXPECT_EQ(strict_error<std::vector<Note>>(R"([{"x":1},{"x":"1"}])"), "/1/x: expected a whole number");
    EXPECT_EQ(strict_error<std::vector<std::uint8_t>>("[0,255,256]"), "/2: expected a whole number from 0 to 255");
    EXPECT_EQ(strict_error<std::vector<int>>("[1.0]"), "/0: expected a whole number");
    EXPECT_EQ(strict_error<std::vector<int>>("[99999999999999999999]"),
              "/0: expected a whole number from -2147483648 to 2147483647");
    EXPECT_EQ((strict_error<std::map<std::string, bool>>(R"({"a/b~c":1})")), "/a~1b~0c: expected true or false");
    EXPECT_EQ((strict_error<std::map<std::string, int>>(R"({"a":1,"a":2})")), "/a: given twice");
    EXPECT_EQ((strict_error<Bounded<int, 0, 9>>("10")), "expected a whole number from 0 to 9");
    EXPECT_EQ(strict_error<State>(R"("closed")"), R"(expected one of "open", "in-review")");
    EXPECT_EQ(strict_error<State>(R"("")"), R"(expected one of "open", "in-review")");
    EXPECT_EQ(strict_error<std::string>("7"), "expected a string");
    EXPECT_EQ(strict_error<Timestamp>(R"("1993-02-30T00:00:00Z")"),
              "expected an RFC 3339 time such as \"1993-01-31T12:00:00Z\"");
    EXPECT_EQ(strict_error<Uuid>(R"("x")"), "expected a UUID such as \"0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f\"");
}

TEST(Json, lenient_lets_unknown_fields_pass_and_nothing_else) {
    const auto value = read<Note>(R"({"new":{"a":[1,null,true,"x",{}]},"x":1,"other":-1.5e3})", Strictness::lenient);
    EXPECT_EQ(value.value(), (Note{1, std::nullopt}));
    const auto error = [](std::string_view text) { return read<Note>(text, Strictness::lenient).error().message(); };
    EXPECT_EQ(error(R"({"text":"a"})"), "/x: required, but missing");
    EXPECT_EQ(error(R"({"x":1,"x":1})"), "/x: given twice");
    EXPECT_EQ(error(R"({"x":1,"new":01})"), "/new: malformed number");
    EXPECT_EQ(error(R"({"x":1}{)"), "something follows the JSON text");
}

TEST(Json, tag_may_stand_anywhere) {
    using Command = std::variant<Withdraw, Note, Close>;
    EXPECT_EQ(read<Command>(R"({"x":1,"type":"note"})", Strictness::strict).value(), Command(Note{1, std::nullopt}));
    EXPECT_EQ(read<Command>(R"({"type":"close"})", Strictness::strict).value(), Command(Close{}));
    EXPECT_EQ(strict_error<Command>(R"({"type":"close","type":"close"})"), "/type: given twice");
    EXPECT_EQ(strict_error<Command>(R"({"type":"note","x":"1"})"), "/x: expected a whole number");
    EXPECT_EQ(strict_error<Command>(R"({"type":"open"})"), R"(/type: expected one of "withdraw", "note", "close")");
    EXPECT_EQ(strict_error<Command>("{}"), R"(/type: required, but missing; it is one of "withdraw", "note", "close")");
    EXPECT_EQ(strict_error<std::vector<Command>>(R"([{"type":"close","a":1}])"),
              "/0/a: unknown field; there are none here");
}

TEST(Json, nesting_is_bounded) {
    const auto nested = [](int levels) {
        std::string text;
        for (int i = 0; i < levels; ++i)
            text += R"({"children":[)";
        for (int i = 0; i < levels; ++i)
            text += "]}";
        return text;
    };
    EXPECT_TRUE(read<Tree>(nested(16), Strictness::strict));
    EXPECT_NE(strict_error<Tree>(nested(17)).find("nested deeper than 32 levels"), std::string::npos);
    EXPECT_NE(strict_error<Tree>(nested(5000)).find("nested deeper than 32 levels"), std::string::npos);
    EXPECT_FALSE(read<Note>(R"({"x":1,"unknown":)" + std::string(5000, '[') + std::string(5000, ']') + "}",
                            Strictness::lenient));
}

}  // namespace
}  // namespace leftfold::json
