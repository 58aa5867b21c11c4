#include "leftfold/app/command_line.hpp"

#include <map>
#include <sstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_help.hpp"

namespace leftfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Files that can only be read whole, from memory.
class MemoryFile final : public File {
  public:
    explicit MemoryFile(std::string text) : text_(std::move(text)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableByteSpan buffer) override {
        const std::string_view rest = std::string_view(text_).substr(std::min<std::size_t>(offset, text_.size()));
        const std::size_t count = std::min(rest.size(), buffer.size());
        std::ranges::copy(std::as_bytes(std::span(rest.substr(0, count))), reinterpret_cast<std::byte*>(buffer.data()));
        return count;
    }
    Result<std::uint64_t> size() override { return text_.size(); }
    Result<> write_at(std::uint64_t, ByteSpan) override { return refused(); }
    Result<> allocate(std::uint64_t) override { return refused(); }
    Result<> truncate(std::uint64_t) override { return refused(); }
    Result<> sync_data() override { return refused(); }
    Result<> drop_cache() override { return refused(); }

  private:
    static std::unexpected<Error> refused() { return fail(ErrorCode::read_only, "only to be read"); }

    std::string text_;
};

class MemoryFiles final : public FileSystem {
  public:
    std::map<std::string, std::string> files;

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode) override {
        const auto found = files.find(path);
        if (found == files.end())
            return std::unexpected(Error::from_errno(ENOENT, "open '" + path + "'"));
        return std::make_unique<MemoryFile>(found->second);
    }
    Result<bool> exists(const std::string& path) override { return files.contains(path); }
    Result<> create_directories(const std::string&) override { return refused(); }
    Result<std::vector<DirectoryEntry>> list(const std::string&) override { return refused(); }
    Result<> rename(const std::string&, const std::string&) override { return refused(); }
    Result<> remove(const std::string&) override { return refused(); }
    Result<> sync_directory(const std::string&) override { return refused(); }
    Result<std::unique_ptr<FileLock>> lock(const std::string&) override { return refused(); }

  private:
    static std::unexpected<Error> refused() { return fail(ErrorCode::read_only, "only to be read"); }
};

struct ServeSettings {
    std::uint16_t port = 8080;
    Duration drain = std::chrono::seconds(10);
    bool json = false;
};

struct ImportSettings {
    std::string file;
    std::vector<std::string> more;
    std::string url = "http://127.0.0.1:8080";
};

struct CommandLineTest : ::testing::Test {
    MemoryFiles files;
    std::vector<std::pair<std::string, std::string>> environment;
    std::ostringstream out;
    std::ostringstream err;
    std::string ran;  // what the command saw
    CommandLine line{"bank", "accounts as events"};

    CommandLineTest() {
        line.add(make_cli_command<ServeSettings>(
            {.name = "serve",
             .summary = "Run the services",
             .help = "One process, all services.\n\nStops cleanly on SIGTERM.",
             .examples = {{"serve --port 9000", "On another port"}}},
            [](ServeSettings& settings, CliCommand& command) {
                command.configuration.add({.name = "http.port",
                                           .value = Value::integer(settings.port),
                                           .help = "Port to listen on",
                                           .aliases = {"--port", "-p"}});
                command.configuration.add(
                    {.name = "app.drain", .value = Value::duration(settings.drain), .help = "Time to finish"});
                command.configuration.add(
                    {.name = "json", .value = Value::boolean(settings.json), .help = "Print JSON"});
            },
            [this](ServeSettings& settings, Terminal& terminal) -> Result<int> {
                ran = "serve " + std::to_string(settings.port) + " " + print_duration(settings.drain) +
                      (settings.json ? " json" : "");
                terminal.out << "served\n";
                return 0;
            }));
        line.add(make_cli_command<ImportSettings>(
            {.name = "import", .summary = "Send a history", .examples = {{"import a.csv", ""}}},
            [](ImportSettings& settings, CliCommand& command) {
                command.arguments.push_back({"FILE", Value::text(settings.file), "What to send"});
                command.arguments.push_back({"MORE", Value::list(settings.more), "And these", false});
                command.configuration.add(
                    {.name = "import.url", .value = Value::text(settings.url), .help = "Where to"});
            },
            [this](ImportSettings& settings, Terminal&) -> Result<int> {
                ran = "import " + settings.file;
                for (const std::string& file : settings.more)
                    ran += "+" + file;
                if (settings.file == "absent")
                    return fail(ErrorCode::not_found, "there is no file 'absent'");
                if (settings.file == "bad")
                    throw std::runtime_error("user code broke");
                return 7;
            }));
        for (const char* name : {"log info", "log verify", "version"})
            line.add({.name = name, .summary = "Look", .run = [this, name](Terminal&) -> Result<int> {
                          ran = name;
                          return 0;
                      }});
        line.group("log", "Look into a data directory");
    }

    int run(const std::vector<std::string>& words) {
        ran.clear();
        out.str("");
        err.str("");
        return line.run(words, {Terminal{out, err}, files, environment});
    }
};

TEST_F(CommandLineTest, command_gets_typed_values) {
    EXPECT_EQ(run({"serve", "--port", "9000", "--app-drain=3s", "--json"}), 0);
    EXPECT_EQ(ran, "serve 9000 3s json");
    EXPECT_EQ(out.str(), "served\n");
    EXPECT_EQ(err.str(), "");
}

TEST_F(CommandLineTest, every_name_of_a_flag_works) {
    EXPECT_EQ(run({"serve", "-p", "1"}), 0);
    EXPECT_EQ(ran, "serve 1 10s");
    EXPECT_EQ(run({"serve", "--http-port=2"}), 0);
    EXPECT_EQ(ran, "serve 2 10s");
    EXPECT_EQ(run({"serve", "-p3", "--json=false"}), 0);
    EXPECT_EQ(ran, "serve 3 10s");
}

TEST_F(CommandLineTest, file_environment_and_flags_stack) {
    files.files["bank.toml"] = "[http]\nport = 1\n[app]\ndrain = \"1s\"\n[import]\nurl = \"x\"\n";
    EXPECT_EQ(run({"serve", "--config", "bank.toml"}), 0);
    EXPECT_EQ(ran, "serve 1 1s");
    environment = {{"LEFTFOLD_CONFIG", "bank.toml"}, {"LEFTFOLD_HTTP_PORT", "2"}, {"PATH", "/bin"}};
    EXPECT_EQ(run({"serve"}), 0);
    EXPECT_EQ(ran, "serve 2 1s");
    EXPECT_EQ(run({"serve", "--port", "3"}), 0);
    EXPECT_EQ(ran, "serve 3 1s");
}

TEST_F(CommandLineTest, settings_are_printed_with_origins) {
    environment = {{"LEFTFOLD_HTTP_PORT", "2"}};
    EXPECT_EQ(run({"serve", "--print-config", "--app-drain", "1m"}), 0);
    EXPECT_EQ(ran, "");
    EXPECT_THAT(out.str(), HasSubstr("[http]\nport = 2 "));
    EXPECT_THAT(out.str(), HasSubstr("# environment LEFTFOLD_HTTP_PORT\n\n[app]\ndrain = \"1m\" "));
    EXPECT_EQ(run({"import", "--print-config"}), 0) << err.str();
}

TEST_F(CommandLineTest, mistakes_come_together_with_exit_code_2) {
    environment = {{"LEFTFOLD_HTTP_PORT", "x"}};
    EXPECT_EQ(run({"serve", "--app-drian", "1s", "--config", "absent.toml", "--json=perhaps"}), 2);
    EXPECT_EQ(ran, "");
    EXPECT_EQ(err.str(),
              "bank serve: 4 mistakes\n"
              "  --app-drian: no such flag; did you mean --app-drain?\n"
              "  absent.toml: open 'absent.toml': No such file or directory\n"
              "  LEFTFOLD_HTTP_PORT: expected a whole number from 0 to 65535, got 'x'\n"
              "  --json: expected true or false, got 'perhaps'\n"
              "`bank serve --help` shows how it is used.\n");
    EXPECT_EQ(out.str(), "");
}

TEST_F(CommandLineTest, one_mistake_is_one_line) {
    EXPECT_EQ(run({"serve", "--port"}), 2);
    EXPECT_THAT(err.str(), StartsWith("bank serve: command line: --port needs a value\n"));
    EXPECT_EQ(run({"import"}), 2);
    EXPECT_THAT(err.str(), StartsWith("bank import: FILE: missing\n"));
    EXPECT_EQ(run({"serve", "--port", "1", "--port", "2"}), 2);
    EXPECT_THAT(err.str(), StartsWith("bank serve: --port: given 2 times\n"));
}

TEST_F(CommandLineTest, arguments_are_taken_in_order) {
    EXPECT_EQ(run({"import", "a"}), 7);
    EXPECT_EQ(ran, "import a");
    EXPECT_EQ(run({"import", "a", "--import-url", "u", "b", "serve", "log"}), 7);
    EXPECT_EQ(ran, "import a+b+serve+log") << "an argument may be called like a command";
    EXPECT_EQ(run({"import", "--", "--help", "-x"}), 7);
    EXPECT_EQ(ran, "import --help+-x");
    EXPECT_EQ(run({"log", "info", "what"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("what: one argument too many"));
}

TEST_F(CommandLineTest, failure_is_exit_code_1) {
    EXPECT_EQ(run({"import", "absent"}), 1);
    EXPECT_EQ(err.str(), "bank import: there is no file 'absent'\n");
    EXPECT_EQ(run({"import", "bad"}), 1);
    EXPECT_EQ(err.str(), "bank import: user code broke\n");
}

TEST_F(CommandLineTest, unknown_command_gets_the_nearest) {
    EXPECT_EQ(run({"sevre", "--port", "1"}), 2);
    EXPECT_EQ(err.str(), "bank: there is no command 'sevre'; did you mean serve?\n`bank --help` lists the commands.\n");
    EXPECT_EQ(run({"log", "verfy"}), 2);
    EXPECT_EQ(
        err.str(),
        "bank: there is no command 'log verfy'; did you mean log verify?\n`bank log --help` lists the commands.\n");
    EXPECT_EQ(run({"verify"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("did you mean log verify?"));
    EXPECT_EQ(run({"frobnicate"}), 2);
    EXPECT_THAT(err.str(), StartsWith("bank: there is no command 'frobnicate'\n"));
    EXPECT_EQ(run({"--port", "1", "serve"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("--port"));
}

TEST_F(CommandLineTest, nothing_given_shows_the_way) {
    EXPECT_EQ(run({}), 2);
    EXPECT_THAT(err.str(), HasSubstr("Usage: bank COMMAND"));
    EXPECT_EQ(run({"log"}), 2);
    EXPECT_THAT(err.str(), HasSubstr("Usage: bank log COMMAND"));
}

TEST_F(CommandLineTest, help_teaches) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"serve", "--help"}, {"serve", "-h"}, {"help", "serve"}, {"serve", "--port", "x", "--help"}}) {
        EXPECT_EQ(run(words), 0);
        EXPECT_EQ(ran, "");
        EXPECT_EQ(err.str(), "");
        EXPECT_EQ(out.str(),
                  "bank serve: Run the services\n"
                  "\n"
                  "One process, all services.\n"
                  "\n"
                  "Stops cleanly on SIGTERM.\n"
                  "\n"
                  "Usage: bank serve [OPTIONS]\n"
                  "\n"
                  "Examples:\n"
                  "  bank serve --port 9000\n"
                  "      On another port\n"
                  "\n"
                  "Options:\n"
                  "  --json      Print JSON\n"
                  "  -h, --help  Show this text\n"
                  "\n"
                  "Settings, each as a flag, else as a variable of the environment, else in a file:\n"
                  "  --port, -p, --http-port N  Port to listen on [default: 8080]\n"
                  "                             LEFTFOLD_HTTP_PORT, http.port\n"
                  "  --app-drain DURATION       Time to finish [default: 10s]\n"
                  "                             LEFTFOLD_APP_DRAIN, app.drain\n"
                  "  --config FILE              A TOML file with settings; also LEFTFOLD_CONFIG\n"
                  "  --print-config             Print the settings, where each comes from, and stop\n");
    }
    EXPECT_EQ(run({"import", "--help"}), 0);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("Usage: bank import FILE [MORE…] [OPTIONS]\n"),
                                 HasSubstr("  FILE  What to send\n"), HasSubstr("[default: http://127.0.0.1:8080]")));
}

TEST_F(CommandLineTest, overview_lists_commands_and_examples) {
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_EQ(out.str(),
              "bank: accounts as events\n"
              "\n"
              "Usage: bank COMMAND [OPTIONS]\n"
              "\n"
              "Commands:\n"
              "  serve       Run the services\n"
              "  import      Send a history\n"
              "  log info    Look\n"
              "  log verify  Look\n"
              "  version     Look\n"
              "\n"
              "Examples:\n"
              "  bank serve --port 9000\n"
              "      On another port\n"
              "  bank import a.csv\n"
              "\n"
              "`bank COMMAND --help` shows examples and options of a command.\n");
    EXPECT_EQ(run({"help", "log"}), 0);
    EXPECT_THAT(out.str(), AllOf(StartsWith("bank log: Look into a data directory\n"), HasSubstr("log verify"),
                                 Not(HasSubstr("serve"))));
}

TEST_F(CommandLineTest, version_is_also_a_flag) {
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_EQ(ran, "version");
}

using CommandLineDeathTest = CommandLineTest;

TEST_F(CommandLineDeathTest, ambiguous_commands_are_bugs) {
    const auto add = [&](std::string name) {
        line.add({.name = std::move(name), .summary = "Again", .run = [](Terminal&) -> Result<int> { return 0; }});
    };
    EXPECT_DEATH(add("serve"), "other.name");
    EXPECT_DEATH(add("log"), "starts_with");
    EXPECT_DEATH(add("serve more"), "starts_with");
}

TEST(CommandHelp, long_lines_are_broken_at_blanks) {
    EXPECT_EQ(wrapped("aa bb cc dd", 2, 8), "  aa bb\n  cc dd\n");
    EXPECT_EQ(wrapped("aaaaaaaaaaaa bb", 2, 8), "  aaaaaaaaaaaa bb\n");
    EXPECT_EQ(wrapped("a\n\nb", 0, 8), "a\n\nb\n");
    EXPECT_EQ(wrapped("  kept as it is, however long", 0, 8), "  kept as it is, however long\n");
}

}  // namespace
}  // namespace leftfold
