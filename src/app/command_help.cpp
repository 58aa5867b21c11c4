#include "command_help.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace leftfold {

namespace {

// What stands left of an explanation, and the explanation.
struct Row {
    std::string left;
    std::string right;
};

void append_rows(std::string& out, std::string_view title, const std::vector<Row>& rows) {
    if (rows.empty())
        return;
    constexpr std::size_t kLeftMax = 30;
    std::size_t width = 0;
    for (const Row& row : rows)
        if (row.left.size() <= kLeftMax)
            width = std::max(width, row.left.size());
    fmt::format_to(std::back_inserter(out), "\n{}\n", title);
    const std::size_t indent = width + 4;
    for (const Row& row : rows) {
        const std::string text = wrapped(row.right, indent);
        if (row.left.size() <= width)
            fmt::format_to(std::back_inserter(out), "  {:<{}}  {}", row.left, width, text.substr(indent));
        else
            fmt::format_to(std::back_inserter(out), "  {}\n{}", row.left, text);
    }
}

void append_examples(std::string& out, std::string_view program, const std::vector<Example>& examples) {
    if (examples.empty())
        return;
    out += "\nExamples:\n";
    for (const Example& example : examples) {
        fmt::format_to(std::back_inserter(out), "  {} {}\n", program, example.line);
        if (!example.what.empty())
            out += wrapped(example.what, 6);
    }
}

std::string default_text(const Configuration::Entry& entry) {
    if (entry.option.required)
        return " [required]";
    if (entry.option.secret || entry.default_texts.empty() || entry.option.value.kind() == Value::Kind::boolean)
        return entry.option.value.kind() == Value::Kind::boolean && entry.default_texts.front() == "true"
                   ? " [default: true]"
                   : "";
    const std::string text = fmt::format("{}", fmt::join(entry.default_texts, ","));
    return text.empty() ? "" : fmt::format(" [default: {}]", text);
}

Row option_row(const Configuration::Entry& entry) {
    std::string left = fmt::format("{}", fmt::join(entry.flags(), ", "));
    if (entry.option.value.kind() != Value::Kind::boolean)
        left += " " + entry.option.value.placeholder();
    std::string right = entry.option.help + default_text(entry);
    if (entry.is_setting())
        right += fmt::format("\n{}, {}", entry.variable(), entry.option.name);
    return {std::move(left), std::move(right)};
}

std::string usage_of(const Argument& argument) {
    const std::string name = argument.value.kind() == Value::Kind::list ? argument.name + "…" : argument.name;
    return argument.required ? name : "[" + name + "]";
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
    std::string out;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        do {
            std::string_view piece = line;
            if (!line.starts_with(' ') && indent + line.size() > columns)
                if (const std::size_t blank = line.rfind(' ', columns > indent ? columns - indent : 0);
                    blank != std::string_view::npos)
                    piece = line.substr(0, blank);
            if (!piece.empty())
                out.append(indent, ' ').append(piece);
            out.push_back('\n');
            line.remove_prefix(std::min(line.size(), piece.size() + 1));
        } while (!line.empty());
    }
    return out;
}

std::string command_help(std::string_view program, const CliCommand& command) {
    std::string out = fmt::format("{} {}: {}\n", program, command.name, command.summary);
    if (!command.help.empty())
        out += "\n" + wrapped(command.help, 0);

    std::string usage = fmt::format("\nUsage: {} {}", program, command.name);
    std::vector<Row> arguments;
    for (const Argument& argument : command.arguments) {
        usage += " " + usage_of(argument);
        arguments.push_back({argument.name, argument.help});
    }
    out += usage + " [OPTIONS]\n";
    append_examples(out, program, command.examples);
    append_rows(out, "Arguments:", arguments);

    std::vector<Row> options;
    std::vector<Row> settings;
    for (const Configuration::Entry& entry : command.configuration.entries())
        (entry.is_setting() ? settings : options).push_back(option_row(entry));
    options.push_back({"-h, --help", "Show this text"});
    append_rows(out, "Options:", options);
    if (!settings.empty()) {
        settings.push_back({"--config FILE", "A TOML file with settings; also LEFTFOLD_CONFIG"});
        settings.push_back({"--print-config", "Print the settings, where each comes from, and stop"});
        append_rows(out, "Settings, each as a flag, else as a variable of the environment, else in a file:", settings);
    }
    return out;
}

std::string overview_help(std::string_view program, std::string_view summary, std::string_view path,
                          const std::vector<CliCommand>& commands,
                          const std::map<std::string, std::string, std::less<>>& groups) {
    const std::string prefix = path.empty() ? "" : std::string(path) + " ";
    const auto group = groups.find(path);
    std::string out = path.empty()
                          ? fmt::format("{}: {}\n", program, summary)
                          : fmt::format("{} {}{}\n", program, path, group == groups.end() ? "" : ": " + group->second);
    fmt::format_to(std::back_inserter(out), "\nUsage: {} {}COMMAND [OPTIONS]\n", program, prefix);
    std::vector<Row> rows;
    std::vector<Example> examples;
    for (const CliCommand& command : commands) {
        if (!command.name.starts_with(prefix))
            continue;
        rows.push_back({command.name, command.summary});
        if (!command.examples.empty())
            examples.push_back(command.examples.front());
    }
    append_rows(out, "Commands:", rows);
    append_examples(out, program, examples);
    fmt::format_to(std::back_inserter(out), "\n`{} {}COMMAND --help` shows examples and options of a command.\n",
                   program, prefix);
    return out;
}

}  // namespace leftfold
