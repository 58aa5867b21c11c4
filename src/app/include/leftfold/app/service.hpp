// Service: what one service consists of, as a value. It runs nothing; an Application does.
//
//   leftfold::Service accounts("accounts");
//   accounts.aggregate<bank::Account>("account", "/accounts/{id}");
//   accounts.accepts<bank::ReviewEvents>();  // events that others post
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/inbox.hpp"
#include "leftfold/aggregate/typed_model.hpp"

namespace leftfold {

struct AggregateDeclaration {
    using MakeModel = std::unique_ptr<AggregateModel> (*)(std::string_view application, std::string_view aggregate);

    std::string name;   // "account": part of the names of its events and its topic
    std::string route;  // "/accounts/{id}"; empty for an inbox
    MakeModel make_model = nullptr;
    bool is_inbox = false;  // holds events of others, which come by POST /events
};

class Service {
  public:
    // Lower case, digits and dashes. It names the service to operators; nothing is stored under it.
    explicit Service(std::string_view name) : name_(name) {}

    // Declares an aggregate. `name` becomes part of what is stored ("bank.account.withdrawn"): it cannot change later.
    template <class Aggregate>
    Service& aggregate(std::string_view name, std::string_view route) {
        aggregates_.push_back({.name = std::string(name),
                               .route = std::string(route),
                               .make_model = &make_typed_model<Aggregate>,
                               .is_inbox = false});
        return *this;
    }

    // Takes events of this stream from others, as CloudEvents at POST /events, and keeps them: "bank.review.approved",
    // a stream for each `subject`. The name comes from the events header (`aggregate`), by which readers find them,
    // too.
    template <EventStream Events>
    Service& accepts() {
        aggregates_.push_back({.name = std::string(std::string_view(Events::aggregate)),
                               .route = {},
                               .make_model = &make_typed_model<Inbox<Events>>,
                               .is_inbox = true});
        return *this;
    }

    const std::string& name() const noexcept { return name_; }
    // Inboxes among them.
    const std::vector<AggregateDeclaration>& aggregates() const noexcept { return aggregates_; }

  private:
    std::string name_;
    std::vector<AggregateDeclaration> aggregates_;
};

}  // namespace leftfold
