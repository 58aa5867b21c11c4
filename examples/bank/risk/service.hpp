#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

// GET /alerts?account=, GET /risk/{id}, POST /risk/{id}/review
leftfold::Service risk_service();

}  // namespace bank
