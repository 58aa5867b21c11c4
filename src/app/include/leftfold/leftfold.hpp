// All that a service needs: aggregates, their values, the service and the application around them.
#pragma once

#include "leftfold/aggregate/context.hpp"
#include "leftfold/aggregate/decision.hpp"
#include "leftfold/app/application.hpp"
#include "leftfold/app/service.hpp"
#include "leftfold/event/decimal.hpp"
#include "leftfold/event/event_stream.hpp"
#include "leftfold/event/marks.hpp"
