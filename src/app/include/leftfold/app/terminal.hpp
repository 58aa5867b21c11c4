// Terminal: where a command writes, and whether a person is looking.
#pragma once

#include <iosfwd>

namespace leftfold {

// Streams are borrowed. Results go to `out`, everything else (progress, mistakes) to `err`.
struct Terminal {
    std::ostream& out;
    std::ostream& err;
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    int columns = 80;  // of a line on `err`
};

// Standard output and standard error of this process.
Terminal standard_terminal();

}  // namespace leftfold
