// Errors and refusals as problem documents: the one place where a failure becomes a status code.
#pragma once

#include <string_view>

#include "leftfold/aggregate/runtime.hpp"
#include "leftfold/http/problem.hpp"

namespace leftfold::gateway {

http::Response problem_of(const Error& error);
http::Response problem_of(const CommandMalformed& malformed);
http::Response problem_of(const CommandRejected& rejected, std::string_view scope);
http::Response problem_of(const CommandConflict& conflict);
http::Response problem_of(const CommandIdReused&);

http::Response bad_request(std::string_view name, std::string_view title, std::string_view detail);

// ETag: "7"
void add_etag(http::Response& response, Version version);

}  // namespace leftfold::gateway
