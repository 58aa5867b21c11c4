// What operators ask of projections, and have done with them. Part of Inspection:
//
//   GET  /projections                          a JSON line for each (projection_report.hpp)
//   GET  /projections/NAME
//   GET  /projections/NAME/difference          the report of the last comparison, JSON
//   POST /projections/NAME/rebuild?from-copy=PATH    answers when the build has begun
//   POST /projections/NAME/cancel-build
//   POST /projections/NAME/switch              to the generation that is ready
//   POST /projections/NAME/switch-back
//   POST /projections/NAME/retry
//   POST /projections/NAME/skip?topic=&partition=&position=
//   POST /projections/NAME/export?path=
#pragma once

#include <string_view>

#include "leftfold/http/server.hpp"

#include "host.hpp"

namespace leftfold {

class ProjectionInspection {
  public:
    // Both borrowed.
    ProjectionInspection(const Env& env, Host& host) noexcept : env_(env), host_(host) {}

    // `request.path` begins with /projections.
    void handle(const http::Request& request, http::Responder responder);

  private:
    Result<const HostedProjection*> find(std::string_view name) const;
    Result<http::Response> ask(const http::Request& request);
    Result<http::Response> difference(const HostedProjection& projection);
    void act(const HostedProjection& projection, std::string_view action, std::string_view query,
             http::Responder responder);

    Env env_;
    Host& host_;
};

}  // namespace leftfold
