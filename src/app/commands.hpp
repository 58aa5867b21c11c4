// The subcommands that every built service has. Each takes what the application consists of, and gives a CliCommand.
#pragma once

#include <string>
#include <vector>

#include "leftfold/app/command_line.hpp"
#include "leftfold/app/service.hpp"

namespace leftfold {

struct ApplicationParts {
    std::string name;
    std::string version = "0.0.0";
    std::vector<Service> services;

    std::string default_directory() const { return "./" + name + "-data"; }
};

// `parts` outlive the commands.
CliCommand serve_command(const ApplicationParts& parts);
CliCommand events_command(const ApplicationParts& parts);
CliCommand replay_command(const ApplicationParts& parts);
CliCommand log_info_command(const ApplicationParts& parts);
CliCommand catalogue_command(const ApplicationParts& parts);
CliCommand version_command(const ApplicationParts& parts);

}  // namespace leftfold
