#include "leftfold/app/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "toml_file.hpp"

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

enum class Level { info, debug };

struct Settings {
    std::uint16_t port = 8080;
    Endpoint listen = TcpEndpoint{"127.0.0.1", 8080};
    Duration idle_timeout = std::chrono::seconds(30);
    std::uint64_t segment_size_bytes = 64 << 20;
    Level level = Level::info;
    bool sync = true;
    std::string token;
    std::vector<std::string> services;
    std::optional<std::string> name;
    bool json = false;
};

struct ConfigurationTest : ::testing::Test {
    Settings settings;
    Configuration configuration;

    ConfigurationTest() {
        configuration.add({.name = "http.port",
                           .value = Value::integer(settings.port),
                           .help = "Port to listen on",
                           .aliases = {"--port", "-p"}});
        configuration.add(
            {.name = "http.idle-timeout", .value = Value::duration(settings.idle_timeout), .help = "Help"});
        configuration.add({.name = "http.listen", .value = Value::endpoint(settings.listen), .help = "Help"});
        configuration.add(
            {.name = "log.segment-size", .value = Value::size_bytes(settings.segment_size_bytes), .help = "Help"});
        configuration.add({.name = "log.sync", .value = Value::boolean(settings.sync), .help = "Help"});
        configuration.add(
            {.name = "telemetry.level",
             .value = Value::choice<Level>(settings.level, {{"info", Level::info}, {"debug", Level::debug}}),
             .help = "Help"});
        configuration.add({.name = "http.token", .value = Value::text(settings.token), .help = "Help", .secret = true});
        configuration.add({.name = "app.services", .value = Value::list(settings.services), .help = "Help"});
        configuration.add({.name = "app.name", .value = Value::text(settings.name), .help = "Help"});
        configuration.add({.name = "json", .value = Value::boolean(settings.json), .help = "Help"});
    }

    // "where: what", one a line.
    std::vector<std::string> load(ConfigurationInput input) {
        std::vector<std::string> lines;
        for (const ConfigurationProblem& problem : configuration.load(input))
            lines.push_back(problem.where + ": " + problem.what);
        return lines;
    }
    std::vector<std::string> load_file(std::string text) {
        return load({.file = ConfigurationFile{"bank.toml", std::move(text)}});
    }
};

TEST_F(ConfigurationTest, nothing_given_leaves_defaults) {
    EXPECT_THAT(load({}), IsEmpty());
    EXPECT_EQ(settings.port, 8080);
    EXPECT_EQ(settings.idle_timeout, std::chrono::seconds(30));
}

TEST_F(ConfigurationTest, file_fills_every_type) {
    EXPECT_THAT(load_file("[http]\n"
                          "port = 9000\n"
                          "idle-timeout = \"5s\"\n"
                          "listen = \"unix:/run/bank.sock\"\n"
                          "token = 'swordfish'\n"
                          "[log]\n"
                          "segment-size = \"1MiB\"\n"
                          "sync = false\n"
                          "[telemetry]\n"
                          "level = \"debug\"\n"
                          "[app]\n"
                          "services = [\"accounts\", \"transfers\"]\n"
                          "name = \"a \\\"name\\\"\"\n"),
                IsEmpty());
    EXPECT_EQ(settings.port, 9000);
    EXPECT_EQ(settings.idle_timeout, std::chrono::seconds(5));
    EXPECT_EQ(to_string(settings.listen), "unix:/run/bank.sock");
    EXPECT_EQ(settings.token, "swordfish");
    EXPECT_EQ(settings.segment_size_bytes, 1u << 20);
    EXPECT_FALSE(settings.sync);
    EXPECT_EQ(settings.level, Level::debug);
    EXPECT_THAT(settings.services, ElementsAre("accounts", "transfers"));
    EXPECT_EQ(settings.name, "a \"name\"");
}

TEST_F(ConfigurationTest, later_source_wins) {
    ConfigurationInput input{
        .file = ConfigurationFile{"f", "http.port = 1\nhttp.token = \"file\"\nlog.segment-size = 4096"},
        .environment = {{"LEFTFOLD_HTTP_PORT", "2"}, {"LEFTFOLD_HTTP_TOKEN", "environment"}},
        .flags = {{"--port", {"3"}}}};
    EXPECT_THAT(load(input), IsEmpty());
    EXPECT_EQ(settings.port, 3);
    EXPECT_EQ(settings.token, "environment");
    EXPECT_EQ(settings.segment_size_bytes, 4096u);
}

TEST_F(ConfigurationTest, lists_come_from_everywhere) {
    EXPECT_THAT(load({.environment = {{"LEFTFOLD_APP_SERVICES", "a,b,,c"}}}), IsEmpty());
    EXPECT_THAT(settings.services, ElementsAre("a", "b", "c"));
    EXPECT_THAT(load({.flags = {{"--app-services", {"x", "y,z"}}}}), IsEmpty());
    EXPECT_THAT(settings.services, ElementsAre("x", "y", "z"));
}

TEST_F(ConfigurationTest, all_mistakes_come_together) {
    ConfigurationInput input{
        .file = ConfigurationFile{"bank.toml",
                                  "[http]\nprot = 80\nport = \"80\"\nidle-timeout = 5\n\n[log]\nsegment-size "
                                  "= \"64QB\"\nsync = 1\n[frobnicator]\nspeed = 11\n[app]\nname = 1.5\n"},
        .environment = {{"HOME", "/root"}, {"LEFTFOLD_HTTP_PORT", "99999"}, {"LEFTFOLD_HTPP_PORT", "80"}},
        .flags = {{"--http-listen", {"example.org:80"}}, {"--port", {"1", "2"}}, {"--json", {"perhaps"}}}};
    EXPECT_THAT(
        load(input),
        ElementsAre(
            "bank.toml:2: no setting is called http.prot; did you mean http.port?",
            "bank.toml:3: http.port: expected a whole number, without quotes, got a string",
            "bank.toml:4: http.idle-timeout: expected a string in quotes, got a whole number",
            "bank.toml:7: log.segment-size: expected a size in B, KiB, MiB, GiB or TiB, such as 64MiB, got '64QB'",
            "bank.toml:8: log.sync: expected true or false, without quotes, got a whole number",
            "bank.toml:10: no setting is called frobnicator.speed",
            "bank.toml:12: app.name: expected a string in quotes, got something else",
            "LEFTFOLD_HTTP_PORT: expected a whole number from 0 to 65535, got '99999'",
            "LEFTFOLD_HTPP_PORT: no setting has this variable; did you mean LEFTFOLD_HTTP_PORT?",
            "--http-listen: expected an address and a port, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080, or "
            "unix:/path, got 'example.org:80'",
            "--port: given 2 times", "--json: expected true or false, got 'perhaps'"));
}

TEST_F(ConfigurationTest, broken_file_is_named_with_its_line) {
    EXPECT_THAT(load_file("[http]\nport = \n"), ElementsAre(HasSubstr("bank.toml:2: ")));
    EXPECT_THAT(load_file("[http]\nport = 1\nport = 2\n"), ElementsAre(HasSubstr("bank.toml:3: ")));
    EXPECT_THAT(load_file("a = " + std::string(100'000, '[')), ElementsAre(HasSubstr("bank.toml:1: ")));
}

TEST_F(ConfigurationTest, names_of_other_commands_are_passed_over) {
    ConfigurationInput input{.file = ConfigurationFile{"f", "[import]\nurl = \"x\"\nurk = \"x\"\n"},
                             .environment = {{"LEFTFOLD_IMPORT_URL", "x"}, {"LEFTFOLD_CONFIG", "f"}},
                             .other_names = {"import.url"}};
    EXPECT_THAT(load(input), ElementsAre("f:3: no setting is called import.urk; did you mean import.url?"));
}

TEST_F(ConfigurationTest, service_links_of_kubernetes_are_not_ours) {
    EXPECT_THAT(load({.environment = {{"LEFTFOLD_SERVICE_HOST", "10.0.0.1"},
                                      {"LEFTFOLD_SERVICE_PORT_HTTP", "80"},
                                      {"LEFTFOLD_PORT", "tcp://10.0.0.1:80"},
                                      {"LEFTFOLD_HTTP_PORT", "tcp://10.0.0.1:80"},
                                      {"LEFTFOLD_PORT_80_TCP_ADDR", "10.0.0.1"}}}),
                IsEmpty());
    EXPECT_EQ(settings.port, 8080);
}

TEST_F(ConfigurationTest, flag_only_options_are_no_settings) {
    EXPECT_THAT(load_file("json = true"), ElementsAre(HasSubstr("no setting is called json")));
    EXPECT_THAT(load({.environment = {{"LEFTFOLD_JSON", "true"}}}),
                ElementsAre(HasSubstr("LEFTFOLD_JSON: no setting")));
}

TEST_F(ConfigurationTest, missing_is_told_once_and_only_if_nothing_was_given) {
    std::string data;
    configuration.add(
        {.name = "log.data", .value = Value::text(data), .help = "Help", .aliases = {"--data"}, .required = true});
    EXPECT_THAT(
        load({.flags = {{"--port", {"x"}}}}),
        ElementsAre(HasSubstr("--port"), "--data: missing: give this flag, LEFTFOLD_LOG_DATA, or log.data in a file"));
    EXPECT_THAT(load({.flags = {{"--data", {"x", "y"}}}}), ElementsAre("--data: given 2 times"));
    EXPECT_THAT(load_file("log.data = 3"), ElementsAre(HasSubstr("expected a string")));
    EXPECT_THAT(load({.flags = {{"--data", {"x"}}}}), IsEmpty());
}

TEST_F(ConfigurationTest, checks_run_when_all_values_are_right) {
    configuration.check([&]() -> Result<> {
        if (settings.port == 1)
            return fail(ErrorCode::invalid_argument, "http.port 1 needs log.sync");
        return {};
    });
    EXPECT_THAT(load({.flags = {{"--port", {"1"}}}}), ElementsAre("configuration: http.port 1 needs log.sync"));
    EXPECT_THAT(load({.flags = {{"--port", {"1"}}, {"--json", {"x"}}}}), ElementsAre(HasSubstr("--json")));
    EXPECT_THAT(load({.flags = {{"--port", {"2"}}}}), IsEmpty());
}

TEST_F(ConfigurationTest, secrets_stay_out_of_messages_and_output) {
    std::uint16_t pin = 1;
    configuration.add({.name = "http.pin", .value = Value::integer(pin), .help = "Help", .secret = true});
    EXPECT_THAT(load({.environment = {{"LEFTFOLD_HTTP_PIN", "hunter2"}, {"LEFTFOLD_HTTP_TOKEN", "swordfish"}}}),
                ElementsAre("LEFTFOLD_HTTP_PIN: expected a whole number from 0 to 65535"));
    EXPECT_THAT(configuration.to_toml(), AllOf(Not(HasSubstr("swordfish")), HasSubstr("# token = \"***\"")));
}

TEST_F(ConfigurationTest, printed_form_tells_origins_and_reads_back) {
    ConfigurationInput input{.file = ConfigurationFile{"bank.toml", "[log]\nsegment-size = 4096\n"},
                             .environment = {{"LEFTFOLD_APP_NAME", "x\"\\\n"}},
                             .flags = {{"--port", {"9"}}, {"--app-services", {"a,b"}}}};
    ASSERT_THAT(load(input), IsEmpty());
    const std::string text = configuration.to_toml();
    EXPECT_EQ(text,
              "[http]\n"
              "port = 9                                 # flag --port\n"
              "idle-timeout = \"30s\"                     # default\n"
              "listen = \"127.0.0.1:8080\"                # default\n"
              "# token = \"***\"                          # default\n"
              "\n"
              "[log]\n"
              "segment-size = \"4KiB\"                    # file bank.toml:2\n"
              "sync = true                              # default\n"
              "\n"
              "[telemetry]\n"
              "level = \"info\"                           # default\n"
              "\n"
              "[app]\n"
              "services = [\"a\", \"b\"]                    # flag --app-services\n"
              "name = \"x\\\"\\\\\\u000A\"                     # environment LEFTFOLD_APP_NAME\n");

    settings = Settings{};
    ASSERT_THAT(load_file(text), IsEmpty());
    EXPECT_EQ(settings.port, 9);
    EXPECT_EQ(settings.segment_size_bytes, 4096u);
    EXPECT_EQ(settings.name, "x\"\\\n");
    EXPECT_THAT(settings.services, ElementsAre("a", "b"));
}

using ConfigurationDeathTest = ConfigurationTest;

TEST_F(ConfigurationDeathTest, ambiguous_declarations_are_bugs) {
    int other = 0;
    const Value value = Value::integer(other);
    EXPECT_DEATH(configuration.add({.name = "http.port", .value = value, .help = "Twice"}), "has_flag");
    EXPECT_DEATH(configuration.add({.name = "other.port", .value = value, .help = "Help", .aliases = {"-p"}}),
                 "has_flag");
    EXPECT_DEATH(configuration.add({.name = "log-sync", .value = value, .help = "Same flag"}), "has_flag");
    EXPECT_DEATH(configuration.add({.name = "Http.Port", .value = value, .help = "Help"}), "is_option_name");
    EXPECT_DEATH(configuration.add({.name = "a..b", .value = value, .help = "Help"}), "is_option_name");
    EXPECT_DEATH(configuration.add({.name = "config", .value = value, .help = "Help"}), "--config");
}

TEST(TomlFile, settings_come_in_the_order_of_lines) {
    const auto settings = parse_toml("z.b = 1\n[y]\na = true\nt = 1979-05-27\n[[x]]\nq = 1\n");
    ASSERT_TRUE(settings);
    std::vector<std::string> names;
    for (const TomlSetting& setting : *settings)
        names.push_back(setting.name + ":" + std::to_string(setting.line));
    EXPECT_THAT(names, ElementsAre("z.b:1", "y.a:3", "y.t:4", "x:5"));
    EXPECT_EQ((*settings)[2].kind, TomlSetting::Kind::other);
}

}  // namespace
}  // namespace leftfold
