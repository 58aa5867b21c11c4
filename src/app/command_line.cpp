#include "leftfold/app/command_line.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/env/real_env.hpp"

#include "cli_parser.hpp"
#include "command_help.hpp"
#include "nearest.hpp"

namespace leftfold {

namespace {

constexpr std::uint64_t kConfigurationFileBytesMax = 1 << 20;

std::vector<std::string> split_at_blanks(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t blank = text.find(' ');
        words.emplace_back(text.substr(0, blank));
        text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
    }
    return words;
}

// Flags of a command, in the order of its options; --config and --print-config behind them if it has settings.
std::vector<FlagSpec> flags_of(const CliCommand& command) {
    std::vector<FlagSpec> flags;
    for (const Configuration::Entry& entry : command.configuration.entries())
        flags.push_back({entry.flags(), entry.option.value.kind() != Value::Kind::boolean});
    if (command.configuration.has_settings()) {
        flags.push_back({{"--config"}, true});
        flags.push_back({{"--print-config"}, false});
    }
    return flags;
}

// Gives each declared argument its words.
std::vector<ConfigurationProblem> assign_arguments(const std::vector<Argument>& arguments,
                                                   std::span<const std::string> words) {
    std::vector<ConfigurationProblem> problems;
    for (const Argument& argument : arguments) {
        const bool is_list = argument.value.kind() == Value::Kind::list;
        const auto texts = words.first(is_list ? words.size() : std::min<std::size_t>(words.size(), 1));
        words = words.subspan(texts.size());
        if (texts.empty()) {
            if (argument.required)
                problems.push_back({argument.name, "missing"});
        } else if (const Result<> assigned = argument.value.assign(texts); !assigned) {
            problems.push_back(
                {argument.name, fmt::format("{}, got '{}'", assigned.error().message(), fmt::join(texts, " "))});
        }
    }
    for (const std::string& word : words)
        problems.push_back({word, "one argument too many"});
    return problems;
}

// `words` are what the parser could place nowhere. A flag among them explains the others: they may be its values.
std::vector<ConfigurationProblem> unknown_words(const std::vector<FlagSpec>& flags,
                                                const std::vector<std::string>& words) {
    std::vector<std::string> names = {"--help"};
    for (const FlagSpec& flag : flags)
        names.insert(names.end(), flag.names.begin(), flag.names.end());
    const auto is_flag = [](const std::string& word) { return word.starts_with('-'); };
    const bool any_flag = std::ranges::any_of(words, is_flag);
    std::vector<ConfigurationProblem> problems;
    for (const std::string& word : words) {
        if (any_flag && !is_flag(word))
            continue;
        const std::string flag = word.substr(0, word.find('='));
        if (std::ranges::find(names, flag) != names.end())
            problems.push_back({flag, "flags come behind the command"});
        else
            problems.push_back({flag, "no such flag" + did_you_mean(flag, names)});
    }
    return problems;
}

void append(std::vector<ConfigurationProblem>& problems, std::vector<ConfigurationProblem> more) {
    std::ranges::move(more, std::back_inserter(problems));
}

int complain(std::string_view command, const std::vector<ConfigurationProblem>& problems, std::ostream& err) {
    if (problems.size() == 1) {
        err << fmt::format("{}: {}: {}\n", command, problems[0].where, problems[0].what);
    } else {
        err << fmt::format("{}: {} mistakes\n", command, problems.size());
        for (const ConfigurationProblem& problem : problems)
            err << fmt::format("  {}: {}\n", problem.where, problem.what);
    }
    err << fmt::format("`{} --help` shows how it is used.\n", command);
    return kExitUsage;
}

// The one boundary behind which a command may throw.
int call(CliCommand& command, std::string_view title, Terminal& terminal) {
    try {
        const Result<int> code = command.run(terminal);
        terminal.out.flush();
        if (code)
            return *code;
        terminal.err << fmt::format("{}: {}\n", title, code.error().message());
    } catch (const std::exception& exception) {
        terminal.out.flush();
        terminal.err << fmt::format("{}: {}\n", title, exception.what());
    }
    return kExitFailure;
}

}  // namespace

CommandLine::CommandLine(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

void CommandLine::add(CliCommand command) {
    LEFTFOLD_ASSERT(!command.name.empty() && !command.summary.empty() && command.run);
    for (const CliCommand& other : commands_)
        LEFTFOLD_ASSERT(other.name != command.name && !other.name.starts_with(command.name + " ") &&
                        !command.name.starts_with(other.name + " "));
    for (std::size_t i = 0; i + 1 < command.arguments.size(); ++i)
        LEFTFOLD_ASSERT(command.arguments[i].value.kind() != Value::Kind::list);
    commands_.push_back(std::move(command));
}

void CommandLine::group(std::string name, std::string summary) {
    groups_[std::move(name)] = std::move(summary);
}

int CommandLine::run(int argc, const char* const* argv) {
    std::vector<std::pair<std::string, std::string>> environment;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        if (const std::size_t equals = text.find('='); equals != std::string_view::npos)
            environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    std::ranges::sort(environment);
    const std::unique_ptr<FileSystem> files = make_real_file_system();
    return run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc),
               {standard_terminal(), *files, std::move(environment)});
}

int CommandLine::run(const std::vector<std::string>& words, CommandLineHost host) {
    // "help serve" is what people try first.
    if (!words.empty() && words.front() == "help") {
        std::vector<std::string> rest(words.begin() + 1, words.end());
        rest.emplace_back("--help");
        return run(rest, std::move(host));
    }
    if (words.size() == 1 && words.front() == "--version" &&
        std::ranges::find(commands_, "version", &CliCommand::name) != commands_.end())
        return run(std::vector<std::string>{"version"}, std::move(host));

    std::vector<CommandSpec> specs;
    for (const CliCommand& command : commands_)
        specs.push_back({split_at_blanks(command.name), flags_of(command)});
    ParsedWords parsed = parse_words(specs, words);
    const std::string path = fmt::format("{}", fmt::join(parsed.path, " "));
    const auto command = std::ranges::find(commands_, path, &CliCommand::name);
    Terminal& terminal = host.terminal;
    if (command == commands_.end()) {
        if (!parsed.unknown.empty() && !parsed.help)
            return complain_unknown(path, parsed.unknown.front(), terminal);
        (parsed.help ? terminal.out : terminal.err) << overview_help(program_, summary_, path, commands_, groups_);
        return parsed.help ? 0 : kExitUsage;
    }
    if (parsed.help) {
        terminal.out << command_help(program_, *command);
        return 0;
    }
    return run_command(*command, std::move(parsed), host);
}

int CommandLine::run_command(CliCommand& command, ParsedWords parsed, CommandLineHost& host) {
    const std::string title = program_ + " " + command.name;
    std::vector<ConfigurationProblem> problems;
    if (!parsed.mistake.empty())
        problems.push_back({"command line", parsed.mistake});
    const std::vector<FlagSpec> flags = flags_of(command);
    append(problems, unknown_words(flags, parsed.unknown));

    ConfigurationInput input{.environment = std::move(host.environment), .other_names = names_of_others(command)};
    std::optional<std::string> path;
    for (const auto& [name, text] : input.environment)
        if (name == kConfigurationFileVariable && !text.empty())
            path = text;
    bool print = false;
    for (ParsedFlag& flag : parsed.flags) {
        const std::string& name = flags[flag.index].names.front();
        if (name == "--config")
            path = flag.texts.back();
        else if (name == "--print-config")
            print = true;
        else
            input.flags.push_back({name, std::move(flag.texts)});
    }
    if (path && command.configuration.has_settings()) {
        if (auto text = read_file(host.files, *path, kConfigurationFileBytesMax))
            input.file = ConfigurationFile{*path, std::move(*text)};
        else
            problems.push_back({*path, text.error().message()});
    }
    append(problems, command.configuration.load(input));
    // Settings can be looked at without the arguments of a run; and behind an unknown flag, what is a value and what an
    // argument is a guess.
    if (!print && parsed.unknown.empty())
        append(problems, assign_arguments(command.arguments, parsed.arguments));
    if (!problems.empty())
        return complain(title, problems, host.terminal.err);
    if (print) {
        host.terminal.out << command.configuration.to_toml();
        return 0;
    }
    return call(command, title, host.terminal);
}

// `word` is the first that is no command, behind the words of a group.
int CommandLine::complain_unknown(const std::string& path, const std::string& word, Terminal& terminal) const {
    const std::string prefix = path.empty() ? "" : path + " ";
    if (word.starts_with('-')) {
        terminal.err << fmt::format("{}: {}: flags come behind a command\n`{} {}--help` lists the commands.\n",
                                    program_, word, program_, prefix);
        return kExitUsage;
    }
    // What comes next at this place, then whole commands: "verify" for "log verify".
    std::vector<std::string> names;
    for (const CliCommand& command : commands_)
        if (command.name.starts_with(prefix))
            if (std::string next = command.name.substr(0, command.name.find(' ', prefix.size()));
                std::ranges::find(names, next) == names.end())
                names.push_back(std::move(next));
    std::string hint = did_you_mean(prefix + word, names);
    for (const CliCommand& command : commands_)
        if (hint.empty() && command.name.ends_with(" " + word))
            hint = "; did you mean " + command.name + "?";
    terminal.err << fmt::format("{}: there is no command '{}{}'{}\n`{} {}--help` lists the commands.\n", program_,
                                prefix, word, hint, program_, prefix);
    return kExitUsage;
}

std::vector<std::string> CommandLine::names_of_others(const CliCommand& command) const {
    std::vector<std::string> names;
    for (const CliCommand& other : commands_) {
        if (&other == &command)
            continue;
        for (const Configuration::Entry& entry : other.configuration.entries())
            if (entry.is_setting())
                names.push_back(entry.option.name);
    }
    return names;
}

}  // namespace leftfold
