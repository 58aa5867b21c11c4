#include "bank_machine.hpp"

#include <utility>

#include "leftfold/aggregate/typed_model.hpp"
#include "leftfold/process/typed_process.hpp"

#include "bank.hpp"
#include "tally.hpp"

namespace leftfold::testing {

BankMachine::BankMachine(std::uint64_t seed, BankOptions options, Plant plant)
    : options_(std::move(options)),
      plant_(plant),
      sim_(seed, options_.machine),
      other_clock_(sim_.clock(), sim_.clock().now()),
      account_model_(make_typed_model<accounts::Account>("bank", "account")) {
    transfers_.model = make_typed_process<transfers::Transfer>("bank", "transfer");
    tallies_.model = make_typed_process<tallies::Tally>("bank", "tally");
    options_.log.directory = "/data";
    for (const char* name : {"account", "transfer", "tally"}) {
        options_.log.topics.push_back({topic_name("bank", name), options_.partitions});
        options_.log.topics.push_back({outcomes_topic_name("bank", name), options_.partitions});
    }
}

BankMachine::~BankMachine() {
    if (sim_.is_powered())
        sim_.power_off();
    clear_away();
}

void BankMachine::clear_away() {
    for (Hosted* process : {&transfers_, &tallies_})
        process->dispatcher.reset();
    log_.reset();
    for (Hosted* process : {&transfers_, &tallies_})
        process->runtime.reset();
    wrapped_.reset();
    fresh_ids_.reset();
    sender_.reset();
    accounts_.reset();
    hasty_.reset();
    forward_.reset();
}

Env BankMachine::dispatcher_env() {
    const Env& env = sim_.env();
    return {plant_.clock_is_wrong ? static_cast<Clock&>(other_clock_) : env.clock,
            env.random,
            env.scheduler,
            env.workers,
            env.files,
            env.network};
}

Result<> BankMachine::start() {
    LEFTFOLD_TRY(log, log::open_embedded_log(sim_.env(), options_.log));
    log_ = std::move(log);
    hasty_ = std::make_unique<HastyLog>(*log_, sim_.scheduler());
    forward_ = std::make_unique<ForwardLog>(*log_, sim_.scheduler());
    log::EventLog& accounts_log = plant_.answer_is_ahead ? static_cast<log::EventLog&>(*hasty_) : *log_;
    accounts_ = std::make_unique<AggregateRuntime>(sim_.env(), accounts_log, *account_model_, kAccounts,
                                                   kAccounts.next(), options_.aggregates);
    sender_ = std::make_unique<LocalSender>(sim_.scheduler(), *log_);
    sender_->add(*accounts_);
    fresh_ids_ = std::make_unique<FreshIdSender>(*sender_, sim_.env().random);
    CommandSender& sender = plant_.ids_are_fresh ? *fresh_ids_ : static_cast<CommandSender&>(*sender_);
    if (wrap_sender)
        wrapped_ = wrap_sender(sender);
    log::EventLog& transfers_log = plant_.dispatch_is_ahead ? static_cast<log::EventLog&>(*forward_) : *log_;
    LEFTFOLD_CHECK(start_process(transfers_, transfers_log, kTransfers, wrapped_ ? *wrapped_ : sender));
    return start_process(tallies_, *log_, kTallies, sender);
}

Result<> BankMachine::start_process(Hosted& process, log::EventLog& log, TopicId topic, CommandSender& sender) {
    process.runtime = std::make_unique<AggregateRuntime>(sim_.env(), log, *process.model, topic, topic.next(),
                                                         options_of_process(options_.aggregates));
    ProcessOptions options = options_.processes;
    options.folder = "/data/processes/" + process.model->name();
    options.open_store = [this](const std::string& path,
                                const rows::Schema& schema) -> Result<std::unique_ptr<rows::RowStore>> {
        LEFTFOLD_TRY(store, rows::open_sqlite_store(sim_.env().files, path, schema, options_.rows));
        if (plant_.checkpoint_is_apart)
            return std::make_unique<SplitStore>(std::move(store));
        if (wrap_rows)
            return wrap_rows(std::move(store));
        return store;
    };
    process.dispatcher = std::make_unique<ProcessDispatcher>(dispatcher_env(), log, *process.model, topic,
                                                             *process.runtime, sender, std::move(options));
    process.dispatcher->on_trouble(
        [this](const std::string& what, const Error& error) { troubles.push_back(what + ": " + error.message()); });
    return process.dispatcher->start();
}

bool BankMachine::stop() {
    int stopped = 0;
    for (Hosted* process : {&transfers_, &tallies_})
        process->dispatcher->stop([&stopped] { ++stopped; });
    if (!sim_.scheduler().run_until([&stopped] { return stopped == 2; }))
        return false;
    log_->stop([&stopped] { ++stopped; });
    if (!sim_.scheduler().run_until([&stopped] { return stopped == 3; }))
        return false;
    clear_away();
    return true;
}

void BankMachine::delete_rows(const std::string& process) {
    const std::string folder = "/data/processes/" + process;
    if (const auto entries = sim_.files().list(folder))
        for (const DirectoryEntry& entry : *entries)
            static_cast<void>(sim_.files().remove(join_path(folder, entry.name)));
}

void BankMachine::send(AggregateRuntime& runtime, std::string_view key, std::string_view command, std::string_view json,
                       std::string_view id, CommandDone done) {
    CommandRequest request;
    request.key = key;
    request.command = runtime.model().find_command(command).value();
    request.json = json;
    request.command_id = id;
    runtime.handle(request, std::move(done));
}

CommandReply BankMachine::tell(AggregateRuntime& runtime, std::string_view key, std::string_view command,
                               std::string_view json, std::string_view id) {
    std::optional<CommandReply> reply;
    send(runtime, key, command, json, id, [&reply](CommandReply answer) { reply = std::move(answer); });
    run_until([&reply] { return reply.has_value(); });
    return *std::move(reply);
}

std::string BankMachine::state(AggregateRuntime& runtime, std::string_view key) {
    std::optional<Result<StateReply>> state;
    runtime.read(key, {}, [&state](Result<StateReply> answer) { state = std::move(answer); });
    run_until([&state] { return state.has_value(); });
    return *state ? (*state)->members : (*state).error().message();
}

void BankMachine::run_until(const std::function<bool()>& done) {
    if (!sim_.scheduler().run_until(done))
        throw sim::SimulationError("the power went off");
}

bool BankMachine::is_settled() {
    for (Hosted* process : {&transfers_, &tallies_}) {
        const ProcessStatus status = process->dispatcher->status();
        if (!status.is_caught_up || status.lag != 0)
            return false;
        for (const InputProgress& input : status.inputs)
            if (input.position != input.durable_end)
                return false;
        const auto counts = process->dispatcher->count();
        if (!counts || counts->commands != 0 || counts->timers != 0)
            return false;
    }
    return true;
}

}  // namespace leftfold::testing
