#include "declarations.hpp"

#include <map>
#include <set>
#include <span>
#include <utility>

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
    void check(std::string_view application, const std::vector<Service>& services,
               const std::vector<PageDeclaration>& pages) {
        is_application_named_ = check_name("application", application);
        for (const char* pattern : {"/metrics", "/health/live", "/health/ready"})
            add_route({http::Method::get, pattern}, "the server itself");
        for (const gateway::RoutePattern& route : gateway::routes_of_events())
            add_route(route, "the server itself");
        for (const PageDeclaration& page : pages)
            add_route({http::Method::get, page.path}, fmt::format("page '{}'", page.path));
        std::set<std::string_view> names;
        for (const Service& service : services) {
            check_name("service", service.name());
            if (!names.insert(service.name()).second)
                mistakes.push_back(fmt::format("service '{}' is hosted twice", service.name()));
            for (const AggregateDeclaration& aggregate : service.aggregates())
                check_aggregate(application, service, aggregate);
        }
        if (!is_application_named_)
            return;
        // Once all topics and commands are known.
        for (const Service& service : services) {
            for (const AggregateDeclaration& aggregate : service.aggregates())
                if (aggregate.make_process != nullptr)
                    check_process(application, service, aggregate);
            for (const ProjectionDeclaration& projection : service.projections())
                check_projection(application, service, projection);
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
        topics_.insert(topic_name(application, aggregate.name));
        if (aggregate.is_inbox)
            return;
        if (aggregate.route.find("/{") == std::string::npos) {
            mistakes.push_back(fmt::format("{}: the route '{}' has no {{id}}; '{}/{{id}}', for example", where,
                                           aggregate.route, aggregate.route));
            return;
        }
        const auto model = aggregate.make_model(application, aggregate.name);
        for (const CommandType& command : model->routed_commands())
            commands_.emplace(aggregate.name, command.name);
        for (const auto& route : gateway::routes_of_aggregate(aggregate.route, model->routed_commands()))
            if (!add_route(route, where))
                return;
    }

    void check_process(std::string_view application, const Service& service, const AggregateDeclaration& process) {
        const std::string where = fmt::format("process '{}' of service '{}'", process.name, service.name());
        const auto model = process.make_process(application, process.name);
        check_topics(where, model->input_topics());
        for (const SentCommandType& sent : model->sends())
            if (!commands_.contains({sent.aggregate, sent.name}))
                mistakes.push_back(
                    fmt::format("{} sends '{}' to '{}', and no service hosted here has such an aggregate "
                                "with such a command: host the one that does, or mend the names",
                                where, sent.name, sent.aggregate));
    }

    void check_topics(const std::string& where, std::span<const std::string> topics) {
        for (const std::string& topic : topics)
            if (!topics_.contains(topic))
                mistakes.push_back(fmt::format(
                    "{} reads '{}', and no service hosted here writes it: host the one that does", where, topic));
    }

    void check_projection(std::string_view application, const Service& service,
                          const ProjectionDeclaration& projection) {
        const std::string where = fmt::format("projection '{}' of service '{}'", projection.name, service.name());
        if (!check_name("projection", projection.name))
            return;
        if (!projections_.insert(projection.name).second) {
            mistakes.push_back(fmt::format("{} is declared twice: call one of them something else", where));
            return;
        }
        const auto model = projection.make_model(application, projection.name);
        check_topics(where, model->topics());
        for (const std::string& route : projection.routes) {
            if (const auto checked = gateway::check_projection_route(route, *model); !checked)
                mistakes.push_back(fmt::format("{}: {}", where, checked.error().message()));
            else if (!add_route({http::Method::get, route}, where))
                return;
        }
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
    std::set<std::string, std::less<>> topics_;
    std::set<std::pair<std::string, std::string>> commands_;  // by aggregate and name
    std::set<std::string_view> projections_;
};

}  // namespace

std::vector<std::string> mistakes_in(std::string_view application, const std::vector<Service>& services,
                                     const std::vector<PageDeclaration>& pages) {
    Declarations declarations;
    declarations.check(application, services, pages);
    return std::move(declarations.mistakes);
}

}  // namespace leftfold
