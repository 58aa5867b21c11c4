#include "leftfold/gateway/router.hpp"

#include <array>
#include <map>

#include <fmt/format.h>

#include "leftfold/http/url.hpp"

namespace leftfold::gateway {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<http::Method, RouteId> routes;
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

namespace {

// Calls with each part between slashes; false from `visit` stops.
template <class Visit>
bool for_each_segment(std::string_view path, Visit visit) {
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = path.find('/');
        if (!visit(path.substr(0, end)))
            return false;
        path = end == std::string_view::npos ? std::string_view() : path.substr(end);
    }
    return true;
}

bool is_literal(std::string_view segment) noexcept {
    for (const char c : segment) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!plain)
            return false;
    }
    return !segment.empty();
}

}  // namespace

Result<> Router::add(http::Method method, std::string_view pattern, RouteId route) {
    const auto malformed = [&](std::string_view why) {
        return fail(ErrorCode::invalid_argument, fmt::format("route '{}': {}", pattern, why));
    };
    if (!pattern.starts_with('/'))
        return malformed("a route begins with '/'");
    Node* node = root_.get();
    std::size_t parameters = 0;
    std::size_t segments = 0;
    const bool well_formed = pattern == "/" || for_each_segment(pattern, [&](std::string_view segment) {
                                 if (++segments > kSegmentsMax)
                                     return false;
                                 std::unique_ptr<Node>* next = nullptr;
                                 if (segment.size() > 2 && segment.front() == '{' && segment.back() == '}') {
                                     ++parameters;
                                     next = &node->parameter;
                                 } else if (is_literal(segment)) {
                                     next = &node->literals[std::string(segment)];
                                 } else {
                                     return false;
                                 }
                                 if (!*next)
                                     *next = std::make_unique<Node>();
                                 node = next->get();
                                 return true;
                             });
    if (!well_formed)
        return malformed("segments are of a-z, 0-9, '-', '_' and '.', or one {parameter}; at most 16");
    if (parameters > 1)
        return malformed("at most one {parameter}");
    if (!node->routes.emplace(method, route).second)
        return fail(ErrorCode::already_exists,
                    fmt::format("two declarations lead to {} {}", http::to_string(method), pattern));
    return {};
}

// What leads to the path: a tree walk that prefers literals and comes back for the parameter. A pattern has one
// parameter at most, so the ways to try are at most one more than there are segments.
struct Router::Walk {
    http::Method wanted;
    std::array<std::string_view, kSegmentsMax> segments{};
    std::size_t count = 0;
    std::string_view parameter{};  // not yet decoded
    Match match{};

    bool found() const noexcept { return match.kind == Match::Kind::found; }

    void visit(const Node& node, std::size_t index) {
        if (index == count) {
            arrive(node);
            return;
        }
        if (const auto literal = node.literals.find(segments[index]); literal != node.literals.end())
            visit(*literal->second, index + 1);
        if (found() || !node.parameter || segments[index].empty())
            return;
        parameter = segments[index];
        visit(*node.parameter, index + 1);
        if (!found())
            parameter = {};
    }

    void arrive(const Node& node) {
        if (const auto route = node.routes.find(wanted); route != node.routes.end()) {
            match.kind = Match::Kind::found;
            match.route = route->second;
            return;
        }
        if (node.routes.empty())
            return;
        match.kind = Match::Kind::wrong_method;
        for (const auto& [allowed, route] : node.routes) {
            match.allowed.insert(allowed);
            if (allowed == http::Method::get)
                match.allowed.insert(http::Method::head);
        }
    }
};

Router::Match Router::find(http::Method method, std::string_view raw_path) const {
    Walk walk{.wanted = method == http::Method::head ? http::Method::get : method};
    const bool short_enough = raw_path == "/" || for_each_segment(raw_path, [&](std::string_view segment) {
                                  if (walk.count == kSegmentsMax)
                                      return false;
                                  walk.segments[walk.count++] = segment;
                                  return true;
                              });
    if (!short_enough)
        return {};
    walk.visit(*root_, 0);
    if (!walk.found())
        return std::move(walk.match);
    if (auto decoded = http::percent_decode(walk.parameter))
        walk.match.parameter = std::move(*decoded);
    else
        return {};
    walk.match.allowed.clear();
    return std::move(walk.match);
}

}  // namespace leftfold::gateway
