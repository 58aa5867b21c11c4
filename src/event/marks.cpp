#include "leftfold/event/marks.hpp"

#include <stdexcept>

namespace leftfold::detail {

void throw_out_of_bounds() {
    throw std::out_of_range("Bounded: the value is outside of its range");
}

}  // namespace leftfold::detail
