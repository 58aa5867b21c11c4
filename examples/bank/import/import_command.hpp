#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

// bank import FILE.csv --url URL
leftfold::Command import_command();
// bank generate --seed N
leftfold::Command generate_command();

}  // namespace bank
