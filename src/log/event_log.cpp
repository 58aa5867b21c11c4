#include "leftfold/log/event_log.hpp"

namespace leftfold::log {

std::string ExpectedVersion::to_string() const {
    if (value_ == kAny)
        return "any";
    if (value_ == kExists)
        return "exists";
    return std::to_string(value_);
}

}  // namespace leftfold::log
