// catalogue and version: what this program is, without a data directory.

#include <ostream>

#include <fmt/format.h>

#include "leftfold/env/real_env.hpp"
#include "leftfold/event/catalogue.hpp"

#include "commands.hpp"

namespace leftfold {

namespace {

constexpr std::uint64_t kCatalogueBytesMax = 16ULL * 1024 * 1024;

Result<Catalogue> catalogue_of(const ApplicationParts& parts) {
    std::vector<EventType> types;
    for (const Service& service : parts.services)
        for (const AggregateDeclaration& aggregate : service.aggregates()) {
            const auto model = aggregate.make_model(parts.name, aggregate.name);
            types.insert(types.end(), model->events().begin(), model->events().end());
        }
    return Catalogue::of(std::move(types));
}

struct CatalogueSettings {
    std::string check;
    std::string write;
};

Result<int> check_catalogue(const ApplicationParts& parts, const Catalogue& current, const std::string& path,
                            Terminal& terminal) {
    const std::string accept = fmt::format("{} catalogue --write {}", parts.program, path);
    auto text = read_file(*make_real_file_system(), path, kCatalogueBytesMax);
    if (!text && text.error().code() == ErrorCode::not_found) {
        terminal.err << fmt::format("{}: error: there is no catalogue yet: run `{}`, and commit the file\n", path,
                                    accept);
        return kExitFailure;
    }
    if (!text)
        return std::unexpected(std::move(text).error());
    auto golden = Catalogue::parse(*text);
    if (!golden)
        return std::unexpected(std::move(golden).error().with_context(path));
    const auto problems = Catalogue::compare(*golden, current, accept);
    for (const CatalogueProblem& problem : problems)
        terminal.err << fmt::format("{}: error: {}: {}\n", path, problem.type, problem.message);
    return problems.empty() ? 0 : kExitFailure;
}

}  // namespace

CliCommand catalogue_command(const ApplicationParts& parts) {
    return make_cli_command<CatalogueSettings>(
        {.name = "catalogue",
         .summary = "Print, check or write the catalogue of stored event types",
         .help =
             "The catalogue says under which name, version and shape each event is stored. Commit it, and let the "
             "build "
             "check it (CMake: leftfold_catalogue): then nobody renames a stored event, or changes its fields, without "
             "knowing. Without --check or --write it is printed.",
         .examples = {{"catalogue --check catalogue.json", "exit code 1, and what to do, if something changed"},
                      {"catalogue --write catalogue.json", "accept what there is now"}}},
        [](CatalogueSettings& settings, CliCommand& command) {
            command.configuration.add({.name = "check",
                                       .value = Value::text(settings.check, "FILE"),
                                       .help = "Compare with this committed file"});
            command.configuration.add(
                {.name = "write", .value = Value::text(settings.write, "FILE"), .help = "Write this file anew"});
        },
        [&parts](CatalogueSettings& settings, Terminal& terminal) -> Result<int> {
            LEFTFOLD_TRY(current, catalogue_of(parts));
            if (!settings.check.empty())
                return check_catalogue(parts, current, settings.check, terminal);
            if (settings.write.empty()) {
                terminal.out << current.to_text();
                return 0;
            }
            LEFTFOLD_CHECK(replace_file(*make_real_file_system(), settings.write, current.to_text()));
            return 0;
        });
}

CliCommand version_command(const ApplicationParts& parts) {
    CliCommand command{.name = "version", .summary = "Print the version of the application and of Leftfold"};
    command.run = [&parts](Terminal& terminal) -> Result<int> {
        terminal.out << fmt::format("{} {}\nleftfold {}\n", parts.name, parts.version, LEFTFOLD_VERSION);
        return 0;
    };
    return command;
}

}  // namespace leftfold
