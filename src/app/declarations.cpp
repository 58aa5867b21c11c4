#include "declarations.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

#include "leftfold/gateway/gateway.hpp"

namespace leftfold {

namespace {

// Two of them and "outcomes" fit into the name of a topic, which has 200 at most.
constexpr std::size_t kNameBytesMax = 80;

bool is_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > kNameBytesMax || name.front() < 'a' || name.front() > 'z' ||
        name.ends_with('-') || name.find("--") != std::string_view::npos)
        return false;
    for (const char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    return true;
}

class Declarations {
  public:
    void check(std::string_view application, const std::vector<Service>& services) {
        is_application_named_ = check_name("application", application);
        for (const char* pattern : {"/metrics", "/health/live", "/health/ready"})
            add_route({http::Method::get, pattern}, "the server itself");
        for (const gateway::RoutePattern& route : gateway::routes_of_events())
            add_route(route, "the server itself");
        std::set<std::string_view> names;
        for (const Service& service : services) {
            check_name("service", service.name());
            if (!names.insert(service.name()).second)
                mistakes.push_back(fmt::format("service '{}' is hosted twice", service.name()));
            for (const AggregateDeclaration& aggregate : service.aggregates())
                check_aggregate(application, service, aggregate);
        }
    }

    std::vector<std::string> mistakes;

  private:
    bool check_name(std::string_view what, std::string_view name) {
        if (is_name(name))
            return true;
        mistakes.push_back(
            fmt::format("{} '{}': a name is made of lower-case letters, digits and single dashes, begins "
                        "with a letter and has at most {} characters, such as 'savings-account'",
                        what, name, kNameBytesMax));
        return false;
    }

    void check_aggregate(std::string_view application, const Service& service, const AggregateDeclaration& aggregate) {
        const std::string_view what = aggregate.is_inbox ? "inbox" : "aggregate";
        const std::string where = fmt::format("{} '{}' of service '{}'", what, aggregate.name, service.name());
        if (!check_name(what, aggregate.name) || !is_application_named_)
            return;
        const auto [first, is_new] = service_of_.emplace(aggregate.name, service.name());
        if (!is_new) {
            mistakes.push_back(
                fmt::format("{} has the name of one of service '{}', and their events would mix: call it "
                            "something else",
                            where, first->second));
            return;
        }
        if (aggregate.is_inbox)
            return;
        if (aggregate.route.find("/{") == std::string::npos) {
            mistakes.push_back(fmt::format("{}: the route '{}' has no {{id}}; '{}/{{id}}', for example", where,
                                           aggregate.route, aggregate.route));
            return;
        }
        const auto model = aggregate.make_model(application, aggregate.name);
        for (const auto& route : gateway::routes_of_aggregate(aggregate.route, model->commands()))
            if (!add_route(route, where))
                return;
    }

    // The first mistake of an aggregate's routes stands for the others.
    bool add_route(const gateway::RoutePattern& route, const std::string& owner) {
        const auto added =
            router_.add(route.method, route.pattern, gateway::RouteId(static_cast<std::uint32_t>(owners_.size())));
        if (added) {
            owners_.push_back(owner);
            return true;
        }
        if (added.error().code() != ErrorCode::already_exists) {
            mistakes.push_back(fmt::format("{}: {}", owner, added.error().message()));
            return false;
        }
        std::string path = route.pattern;
        if (const std::size_t begin = path.find('{'); begin != std::string::npos)
            path.replace(begin, path.find('}') + 1 - begin, "%01");  // no literal is called so
        const std::string& other = owners_[router_.find(route.method, path).route.value()];
        if (other == owner)
            mistakes.push_back(fmt::format("{}: two of its commands lead to {} {}: rename one", owner,
                                           http::to_string(route.method), route.pattern));
        else
            mistakes.push_back(fmt::format("{}: {} {} belongs to {} already: give it another route", owner,
                                           http::to_string(route.method), route.pattern, other));
        return false;
    }

    bool is_application_named_ = false;
    gateway::Router router_;
    std::vector<std::string> owners_;  // by RouteId
    std::map<std::string_view, std::string_view> service_of_;
};

}  // namespace

std::vector<std::string> mistakes_in(std::string_view application, const std::vector<Service>& services) {
    Declarations declarations;
    declarations.check(application, services);
    return std::move(declarations.mistakes);
}

}  // namespace leftfold
