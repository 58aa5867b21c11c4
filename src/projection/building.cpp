// A build of a ProjectionRunner: it follows what is live, is compared with it, and takes its place.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "leftfold/event/json_writer.hpp"

#include "runner_impl.hpp"

namespace leftfold {

namespace {

std::string report_of(const ProjectionModel& model, const GenerationEntry& older, const GenerationEntry& newer,
                      const FollowedSlots& slots, const Positions& positions, const Comparison& comparison) {
    const auto write_generation = [](std::string& out, const GenerationEntry& entry) {
        out += '{';
        json::write_key(out, "generation");
        json::write_integer(out, entry.number);
        json::write_key(out, "created");
        json::write_timestamp(out, entry.created);
        out += '}';
    };
    std::string out = "{";
    json::write_key(out, "format");
    json::write_integer(out, std::int64_t{1});
    json::write_key(out, "projection");
    json::write_string(out, model.name());
    json::write_key(out, "older");
    write_generation(out, older);
    json::write_key(out, "newer");
    write_generation(out, newer);
    json::write_key(out, "same_shape");
    out += older.shape == newer.shape ? "true" : "false";
    json::write_key(out, "equal");
    out += comparison.is_equal() ? "true" : "false";
    json::write_key(out, "complete");
    out += comparison.is_complete() ? "true" : "false";
    json::write_key(out, "positions");
    out += '[';
    for (std::size_t i = 0; i < slots.size(); ++i) {
        out += i == 0 ? "{" : ",{";
        json::write_key(out, "topic");
        json::write_string(out, slots[i].topic);
        json::write_key(out, "partition");
        json::write_integer(out, std::uint64_t{slots[i].slot.partition.value()});
        json::write_key(out, "position");
        json::write_integer(out, positions[i].value());
        out += '}';
    }
    out += ']';
    json::write_key(out, "tables");
    write_tables(out, comparison.tables());
    out += "}\n";
    return out;
}

bool is_ahead(const Positions& positions, const Positions& of) {
    return !std::ranges::equal(positions, of, std::less_equal());
}

}  // namespace

// Where the live rows are, and no further: then both can be compared, and the switch takes nothing back.
void ProjectionRunner::Impl::follow_live() {
    if (!build_ || !build_->follower)
        return;
    std::optional<Positions> limits;
    if (live_ && live_->is_open)
        limits = live_positions();
    if (limits == build_->limits)
        return;
    build_->limits = limits;
    build_->follower->set_limits(std::move(limits));
}

void ProjectionRunner::Impl::hold_live() {
    hold_ = Hold::asked;
    live_->follower->hold([this, weak = weak_from_this(), number = ++hold_number_] {
        const auto self = weak.lock();
        if (!self || hold_ != Hold::asked || number != hold_number_)
            return;
        hold_ = Hold::still;
        follow_live();
        advance();
    });
}

void ProjectionRunner::Impl::release_live() {
    if (std::exchange(hold_, Hold::none) != Hold::none && live_ && live_->follower)
        live_->follower->release();
}

// Where nothing is served there is nothing to wait for.
bool ProjectionRunner::Impl::may_switch() const {
    return !is_served() || build_->entry.switch_when_ready || !build_->switched.empty();
}

void ProjectionRunner::Impl::advance_build() {
    if (live_ && live_->follower)
        return advance_beside_live();
    if (!build_->follower->is_at_end())
        return;
    if (live_ && !build_->is_compared)
        return compare();
    if (!live_ || may_switch())
        return switch_over();
    build_->stage = BuildStage::ready;
}

// The live rows are held only once the build is close behind, and while it goes on.
void ProjectionRunner::Impl::advance_beside_live() {
    const Follower& follower = *build_->follower;
    const bool is_ready = build_->is_compared && !may_switch();
    if (is_ready || follower.fault() || follower.trouble()) {
        build_->stage = is_ready ? BuildStage::ready : BuildStage::folding;
        release_live();
    } else if (follower.is_at_end() && hold_ == Hold::none && !is_ahead(follower.positions(), live_positions())) {
        build_->stage = BuildStage::aligning;
        hold_live();
    } else if (follower.is_at_end() && hold_ == Hold::still) {
        // Live rows whose store was opened again may have fallen behind: they come back.
        if (is_ahead(follower.positions(), live_positions()))
            release_live();
        else
            build_->is_compared ? switch_over() : compare();
    }
}

void ProjectionRunner::Impl::compare() {
    action_begins();
    build_->stage = BuildStage::comparing;
    build_->comparison = std::make_shared<ComparisonState>();
    on_worker<Result<std::unique_ptr<rows::RowReader>>>(
        *live_->worker, [rows = live_->rows] { return rows->reader(); },
        [this](Result<std::unique_ptr<rows::RowReader>> reader) {
            if (!reader)
                return action_failed(std::move(reader).error().with_context("cannot read the live rows"));
            ComparisonState& state = *build_->comparison;
            state.older = *std::move(reader);
            state.comparison =
                std::make_unique<Comparison>(Comparison::Side{state.older.get(), &live_->entry.schema},
                                             Comparison::Side{&build_->rows->rows(), &build_->entry.schema},
                                             Comparison::Limits{.rows_max = options_.difference_rows_max,
                                                                .sample_max = options_.difference_sample_max});
            compare_step();
        });
}

void ProjectionRunner::Impl::compare_step() {
    on_worker<Result<bool>>(
        *build_->worker, [state = build_->comparison] { return state->comparison->step(); },
        [this](Result<bool> is_done) {
            if (build_->lost || live_->lost) {
                build_->comparison.reset();
                return action_done();
            }
            if (!is_done)
                return comparison_failed(std::move(is_done).error());
            *is_done ? finish_comparison() : compare_step();
        });
}

void ProjectionRunner::Impl::comparison_failed(Error error) {
    const bool is_of_newer = build_->comparison->comparison->has_newer_failed();
    build_->comparison.reset();
    if (!is_damage(error))
        return action_failed(std::move(error).with_context("cannot compare the generations"));
    (is_of_newer ? *build_ : *live_).lost = error.message();
    action_done();
}

void ProjectionRunner::Impl::finish_comparison() {
    const Comparison& comparison = *build_->comparison->comparison;
    DifferenceSummary summary{.older = live_->entry.generation(),
                              .newer = build_->entry.generation(),
                              .is_equal = comparison.is_equal(),
                              .is_complete = comparison.is_complete(),
                              .path = folder_.difference_path(build_->entry.generation())};
    std::string report =
        report_of(model_, live_->entry, build_->entry, slots_, build_->follower->positions(), comparison);
    build_->comparison.reset();
    on_worker<Result<>>(
        *build_->worker,
        [this, path = summary.path, report = std::move(report)] { return replace_file(env_.files, path, report); },
        [this, summary](Result<> written) {
            if (!written)
                return action_failed(std::move(written).error().with_context("cannot keep the difference"));
            difference_ = summary;
            build_->is_compared = true;
            action_done();
        });
}

void ProjectionRunner::Impl::switch_over() {
    action_begins();
    build_->stage = BuildStage::switching;
    on_worker<Result<>>(
        *build_->worker, [rows = build_->rows] { return rows->sync(); },
        [this](Result<> synced) {
            if (!synced) {
                // What a failed sync left behind is not known: it is read again.
                build_->is_open = false;
                return action_failed(std::move(synced).error().with_context("cannot make the built rows durable"));
            }
            GenerationManifest manifest = *manifest_;
            manifest.previous = std::exchange(manifest.live, std::move(manifest.building));
            manifest.building.reset();
            write_manifest(std::move(manifest), [this] { swap(); });
        });
}

void ProjectionRunner::Impl::swap() {
    ++statistics_.switches;
    builds_lost_.succeeded();
    hold_ = Hold::none;
    retired_ = std::move(live_);
    const Ids calls = std::move(build_->switched);
    live_ = std::make_unique<OpenGeneration>(std::move(static_cast<OpenGeneration&>(*build_)));
    build_.reset();
    live_->follower->set_limits(std::nullopt);
    waiters_->reached(live_positions());
    for (const CallId call : calls)
        answer(call, {});
    if (!retired_)
        return action_done();
    close(*retired_);
    on_worker<bool>(
        *retired_->worker,
        [rows = retired_->rows] {
            rows->close();
            return true;
        },
        [this](bool) {
            retired_.reset();
            action_done();
        });
}

}  // namespace leftfold
