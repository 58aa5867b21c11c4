#include "machine.hpp"

#include "leftfold/aggregate/typed_model.hpp"

#include "driver.hpp"
#include "purse.hpp"

namespace leftfold::simulation {

namespace {
constexpr TopicId kEvents(0);
constexpr TopicId kOutcomes(1);
}  // namespace

Machine::Machine(std::uint64_t seed) : sim_(seed), model_(make_typed_model<Purse>("sim", "purse")) {}

Machine::~Machine() {
    clear_away();
}

void Machine::clear_away() {
    if (sim_.is_powered())
        sim_.power_off();
    log_.reset();
    runtime_.reset();
}

void Machine::crash() {
    clear_away();
    sim_.restart();
}

Result<> Machine::start() {
    log::EmbeddedLogOptions options;
    options.directory = "/data";
    options.segment_bytes = 4096;
    options.topics = {{topic_name("sim", "purse"), 1}, {outcomes_topic_name("sim", "purse"), 1}};
    LEFTFOLD_TRY(log, log::open_embedded_log(sim_.env(), options));
    log_ = std::move(log);
    if (auto problem = check())
        return fail(ErrorCode::corrupt, *problem);
    runtime_ = std::make_unique<AggregateRuntime>(sim_.env(), *log_, *model_, kEvents, kOutcomes,
                                                  AggregateOptions{.hot_aggregates_max = 1});
    return {};
}

std::optional<std::string> Machine::check() {
    const auto streams = scan(*log_, kEvents);
    if (!streams)
        return streams.error().message();
    if (auto problem = journal_.check_after_start(*streams))
        return problem;
    return journal_.check_at_the_end(*streams);
}

std::vector<Told> Machine::tell(const std::vector<Ask>& asks) {
    std::vector<Told> answers(asks.size());
    std::size_t waiting = asks.size();
    for (std::size_t i = 0; i < asks.size(); ++i) {
        const std::size_t attempt = journal_.asked(static_cast<std::uint32_t>(i), asks[i]);
        send(*runtime_, asks[i], [this, &answers, &waiting, attempt, i](const Told& told) {
            journal_.told(attempt, told);
            answers[i] = told;
            --waiting;
        });
    }
    if (!sim_.scheduler().run_until([&waiting] { return waiting == 0; }))
        throw sim::SimulationError("the power went off");
    return answers;
}

}  // namespace leftfold::simulation
