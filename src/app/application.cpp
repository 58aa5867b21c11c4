#include "leftfold/app/application.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>

#include "commands.hpp"
#include "declarations.hpp"

namespace leftfold {

struct Application::Impl {
    ApplicationParts parts;
    std::vector<CliCommand> commands;
};

Application::Application(std::string_view name) : impl_(std::make_unique<Impl>()) {
    impl_->parts.name = name;
}
Application::~Application() = default;
Application::Application(Application&&) noexcept = default;
Application& Application::operator=(Application&&) noexcept = default;

std::vector<CliCommand> built_in_commands(const ApplicationParts& parts) {
    std::vector<CliCommand> commands;
    commands.push_back(serve_command(parts));
    commands.push_back(events_command(parts));
    commands.push_back(replay_command(parts));
    commands.push_back(log_info_command(parts));
    commands.push_back(log_verify_command(parts));
    commands.push_back(trace_command(parts));
    std::ranges::move(projection_commands(parts), std::back_inserter(commands));
    std::ranges::move(process_commands(parts), std::back_inserter(commands));
    commands.push_back(catalogue_command(parts));
    commands.push_back(version_command(parts));
    return commands;
}

Application& Application::host(Service service) {
    impl_->parts.services.push_back(std::move(service));
    return *this;
}

Application& Application::page(std::string_view path, std::string_view html) {
    impl_->parts.pages.push_back({std::string(path), std::string(html)});
    return *this;
}

Application& Application::cli_command(CliCommand command) {
    impl_->commands.push_back(std::move(command));
    return *this;
}

Application& Application::version(std::string_view text) {
    impl_->parts.version = text;
    return *this;
}

int Application::run(int argc, char** argv) {
    impl_->parts.program = argc > 0 ? argv[0] : impl_->parts.name;
    const ApplicationParts& parts = impl_->parts;
    if (const auto mistakes = mistakes_in(parts.name, parts.services, parts.pages); !mistakes.empty()) {
        const Terminal terminal = standard_terminal();
        for (const std::string& mistake : mistakes)
            terminal.err << parts.name << ": " << mistake << '\n';
        return kExitUsage;
    }
    CommandLine line(
        parts.name, "event-sourced services: " + [&] {
            std::string names;
            for (const Service& service : parts.services)
                names += (names.empty() ? "" : ", ") + service.name();
            return names;
        }());
    line.group("log", "Look at what is stored");
    line.group("processes", "Look at process managers: what they wait for");
    line.group("timers", "Look at the timers of processes");
    line.group("projections", "Look at the tables that are folded out of events, build them anew, take copies");
    std::vector<CliCommand> commands = built_in_commands(parts);
    commands.insert(commands.begin() + 1, std::move_iterator(impl_->commands.begin()),
                    std::move_iterator(impl_->commands.end()));
    impl_->commands.clear();
    for (CliCommand& command : commands)
        line.add(std::move(command));
    return line.run(argc, argv);
}

}  // namespace leftfold
