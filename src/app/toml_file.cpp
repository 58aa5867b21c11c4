#include "toml_file.hpp"

// Everything in this source: no exceptions to catch, no shared library to ship.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <tuple>

#include <toml++/toml.h>

namespace leftfold {

namespace {

void add_scalar(const toml::node& node, TomlSetting& setting) {
    using Kind = TomlSetting::Kind;
    if (const auto* text = node.as_string()) {
        setting.kind = Kind::text;
        setting.texts.push_back(text->get());
    } else if (const auto* boolean = node.as_boolean()) {
        setting.kind = Kind::boolean;
        setting.texts.emplace_back(boolean->get() ? "true" : "false");
    } else if (const auto* integer = node.as_integer()) {
        setting.kind = Kind::integer;
        setting.texts.push_back(std::to_string(integer->get()));
    }
}

void add_list(const toml::array& array, TomlSetting& setting) {
    TomlSetting element;
    for (const toml::node& node : array) {
        element.kind = TomlSetting::Kind::other;
        add_scalar(node, element);
        if (element.kind != TomlSetting::Kind::text && element.kind != TomlSetting::Kind::integer)
            return;
    }
    setting.kind = TomlSetting::Kind::list;
    setting.texts = std::move(element.texts);
}

// Recursion is as deep as the parser lets tables nest (TOML_MAX_NESTED_VALUES, 256).
void flatten(const toml::table& table, const std::string& prefix, std::vector<TomlSetting>& out) {
    for (const auto& [key, node] : table) {
        std::string name = prefix + std::string(key.str());
        if (const toml::table* inner = node.as_table()) {
            flatten(*inner, name + ".", out);
            continue;
        }
        TomlSetting setting;
        setting.name = std::move(name);
        setting.line = key.source().begin.line;
        if (const toml::array* array = node.as_array())
            add_list(*array, setting);
        else
            add_scalar(node, setting);
        out.push_back(std::move(setting));
    }
}

}  // namespace

std::expected<std::vector<TomlSetting>, TomlMistake> parse_toml(std::string_view text) {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed)
        return std::unexpected(
            TomlMistake{parsed.error().source().begin.line, std::string(parsed.error().description())});
    std::vector<TomlSetting> settings;
    flatten(parsed.table(), "", settings);
    std::ranges::sort(settings, {}, [](const TomlSetting& setting) { return std::tie(setting.line, setting.name); });
    return settings;
}

}  // namespace leftfold
