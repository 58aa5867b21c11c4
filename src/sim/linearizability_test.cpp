#include "leftfold/sim/linearizability.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "leftfold/sim/random.hpp"

namespace leftfold::sim {
namespace {

using testing::HasSubstr;

// One stream: appends that name the version they expect (-1: any), and reads of the version.
struct VersionedStream {
    using State = std::int64_t;
    struct Input {
        std::string key;
        bool is_append = false;
        std::int64_t expected = -1;

        friend bool operator==(const Input&, const Input&) = default;
    };
    struct Output {
        bool is_conflict = false;
        std::int64_t version = 0;
    };

    State initial() const { return 0; }
    std::optional<State> step(const State& version, const Input& in, const std::optional<Output>& out) const {
        const bool appends = in.is_append && (in.expected == -1 || in.expected == version);
        const State next = appends ? version + 1 : version;
        if (!out)
            return next;
        if (out->is_conflict != (in.is_append && !appends) || out->version != next)
            return std::nullopt;
        return next;
    }
    std::size_t hash(const State& version) const { return static_cast<std::size_t>(version); }
    bool reads_only(const Input& in, const std::optional<Output>& out) const {
        return !in.is_append || (out && out->is_conflict);
    }
    std::string partition(const Input& in) const { return in.key; }
    std::string describe(const State& version) const { return "version " + std::to_string(version); }
    std::string describe(const Input& in, const std::optional<Output>& out) const {
        const std::string name = in.is_append ? "append(" + std::to_string(in.expected) + ")" : "read";
        if (!out)
            return name + " -> ?";
        return name + (out->is_conflict ? " -> conflict at " : " -> ") + std::to_string(out->version);
    }
};

VersionedStream::Input append(std::int64_t expected = -1, std::string key = "") {
    return {std::move(key), true, expected};
}
VersionedStream::Input read(std::string key = "") {
    return {std::move(key), false, -1};
}
VersionedStream::Output at(std::int64_t version) {
    return {false, version};
}
VersionedStream::Output conflict_at(std::int64_t version) {
    return {true, version};
}

using StreamHistory = History<VersionedStream>;

LinearizabilityResult check(const StreamHistory& history) {
    return check_linearizability(VersionedStream{}, history.operations());
}

void done(StreamHistory& history, std::uint32_t client, VersionedStream::Input input, VersionedStream::Output output) {
    history.returned(history.call(client, std::move(input)), output);
}

TEST(Linearizability, empty_and_sequential_histories_are_ok) {
    StreamHistory history;
    EXPECT_EQ(check(history).verdict, Verdict::ok);
    done(history, 1, append(), at(1));
    done(history, 1, append(1), at(2));
    done(history, 1, append(1), conflict_at(2));
    done(history, 1, read(), at(2));
    EXPECT_EQ(check(history).verdict, Verdict::ok);
}

TEST(Linearizability, stale_read_is_illegal_and_explained) {
    StreamHistory history;
    done(history, 1, append(), at(1));
    done(history, 1, append(), at(2));
    done(history, 7, read(), at(1));
    const LinearizabilityResult result = check(history);
    EXPECT_EQ(result.verdict, Verdict::illegal);
    EXPECT_THAT(result.longest_prefix, testing::ElementsAre(0, 1));
    EXPECT_THAT(result.explanation, HasSubstr("2 of 3 operations"));
    EXPECT_THAT(result.explanation, HasSubstr("the state is version 2"));
    EXPECT_THAT(result.explanation, HasSubstr("#2 client 7 [5, 6] read -> 1"));
}

TEST(Linearizability, read_concurrent_with_an_append_may_see_either) {
    for (const std::int64_t seen : {0, 1}) {
        StreamHistory history;
        const auto write = history.call(1, append());
        done(history, 2, read(), at(seen));
        history.returned(write, at(1));
        EXPECT_EQ(check(history).verdict, Verdict::ok);
    }
}

TEST(Linearizability, reads_that_go_back_are_illegal) {
    StreamHistory history;
    const auto write = history.call(1, append());
    done(history, 2, read(), at(1));
    done(history, 3, read(), at(0));
    history.returned(write, at(1));
    EXPECT_EQ(check(history).verdict, Verdict::illegal);
}

TEST(Linearizability, lost_update_is_illegal) {
    StreamHistory history;
    const auto first = history.call(1, append(0));
    const auto second = history.call(2, append(0));
    history.returned(first, at(1));
    history.returned(second, at(1));
    EXPECT_EQ(check(history).verdict, Verdict::illegal);
}

TEST(Linearizability, conflict_answered_before_its_cause_began_is_illegal) {
    StreamHistory history;
    done(history, 1, append(0), conflict_at(1));
    done(history, 2, append(), at(1));
    EXPECT_EQ(check(history).verdict, Verdict::illegal);
}

TEST(Linearizability, operation_without_return_may_or_may_not_have_happened) {
    for (const std::int64_t seen : {0, 1}) {
        StreamHistory history;
        history.call(1, append());
        done(history, 2, read(), at(seen));
        EXPECT_EQ(check(history).verdict, Verdict::ok);
        done(history, 2, read(), at(1));
        EXPECT_EQ(check(history).verdict, Verdict::ok) << "late";
        done(history, 2, read(), at(0));
        EXPECT_EQ(check(history).verdict, Verdict::illegal) << "taken back";
    }
}

TEST(Linearizability, operation_without_return_happens_at_most_once_and_not_before_its_call) {
    StreamHistory twice;
    twice.call(1, append());
    done(twice, 2, read(), at(2));
    EXPECT_EQ(check(twice).verdict, Verdict::illegal);
    StreamHistory early;
    done(early, 2, read(), at(1));
    early.call(1, append());
    EXPECT_EQ(check(early).verdict, Verdict::illegal);
}

TEST(Linearizability, keys_are_objects_of_their_own) {
    StreamHistory history;
    done(history, 1, append(-1, "a"), at(1));
    done(history, 1, append(-1, "b"), at(1));
    EXPECT_EQ(check(history).verdict, Verdict::ok);
    done(history, 1, read("b"), at(2));
    const LinearizabilityResult result = check(history);
    EXPECT_EQ(result.verdict, Verdict::illegal);
    EXPECT_THAT(result.explanation, HasSubstr("'b': "));
}

TEST(Linearizability, bound_leaves_it_undecided) {
    StreamHistory history;
    for (int i = 1; i <= 100; ++i)
        done(history, 1, append(), at(i));
    const auto result = check_linearizability(VersionedStream{}, history.operations(), {.steps_max = 50});
    EXPECT_EQ(result.verdict, Verdict::undecided);
    EXPECT_THAT(result.explanation, HasSubstr("bound of steps"));
}

TEST(Linearizability, touching_times_count_as_concurrent) {
    using Op = Operation<VersionedStream>;
    const std::vector<Op> touching{Op{1, append(), at(1), 10, 20}, Op{2, read(), at(0), 20, 30}};
    const std::vector<Op> apart{Op{1, append(), at(1), 10, 20}, Op{2, read(), at(0), 21, 30}};
    EXPECT_EQ(check_linearizability(VersionedStream{}, touching).verdict, Verdict::ok);
    EXPECT_EQ(check_linearizability(VersionedStream{}, apart).verdict, Verdict::illegal);
}

// A true stream behind clients that wait: each takes effect at a random moment between call and return; some never
// return.
StreamHistory simulated(std::uint64_t seed, std::size_t operation_count, std::size_t client_count,
                        std::uint64_t lost_one_in, std::size_t key_count = 1) {
    SimRandom random(seed);
    struct Client {
        std::size_t operation = 0;
        VersionedStream::Input input;
        std::optional<VersionedStream::Output> output;
        bool is_busy = false;
    };
    std::vector<Client> clients(client_count);
    std::vector<std::int64_t> versions(key_count, 0);
    StreamHistory history;
    const VersionedStream model;
    std::size_t busy_count = 0;
    while (history.operations().size() < operation_count || busy_count > 0) {
        const std::size_t who = random.below(client_count);
        Client& client = clients[who];
        if (!client.is_busy) {
            if (history.operations().size() == operation_count)
                continue;
            const std::size_t key = random.below(key_count);
            const std::uint64_t kind = random.below(4);
            client.input = kind == 0   ? read(std::to_string(key))
                           : kind == 1 ? append(versions[key], std::to_string(key))
                                       : append(-1, std::to_string(key));
            client.operation = history.call(static_cast<std::uint32_t>(who), client.input);
            client.output.reset();
            client.is_busy = true;
            ++busy_count;
        } else if (!client.output) {
            std::int64_t& version = versions[std::stoul(client.input.key)];
            const std::int64_t next = *model.step(version, client.input, std::nullopt);
            client.output = next == version && client.input.is_append ? conflict_at(version) : at(next);
            version = next;
        } else {
            if (lost_one_in == 0 || !one_in(random, lost_one_in))
                history.returned(client.operation, *client.output);
            client.is_busy = false;
            --busy_count;
        }
    }
    return history;
}

TEST(Linearizability, long_histories_of_many_clients_are_decided_fast) {
    for (const std::size_t client_count : {1U, 16U, 1'000U}) {
        const StreamHistory history = simulated(client_count, 12'000, client_count, 0);
        const LinearizabilityResult result = check(history);
        EXPECT_EQ(result.verdict, Verdict::ok) << result.explanation;
        RecordProperty("steps_" + std::to_string(client_count), std::to_string(result.step_count));
    }
}

TEST(Linearizability, lost_returns_and_many_keys_are_decided_fast) {
    EXPECT_EQ(check(simulated(1, 10'000, 50, 50)).verdict, Verdict::ok);
    EXPECT_EQ(check(simulated(2, 10'000, 50, 200, 20)).verdict, Verdict::ok);
}

TEST(Linearizability, one_wrong_answer_in_a_long_history_is_found) {
    for (const std::size_t client_count : {16U, 300U}) {
        const StreamHistory history = simulated(3, 10'000, client_count, 0);
        auto operations = history.operations();
        const auto last_read =
            std::ranges::find_if(operations.rbegin() + 1'000, operations.rend(),
                                 [](const auto& operation) { return !operation.input.is_append && operation.output; });
        ASSERT_NE(last_read, operations.rend());
        last_read->output->version -= static_cast<std::int64_t>(client_count) + 5;
        const auto result = check_linearizability(VersionedStream{}, operations);
        EXPECT_EQ(result.verdict, Verdict::illegal);
        EXPECT_GT(result.longest_prefix.size(), 5'000U);
    }
}

// A register of small values, where a write may leave the state as it is and still matter later.
struct Register {
    using State = int;
    struct Input {
        enum class Kind { read, write, exchange } kind = Kind::read;
        int value = 0;

        friend bool operator==(const Input&, const Input&) = default;
    };
    using Output = int;  // of read and exchange: what was there; of a write 0

    State initial() const { return 0; }
    std::optional<State> step(const State& state, const Input& in, const std::optional<Output>& out) const {
        const Output answer = in.kind == Input::Kind::write ? 0 : state;
        if (out && *out != answer)
            return std::nullopt;
        return in.kind == Input::Kind::read ? state : in.value;
    }
    std::size_t hash(const State& state) const { return static_cast<std::size_t>(state); }
    bool reads_only(const Input& in, const std::optional<Output>&) const { return in.kind == Input::Kind::read; }
    std::string describe(const State& state) const { return std::to_string(state); }
    std::string describe(const Input& in, const std::optional<Output>& out) const {
        static constexpr const char* kNames[] = {"read", "write", "exchange"};
        return std::string(kNames[static_cast<int>(in.kind)]) + " " + std::to_string(in.value) + " -> " +
               (out ? std::to_string(*out) : "?");
    }
};

// Every order of every choice of pending operations, by definition.
bool is_linearizable_by_force(const std::vector<Operation<Register>>& history, std::vector<bool>& placed, int state) {
    const Register model;
    bool is_complete = true;
    for (std::size_t i = 0; i < history.size(); ++i)
        is_complete = is_complete && (placed[i] || !history[i].output);
    if (is_complete)
        return true;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (placed[i])
            continue;
        bool is_first = true;
        for (std::size_t other = 0; other < history.size(); ++other)
            is_first =
                is_first && (placed[other] || !history[other].output || history[other].returned >= history[i].called);
        const auto next = is_first ? model.step(state, history[i].input, history[i].output) : std::nullopt;
        if (!next)
            continue;
        placed[i] = true;
        const bool found = is_linearizable_by_force(history, placed, *next);
        placed[i] = false;
        if (found)
            return true;
    }
    return false;
}

std::vector<Operation<Register>> random_history(SimRandom& random) {
    std::vector<Operation<Register>> history(1 + random.below(7));
    for (auto& operation : history) {
        operation.client = static_cast<std::uint32_t>(random.below(4));
        operation.input.kind = static_cast<Register::Input::Kind>(random.below(3));
        operation.input.value = static_cast<int>(random.below(3));
        operation.called = static_cast<std::int64_t>(random.below(20));
        operation.returned = operation.called + static_cast<std::int64_t>(random.below(12));
        if (!one_in(random, 4))
            operation.output =
                operation.input.kind == Register::Input::Kind::write ? 0 : static_cast<int>(random.below(3));
    }
    return history;
}

TEST(Linearizability, agrees_with_brute_force_on_small_histories) {
    constexpr std::uint64_t kSeed = 2024;
    SimRandom random(kSeed);
    int legal = 0;
    constexpr int kRounds = 8'000;
    for (int round = 0; round < kRounds; ++round) {
        const auto history = random_history(random);
        std::vector<bool> placed(history.size(), false);
        const bool expected = is_linearizable_by_force(history, placed, 0);
        const auto result = check_linearizability(Register{}, history);
        legal += expected;
        ASSERT_EQ(result.verdict, expected ? Verdict::ok : Verdict::illegal)
            << "seed " << kSeed << ", round " << round << "\n"
            << result.explanation;
    }
    EXPECT_GT(legal, kRounds / 10);
    EXPECT_LT(legal, kRounds * 9 / 10);
}

TEST(Linearizability, write_that_changes_nothing_now_may_be_needed_later) {
    using Kind = Register::Input::Kind;
    History<Register> history;
    history.returned(history.call(1, {Kind::write, 5}), 0);
    const auto five = history.call(1, {Kind::write, 5});
    history.returned(history.call(2, {Kind::write, 6}), 0);
    history.returned(history.call(2, {Kind::read, 0}), 6);
    history.returned(history.call(2, {Kind::read, 0}), 5);
    history.returned(five, 0);
    EXPECT_EQ(check_linearizability(Register{}, history.operations()).verdict, Verdict::ok);
}

TEST(OperationSet, key_tells_sets_apart_and_hash_follows) {
    OperationSet set(300);
    const std::uint64_t empty = set.hash();
    for (std::size_t i = 0; i < 130; ++i)
        set.add(i);
    EXPECT_EQ(set.key().full_words, 2U);
    EXPECT_EQ(set.key().edge.size(), 1U);
    const auto before = set.key();
    set.add(250);
    EXPECT_NE(set.key(), before);
    set.remove(250);
    EXPECT_EQ(set.key(), before);
    set.remove(5);
    EXPECT_EQ(set.key().full_words, 0U);
    set.add(5);
    EXPECT_EQ(set.key(), before);
    for (std::size_t i = 0; i < 130; ++i)
        set.remove(i);
    EXPECT_EQ(set.hash(), empty);
    EXPECT_EQ(set.key(), OperationSet(300).key());
}

}  // namespace
}  // namespace leftfold::sim
