// What is wrong with what an application declares, found before anything is opened: names that cannot be stored, names
// that come twice, routes that collide.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "leftfold/app/service.hpp"

namespace leftfold {

// One sentence each: what, where and what to do. Empty if all is well.
std::vector<std::string> mistakes_in(std::string_view application, const std::vector<Service>& services,
                                     const std::vector<PageDeclaration>& pages = {});

}  // namespace leftfold
