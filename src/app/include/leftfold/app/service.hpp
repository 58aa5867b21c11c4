// Service: what one service consists of, as a value. It runs nothing; an Application does.
//
//   leftfold::Service accounts("accounts");
//   accounts.aggregate<bank::Account>("account", "/accounts/{id}");
//   transfers.process<bank::Transfer>("transfer", "/transfers/{id}");
//   reporting.projection<bank::Balances>("balances", "/balances/{account}", "/balances");
//   accounts.accepts<bank::ReviewEvents>();  // events that others post
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/inbox.hpp"
#include "leftfold/aggregate/typed_model.hpp"
#include "leftfold/process/typed_process.hpp"
#include "leftfold/projection/typed_projection.hpp"

namespace leftfold {

struct AggregateDeclaration {
    using MakeModel = std::unique_ptr<AggregateModel> (*)(std::string_view application, std::string_view aggregate);

    using MakeProcess = std::unique_ptr<ProcessModel> (*)(std::string_view application, std::string_view process);

    std::string name;   // "account": part of the names of its events and its topic
    std::string route;  // "/accounts/{id}"; empty for an inbox
    MakeModel make_model = nullptr;
    MakeProcess make_process = nullptr;  // if it is a process: the same model
    bool is_inbox = false;               // holds events of others, which come by POST /events
};

struct ProjectionDeclaration {
    using MakeModel = std::unique_ptr<ProjectionModel> (*)(std::string_view application, std::string_view projection);

    std::string name;                 // "balances": names its files, its metrics, and it to operators
    std::vector<std::string> routes;  // "/balances/{account}", "/balances"; none: it is only for tools
    MakeModel make_model = nullptr;
};

struct PageDeclaration {
    std::string path;  // "/"
    std::string html;
};

class Service {
  public:
    // Lower case, digits and dashes. It names the service to operators; nothing is stored under it.
    explicit Service(std::string_view name) : name_(name) {}

    // Declares an aggregate. `name` becomes part of what is stored ("bank.account.withdrawn"): it cannot change later.
    template <class Aggregate>
    Service& aggregate(std::string_view name, std::string_view route) {
        aggregates_.push_back(
            {.name = std::string(name), .route = std::string(route), .make_model = &make_typed_model<Aggregate>});
        return *this;
    }

    // Declares a process manager: its instances are aggregates, too, with commands, state and events at their route.
    template <class Process>
    Service& process(std::string_view name, std::string_view route) {
        aggregates_.push_back(
            {.name = std::string(name),
             .route = std::string(route),
             .make_model =
                 [](std::string_view application, std::string_view process) {
                     return std::unique_ptr<AggregateModel>(make_typed_process<Process>(application, process));
                 },
             .make_process =
                 [](std::string_view application, std::string_view process) {
                     return std::unique_ptr<ProcessModel>(make_typed_process<Process>(application, process));
                 }});
        return *this;
    }

    // Declares a projection and where its first table is asked: by the key's column in the path, or by parameters.
    template <class Projection, std::convertible_to<std::string_view>... Routes>
    Service& projection(std::string_view name, const Routes&... routes) {
        projections_.push_back({std::string(name),
                                {std::string(std::string_view(routes))...},
                                [](std::string_view application, std::string_view projection) {
                                    return make_typed_projection<Projection>(application, projection);
                                }});
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
    const std::vector<ProjectionDeclaration>& projections() const noexcept { return projections_; }

  private:
    std::string name_;
    std::vector<AggregateDeclaration> aggregates_;
    std::vector<ProjectionDeclaration> projections_;
};

}  // namespace leftfold
