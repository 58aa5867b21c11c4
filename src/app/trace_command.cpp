// trace: what one cause brought about, over all topics, as a tree.

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "leftfold/app/progress.hpp"
#include "leftfold/event/json_value.hpp"
#include "leftfold/http/url.hpp"

#include "commands.hpp"
#include "dialogue.hpp"

namespace leftfold {

namespace {

struct Settings {
    std::string directory;
    std::string correlation;
    bool json = false;
};

struct TracedEvent {
    std::string topic;
    std::string key;
    std::string id;
    std::string type;
    std::string sequence;
    std::string command_id;
    std::string causation_id;
    Timestamp recorded_at{};
    std::string data;
    std::string line;  // as the owner gave it
};

// The events of one command to one aggregate, or of one input of a process.
struct TracedCommand {
    std::string command_id;
    std::string causation_id;
    std::vector<std::size_t> events;    // in the order of their versions
    std::vector<std::size_t> children;  // commands, by time
};

class Trace {
  public:
    Result<> add(std::string_view lines) {
        while (!lines.empty()) {
            const std::string_view line = lines.substr(0, lines.find('\n'));
            LEFTFOLD_CHECK(add_line(line));
            lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        }
        return {};
    }
    bool empty() const noexcept { return events_.empty(); }

    void print_lines(std::ostream& out) const {
        for (const TracedEvent& event : events_)
            out << event.line << '\n';
    }

    void print_tree(std::ostream& out) {
        const std::vector<std::size_t> roots = connect();
        const auto first = std::ranges::min_element(events_, {}, &TracedEvent::recorded_at);
        out << to_rfc3339(first->recorded_at) << '\n';
        for (std::size_t i = 0; i < roots.size(); ++i)
            print(out, roots[i], first->recorded_at, "", i + 1 == roots.size());
    }

  private:
    Result<> add_line(std::string_view line) {
        const auto parsed = json::Value::parse(line);
        if (!parsed)
            return std::unexpected(parsed.error().to_error().with_context("the owner's answer"));
        const json::Value& value = *parsed;
        const json::Value* event = value.find("event");
        if (event == nullptr)
            return fail(ErrorCode::corrupt, "the owner's answer holds no event");
        const auto text = [](const json::Value& of, std::string_view name) {
            const json::Value* member = of.find(name);
            return member != nullptr && member->string() != nullptr ? *member->string() : std::string();
        };
        TracedEvent traced{.topic = text(value, "topic"),
                           .key = text(*event, "subject"),
                           .id = text(*event, "id"),
                           .type = text(*event, "type"),
                           .sequence = text(*event, "sequence"),
                           .command_id = text(*event, "commandid"),
                           .causation_id = text(*event, "causationid"),
                           .recorded_at = {},
                           .data = {},
                           .line = std::string(line)};
        if (const auto recorded_at = parse_rfc3339(text(*event, "recordedat")))
            traced.recorded_at = *recorded_at;
        if (const json::Value* data = event->find("data"))
            traced.data = json::to_string(*data);
        events_.push_back(std::move(traced));
        return {};
    }

    // Groups events to commands, hangs each under what caused it, and gives those that nothing in the trace caused.
    std::vector<std::size_t> connect() {
        std::map<std::tuple<std::string, std::string, std::string>, std::size_t> command_of;
        std::map<std::string, std::size_t> by_cause;  // of an event's or a command's id: the command
        for (std::size_t i = 0; i < events_.size(); ++i) {
            const TracedEvent& event = events_[i];
            const auto [found, is_new] =
                command_of.emplace(std::tuple(event.topic, event.key, event.command_id), commands_.size());
            if (is_new)
                commands_.push_back({event.command_id, event.causation_id, {}, {}});
            commands_[found->second].events.push_back(i);
            by_cause.emplace(event.id, found->second);
            by_cause.emplace(event.command_id, found->second);
        }
        std::vector<std::size_t> roots;
        for (std::size_t i = 0; i < commands_.size(); ++i) {
            const auto cause = by_cause.find(commands_[i].causation_id);
            const bool is_root = cause == by_cause.end() || cause->second == i;
            (is_root ? roots : commands_[cause->second].children).push_back(i);
        }
        const auto by_time = [this](std::size_t command) {
            return std::pair(events_[commands_[command].events[0]].recorded_at, command);
        };
        std::ranges::sort(roots, {}, by_time);
        for (TracedCommand& command : commands_)
            std::ranges::sort(command.children, {}, by_time);
        return roots;
    }

    // An id that names itself as its cause's cause cannot come from us, but a log may hold anything: each command once.
    void print(std::ostream& out, std::size_t index, Timestamp begin, const std::string& indent, bool is_last) {
        if (!printed_.insert(index).second)
            return;
        const TracedCommand& command = commands_[index];
        const TracedEvent& first = events_[command.events[0]];
        out << fmt::format("{}{} {} '{}'  command {}\n", indent, is_last ? "└─" : "├─", first.topic, first.key,
                           command.command_id);
        const std::string below = indent + (is_last ? "   " : "│  ");
        for (const std::size_t event : command.events)
            print_event(out, events_[event], begin, below, command.children.empty());
        for (std::size_t i = 0; i < command.children.size(); ++i)
            print(out, command.children[i], begin, below, i + 1 == command.children.size());
    }

    static void print_event(std::ostream& out, const TracedEvent& event, Timestamp begin, const std::string& indent,
                            bool is_leaf) {
        const auto after = std::chrono::duration_cast<std::chrono::microseconds>(event.recorded_at - begin);
        out << fmt::format("{}{} +{:.3f} ms  {} v{}  {}\n", indent, is_leaf ? " " : "│",
                           static_cast<double>(after.count()) / 1000, event.type, event.sequence, event.data);
    }

    std::vector<TracedEvent> events_;
    std::vector<TracedCommand> commands_;
    std::set<std::size_t> printed_;
};

struct TopicLines {
    std::string name;
};
struct LogReport {
    std::vector<TopicLines> topics;
};

Result<int> trace(const ApplicationParts& parts, const Settings& settings, Terminal& terminal) {
    LEFTFOLD_TRY(owner, Dialogue::open(parts, settings.directory, HostRole::questions));
    LEFTFOLD_TRY(log_answer, owner->ask("/log"));
    LEFTFOLD_TRY(log, read_report<LogReport>(log_answer.body));
    Progress progress(owner->clock(), terminal,
                      {.what = "trace", .unit = "topics", .total = log.topics.size(), .silent = settings.json});
    Trace found;
    for (const TopicLines& topic : log.topics) {
        const std::string target = fmt::format("/events?topic={}&correlation={}", http::percent_encode(topic.name),
                                               http::percent_encode(settings.correlation));
        std::string position;
        for (;;) {
            LEFTFOLD_TRY(answer, owner->ask(position.empty() ? target : target + "&position=" + position));
            LEFTFOLD_CHECK(found.add(answer.body));
            std::string next(answer.header("Leftfold-Position").value_or(""));
            if (next == position || next.empty())
                break;
            position = std::move(next);
        }
        progress.advance();
    }
    progress.finish();
    if (found.empty())
        return fail(ErrorCode::not_found, fmt::format("no event has the correlation id '{}'", settings.correlation));
    if (settings.json)
        found.print_lines(terminal.out);
    else
        found.print_tree(terminal.out);
    return 0;
}

}  // namespace

CliCommand trace_command(const ApplicationParts& parts) {
    return make_cli_command<Settings>(
        {.name = "trace",
         .summary = "Print what one cause brought about: a tree of commands and events, with times",
         .help =
             "A command that a client sends begins a correlation: its id is the value of Leftfold-Correlation-Id, or "
             "of "
             "Idempotency-Key, or made by the server; every event that follows from it, in any service, carries it "
             "(`correlationid`). Times are since the first event was recorded.\n\nReads the whole log. Works beside "
             "a running server, and without one.",
         .examples = {{"trace 207264", "as a tree"}, {"trace 207264 --json", "the events as lines"}}},
        [&parts](Settings& settings, CliCommand& command) {
            add_directory(command, settings.directory, parts);
            command.arguments.push_back({.name = "CORRELATION-ID",
                                         .value = Value::text(settings.correlation),
                                         .help = "`correlationid` of an event"});
            command.configuration.add(
                {.name = "json", .value = Value::boolean(settings.json), .help = "Print the events as JSON lines"});
        },
        [&parts](Settings& settings, Terminal& terminal) { return trace(parts, settings, terminal); });
}

}  // namespace leftfold
