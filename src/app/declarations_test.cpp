#include "declarations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/counter.hpp"
#include "testing/tally.hpp"

namespace same_name {

// Two commands that are called alike: they would share a route.
struct Add {};
struct Both {
    using Command = std::variant<Add, counter::Add>;
    using Event = std::variant<counter::Added>;
    leftfold::Decision<Event> decide(const Add&) const { return counter::Added{1}; }
    leftfold::Decision<Event> decide(const counter::Add& command) const { return counter::Added{command.number}; }
    void evolve(const counter::Added&) {}
};

}  // namespace same_name

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Declarations, fine_ones_pass) {
    EXPECT_THAT(mistakes_in("test", {counter::service()}), IsEmpty());
    EXPECT_THAT(
        mistakes_in("test-2", {counter::service("a", "one", "/one/{id}"), counter::service("b", "two-x", "/two/{id}")}),
        IsEmpty());
    // One is asked for by GET, the other stands a level deeper.
    EXPECT_THAT(mistakes_in("test", {counter::service("a", "one", "/things/{id}"),
                                     counter::service("b", "two", "/things/{id}/parts")}),
                IsEmpty());
}

TEST(Declarations, bad_names_refused) {
    for (const char* name :
         {"", "Bank", "my_bank", "my bank", "-bank", "bank-", "my--bank", "2bank", "bänk", "a.b", "a/b"}) {
        EXPECT_THAT(mistakes_in(name, {}),
                    ElementsAre(StartsWith("application '" + std::string(name) + "': a name is")))
            << name;
        EXPECT_THAT(mistakes_in("test", {counter::service(name)}),
                    ElementsAre(StartsWith("service '" + std::string(name) + "': a name is")));
        EXPECT_THAT(mistakes_in("test", {counter::service("counters", name)}),
                    ElementsAre(StartsWith("aggregate '" + std::string(name) + "': a name is")));
    }
    EXPECT_THAT(mistakes_in(std::string(81, 'a'), {}), ElementsAre(HasSubstr("at most 80")));
    EXPECT_THAT(mistakes_in(std::string(80, 'a'), {counter::service("s", std::string(80, 'b'))}), IsEmpty());
}

TEST(Declarations, doubles_refused) {
    EXPECT_THAT(
        mistakes_in("test", {counter::service("a", "one", "/one/{id}"), counter::service("a", "two", "/two/{id}")}),
        ElementsAre("service 'a' is hosted twice"));
    EXPECT_THAT(
        mistakes_in("test", {counter::service("a", "one", "/one/{id}"), counter::service("b", "one", "/two/{id}")}),
        ElementsAre("aggregate 'one' of service 'b' has the name of one of service 'a', and their events would mix: "
                    "call it something else"));
}

TEST(Declarations, bad_routes_refused) {
    EXPECT_THAT(mistakes_in("test", {counter::service("a", "one", "/one")}),
                ElementsAre("aggregate 'one' of service 'a': the route '/one' has no {id}; '/one/{id}', for example"));
    EXPECT_THAT(mistakes_in("test", {counter::service("a", "one", "/One/{id}")}),
                ElementsAre(AllOf(StartsWith("aggregate 'one' of service 'a': route '/One/{id}'"), HasSubstr("a-z"))));
    EXPECT_THAT(mistakes_in("test", {counter::service("a", "one", "/{a}/{b}")}),
                ElementsAre(HasSubstr("at most one {parameter}")));
    EXPECT_THAT(mistakes_in("test", {counter::service("a", "one", "one/{id}")}),
                ElementsAre(HasSubstr("begins with '/'")));
}

TEST(Declarations, colliding_routes_name_both) {
    EXPECT_THAT(
        mistakes_in("test",
                    {counter::service("a", "one", "/things/{id}"), counter::service("b", "two", "/things/{name}")}),
        ElementsAre("aggregate 'two' of service 'b': GET /things/{name} belongs to aggregate 'one' of service 'a' "
                    "already: give it another route"));
    // POST /things/add chooses an id for one, and is a command of the thing 'add' of nobody: no collision.
    EXPECT_THAT(mistakes_in("test", {counter::service("a", "one", "/health/{id}")}), IsEmpty());
}

TEST(Declarations, commands_called_alike_refused) {
    Service service("a");
    service.aggregate<same_name::Both>("both", "/both/{id}");
    EXPECT_THAT(
        mistakes_in("test", {service}),
        ElementsAre("aggregate 'both' of service 'a': two of its commands lead to POST /both/{id}/add: rename one"));
}

TEST(Declarations, projections_and_processes_without_what_they_need_refused) {
    EXPECT_THAT(mistakes_in("test", {counter::service(), tally::service(), tally::copier()}), IsEmpty());
    EXPECT_THAT(mistakes_in("test", {tally::service()}),
                ElementsAre("projection 'sums' of service 'tallies' reads 'test.counter', and no service hosted here "
                            "writes it: host the one that does",
                            StartsWith("projection 'numbers' of service 'tallies' reads")));
    EXPECT_THAT(
        mistakes_in("test", {tally::copier()}),
        ElementsAre(HasSubstr("reads 'test.counter'"),
                    "process 'copier' of service 'copiers' sends 'add' to 'counter', and no service hosted here "
                    "has such an aggregate with such a command: host the one that does, or mend the names"));
}

TEST(Declarations, bad_projections_refused) {
    Service twice("twice");
    twice.projection<tally::Sums>("sums").projection<tally::Sums>("sums");
    EXPECT_THAT(mistakes_in("test", {counter::service(), twice}), ElementsAre(HasSubstr("is declared twice")));
    Service wrong("wrong");
    wrong.projection<tally::Sums>("sums", "/sums/{id}").projection<tally::Numbers>("Numbers", "/counters/{number}");
    EXPECT_THAT(mistakes_in("test", {counter::service(), wrong}),
                ElementsAre(AllOf(HasSubstr("{id} in '/sums/{id}' is no column"), HasSubstr("which has counter, sum")),
                            StartsWith("projection 'Numbers': a name is")));
    Service colliding("colliding");
    colliding.projection<tally::Numbers>("numbers", "/counters/{number}");
    EXPECT_THAT(mistakes_in("test", {counter::service(), colliding}),
                ElementsAre(HasSubstr("belongs to aggregate 'counter' of service 'counters' already")));
}

TEST(Declarations, all_mistakes_together) {
    EXPECT_THAT(
        mistakes_in("test", {counter::service("A", "one", "/one/{id}"), counter::service("b", "B", "/b/{id}"),
                             counter::service("c", "two", "/two"), counter::service("d", "one", "/three/{id}")}),
        ElementsAre(StartsWith("service 'A'"), StartsWith("aggregate 'B'"),
                    StartsWith("aggregate 'two' of service 'c'"), StartsWith("aggregate 'one' of service 'd'")));
}

TEST(Declarations, page_has_a_path_of_its_own) {
    EXPECT_THAT(mistakes_in("test", {counter::service()}, {{"/", "<p>"}, {"/about", "<p>"}}), IsEmpty());
    EXPECT_THAT(mistakes_in("test", {}, {{"/", "<p>"}, {"/", "<p>"}}), ElementsAre(HasSubstr("GET /")));
    EXPECT_THAT(mistakes_in("test", {}, {{"/metrics", "<p>"}}),
                ElementsAre(AllOf(HasSubstr("page '/metrics'"), HasSubstr("the server itself"))));
    EXPECT_THAT(mistakes_in("test", {}, {{"about", "<p>"}}), ElementsAre(HasSubstr("begins with '/'")));
}

}  // namespace
}  // namespace leftfold
