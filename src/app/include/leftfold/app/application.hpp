// Application: one or several services, and the program around them: configuration, life cycle, command line.
//
//   int main(int argc, char** argv) {
//       return leftfold::Application("bank").host(accounts).run(argc, argv);
//   }
//
// The built program offers `serve`, `events`, `replay`, `log info`, `log verify`, `catalogue` and `version`; `--help`
// tells about each. With --data DIR the events are kept there; one process holds a directory, and the others ask it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "leftfold/app/command_line.hpp"
#include "leftfold/app/service.hpp"

namespace leftfold {

class Application {
  public:
    // Lower case, digits and dashes: the first part of the names of all that is stored.
    explicit Application(std::string_view name);
    ~Application();
    Application(Application&&) noexcept;
    Application& operator=(Application&&) noexcept;

    // Takes a copy.
    Application& host(Service service);
    // Answers GET `path` with this page of the user's own, which asks the services as any client does. Its scripts and
    // styles are within it: the browser is told to load and ask nothing but what this server has.
    Application& page(std::string_view path, std::string_view html);
    // A subcommand of the user's own.
    Application& cli_command(CliCommand command);
    // Shown by `version` and `--version`.
    Application& version(std::string_view text);

    // Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
    int run(int argc, char** argv);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold
