#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

// bank import FILE.csv --url URL
leftfold::CliCommand import_command();
// bank generate --seed N
leftfold::CliCommand generate_command();

}  // namespace bank
