// SnapshotStore: states of long-lived aggregates in small files beside the log, one per aggregate, so that not all of
// its stream is read again. The log stays the only truth: any of these files may be deleted at any time.
//
// A snapshot is used only if everything holds: its checksum (else it is torn), the log that it was folded from, the
// topic, the key, the model (shape of the state and version of its code), and, for the caller to check, the event at
// its version. What does not hold is as good as not there.
//
// Form: "LFSNAP1\n", CRC-32C of all that follows (4 bytes), then identity (16 + 16 bytes), key, version, last event (16
// bytes), time_max, recorded_at, state; texts with their length, numbers as LEB128, times zigzag, in microseconds.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/base/uuid.hpp"
#include "leftfold/env/env.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold {

struct Snapshot {
    Version version;
    Uuid last_event;        // at that version
    Timestamp time_max;     // of all that was folded
    Timestamp recorded_at;  // of the last event
    std::string state;      // JSON
};

// What a snapshot must agree with.
struct SnapshotIdentity {
    Uuid incarnation;  // of the log
    PayloadHash model{};
};

// Of the loaded program, code and all: changes with every build that differs. nullopt where the linker left no build
// id.
std::optional<std::string> build_id();

// `snapshot_version`: the user's word that the code folds as before; none: only this very build is believed. nullopt if
// nothing tells builds apart: then there are no snapshots.
std::optional<SnapshotIdentity> snapshot_identity(const Uuid& incarnation, std::string_view topic,
                                                  std::string_view state_shape,
                                                  std::optional<std::uint32_t> snapshot_version);

std::string encode_snapshot(const SnapshotIdentity& identity, std::string_view key, const Snapshot& snapshot);
std::optional<Snapshot> decode_snapshot(const SnapshotIdentity& identity, std::string_view key, std::string_view bytes);

class SnapshotStore {
  public:
    static constexpr std::size_t kWritesMax = 16;  // waiting; more are dropped, they come again
    static constexpr std::size_t kBytesMax = 16UL * 1024 * 1024;

    using ReadDone = std::move_only_function<void(std::optional<Snapshot>)>;

    SnapshotStore(const Env& env, std::string folder, const SnapshotIdentity& identity);

    // Off this thread; `done` is a later step.
    void read(std::string_view key, ReadDone done);
    // Best effort: a failure means that more is read from the log next time.
    void write(std::string_view key, Snapshot snapshot);

  private:
    std::string path_of(std::string_view key) const;

    Env env_;
    std::string folder_;
    SnapshotIdentity identity_;
    std::shared_ptr<std::size_t> writes_waiting_;  // outlives the store in steps that come too late
    std::unique_ptr<Worker> worker_;
};

}  // namespace leftfold
