// CommandLine: the commands of a program, how they are found, explained and run.
//
// A command is a struct: name, words of explanation, arguments, settings, and a function to run. Values reach the
// variables that its declarations name before run is called. make_cli_command() binds them to a settings struct that it
// owns.
//
// Exit codes: what run returns; 1 if it fails or throws; 2 for a mistake in the command line or the configuration.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/app/configuration.hpp"
#include "leftfold/app/terminal.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/env/files.hpp"

namespace leftfold {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

struct Example {
    std::string line = {};  // without the program's name: "import history.csv --verify"
    std::string what = {};
};

struct Argument {
    std::string name = {};  // as help shows it: "FILE"
    Value value;            // a list takes all that is left, and comes last
    std::string help = {};
    bool required = true;
};

struct CliCommand {
    std::string name = {};  // "serve", or "log verify" within a group
    std::string summary = {};
    std::string help = {};  // paragraphs, with a blank line between
    std::vector<Example> examples = {};
    std::vector<Argument> arguments = {};
    Configuration configuration = {};
    std::move_only_function<Result<int>(Terminal&)> run = {};
};

// A command whose values live in a Settings made here: `declare(Settings&, CliCommand&)` adds arguments and options
// that are bound to it, `run(Settings&, Terminal&)` gives the exit code.
template <class Settings, class Declare, class Run>
CliCommand make_cli_command(CliCommand command, Declare declare, Run run) {
    auto settings = std::make_unique<Settings>();
    declare(*settings, command);
    command.run = [settings = std::move(settings), run = std::move(run)](Terminal& terminal) mutable -> Result<int> {
        return run(*settings, terminal);
    };
    return command;
}

// What a command line takes from outside, so that tests can give their own.
struct CommandLineHost {
    Terminal terminal;
    FileSystem& files;
    std::vector<std::pair<std::string, std::string>> environment = {};
};

struct ParsedWords;

class CommandLine {
  public:
    CommandLine(std::string program, std::string summary);

    // Two commands of one name are a bug.
    void add(CliCommand command);
    // What the commands "log …" have in common, for help.
    void group(std::string name, std::string summary);

    // The exit code.
    int run(int argc, const char* const* argv);
    int run(const std::vector<std::string>& words, CommandLineHost host);

  private:
    int run_command(CliCommand& command, ParsedWords parsed, CommandLineHost& host);
    int complain_unknown(const std::string& path, const std::string& word, Terminal& terminal) const;
    std::vector<std::string> names_of_others(const CliCommand& command) const;

    std::string program_;
    std::string summary_;
    std::vector<CliCommand> commands_;
    std::map<std::string, std::string, std::less<>> groups_;
};

}  // namespace leftfold
