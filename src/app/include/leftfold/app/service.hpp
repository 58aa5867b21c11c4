// Service: what one service consists of, as a value. It runs nothing; an Application does.
//
//   leftfold::Service accounts("accounts");
//   accounts.aggregate<bank::Account>("account", "/accounts/{id}");
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/typed_model.hpp"

namespace leftfold {

struct AggregateDeclaration {
    using MakeModel = std::unique_ptr<AggregateModel> (*)(std::string_view application, std::string_view aggregate);

    std::string name;   // "account": part of the names of its events and its topic
    std::string route;  // "/accounts/{id}"
    MakeModel make_model = nullptr;
};

class Service {
  public:
    // Lower case, digits and dashes. It names the service to operators; nothing is stored under it.
    explicit Service(std::string_view name) : name_(name) {}

    // Declares an aggregate. `name` becomes part of what is stored ("bank.account.withdrawn"): it cannot change later.
    template <class Aggregate>
    Service& aggregate(std::string_view name, std::string_view route) {
        aggregates_.push_back({std::string(name), std::string(route), &make_typed_model<Aggregate>});
        return *this;
    }

    const std::string& name() const noexcept { return name_; }
    const std::vector<AggregateDeclaration>& aggregates() const noexcept { return aggregates_; }

  private:
    std::string name_;
    std::vector<AggregateDeclaration> aggregates_;
};

}  // namespace leftfold
