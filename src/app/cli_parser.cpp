#include "cli_parser.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include <CLI/CLI.hpp>

namespace leftfold {

namespace {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ",") + name;
    return text;
}

// The texts stay with CLI11's option; the command's own Value reads them.
CLI::Option* add_flag(CLI::App& app, const FlagSpec& flag) {
    CLI::Option* option = app.add_option(joined(flag.names), [](const CLI::results_t&) { return true; });
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->type_name("");
    if (flag.takes_value)
        option->type_size(1)->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
    else
        option->type_size(0)->expected(0, 1);
    return option;
}

void prepare(CLI::App& app) {
    app.set_help_flag("-h,--help");
    app.allow_extras();
    // One command a line: else an argument that happens to be called like a command would be one.
    app.require_subcommand(0, 1);
}

// Groups are made on the way to their commands.
using Apps = std::map<std::vector<std::string>, CLI::App*>;
CLI::App* find_or_add(Apps& apps, const std::vector<std::string>& path) {
    if (const auto found = apps.find(path); found != apps.end())
        return found->second;
    CLI::App* parent = find_or_add(apps, {path.begin(), path.end() - 1});
    CLI::App* app = parent->add_subcommand(path.back());
    prepare(*app);
    return apps[path] = app;
}

}  // namespace

ParsedWords parse_words(const std::vector<CommandSpec>& commands, const std::vector<std::string>& words) {
    CLI::App root;
    prepare(root);

    Apps apps = {{{}, &root}};
    std::vector<std::vector<CLI::Option*>> options;
    std::vector<CLI::Option*> arguments;
    std::vector<CLI::App*> leaves;
    for (const CommandSpec& command : commands) {
        CLI::App* leaf = find_or_add(apps, command.path);
        leaves.push_back(leaf);
        options.emplace_back();
        for (const FlagSpec& flag : command.flags)
            options.back().push_back(add_flag(*leaf, flag));
        arguments.push_back(leaf->add_option("arguments", [](const CLI::results_t&) { return true; })
                                ->type_size(1)
                                ->expected(1, CLI::detail::expected_max_vector_size)
                                ->allow_extra_args());
    }

    // What follows "--" is an argument, whatever it looks like. CLI11 would hand some of it to the parent command.
    const auto separator = std::ranges::find(words, "--");
    std::vector<std::string> to_parse(words.begin(), separator);
    std::ranges::reverse(to_parse);

    ParsedWords parsed;
    try {
        root.parse(std::move(to_parse));
    } catch (const CLI::CallForHelp&) {
        parsed.help = true;
    } catch (const CLI::ArgumentMismatch& error) {
        // "--port: 1 required  missing"
        const std::string what = error.what();
        parsed.mistake = what.substr(0, what.find(':')) + " needs a value";
    } catch (const CLI::ParseError& error) {
        parsed.mistake = error.what();
    }

    const CLI::App* app = &root;
    while (!app->get_subcommands().empty()) {
        parsed.unknown = app->remaining();
        app = app->get_subcommands().front();
        parsed.path.push_back(app->get_name());
    }
    std::ranges::copy(app->remaining(), std::back_inserter(parsed.unknown));
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (leaves[i] != app)
            continue;
        for (std::size_t n = 0; n < options[i].size(); ++n)
            if (options[i][n]->count() > 0)
                parsed.flags.push_back({n, options[i][n]->results()});
        for (ParsedFlag& flag : parsed.flags)
            if (!commands[i].flags[flag.index].takes_value)
                std::ranges::replace(flag.texts, std::string(), std::string("true"));
        parsed.arguments = arguments[i]->results();
    }
    if (separator != words.end())
        parsed.arguments.insert(parsed.arguments.end(), separator + 1, words.end());
    return parsed;
}

}  // namespace leftfold
