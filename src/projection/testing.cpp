#include "leftfold/projection/testing.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "memory_store.hpp"

namespace leftfold::detail {

namespace {

constexpr Timestamp kFirstTime = timestamp_from_micros(1'704'067'200'000'000);  // 2024-01-01T00:00:00Z
constexpr std::size_t kToldOrderMax = 40;                                       // events of an order in a message

std::string line_of(const ToldEvent& event) {
    return fmt::format("  {} '{}' {} {}\n", event.aggregate, event.key, event.name, event.payload);
}

// The events of one test with the metadata that a log would have given them; views point into it.
class History {
  public:
    explicit History(std::string_view application) : application_(application) {}

    void append(const ToldEvent& told) {
        const std::size_t number = events_.size();
        Event& event = *events_.emplace_back(std::make_unique<Event>(Event{told, {}, {}}));
        event.type = topic_name(application_, told.aggregate) + "." + told.name;
        EventMeta& meta = event.record.meta;
        meta.id = Uuid::v7(kFirstTime, 0, number);
        meta.type = event.type;
        meta.type_version = told.type_version;
        meta.key = event.told.key;
        meta.version = Version(++versions_[{told.aggregate, told.key}]);
        meta.time = told.time.value_or(kFirstTime);
        meta.recorded_at = kFirstTime + std::chrono::microseconds(number);
        meta.actor = event.told.actor;
        event.record.payload = event.told.payload;
        event.record.position = Position(static_cast<std::int64_t>(number));
    }

    std::size_t size() const noexcept { return events_.size(); }
    const Record& record(std::size_t number) const noexcept { return events_[number]->record; }
    const ToldEvent& told(std::size_t number) const noexcept { return events_[number]->told; }

  private:
    struct Event {
        ToldEvent told;
        std::string type;
        Record record;
    };
    std::string application_;
    std::vector<std::unique_ptr<Event>> events_;
    std::map<std::pair<std::string, std::string>, std::int64_t> versions_;
};

// A fold over a store in memory.
class FoldedRows {
  public:
    explicit FoldedRows(const ProjectionModel& model)
        : model_(model), store_(rows::make_memory_store(model.schema())), fold_(model.fold_into(*store_)) {}

    Result<> fold_batch(const History& history, std::span<const std::size_t> numbers) {
        LEFTFOLD_CHECK(store_->begin());
        const auto folded = apply_all(history, numbers);
        if (!folded) {
            fold_->discard();
            store_->rollback();
            return folded;
        }
        return store_->commit();
    }
    // So that rows are read from the store again.
    void forget() { fold_->discard(); }

    TableRows rows(std::size_t table) const {
        auto all = store_->query({.table = rows::TableId(static_cast<std::uint32_t>(table)), .limit = SIZE_MAX});
        if (!all)
            throw ScenarioFailed(all.error().message());
        return *std::move(all);
    }
    std::vector<TableRows> tables() const {
        std::vector<TableRows> all;
        for (std::size_t table = 0; table < model_.schema().tables.size(); ++table)
            all.push_back(rows(table));
        return all;
    }

  private:
    Result<> apply_all(const History& history, std::span<const std::size_t> numbers) {
        for (const std::size_t number : numbers)
            LEFTFOLD_CHECK(fold_->apply(history.record(number)));
        return fold_->flush();
    }

    const ProjectionModel& model_;
    std::unique_ptr<rows::RowStore> store_;
    std::unique_ptr<ProjectionFold> fold_;
};

std::string text_of(const TableForm& form, const rows::Row& row) {
    std::string text;
    if (auto written = write_row(text, form, row); !written)
        return written.error().message();
    return text;
}

std::string text_of(const TableForm& form, const TableRows& table) {
    std::string text;
    for (const rows::Row& row : table)
        text += fmt::format("  {} {}\n", form.table.name, text_of(form, row));
    return text.empty() ? fmt::format("  no {}\n", form.table.name) : text;
}

std::vector<std::size_t> all_of(std::size_t count, std::size_t first = 0) {
    std::vector<std::size_t> numbers;
    for (std::size_t number = first; number < count; ++number)
        numbers.push_back(number);
    return numbers;
}

}  // namespace

struct ProjectionScenario::World {
    explicit World(std::unique_ptr<ProjectionModel> projection) : model(std::move(projection)), folded(*model) {}

    std::unique_ptr<ProjectionModel> model;
    History history{"test"};
    FoldedRows folded;
    std::string story;
};

ProjectionScenario::ProjectionScenario(std::unique_ptr<ProjectionModel> model)
    : world_(std::make_unique<World>(std::move(model))) {}
ProjectionScenario::~ProjectionScenario() = default;

void ProjectionScenario::fold(std::string_view step, std::span<const ToldEvent> events) {
    World& world = *world_;
    world.story += fmt::format("{}\n", step);
    const std::size_t before = world.history.size();
    for (const ToldEvent& event : events) {
        world.story += line_of(event);
        world.history.append(event);
    }
    world.folded.forget();
    if (const auto folded = world.folded.fold_batch(world.history, all_of(world.history.size(), before)); !folded)
        throw ScenarioFailed(world.story + folded.error().message());
}

TableRows ProjectionScenario::rows(std::size_t table) const {
    return world_->folded.rows(table);
}

void ProjectionScenario::expect(std::size_t table, const TableRows& expected) const {
    const TableForm& form = world_->model->forms()[table];
    TableRows sorted = expected;
    std::ranges::sort(sorted, [](const rows::Row& left, const rows::Row& right) {
        return std::ranges::lexicographical_compare(
            left, right, [](const rows::Cell& a, const rows::Cell& b) { return rows::compare(a, b) < 0; });
    });
    if (const TableRows is = rows(table); is != sorted)
        throw ScenarioFailed(fmt::format("not as expected:\n{}then expected\n{}but was\n{}", world_->story,
                                         text_of(form, sorted), text_of(form, is)));
}

namespace {

using Order = std::vector<std::size_t>;

// What a fold came to: rows, or an error.
struct Outcome {
    std::vector<TableRows> tables;
    std::string error;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome fold_in(const ProjectionModel& model, const History& history, const Order& order,
                const std::vector<std::size_t>& batch_ends) {
    FoldedRows folded(model);
    std::size_t from = 0;
    for (const std::size_t end : batch_ends) {
        const auto batch = folded.fold_batch(history, std::span(order).subspan(from, end - from));
        if (!batch)
            return {{}, batch.error().message()};
        from = end;
    }
    return {folded.tables(), ""};
}

class Shuffler {
  public:
    Shuffler(const History& history, std::uint64_t seed) : random_(seed) {
        std::map<std::pair<std::string, std::string>, std::size_t> numbers;
        for (std::size_t number = 0; number < history.size(); ++number) {
            const ToldEvent& event = history.told(number);
            const auto stream = numbers.try_emplace({event.aggregate, event.key}, streams_.size()).first->second;
            streams_.resize(std::max(streams_.size(), stream + 1));
            streams_[stream].push_back(number);
            count_ = history.size();
        }
    }

    // The first are the extremes: whole streams, the last one first; then each stream in turn.
    Order order(std::size_t run) {
        Order out;
        std::vector<std::size_t> next(streams_.size(), 0);
        while (out.size() < count_) {
            const std::size_t stream = choose(run, next, out.size());
            out.push_back(streams_[stream][next[stream]++]);
        }
        return out;
    }

    std::vector<std::size_t> batch_ends() {
        const std::size_t mean = std::size_t{1} << below(7);
        std::vector<std::size_t> ends;
        for (std::size_t end = 1; end < count_; ++end) {
            if (below(mean) == 0)
                ends.push_back(end);
        }
        if (count_ > 0)
            ends.push_back(count_);
        return ends;
    }

  private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    std::size_t choose(std::size_t run, const std::vector<std::size_t>& next, std::size_t done) {
        const auto has_more = [&](std::size_t stream) { return next[stream] < streams_[stream].size(); };
        if (run == 0) {
            std::size_t stream = streams_.size() - 1;
            while (!has_more(stream))
                --stream;
            return stream;
        }
        if (run % 2 == 1) {
            std::size_t stream = run == 1 ? done % streams_.size() : below(streams_.size());
            while (!has_more(stream))
                stream = (stream + 1) % streams_.size();
            return stream;
        }
        // By what they have left: every interleaving is as likely as any other.
        std::size_t place = below(count_ - done);
        for (std::size_t stream = 0;; ++stream) {
            const std::size_t left = streams_[stream].size() - next[stream];
            if (place < left)
                return stream;
            place -= left;
        }
    }

    std::mt19937_64 random_;
    std::vector<Order> streams_;
    std::size_t count_ = 0;
};

// The way from the order as given to another one by swaps of neighbours, so many of them.
class Way {
  public:
    explicit Way(const Order& to) : to_(to) {}

    // Moves each event to the left, to its place, in turn. `swapped` is the place of the last swap.
    Order after(std::size_t swaps, std::size_t& swapped) const {
        Order order = all_of(to_.size());
        for (std::size_t place = 0; place < to_.size(); ++place) {
            auto at = static_cast<std::size_t>(std::ranges::find(order, to_[place]) - order.begin());
            for (; at > place; --at) {
                if (swaps == 0)
                    return order;
                --swaps;
                std::swap(order[at - 1], order[at]);
                swapped = at - 1;
            }
        }
        return order;
    }
    std::size_t length() const {
        std::size_t inversions = 0;
        for (std::size_t i = 0; i < to_.size(); ++i)
            inversions +=
                static_cast<std::size_t>(std::count_if(to_.begin() + static_cast<std::ptrdiff_t>(i), to_.end(),
                                                       [&](std::size_t number) { return number < to_[i]; }));
        return inversions;
    }

  private:
    const Order& to_;
};

std::string first_difference(const ProjectionModel& model, const Outcome& left, const Outcome& right) {
    if (!left.error.empty() || !right.error.empty())
        return fmt::format("  then    {}\n  but     {}\n", left.error.empty() ? "it folds" : left.error,
                           right.error.empty() ? "it folds" : right.error);
    for (std::size_t table = 0; table < left.tables.size(); ++table) {
        const TableForm& form = model.forms()[table];
        const auto has = [](const TableRows& rows, const rows::Row& row) {
            return std::ranges::find(rows, row) != rows.end();
        };
        const auto told = [&](const TableRows& rows, const rows::Row& like) {
            const auto same_key = std::ranges::find_if(rows, [&](const rows::Row& row) {
                return std::equal(row.begin(), row.begin() + form.table.key_columns, like.begin());
            });
            return same_key == rows.end() ? std::string("no such row") : text_of(form, *same_key);
        };
        for (const auto* rows : {&left.tables[table], &right.tables[table]}) {
            for (const rows::Row& row : *rows) {
                if (!has(left.tables[table], row) || !has(right.tables[table], row))
                    return fmt::format("row {} of table '{}'\n  is      {}\n  or      {}\n", key_text(form, row),
                                       form.table.name, told(left.tables[table], row), told(right.tables[table], row));
            }
        }
    }
    return "";
}

std::string told_order(const History& history, const Order& order, std::size_t until) {
    std::string text;
    const std::size_t first = until + 1 > kToldOrderMax ? until + 1 - kToldOrderMax : 0;
    if (first > 0)
        text += fmt::format("  ({} events before)\n", first);
    for (std::size_t i = first; i <= until; ++i)
        text += line_of(history.told(order[i]));
    return text;
}

// Two neighbours on the way from the order as given to this one whose swap changes the rows.
std::string explain(const ProjectionModel& model, const History& history, const Outcome& reference,
                    const Order& order) {
    const Way way(order);
    const std::vector<std::size_t> one_batch{order.size()};
    std::size_t place = 0;
    std::size_t same = 0;
    std::size_t other = way.length();
    while (other - same > 1) {
        const std::size_t middle = same + (other - same) / 2;
        (fold_in(model, history, way.after(middle, place), one_batch) == reference ? same : other) = middle;
    }
    const Order before = way.after(same, place);
    const Order after = way.after(other, place);
    const Outcome changed = fold_in(model, history, after, one_batch);
    return fmt::format(
        "the rows depend on the order of events of different streams, which a rebuild may see in another order:\n{}"
        "depending on which of these two comes first\n{}{}"
        "in the order\n{}"
        "Write a row from the events of one key only, or by operations that commute (sums, counts, highest).\n",
        first_difference(model, reference, changed), line_of(history.told(before[place])),
        line_of(history.told(before[place + 1])), told_order(history, before, place + 1));
}

}  // namespace

void check_interleavings(const ProjectionModel& model, const ProjectionModel& forgetful,
                         std::span<const ToldEvent> events, const Interleavings& options) {
    History history("test");
    for (const ToldEvent& event : events)
        history.append(event);
    const Order as_given = all_of(history.size());
    const std::vector<std::size_t> one_batch{history.size()};
    const Outcome reference = fold_in(model, history, as_given, one_batch);
    if (!reference.error.empty())
        throw ScenarioFailed("the events do not fold in the order as given: " + reference.error);

    Shuffler shuffler(history, options.seed);
    for (std::size_t run = 0; run < options.orders; ++run) {
        const Order order = shuffler.order(run);
        const std::vector<std::size_t> ends = shuffler.batch_ends();
        const Outcome outcome = fold_in(run % 2 == 0 ? model : forgetful, history, order, ends);
        if (outcome == reference)
            continue;
        const std::string where = fmt::format("(seed {}, order {})", options.seed, run);
        if (fold_in(model, history, order, one_batch) != reference)
            throw ScenarioFailed(explain(model, history, reference, order) + where);
        throw ScenarioFailed(
            fmt::format("the rows depend on where batches end: a handler depends on more than its "
                        "arguments\n{}batches end behind events {} {}",
                        first_difference(model, reference, outcome), fmt::join(ends, ", "), where));
    }
}

}  // namespace leftfold::detail
