// Dialogue: a tool's conversation with the owner of a data directory, one question or order after the other, each
// waited for. A signal ends the waiting.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/app/application.hpp"
#include "leftfold/event/json.hpp"

#include "commands.hpp"
#include "owner.hpp"

namespace leftfold {

class Dialogue {
  public:
    // `role`: what runs where this process becomes the owner.
    static Result<std::unique_ptr<Dialogue>> open(const ApplicationParts& parts, const std::string& directory,
                                                  HostRole role);

    Result<http::ClientResponse> ask(std::string target);
    Result<http::ClientResponse> order(std::string target, Duration timeout);
    // False: a signal came meanwhile.
    bool pause(Duration duration);
    const Clock& clock() const noexcept { return real_.env().clock; }

  private:
    template <class Send>
    Result<http::ClientResponse> wait_for(const Send& send);

    mutable RealEnv real_;
    bool is_interrupted_ = false;
    std::unique_ptr<OwnerSession> session_;
};

// An answer of one JSON object, or of a line for each.
template <class Report>
Result<Report> read_report(std::string_view text) {
    auto report = json::read<Report>(text, json::Strictness::lenient);
    if (!report)
        return std::unexpected(report.error().to_error().with_context("the owner's answer"));
    return *std::move(report);
}
template <class Report>
Result<std::vector<Report>> read_reports(std::string_view lines) {
    std::vector<Report> reports;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        LEFTFOLD_TRY(report, read_report<Report>(line));
        reports.push_back(std::move(report));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    }
    return reports;
}

}  // namespace leftfold
