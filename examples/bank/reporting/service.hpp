#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

leftfold::Service reporting_service();

}  // namespace bank
