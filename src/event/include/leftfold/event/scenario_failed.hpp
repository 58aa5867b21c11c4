// ScenarioFailed: what given(…).when(…).then(…) throws where something is not as expected. Its text tells the whole
// story; every test framework reports it.
#pragma once

#include <stdexcept>

namespace leftfold {

class ScenarioFailed : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

}  // namespace leftfold
