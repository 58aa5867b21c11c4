// Router: from a method and a path to what was declared for it. Patterns are declared, never guessed; a collision is an
// error at the start of the service.
//
// A pattern is "/" and segments: literal ("accounts"), or one parameter ("{id}"). Where two lead to a path, the one
// with the literal first wins; but what only the other answers, it answers: an id may be called like a command.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/http/message.hpp"

namespace leftfold::gateway {

// What a route stands for; the gateway's index into its own table.
using RouteId = StrongId<struct RouteIdTag, std::uint32_t>;

struct RoutePattern {
    http::Method method = http::Method::get;
    std::string pattern;

    friend bool operator==(const RoutePattern&, const RoutePattern&) = default;
};

class Router {
  public:
    static constexpr std::size_t kSegmentsMax = 16;

    Router();
    ~Router();

    // invalid_argument: not a pattern. already_exists: another route has this method and pattern.
    Result<> add(http::Method method, std::string_view pattern, RouteId route);

    struct Match {
        enum class Kind : std::uint8_t { found, wrong_method, unknown } kind = Kind::unknown;
        RouteId route;
        std::string parameter;             // decoded; empty if the pattern has none
        std::set<http::Method> allowed{};  // if wrong_method
    };
    // `raw_path` has valid percent-encoding; HEAD finds what GET does.
    Match find(http::Method method, std::string_view raw_path) const;

  private:
    struct Node;
    struct Walk;
    std::unique_ptr<Node> root_;
};

}  // namespace leftfold::gateway
