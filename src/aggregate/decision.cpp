#include "leftfold/aggregate/decision.hpp"

namespace leftfold {

void Rejection::add(std::string_view name, std::string_view json_text) {
    if (!details_.empty())
        details_.push_back(',');
    json::write(details_, std::string(name));
    details_.push_back(':');
    details_.append(json_text);
}

}  // namespace leftfold
