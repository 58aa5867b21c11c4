#pragma once

#include "leftfold/leftfold.hpp"

namespace bank {

// POST /accounts/{id}/open|deposit|withdraw|close, GET /accounts/{id}
leftfold::Service accounts_service();

}  // namespace bank
