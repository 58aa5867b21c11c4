#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

// bank import FILE.csv --url URL
leftfold::CliCommand import_command();

}  // namespace bank
