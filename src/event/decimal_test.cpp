#include "leftfold/event/decimal.hpp"

#include <limits>
#include <random>
#include <stdexcept>

#include <gtest/gtest.h>

#include "leftfold/event/marks.hpp"

#include "testing/seed.hpp"

namespace leftfold {
namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

TEST(Decimal, written_form_has_exactly_its_digits) {
    EXPECT_EQ(Money::from_minor(0).to_string(), "0.00");
    EXPECT_EQ(Money::from_minor(5).to_string(), "0.05");
    EXPECT_EQ(Money::from_minor(-5).to_string(), "-0.05");
    EXPECT_EQ(Money::from_minor(-1250).to_string(), "-12.50");
    EXPECT_EQ(Money::from_minor(kHighest).to_string(), "92233720368547758.07");
    EXPECT_EQ(Money::from_minor(kLowest).to_string(), "-92233720368547758.08");
    EXPECT_EQ(Decimal<0>::from_minor(-7).to_string(), "-7");
    EXPECT_EQ(Decimal<0>::from_minor(0).to_string(), "0");
    EXPECT_EQ(Decimal<18>::from_minor(1).to_string(), "0.000000000000000001");
}

TEST(Decimal, parse_takes_only_the_written_form) {
    EXPECT_EQ(Money::parse("12.50")->minor(), 1250);
    EXPECT_EQ(Money::parse("-0.05")->minor(), -5);
    EXPECT_EQ(Money::parse("92233720368547758.07")->minor(), kHighest);
    EXPECT_EQ(Money::parse("-92233720368547758.08")->minor(), kLowest);
    for (const std::string_view text : {"12.5",
                                        "12.500",
                                        "12",
                                        "12.",
                                        ".50",
                                        "1e3",
                                        "+1.00",
                                        "",
                                        "-",
                                        "-.50",
                                        " 1.00",
                                        "1.00 ",
                                        "007.00",
                                        "00.00",
                                        "-0.00",
                                        "1,00",
                                        "1.0x",
                                        "1 .00",
                                        "0x1.00",
                                        "--1.00",
                                        "92233720368547758.08",
                                        "-92233720368547758.09",
                                        "999999999999999999999999.00",
                                        "NaN",
                                        "1.-1"})
        EXPECT_FALSE(Money::parse(text)) << text;
    EXPECT_EQ(Decimal<0>::parse("12")->minor(), 12);
    EXPECT_FALSE(Decimal<0>::parse("12."));
    EXPECT_FALSE(Decimal<0>::parse("-0"));
}

TEST(Decimal, every_value_reads_as_written) {
    const Seed seed("Decimal.every_value_reads_as_written");
    SCOPED_TRACE(seed.rerun());
    std::mt19937_64 random(seed.value());
    for (int i = 0; i < 20'000; ++i) {
        // All magnitudes, not only the large ones.
        const auto minor = static_cast<std::int64_t>(random()) >> (random() % 64);
        EXPECT_EQ(Money::parse(Money::from_minor(minor).to_string())->minor(), minor);
        EXPECT_EQ(Decimal<7>::parse(Decimal<7>::from_minor(minor).to_string())->minor(), minor);
    }
}

TEST(Decimal, arithmetic_is_exact) {
    EXPECT_EQ(Money("0.10") + Money("0.20"), Money("0.30"));
    EXPECT_EQ(Money("0.10") - Money("0.20"), Money("-0.10"));
    EXPECT_EQ(-Money("12.50"), Money("-12.50"));
    EXPECT_LT(Money("-1.00"), Money("0.01"));
    Money sum;
    for (int i = 0; i < 1000; ++i)
        sum += Money("0.01");
    EXPECT_EQ(sum, Money("10.00"));
}

TEST(Decimal, overflow_throws_and_changes_nothing_useful) {
    EXPECT_THROW(Money::from_minor(kHighest) + Money("0.01"), std::overflow_error);
    EXPECT_THROW(Money::from_minor(kLowest) - Money("0.01"), std::overflow_error);
    EXPECT_THROW(-Money::from_minor(kLowest), std::overflow_error);
    EXPECT_EQ(Money::from_minor(kLowest) + Money::from_minor(kHighest), Money("-0.01"));
}

TEST(Bounded, value_outside_is_refused) {
    using Percent = Bounded<int, 0, 100>;
    EXPECT_EQ(Percent(100).value(), 100);
    EXPECT_THROW(Percent(101), std::out_of_range);
    EXPECT_THROW(Percent(-1), std::out_of_range);
    EXPECT_FALSE(Percent::from(101));
    EXPECT_EQ(*Percent::from(7), Percent(7));
    EXPECT_EQ(Percent().value(), 0);
    EXPECT_EQ((Bounded<int, 5, 9>().value()), 5);
}

TEST(Marks, behave_as_what_they_mark) {
    const Personal<std::string> owner = "Jana";
    const std::string& text = owner;
    EXPECT_EQ(text, "Jana");
    EXPECT_EQ(owner->size(), 4U);
    EXPECT_EQ(owner, Personal<std::string>("Jana"));
    Indexed<Personal<std::string>> both = owner;
    both->value() += " N.";
    EXPECT_EQ(both.value().value(), "Jana N.");
    Key<int> key = 3;
    *key += 4;
    EXPECT_EQ(key, 7);
    EXPECT_LT(6, key);
    EXPECT_EQ("Jana", owner);
    EXPECT_LT(owner, "Janb");
}

}  // namespace
}  // namespace leftfold
