// The generations of a ProjectionRunner: opened, lost, begun. Each function here that has no answer is an action.
#include <algorithm>

#include <fmt/format.h>

#include "runner_impl.hpp"

namespace leftfold {

namespace {

// What opening a store says when trying again would not help.
bool is_for_good(const Error& error) noexcept {
    return is_damage(error) || error.code() == ErrorCode::conflict || error.code() == ErrorCode::not_found ||
           error.code() == ErrorCode::invalid_argument;
}

}  // namespace

void ProjectionRunner::Impl::action_begins() noexcept {
    LEFTFOLD_ASSERT(!is_acting_);
    is_acting_ = true;
}

void ProjectionRunner::Impl::action_done() {
    back_off_.succeeded();
    is_acting_ = false;
    notify();
    advance();
}

// Until it is tried again nothing else begins: it would fail as well.
void ProjectionRunner::Impl::action_failed(const Error& error) {
    release_live();
    action_done_after(back_off_.failed(error));
}

void ProjectionRunner::Impl::action_done_after(Duration delay) {
    retry_timer_ = env_.scheduler.call_after(delay, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->retry_timer_.reset();
            self->is_acting_ = false;
            self->advance();
        }
    });
    notify();
}

void ProjectionRunner::Impl::advance() {
    if (is_acting_ || is_stopping_)
        return;
    if (!manifest_)
        return open_folder();
    if (manifest_->live && !live_) {
        live_ = std::make_unique<OpenGeneration>();
        live_->entry = *manifest_->live;
    }
    if (live_ && live_->lost)
        return drop_live();
    if (live_ && (!live_->is_open || (live_->follower && live_->follower->wants_reopening())))
        return open_live();
    if (manifest_->building && !build_) {
        build_ = std::make_unique<Build>();
        build_->entry = *manifest_->building;
        if (!is_of_this_shape(build_->entry))
            build_->lost = "it is of another version of the projection";
    }
    if (build_ && build_->lost)
        return drop_build();
    if (build_ && (!build_->is_open || (build_->follower && build_->follower->wants_reopening())))
        return open_build();
    if (!build_ && wants_build())
        return begin_build();
    if (build_)
        advance_build();
}

bool ProjectionRunner::Impl::wants_build() const {
    return !manifest_->live || !is_of_this_shape(*manifest_->live) || request_;
}

Worker& ProjectionRunner::Impl::any_worker() noexcept {
    if (spare_)
        return *spare_;
    if (build_ && build_->worker)
        return *build_->worker;
    LEFTFOLD_ASSERT(live_ && live_->worker);
    return *live_->worker;
}

std::unique_ptr<Worker> ProjectionRunner::Impl::take_worker() {
    if (spare_)
        return std::move(spare_);
    return env_.workers.start("fold-" + model_.name(), env_.scheduler);
}

void ProjectionRunner::Impl::open_folder() {
    struct Opened {
        Result<GenerationManifest> manifest;
        std::string why;
        std::optional<DifferenceSummary> difference;
    };
    action_begins();
    on_worker<Opened>(
        any_worker(),
        [this] {
            Opened opened{.manifest = {}, .why = {}, .difference = {}};
            opened.manifest = folder_.open(opened.why);
            if (opened.manifest)
                opened.difference = folder_.last_difference(*opened.manifest);
            return opened;
        },
        [this](Opened opened) {
            if (!opened.manifest)
                return action_failed(std::move(opened.manifest).error().with_context("cannot begin"));
            manifest_ = *std::move(opened.manifest);
            difference_ = std::move(opened.difference);
            if (!opened.why.empty())
                remark_ = opened.why;
            action_done();
        });
}

// Opens the store, also once more, and makes `generation` fold where it can.
void ProjectionRunner::Impl::open_rows(OpenGeneration& generation, std::string import_from,
                                       std::move_only_function<void(Result<GenerationRows::Found>)> then) {
    close(generation);
    if (!generation.worker)
        generation.worker = take_worker();
    if (!generation.rows)
        generation.rows = std::make_shared<GenerationRows>(model_, slots_);
    on_worker<Result<GenerationRows::Found>>(
        *generation.worker,
        [this, rows = generation.rows, entry = generation.entry, is_new = &generation != live_.get(),
         from = std::move(import_from)]() -> Result<GenerationRows::Found> {
            const std::string path = folder_.rows_path(entry.generation());
            rows->close();
            if (!from.empty()) {
                LEFTFOLD_TRY(is_there, env_.files.exists(from));
                if (!is_there)
                    return leftfold::fail(ErrorCode::not_found, fmt::format("there is no '{}' to begin with", from));
                const auto imported =
                    GenerationRows::import(options_.open_store, from, path, entry.schema, incarnation_, entry.shape);
                // It is there, then: no other generation has this number.
                if (!imported && imported.error().code() != ErrorCode::already_exists)
                    return std::unexpected(imported.error());
            }
            LEFTFOLD_TRY(found, rows->open(options_.open_store, path, entry.schema));
            if (!found.incarnation && is_new) {
                LEFTFOLD_CHECK(rows->begin(incarnation_, entry.shape));
                found.incarnation = incarnation_;
                found.shape = entry.shape;
            }
            return found;
        },
        std::move(then));
}

// What stands on an open store, from the top down.
void ProjectionRunner::Impl::close(OpenGeneration& generation) {
    generation.is_open = false;
    generation.follower.reset();
    generation.reader.reset();
    for (const CallId call : std::exchange(generation.calls, {}))
        answer(call, std::unexpected(Error(ErrorCode::cancelled, "the rows were closed meanwhile")));
}

bool ProjectionRunner::Impl::adopt(OpenGeneration& generation, Result<GenerationRows::Found> found) {
    if (!found) {
        generation.lost = found.error().message();
        return false;
    }
    if (auto mistake = mistake_in(*found)) {
        generation.lost = std::move(mistake);
        return false;
    }
    generation.positions = found->positions;
    generation.skipped = found->skipped;
    generation.reader = std::move(found->reader);
    generation.is_open = true;
    if (is_of_this_shape(generation.entry)) {
        generation.follower =
            std::make_shared<Follower>(env_, log_, slots_, *generation.worker, generation.rows,
                                       Follower::Options{options_.batch_bytes_max, options_.turn_bytes_max,
                                                         options_.retry_first, options_.retry_max},
                                       Follower::Begin{std::move(found->positions), std::move(found->skipped)},
                                       statistics_, [weak = weak_from_this()] {
                                           if (const auto self = weak.lock())
                                               self->follower_changed();
                                       });
    }
    return true;
}

std::optional<std::string> ProjectionRunner::Impl::mistake_in(const GenerationRows::Found& found) {
    if (!found.incarnation)
        return "its store is empty";
    if (*found.incarnation != incarnation_) {
        return fmt::format("the log was replaced: its rows are of {}, the log is {}", found.incarnation->to_string(),
                           incarnation_.to_string());
    }
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const auto bounds = log_.bounds(slots_[i].slot);
        if (bounds && found.positions[i] > bounds->durable_end) {
            return fmt::format(
                "the log was restored to an earlier state: its rows are folded to position {} of "
                "partition {} of '{}', which ends at {}",
                found.positions[i].value(), slots_[i].slot.partition.value(), slots_[i].topic,
                bounds->durable_end.value());
        }
    }
    return std::nullopt;
}

void ProjectionRunner::Impl::open_live() {
    action_begins();
    release_live();
    open_rows(*live_, {}, [this](Result<GenerationRows::Found> found) {
        if (!found && !is_for_good(found.error()))
            return action_failed(std::move(found).error().with_context("cannot open the rows"));
        if (adopt(*live_, std::move(found))) {
            if (live_->follower)
                live_->follower->wake();
            waiters_->reached(live_positions());
        }
        action_done();
    });
}

// Rows that cannot be believed. Another generation is built, since there is no live one.
void ProjectionRunner::Impl::drop_live() {
    action_begins();
    release_live();
    close(*live_);
    if (!live_->worker)
        live_->worker = take_worker();
    on_worker<bool>(
        *live_->worker,
        [rows = live_->rows] {
            if (rows)
                rows->close();
            return true;
        },
        [this](bool) {
            GenerationManifest without = *manifest_;
            without.live.reset();
            write_manifest(std::move(without), [this] {
                ++statistics_.generations_lost;
                remark_ = fmt::format("generation {} was thrown away: {}", live_->entry.number, *live_->lost);
                if (!spare_)
                    spare_ = std::move(live_->worker);
                live_.reset();
                follow_live();
                action_done();
            });
        });
}

// Replaces the manifest and removes what it no longer names, then goes on, or tries the action again.
void ProjectionRunner::Impl::write_manifest(GenerationManifest manifest, Step then) {
    if (difference_ && !manifest.names(difference_->newer))
        difference_.reset();  // its report goes with the generation
    on_worker<Result<>>(
        any_worker(),
        [this, manifest]() -> Result<> {
            LEFTFOLD_CHECK(folder_.write(manifest));
            folder_.remove_unnamed(manifest);
            return {};
        },
        [this, manifest, then = std::move(then)](Result<> written) mutable {
            if (!written)
                return action_failed(std::move(written).error().with_context("cannot record the generations"));
            manifest_ = std::move(manifest);
            then();
        });
}

void ProjectionRunner::Impl::begin_build() {
    action_begins();
    bool from_previous = false;
    GenerationManifest manifest = manifest_with_build(from_previous);
    write_manifest(std::move(manifest), [this, from_previous] {
        ++statistics_.builds;
        build_ = std::make_unique<Build>();
        build_->entry = *manifest_->building;
        if (request_) {
            build_->is_asked_for = true;
            build_->from_copy = std::move(request_->from_copy);
            if (request_->from_previous)
                build_->switched.push_back(request_->call);
            else
                build_->begun = request_->call;
            request_.reset();
        } else if (!manifest_->live && !from_previous) {
            build_->from_copy = options_.start_from;
        }
        action_done();
    });
}

// The generation before serves if the operator says so, or if this program is the one that it was made by.
GenerationManifest ProjectionRunner::Impl::manifest_with_build(bool& from_previous) const {
    GenerationManifest manifest = *manifest_;
    const bool is_way_back = !request_ && manifest.live && manifest.previous && is_of_this_shape(*manifest.previous);
    from_previous = is_way_back || (request_ && request_->from_previous);
    if (from_previous) {
        manifest.building = std::exchange(manifest.previous, std::nullopt);
        manifest.building->switch_when_ready = true;
        return manifest;
    }
    manifest.building = GenerationEntry{.number = manifest.next++,
                                        .shape = model_.shape(),
                                        .created = env_.clock.now(),
                                        .schema = model_.schema(),
                                        .switch_when_ready = options_.switch_policy == SwitchPolicy::automatic};
    return manifest;
}

void ProjectionRunner::Impl::open_build() {
    action_begins();
    build_->stage = BuildStage::opening;
    release_live();
    open_rows(*build_, build_->from_copy, [this](Result<GenerationRows::Found> found) {
        if (!found && !is_for_good(found.error()))
            return action_failed(std::move(found).error().with_context("cannot open the rows that are built"));
        const bool was_import = !std::exchange(build_->from_copy, {}).empty();
        if (!found && was_import && !build_->is_asked_for) {
            remark_ = fmt::format("built from the log: {}", found.error().message());
            return action_done();
        }
        if (adopt(*build_, std::move(found))) {
            build_->stage = BuildStage::folding;
            build_->limits.reset();
            follow_live();
            build_->follower->wake();
            if (build_->begun)
                answer(*std::exchange(build_->begun, std::nullopt), {});
        }
        action_done();
    });
}

void ProjectionRunner::Impl::drop_build() {
    action_begins();
    release_live();
    close(*build_);
    build_->comparison.reset();
    if (!build_->worker)
        build_->worker = take_worker();
    on_worker<bool>(
        *build_->worker,
        [rows = build_->rows] {
            if (rows)
                rows->close();
            return true;
        },
        [this](bool) {
            GenerationManifest without = *manifest_;
            without.building.reset();
            write_manifest(std::move(without), [this] {
                const auto build = std::move(build_);
                const std::string why =
                    fmt::format("generation {} is not built: {}", build->entry.number, *build->lost);
                if (!build->cancelled)
                    remark_ = why;
                if (!spare_ && !live_)
                    spare_ = std::move(build->worker);
                if (build->begun)
                    build->switched.push_back(*build->begun);
                if (build->cancelled)
                    answer(*build->cancelled, {});
                for (const CallId call : build->switched)
                    answer(call, std::unexpected(Error(ErrorCode::cancelled, why)));
                // A disk that damages each build must not be kept busy with it.
                if (build->is_asked_for)
                    action_done();
                else
                    action_done_after(builds_lost_.failed(Error(ErrorCode::corrupt, why)));
            });
        });
}

}  // namespace leftfold
