#include <iostream>

#include "leftfold/base/time.hpp"

int main() {
    const auto time = leftfold::parse_rfc3339("1993-01-31T01:00:00+01:00");
    if (!time || leftfold::to_rfc3339(*time) != "1993-01-31T00:00:00Z") {
        std::cerr << "the installed library does not read a time\n";
        return 1;
    }
    std::cout << "the installed library works\n";
}
