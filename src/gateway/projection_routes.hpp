// The routes of one projection: queries of its first table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "leftfold/gateway/gateway.hpp"
#include "leftfold/http/url.hpp"
#include "leftfold/projection/queries.hpp"
#include "leftfold/projection/runner.hpp"

namespace leftfold::gateway {

// "account" of "/balances/{account}"; empty if there is none.
std::string_view parameter_of(std::string_view pattern) noexcept;

class ProjectionRoutes {
  public:
    ProjectionRoutes(const Env& env, log::EventLog& log, ProjectionRunner& runner, MetricRegistry& registry);

    // `parameter` is part of the path, and called as one of the table's columns; empty where the pattern has none.
    void query(const std::string& column, std::string parameter, const http::Request& request,
               http::Responder responder);

  private:
    http::Response answer(std::span<const http::QueryParameter> parameters);
    http::Response answer_row(std::span<const QueryParameter> parameters, rows::RowReader& reader);
    http::Response answer_page(std::span<const QueryParameter> parameters, rows::RowReader& reader);
    http::Response failed(const Error& error);
    // The parameters ask for one row: they are the columns of its key, and nothing else.
    bool is_key(std::span<const QueryParameter> parameters) const noexcept;

    Env env_;
    log::EventLog& log_;
    ProjectionRunner& runner_;
    TableQueries queries_;
    Histogram& seconds_;
};

}  // namespace leftfold::gateway
