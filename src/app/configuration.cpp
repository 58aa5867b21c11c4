#include "leftfold/app/configuration.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "leftfold/base/assert.hpp"

#include "nearest.hpp"
#include "toml_file.hpp"

namespace leftfold {

namespace {

constexpr std::string_view kVariablePrefix = "LEFTFOLD_";

bool is_option_name(std::string_view name) {
    const auto is_inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    bool after_separator = true;
    for (const char c : name) {
        const bool separator = c == '.' || c == '-';
        if (!separator && !is_inner(c))
            return false;
        if (separator && after_separator)
            return false;
        after_separator = separator;
    }
    return !after_separator;
}

std::string variable_of(std::string_view name) {
    std::string variable(kVariablePrefix);
    for (const char c : name)
        variable.push_back(c == '.' || c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    return variable;
}

// Kubernetes describes every service of a namespace to every pod by variables such as LEFTFOLD_PORT_8080_TCP_ADDR; with
// a service named "leftfold…" they look like ours. https://kubernetes.io/docs/concepts/services-networking/service/
bool is_service_link(std::string_view variable, std::string_view text) {
    return variable.ends_with("_SERVICE_HOST") || variable.find("_SERVICE_PORT") != std::string_view::npos ||
           variable.find("_TCP") != std::string_view::npos || variable.find("_UDP") != std::string_view::npos ||
           ((variable.ends_with("_PORT")) && text.find("://") != std::string_view::npos);
}

std::string_view kind_name(TomlSetting::Kind kind) {
    switch (kind) {
        case TomlSetting::Kind::text:
            return "a string";
        case TomlSetting::Kind::boolean:
            return "true or false";
        case TomlSetting::Kind::integer:
            return "a whole number";
        case TomlSetting::Kind::list:
            return "a list";
        case TomlSetting::Kind::other:
            break;
    }
    return "something else";
}

// What the file should hold for a value of this kind, if it does not; nothing if it does.
std::string_view mismatch(Value::Kind wanted, TomlSetting::Kind found) {
    using Found = TomlSetting::Kind;
    switch (wanted) {
        case Value::Kind::text:
            return found == Found::text ? "" : "a string in quotes";
        case Value::Kind::boolean:
            return found == Found::boolean ? "" : "true or false, without quotes";
        case Value::Kind::integer:
            return found == Found::integer ? "" : "a whole number, without quotes";
        case Value::Kind::size:
            return found == Found::integer || found == Found::text ? "" : R"(a size such as "64MiB")";
        case Value::Kind::list:
            return found == Found::list ? "" : R"(a list such as ["a", "b"])";
    }
    return "";
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        if (comma != 0)
            parts.emplace_back(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return parts;
}

// A basic string of TOML.
std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out.append({'\\', c});
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            fmt::format_to(std::back_inserter(out), "\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else
            out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string toml_value(const Value& value) {
    std::vector<std::string> texts = value.texts();
    if (value.kind() == Value::Kind::boolean || value.kind() == Value::Kind::integer)
        return texts.front();
    std::ranges::transform(texts, texts.begin(), toml_string);
    return value.kind() == Value::Kind::list ? fmt::format("[{}]", fmt::join(texts, ", ")) : texts.front();
}

std::string_view source_name(ConfigurationSource source) {
    switch (source) {
        case ConfigurationSource::default_value:
            return "default";
        case ConfigurationSource::file:
            return "file";
        case ConfigurationSource::environment:
            return "environment";
        case ConfigurationSource::flag:
            return "flag";
    }
    return "";
}

}  // namespace

std::string Configuration::Entry::flag() const {
    std::string flag = "--" + option.name;
    std::ranges::replace(flag, '.', '-');
    return flag;
}

std::string Configuration::Entry::variable() const {
    return variable_of(option.name);
}

std::vector<std::string> Configuration::Entry::flags() const {
    std::vector<std::string> flags = option.aliases;
    flags.push_back(flag());
    return flags;
}

bool Configuration::Entry::has_flag(std::string_view wanted) const {
    return flag() == wanted || std::ranges::find(option.aliases, wanted) != option.aliases.end();
}

bool Configuration::has_settings() const {
    return std::ranges::any_of(entries_, &Entry::is_setting);
}

void Configuration::add(Option option) {
    LEFTFOLD_ASSERT(is_option_name(option.name));
    LEFTFOLD_ASSERT(!option.help.empty());
    Entry entry{.option = std::move(option), .default_texts = {}};
    entry.default_texts = entry.option.value.texts();
    for (const std::string& flag : entry.flags()) {
        LEFTFOLD_ASSERT(flag.starts_with('-') && flag.size() > 1);
        LEFTFOLD_ASSERT(flag != "--help" && flag != "-h" && flag != "--config" && flag != "--print-config");
        for (const Entry& other : entries_)
            LEFTFOLD_ASSERT(!other.has_flag(flag));
    }
    for (const Entry& other : entries_)
        LEFTFOLD_ASSERT(other.variable() != entry.variable());
    entries_.push_back(std::move(entry));
}

std::vector<ConfigurationProblem> Configuration::load(const ConfigurationInput& input) {
    std::vector<ConfigurationProblem> problems;
    const bool readable = load_file(input, problems);
    load_environment(input, problems);
    load_flags(input, problems);
    if (readable)
        find_missing(problems);
    if (problems.empty())
        for (const auto& check : checks_)
            if (const Result<> checked = check(); !checked)
                problems.push_back({"configuration", checked.error().message()});
    return problems;
}

void Configuration::find_missing(std::vector<ConfigurationProblem>& problems) const {
    for (const Entry& entry : entries_) {
        if (!entry.option.required || entry.source != ConfigurationSource::default_value)
            continue;
        std::string what = "missing";
        if (entry.is_setting())
            what = fmt::format("missing: give this flag, {}, or {} in a file", entry.variable(), entry.option.name);
        problems.push_back({entry.flags().front(), std::move(what)});
    }
}

bool Configuration::load_file(const ConfigurationInput& input, std::vector<ConfigurationProblem>& problems) {
    if (!input.file)
        return true;
    const auto settings = parse_toml(input.file->text);
    if (!settings) {
        problems.push_back({fmt::format("{}:{}", input.file->path, settings.error().line), settings.error().what});
        return false;
    }
    std::vector<std::string> names;
    for (const Entry& entry : entries_)
        if (entry.is_setting())
            names.push_back(entry.option.name);
    names.insert(names.end(), input.other_names.begin(), input.other_names.end());

    for (const TomlSetting& setting : *settings) {
        const std::string where = fmt::format("{}:{}", input.file->path, setting.line);
        const auto entry = std::ranges::find_if(
            entries_, [&](const Entry& e) { return e.is_setting() && e.option.name == setting.name; });
        if (entry == entries_.end()) {
            if (std::ranges::find(names, setting.name) == names.end())
                problems.push_back(
                    {where, fmt::format("no setting is called {}{}", setting.name, did_you_mean(setting.name, names))});
            continue;
        }
        if (const auto wanted = mismatch(entry->option.value.kind(), setting.kind); !wanted.empty()) {
            entry->source = ConfigurationSource::file;
            problems.push_back(
                {where, fmt::format("{}: expected {}, got {}", setting.name, wanted, kind_name(setting.kind))});
            continue;
        }
        assign(*entry, ConfigurationSource::file, where, setting.texts, problems);
    }
    return true;
}

void Configuration::load_environment(const ConfigurationInput& input, std::vector<ConfigurationProblem>& problems) {
    std::vector<std::string> names = {std::string(kConfigurationFileVariable)};
    for (const Entry& entry : entries_)
        if (entry.is_setting())
            names.push_back(entry.variable());
    std::ranges::transform(input.other_names, std::back_inserter(names), variable_of);

    for (const auto& [variable, text] : input.environment) {
        if (!variable.starts_with(kVariablePrefix) || is_service_link(variable, text))
            continue;
        const auto entry =
            std::ranges::find_if(entries_, [&](const Entry& e) { return e.is_setting() && e.variable() == variable; });
        if (entry != entries_.end()) {
            const bool is_list = entry->option.value.kind() == Value::Kind::list;
            assign(*entry, ConfigurationSource::environment, variable,
                   is_list ? split_at_commas(text) : std::vector<std::string>{text}, problems);
        } else if (std::ranges::find(names, variable) == names.end()) {
            problems.push_back({variable, "no setting has this variable" + did_you_mean(variable, names)});
        }
    }
}

void Configuration::load_flags(const ConfigurationInput& input, std::vector<ConfigurationProblem>& problems) {
    for (const FlagInput& flag : input.flags) {
        const auto entry = std::ranges::find_if(entries_, [&](const Entry& e) { return e.has_flag(flag.flag); });
        LEFTFOLD_ASSERT(entry != entries_.end());
        if (entry->option.value.kind() == Value::Kind::list) {
            std::vector<std::string> texts;
            for (const std::string& text : flag.texts)
                std::ranges::move(split_at_commas(text), std::back_inserter(texts));
            assign(*entry, ConfigurationSource::flag, flag.flag, texts, problems);
        } else if (flag.texts.size() != 1) {
            entry->source = ConfigurationSource::flag;
            problems.push_back({flag.flag, fmt::format("given {} times", flag.texts.size())});
        } else {
            assign(*entry, ConfigurationSource::flag, flag.flag, flag.texts, problems);
        }
    }
}

void Configuration::assign(Entry& entry, ConfigurationSource source, std::string origin,
                           std::span<const std::string> texts, std::vector<ConfigurationProblem>& problems) {
    if (const Result<> assigned = entry.option.value.assign(texts); !assigned) {
        const std::string name = source == ConfigurationSource::file ? entry.option.name + ": " : "";
        const std::string got = entry.option.secret ? "" : fmt::format(", got '{}'", fmt::join(texts, ","));
        problems.push_back({origin, name + assigned.error().message() + got});
    }
    // A wrong value counts as given, so that it is not reported as missing too.
    entry.source = source;
    entry.origin = std::move(origin);
}

std::string Configuration::to_toml() const {
    // By table, in the order in which the first setting of each was declared.
    std::vector<std::string> tables;
    for (const Entry& entry : entries_)
        if (entry.is_setting())
            if (std::string table = entry.option.name.substr(0, entry.option.name.rfind('.'));
                std::ranges::find(tables, table) == tables.end())
                tables.push_back(std::move(table));

    std::string out;
    for (const std::string& table : tables) {
        fmt::format_to(std::back_inserter(out), "{}[{}]\n", out.empty() ? "" : "\n", table);
        for (const Entry& entry : entries_) {
            const std::size_t dot = entry.option.name.rfind('.');
            if (!entry.is_setting() || entry.option.name.substr(0, dot) != table)
                continue;
            const std::string key = entry.option.name.substr(dot + 1);
            const bool unset = entry.option.value.kind() != Value::Kind::list && entry.option.value.texts().empty();
            std::string line = unset                 ? fmt::format("# {} is not set", key)
                               : entry.option.secret ? fmt::format("# {} = \"***\"", key)
                                                     : fmt::format("{} = {}", key, toml_value(entry.option.value));
            fmt::format_to(std::back_inserter(out), "{:<40} # {}{}{}\n", line, source_name(entry.source),
                           entry.origin.empty() ? "" : " ", entry.origin);
        }
    }
    return out;
}

}  // namespace leftfold
