// The subcommands that every built service has. Each takes what the application consists of, and gives a CliCommand.
#pragma once

#include <string>
#include <vector>

#include "leftfold/app/command_line.hpp"
#include "leftfold/app/service.hpp"

namespace leftfold {

struct ApplicationParts {
    std::string name;
    std::string program = {};  // as it was called, so that messages can be pasted
    std::string version = "0.0.0";
    std::vector<Service> services;
    std::vector<PageDeclaration> pages = {};

    std::string default_directory() const { return "./" + name + "-data"; }
};

// `parts` outlive the commands.
CliCommand serve_command(const ApplicationParts& parts);
CliCommand events_command(const ApplicationParts& parts);
CliCommand replay_command(const ApplicationParts& parts);
CliCommand log_info_command(const ApplicationParts& parts);
CliCommand log_verify_command(const ApplicationParts& parts);
std::vector<CliCommand> projection_commands(const ApplicationParts& parts);
std::vector<CliCommand> process_commands(const ApplicationParts& parts);
CliCommand trace_command(const ApplicationParts& parts);
CliCommand catalogue_command(const ApplicationParts& parts);
CliCommand version_command(const ApplicationParts& parts);

// All of them, as the help lists them: `serve` first.
std::vector<CliCommand> built_in_commands(const ApplicationParts& parts);

// --data, for those that look at a directory.
void add_directory(CliCommand& command, std::string& directory, const ApplicationParts& parts);

}  // namespace leftfold
