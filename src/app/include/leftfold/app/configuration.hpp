// Configuration: the settings of one command, each declared once, filled from four sources.
//
//     configuration.add({.name = "http.port", .value = Value::integer(http.port, 0, 65535),
//                        .help = "Port to listen on; 0 lets the system choose", .aliases = {"--port"}});
//
// Later ones win: the default in the struct, a TOML file ([http] port = 8080), the environment (LEFTFOLD_HTTP_PORT),
// flags
// (--http-port, --port). A name without a dot is a flag only, for what belongs to one run (--json).
//
// Nothing stops at the first mistake: load() reports all of them, and unknown names with the nearest known one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/app/value.hpp"
#include "leftfold/base/error.hpp"

namespace leftfold {

struct Option {
    std::string name = {};  // kebab-case, dots between the parts: "log.segment-size"
    Value value;
    std::string help = {};
    std::vector<std::string> aliases = {};  // "--port", "-p"
    bool required = false;
    bool secret = false;  // never printed, in messages neither
};

enum class ConfigurationSource : std::uint8_t { default_value, file, environment, flag };

// Something wrong: where ("bank.toml:4", "LEFTFOLD_HTTP_PORT", "--port"), and what.
struct ConfigurationProblem {
    std::string where;
    std::string what;

    friend bool operator==(const ConfigurationProblem&, const ConfigurationProblem&) = default;
};

struct ConfigurationFile {
    std::string path;
    std::string text;
};

struct FlagInput {
    std::string flag;  // "--port", as declared
    std::vector<std::string> texts;
};

struct ConfigurationInput {
    std::optional<ConfigurationFile> file = std::nullopt;
    std::vector<std::pair<std::string, std::string>> environment = {};  // all of it; what is not ours is passed over
    std::vector<FlagInput> flags = {};
    // Names that other commands of the same program know: no mistake in a file or the environment.
    std::vector<std::string> other_names = {};
};

// Names the file where no --config does.
inline constexpr std::string_view kConfigurationFileVariable = "LEFTFOLD_CONFIG";

class Configuration {
  public:
    // The variables behind `option.value` outlive this. Two options of one name, flag or variable are a bug.
    void add(Option option);

    // What concerns several values at once: called by load() when each of them was right. Its error says which
    // settings.
    void check(std::function<Result<>()> check) { checks_.push_back(std::move(check)); }

    // Fills the variables. Empty if all is well; else nothing may be relied on.
    [[nodiscard]] std::vector<ConfigurationProblem> load(const ConfigurationInput& input);

    // The settings as a TOML file, with the origin of each value as a comment; secrets as ***.
    std::string to_toml() const;

    struct Entry {
        Option option;
        std::vector<std::string> default_texts;
        ConfigurationSource source = ConfigurationSource::default_value;
        std::string origin = {};  // file and line, variable or flag; empty for a default

        bool is_setting() const { return option.name.find('.') != std::string::npos; }
        std::string flag() const;                // --http-port
        std::string variable() const;            // LEFTFOLD_HTTP_PORT
        std::vector<std::string> flags() const;  // aliases, then flag()
        bool has_flag(std::string_view wanted) const;
    };
    std::span<const Entry> entries() const noexcept { return entries_; }
    bool has_settings() const;

  private:
    bool load_file(const ConfigurationInput& input, std::vector<ConfigurationProblem>& problems);
    void load_environment(const ConfigurationInput& input, std::vector<ConfigurationProblem>& problems);
    void load_flags(const ConfigurationInput& input, std::vector<ConfigurationProblem>& problems);
    void find_missing(std::vector<ConfigurationProblem>& problems) const;
    void assign(Entry& entry, ConfigurationSource source, std::string origin, std::span<const std::string> texts,
                std::vector<ConfigurationProblem>& problems);

    std::vector<Entry> entries_;
    std::vector<std::function<Result<>()>> checks_;
};

}  // namespace leftfold
