// What the parts of Inspection have in common: the parameters of a question, and how an error is answered.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "leftfold/base/error.hpp"
#include "leftfold/http/message.hpp"

namespace leftfold {

// The parameters of a request; an unknown or malformed one is an error.
class InspectionQuery {
  public:
    static Result<InspectionQuery> parse(std::string_view text, std::initializer_list<std::string_view> known);

    // Empty where it is not given.
    std::string_view text(std::string_view name) const;
    Result<std::int64_t> number(std::string_view name, std::int64_t otherwise, std::int64_t max) const;

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

http::Response inspection_problem(const Error& error);

}  // namespace leftfold
