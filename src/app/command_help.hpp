// The words of --help.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/app/command_line.hpp"

namespace leftfold {

// Breaks each line of `text` at blanks so that none is longer than `columns`, each with `indent` blanks before it. A
// line that begins with a blank is kept as it is.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns = 100);

std::string command_help(std::string_view program, const CliCommand& command);

// Of the whole program, or of the commands that begin with `path` ("log").
std::string overview_help(std::string_view program, std::string_view summary, std::string_view path,
                          const std::vector<CliCommand>& commands,
                          const std::map<std::string, std::string, std::less<>>& groups);

}  // namespace leftfold
