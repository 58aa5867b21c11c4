// events, replay and log info: they ask the owner of the data directory, whoever that is.

#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "leftfold/http/url.hpp"

#include "commands.hpp"
#include "owner.hpp"

namespace leftfold {

namespace {

constexpr std::chrono::seconds kAnswerTimeout{30};
constexpr std::chrono::seconds kFollowWait{20};

// Asks again and again, printing what comes, until `next_target` has nothing more to ask.
class Conversation {
  public:
    // From the last answer (none at first): the next thing to ask, or nullopt to end.
    using NextTarget = std::move_only_function<std::optional<std::string>(const http::ClientResponse*)>;

    Conversation(OwnerSession& owner, RealEnv& real, Terminal& terminal, NextTarget next_target)
        : owner_(owner), real_(real), terminal_(terminal), next_target_(std::move(next_target)) {}

    Result<int> run() {
        real_.on_termination_signal([this](int) { real_.stop(); });
        go_on(nullptr);
        if (!ended_)
            real_.run();
        if (error_)
            return std::unexpected(std::move(*error_));
        return 0;
    }

  private:
    void go_on(const http::ClientResponse* last) {
        auto target = next_target_(last);
        if (!target) {
            ended_ = true;
            real_.stop();
            return;
        }
        owner_.ask(std::move(*target), kAnswerTimeout, [this](Result<http::ClientResponse> response) {
            if (!response) {
                error_ = std::move(response).error();
                real_.stop();
                return;
            }
            terminal_.out << response->body << std::flush;
            if (!terminal_.out) {
                // As `| head` does it: nobody reads on.
                error_ = Error(ErrorCode::closed, "standard output cannot be written to");
                real_.stop();
                return;
            }
            go_on(&*response);
        });
    }

    OwnerSession& owner_;
    RealEnv& real_;
    Terminal& terminal_;
    NextTarget next_target_;
    std::optional<Error> error_;
    bool ended_ = false;
};

Result<int> converse(const ApplicationParts& parts, const std::string& directory, Terminal& terminal,
                     Conversation::NextTarget next_target,
                     OwnerSession::AtOwnersEnd at_owners_end = OwnerSession::AtOwnersEnd::ask_the_next) {
    RealEnv real;
    LEFTFOLD_TRY(owner,
                 OwnerSession::open(real, parts.name, parts.services, directory, at_owners_end, HostRole::questions));
    return Conversation(*owner, real, terminal, std::move(next_target)).run();
}

struct EventsSettings {
    std::string directory;
    std::string topic;
    std::string from = "start";
    bool follow = false;
};

std::optional<std::string> next_events_target(const EventsSettings& settings, const http::ClientResponse* last) {
    const std::string base =
        fmt::format("/events?topic={}{}", http::percent_encode(settings.topic),
                    settings.follow ? fmt::format("&wait-ms={}", std::chrono::milliseconds(kFollowWait).count()) : "");
    if (last == nullptr)
        return settings.from == "start" ? base : base + "&position=" + http::percent_encode(settings.from);
    if (last->body.empty() && !settings.follow)
        return std::nullopt;
    return base + "&position=" + std::string(last->header("Leftfold-Position").value_or(""));
}

struct ReplaySettings {
    std::string directory;
    std::string aggregate;
    std::string id;
};

std::optional<std::string> next_replay_target(const ReplaySettings& settings, const http::ClientResponse* last) {
    std::string target = fmt::format("/replay?aggregate={}&id={}", http::percent_encode(settings.aggregate),
                                     http::percent_encode(settings.id));
    if (last == nullptr)
        return target;
    const auto next = last->header("Leftfold-Next");
    return next ? std::optional(fmt::format("{}&from={}", target, *next)) : std::nullopt;
}

std::string aggregate_names(const ApplicationParts& parts) {
    std::string names;
    for (const Service& service : parts.services)
        for (const AggregateDeclaration& aggregate : service.aggregates())
            names += (names.empty() ? "" : ", ") + aggregate.name;
    return names;
}

// For examples in help.
std::string first_aggregate(const ApplicationParts& parts) {
    const std::string names = aggregate_names(parts);
    return names.substr(0, names.find(','));
}

// The topic of the first aggregate.
std::string default_topic(const ApplicationParts& parts) {
    for (const Service& service : parts.services)
        for (const AggregateDeclaration& aggregate : service.aggregates())
            return topic_name(parts.name, aggregate.name);
    return {};
}

}  // namespace

void add_directory(CliCommand& command, std::string& directory, const ApplicationParts& parts) {
    directory = parts.default_directory();
    command.configuration.add({.name = "data.directory",
                               .value = Value::text(directory, "DIR"),
                               .help = "Where the events are kept",
                               .aliases = {"--data"}});
}

CliCommand events_command(const ApplicationParts& parts) {
    return make_cli_command<EventsSettings>(
        {.name = "events",
         .summary = "Print the events of a topic as JSON lines",
         .help =
             "One line an event: topic, partition, position, and the event as CloudEvents JSON. Order holds within a "
             "partition, and so within one aggregate.\n\nWorks beside a running server, and without one.",
         .examples = {{"events", "all there are"},
                      {"events --follow | jq .event.type", "go on with what comes, until Ctrl-C"}}},
        [&parts](EventsSettings& settings, CliCommand& command) {
            settings.topic = default_topic(parts);
            add_directory(command, settings.directory, parts);
            command.configuration.add(
                {.name = "topic", .value = Value::text(settings.topic), .help = "Which topic; `log info` lists them"});
            command.configuration.add(
                {.name = "from",
                 .value = Value::text(settings.from, "POSITION"),
                 .help = "start, or what a reply carried in Leftfold-Position: then what came behind it"});
            command.configuration.add({.name = "follow",
                                       .value = Value::boolean(settings.follow),
                                       .help = "Wait for more at the end",
                                       .aliases = {"-f"}});
        },
        [&parts](EventsSettings& settings, Terminal& terminal) -> Result<int> {
            // One that follows could hold the directory for days, so it does not become the owner where a server was.
            return converse(
                parts, settings.directory, terminal,
                [&settings](const http::ClientResponse* last) { return next_events_target(settings, last); },
                settings.follow ? OwnerSession::AtOwnersEnd::fail : OwnerSession::AtOwnersEnd::ask_the_next);
        });
}

CliCommand replay_command(const ApplicationParts& parts) {
    return make_cli_command<ReplaySettings>(
        {.name = "replay",
         .summary = "Print an aggregate's history, with the state after each event",
         .help = "Folds the events of one aggregate with the code of this program, and prints a JSON line for each: "
                 "version, "
                 "type, times, the event's data and the state behind it.\n\nWorks beside a running server, and without "
                 "one.",
         .examples = {{fmt::format("replay {} 42", first_aggregate(parts)), "how 42 became what it is"},
                      {fmt::format("replay {} 42 | jq -c '[.version, .state]'", first_aggregate(parts)),
                       "only the state behind each event"}}},
        [&parts](ReplaySettings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            command.arguments.push_back({.name = "AGGREGATE",
                                         .value = Value::text(settings.aggregate),
                                         .help = "Its type: " + aggregate_names(parts)});
            command.arguments.push_back(
                {.name = "ID", .value = Value::text(settings.id), .help = "Which one, as in its route"});
        },
        [&parts](ReplaySettings& settings, Terminal& terminal) -> Result<int> {
            return converse(parts, settings.directory, terminal, [&settings](const http::ClientResponse* last) {
                return next_replay_target(settings, last);
            });
        });
}

CliCommand log_info_command(const ApplicationParts& parts) {
    struct Settings {
        std::string directory;
    };
    return make_cli_command<Settings>(
        {.name = "log info",
         .summary = "Print the topics, and the positions of their partitions, as JSON",
         .help = "For each partition of each topic: the position of the oldest event kept, and the one behind the last "
                 "that is "
                 "durable.\n\nWorks beside a running server, and without one.",
         .examples = {{"log info | jq .topics", "what is stored"}}},
        [&parts](Settings& settings, CliCommand& command) { add_directory(command, settings.directory, parts); },
        [&parts](Settings& settings, Terminal& terminal) -> Result<int> {
            return converse(parts, settings.directory, terminal,
                            [](const http::ClientResponse* last) -> std::optional<std::string> {
                                return last == nullptr ? std::optional<std::string>("/log") : std::nullopt;
                            });
        });
}

}  // namespace leftfold
