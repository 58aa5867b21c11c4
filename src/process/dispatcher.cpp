#include "leftfold/process/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "command_pump.hpp"
#include "dispatch_rows.hpp"
#include "input_follower.hpp"
#include "row_keeper.hpp"
#include "timer_pump.hpp"

namespace leftfold {

using namespace process;

AggregateOptions options_of_process(AggregateOptions options) {
    options.outcomes_kept = std::chrono::hours(24 * 365 * 100);
    return options;
}

class ProcessDispatcher::Impl {
  public:
    Impl(const Env& env, log::EventLog& log, const ProcessModel& model, TopicId topic, AggregateRuntime& runtime,
         CommandSender& sender, ProcessOptions options)
        : options_(std::move(options)),
          context_{env, log, model, topic, runtime, options_, statistics_, trouble_},
          projection_(model, log.topics()[topic.value()].partition_count),
          rows_(env, log, projection_, topic, options_, statistics_, [this] { rows_changed(); }),
          commands_(context_, rows_, sender),
          timers_(context_, rows_) {}

    ~Impl() {
        if (watch_)
            context_.log.unwatch(*watch_);
    }

    Result<> start() {
        const auto topics = context_.log.topics();
        for (const std::string& name : context_.model.input_topics()) {
            const auto found = std::ranges::find(topics, name, &log::TopicDeclaration::name);
            if (name == context_.model.topic())
                return fail(ErrorCode::invalid_argument,
                            fmt::format("process '{}' hears its own events: it knows them already", model_name()));
            if (found == topics.end())
                return fail(ErrorCode::invalid_argument,
                            fmt::format("process '{}' hears '{}', and there is no such topic here: is its service "
                                        "hosted?",
                                        model_name(), name));
            const TopicId topic(static_cast<std::uint32_t>(found - topics.begin()));
            for (std::uint32_t i = 0; i < found->partition_count; ++i)
                inputs_.push_back(
                    std::make_unique<InputFollower>(context_, rows_, name, log::Slot{topic, PartitionId(i)}));
        }
        if (!inputs_.empty())
            watch_ = context_.log.watch([this](log::Slot slot, Position) {
                for (const auto& input : inputs_)
                    if (input->slot() == slot)
                        input->go_on();
            });
        rows_.start();
        return {};
    }

    void rows_changed() {
        if (rows_.reader() == nullptr || is_stopping_)
            return;
        for (const auto& input : inputs_)
            if (!input->is_started())
                input->start();
        commands_.rows_changed();
        timers_.rows_changed();
    }

    const std::string& model_name() const noexcept { return context_.model.name(); }

    ProcessOptions options_;
    ProcessStatistics statistics_;
    Trouble trouble_;
    DispatchContext context_;
    DispatchProjection projection_;
    RowKeeper rows_;
    CommandPump commands_;
    TimerPump timers_;
    std::vector<std::unique_ptr<InputFollower>> inputs_;
    std::optional<log::EventLog::WatchId> watch_;
    bool is_stopping_ = false;
};

ProcessDispatcher::ProcessDispatcher(const Env& env, log::EventLog& log, const ProcessModel& model, TopicId topic,
                                     AggregateRuntime& runtime, CommandSender& sender, ProcessOptions options)
    : impl_(std::make_unique<Impl>(env, log, model, topic, runtime, sender, std::move(options))) {}

ProcessDispatcher::~ProcessDispatcher() = default;

void ProcessDispatcher::on_trouble(Trouble trouble) {
    impl_->trouble_ = std::move(trouble);
}

Result<> ProcessDispatcher::start() {
    return impl_->start();
}

void ProcessDispatcher::stop(Step stopped) {
    impl_->is_stopping_ = true;
    if (impl_->watch_)
        impl_->context_.log.unwatch(*std::exchange(impl_->watch_, std::nullopt));
    impl_->inputs_.clear();
    impl_->rows_.stop(std::move(stopped));
}

// ---------------------------------------------------------------------------------------------------------------------
// For operators

ProcessStatus ProcessDispatcher::status() const {
    ProcessStatus status{.name = impl_->model_name(),
                         .is_caught_up = impl_->rows_.is_caught_up(),
                         .commands_in_flight = impl_->commands_.attempts().in_flight(),
                         .commands_retrying = impl_->commands_.attempts().retrying(),
                         .timers_in_flight = impl_->timers_.attempts().in_flight(),
                         .timers_retrying = impl_->timers_.attempts().retrying(),
                         .lag = impl_->rows_.lag(),
                         .inputs = {},
                         .trouble = impl_->rows_.trouble()};
    for (const auto& input : impl_->inputs_)
        status.inputs.push_back(input->progress());
    return status;
}

const ProcessStatistics& ProcessDispatcher::statistics() const noexcept {
    return impl_->statistics_;
}

namespace {

Result<std::vector<rows::Row>> read_rows(RowKeeper& keeper, const rows::Query& query) {
    rows::RowReader* reader = keeper.reader();
    if (reader == nullptr)
        return fail(ErrorCode::unavailable, "the rows of this process are being opened", Retry::yes);
    auto rows = reader->query(query);
    if (!rows)
        keeper.read_failed(rows.error());
    return rows;
}

std::vector<rows::Filter> of_instance(const std::string& instance) {
    if (instance.empty())
        return {};
    return {{.column = kInstance, .low = rows::Bound{instance, true}, .high = rows::Bound{instance, true}}};
}

template <class Item>
void add_attempts(Item& item, const Attempts& attempts) {
    const Attempts::Entry* entry = attempts.find({item.instance, item.version});
    if (entry == nullptr)
        return;
    item.is_in_flight = entry->is_in_flight;
    item.failures = entry->failures;
    item.last_error = entry->last_error;
}

}  // namespace

Result<ProcessDispatcher::Counts> ProcessDispatcher::count() {
    rows::RowReader* reader = impl_->rows_.reader();
    if (reader == nullptr)
        return fail(ErrorCode::unavailable, "the rows of this process are being opened", Retry::yes);
    LEFTFOLD_TRY(commands, reader->count({.table = kCommands, .filters = {}, .order = {}, .after = {}}));
    LEFTFOLD_TRY(timers, reader->count({.table = kTimers, .filters = {}, .order = {}, .after = {}}));
    return Counts{commands, timers};
}

Result<std::vector<OutstandingCommand>> ProcessDispatcher::commands(const Page& page) {
    rows::Query query{
        .table = kCommands, .filters = of_instance(page.instance), .order = {}, .after = {}, .limit = page.limit};
    if (page.after)
        query.after = key_of({page.after->first, page.after->second});
    LEFTFOLD_TRY(rows, read_rows(impl_->rows_, query));
    std::vector<OutstandingCommand> commands;
    for (rows::Row& cells : rows) {
        CommandRow row = command_row(std::move(cells));
        commands.push_back({.instance = std::move(row.place.instance),
                            .version = row.place.version,
                            .aggregate = std::move(row.command.aggregate),
                            .key = std::move(row.command.key),
                            .command = std::move(row.command.command),
                            .body = std::move(row.command.json),
                            .requested_at = row.requested_at});
        add_attempts(commands.back(), impl_->commands_.attempts());
    }
    return commands;
}

Result<std::vector<WaitingTimer>> ProcessDispatcher::timers(const TimerPage& page) {
    rows::Query query{
        .table = kTimers, .filters = of_instance(page.instance), .order = {}, .after = {}, .limit = page.limit};
    if (page.after)
        query.after = key_of({page.after->instance, page.after->version});
    if (page.instance.empty()) {
        query.order = kTimersByDue;
        if (page.after)
            query.after.insert(query.after.begin(), to_micros(page.after->due));
    }
    LEFTFOLD_TRY(rows, read_rows(impl_->rows_, query));
    std::vector<WaitingTimer> timers;
    for (rows::Row& cells : rows) {
        TimerRow row = timer_row(std::move(cells));
        timers.push_back({.instance = std::move(row.place.instance),
                          .version = row.place.version,
                          .name = std::move(row.name),
                          .due = row.due});
        add_attempts(timers.back(), impl_->timers_.attempts());
    }
    return timers;
}

}  // namespace leftfold
