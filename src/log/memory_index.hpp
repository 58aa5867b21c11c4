// MemoryIndex: where the batches of each stream and of each client-chosen command id are, for batches that lie in one
// run of bytes: a segment being written, or a group on its way to the disk.
//
// Streams are told apart by their keys, which are kept; command ids by 64 bits only: who finds one verifies it in the
// batch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/strong_id.hpp"

#include "hash_slots.hpp"

namespace leftfold::log {

class MemoryIndex {
  public:
    static constexpr std::uint32_t kNone = HashSlots::kNone;

    struct Batch {
        std::uint32_t offset;  // in the run of bytes
        std::uint32_t stream;
        std::uint32_t previous;  // of the same stream, or kNone
        std::uint32_t jump;      // further back: finding a version takes O(log n) steps (Myers 1983)
        std::uint32_t ordinal;   // within the stream
        std::uint32_t record_count;
        std::int64_t first_version;

        Version last_version() const noexcept { return Version(first_version + record_count - 1); }
    };
    struct Stream {
        std::uint64_t hash;
        std::uint32_t key_offset;
        std::uint32_t key_bytes;
        std::uint32_t head;  // its newest batch
    };
    struct Command {
        std::uint64_t hash;
        std::uint32_t offset;  // of its batch
    };

    // nullptr if the stream has no batch here. Pointers and keys are valid until the next change.
    const Stream* find(std::uint64_t hash, std::string_view key) const;
    std::string_view key(const Stream& stream) const noexcept {
        return std::string_view(keys_).substr(stream.key_offset, stream.key_bytes);
    }
    const Batch& head(const Stream& stream) const noexcept { return batches_[stream.head]; }
    // The batch with this version; the oldest here where the version is older; nullptr where it is newer than the head.
    const Batch* find_version(const Stream& stream, Version version) const noexcept;

    // Calls verify(offset) for each batch that may hold this command, newest last, until it returns true.
    template <class Verify>
    void find_command(std::uint64_t hash, Verify&& verify) const {
        command_slots_.find(hash, [&](std::uint32_t entry) {
            return commands_[entry].hash == hash && verify(commands_[entry].offset);
        });
    }

    void add_batch(std::uint64_t hash, std::string_view key, std::uint32_t offset, Version first_version,
                   std::uint32_t record_count);
    void add_command(std::uint64_t hash, std::uint32_t offset);
    // All of `other`, whose run of bytes was put at `offset` of this one's.
    void append(const MemoryIndex& other, std::uint32_t offset);
    void clear();

    const std::vector<Batch>& batches() const noexcept { return batches_; }
    const std::vector<Stream>& streams() const noexcept { return streams_; }
    const std::vector<Command>& commands() const noexcept { return commands_; }
    std::size_t memory_bytes() const noexcept;

  private:
    std::uint32_t find_entry(std::uint64_t hash, std::string_view key) const;

    std::vector<Batch> batches_;
    std::vector<Stream> streams_;
    std::vector<Command> commands_;
    std::string keys_;
    HashSlots stream_slots_;
    HashSlots command_slots_;
};

}  // namespace leftfold::log
