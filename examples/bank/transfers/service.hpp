#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

// POST /transfers/{id}/start|return-to, GET /transfers/{id}
leftfold::Service transfers_service();

}  // namespace bank
