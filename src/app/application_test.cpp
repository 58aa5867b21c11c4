#include "leftfold/app/application.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/sim/env.hpp"

#include "commands.hpp"
#include "testing/counter.hpp"

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The commands of a built service, on files of a simulated machine.
struct ServiceCommandsTest : ::testing::Test {
    sim::SimEnv sim{1};
    ApplicationParts parts{.name = "test", .program = "test", .services = {counter::service()}};
    std::vector<std::pair<std::string, std::string>> environment;
    std::ostringstream out;
    std::ostringstream err;

    int run(const std::vector<std::string>& words) {
        out.str("");
        err.str("");
        CommandLine line("test", "a test");
        for (CliCommand& command : built_in_commands(parts))
            line.add(std::move(command));
        return line.run(words, {Terminal{out, err}, sim.files(), environment});
    }
};

TEST_F(ServiceCommandsTest, serve_reports_all_mistakes_at_once) {
    environment = {{"LEFTFOLD_HTTP_PRT", "80"}, {"LEFTFOLD_AGGREGATES_HOT_MAX", "0"}};
    EXPECT_EQ(run({"serve", "--port", "99999", "--log-level", "loud", "--data-segment-size", "1", "--dta", "x"}),
              kExitUsage);
    EXPECT_THAT(err.str(),
                AllOf(HasSubstr("test serve: 6 mistakes"), HasSubstr("--port: "), HasSubstr("--log-level: "),
                      HasSubstr("--data-segment-size: "), HasSubstr("--dta: no such flag; did you mean --data?"),
                      HasSubstr("LEFTFOLD_HTTP_PRT: "), HasSubstr("LEFTFOLD_AGGREGATES_HOT_MAX: ")));
    EXPECT_EQ(out.str(), "");
}

TEST_F(ServiceCommandsTest, serve_help_teaches_the_routes) {
    EXPECT_EQ(run({"serve", "--help"}), 0);
    EXPECT_THAT(out.str(), AllOf(HasSubstr(R"(POST /counters/{id}/add               {"number":"int32"})"),
                                 HasSubstr("POST /counters/{id}/reset"), HasSubstr("GET  /counters/{id} "),
                                 HasSubstr("GET  /counters/{id}/events"), HasSubstr("Idempotency-Key"),
                                 HasSubstr("test serve --data /var/lib/test --port 9000")));
}

TEST_F(ServiceCommandsTest, printed_settings_can_be_read_back) {
    EXPECT_EQ(run({"serve", "--port", "9000", "--print-config"}), 0);
    const std::string text = out.str();
    ASSERT_TRUE(replace_file(sim.files(), "/test.toml", text));
    EXPECT_EQ(run({"serve", "--config", "/test.toml", "--print-config"}), 0);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("port = 9000"), HasSubstr("/test.toml:")));
    EXPECT_EQ(err.str(), "");
}

TEST_F(ServiceCommandsTest, no_command_shows_them_all) {
    EXPECT_EQ(run({}), kExitUsage);
    EXPECT_THAT(err.str(),
                AllOf(HasSubstr("serve"), HasSubstr("replay"), HasSubstr("log info"), HasSubstr("catalogue")));
}

TEST_F(ServiceCommandsTest, unknown_command_names_the_nearest) {
    EXPECT_EQ(run({"replya"}), kExitUsage);
    EXPECT_THAT(err.str(), HasSubstr("there is no command 'replya'; did you mean replay?"));
    EXPECT_EQ(run({"log", "inof"}), kExitUsage);
    EXPECT_THAT(err.str(), HasSubstr("did you mean log info?"));
}

TEST_F(ServiceCommandsTest, every_help_has_an_example) {
    for (const char* command : {"serve", "events", "replay", "log info", "log verify", "catalogue"}) {
        std::vector<std::string> words;
        std::istringstream split(command);
        for (std::string word; split >> word;)
            words.push_back(word);
        words.emplace_back("--help");
        EXPECT_EQ(run(words), 0);
        EXPECT_THAT(out.str(), HasSubstr(std::string("Examples:\n  test ") + command)) << command;
    }
}

TEST(Application, wrong_declarations_end_it_at_once) {
    Application application("Test");
    application.host(counter::service("a", "one", "/one"));
    std::string program = "test";
    std::string word = "version";
    char* words[] = {program.data(), word.data(), nullptr};
    ::testing::internal::CaptureStderr();
    const int code = application.run(2, words);
    const std::string err = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(code, kExitUsage);
    EXPECT_THAT(err, AllOf(HasSubstr("application 'Test': a name is"), Not(HasSubstr("leftfold 0"))));
}

}  // namespace
}  // namespace leftfold
