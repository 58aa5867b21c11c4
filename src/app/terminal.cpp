#include "leftfold/app/terminal.hpp"

#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

namespace leftfold {

Terminal standard_terminal() {
    Terminal terminal{std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1};
    winsize size{};
    if (terminal.err_is_terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        terminal.columns = size.ws_col;
    return terminal;
}

}  // namespace leftfold
