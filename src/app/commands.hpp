// The subcommands that every built service has. Each takes what the application consists of, and gives a Command.
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
Command serve_command(const ApplicationParts& parts);
Command events_command(const ApplicationParts& parts);
Command replay_command(const ApplicationParts& parts);
Command log_info_command(const ApplicationParts& parts);
Command catalogue_command(const ApplicationParts& parts);
Command version_command(const ApplicationParts& parts);

}  // namespace leftfold
