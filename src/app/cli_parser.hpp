// Words of a command line sorted into command, flags and arguments; what they mean is not its business. The only place
// that knows CLI11; it takes 5 seconds to compile.
#pragma once

#include <string>
#include <vector>

namespace leftfold {

struct FlagSpec {
    std::vector<std::string> names;  // "--port", "-p"
    bool takes_value = true;
};

struct CommandSpec {
    std::vector<std::string> path;  // {"log", "verify"}
    std::vector<FlagSpec> flags;
};

struct ParsedFlag {
    std::size_t index = 0;           // of the command's flags
    std::vector<std::string> texts;  // one for each time it was given; "true" where it takes no value
};

struct ParsedWords {
    std::vector<std::string> path;  // the words that name a group or command
    bool help = false;              // --help or -h
    std::vector<ParsedFlag> flags;
    std::vector<std::string> arguments;
    std::vector<std::string> unknown;  // what nothing of the above takes, in order
    std::string mistake;               // of form, such as a flag without its value; empty if there is none
};

ParsedWords parse_words(const std::vector<CommandSpec>& commands, const std::vector<std::string>& words);

}  // namespace leftfold
