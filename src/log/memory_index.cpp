#include "memory_index.hpp"

#include "leftfold/base/assert.hpp"

namespace leftfold::log {

std::uint32_t MemoryIndex::find_entry(std::uint64_t hash, std::string_view key) const {
    return stream_slots_.find(
        hash, [&](std::uint32_t entry) { return streams_[entry].hash == hash && this->key(streams_[entry]) == key; });
}

const MemoryIndex::Stream* MemoryIndex::find(std::uint64_t hash, std::string_view key) const {
    const std::uint32_t entry = find_entry(hash, key);
    return entry == kNone ? nullptr : &streams_[entry];
}

const MemoryIndex::Batch* MemoryIndex::find_version(const Stream& stream, Version version) const noexcept {
    const Batch* batch = &head(stream);
    if (version > batch->last_version())
        return nullptr;
    while (batch->first_version > version.value() && batch->previous != kNone) {
        const Batch& far = batches_[batch->jump];
        batch = far.last_version() >= version ? &far : &batches_[batch->previous];
    }
    return batch;
}

void MemoryIndex::add_batch(std::uint64_t hash, std::string_view key, std::uint32_t offset, Version first_version,
                            std::uint32_t record_count) {
    const auto number = static_cast<std::uint32_t>(batches_.size());
    Batch batch{offset, find_entry(hash, key), kNone, number, 0, record_count, first_version.value()};
    if (batch.stream == kNone) {
        batch.stream = static_cast<std::uint32_t>(streams_.size());
        streams_.push_back(
            {hash, static_cast<std::uint32_t>(keys_.size()), static_cast<std::uint32_t>(key.size()), number});
        keys_.append(key);
        stream_slots_.add(hash, batch.stream, [this](std::uint32_t entry) { return streams_[entry].hash; });
    } else {
        batch.previous = streams_[batch.stream].head;
        const Batch& previous = batches_[batch.previous];
        const Batch& far = batches_[previous.jump];
        const Batch& farther = batches_[far.jump];
        LEFTFOLD_ASSERT(previous.last_version().next() == first_version);
        batch.ordinal = previous.ordinal + 1;
        batch.jump = previous.ordinal - far.ordinal == far.ordinal - farther.ordinal ? far.jump : batch.previous;
        streams_[batch.stream].head = number;
    }
    batches_.push_back(batch);
}

void MemoryIndex::add_command(std::uint64_t hash, std::uint32_t offset) {
    const auto entry = static_cast<std::uint32_t>(commands_.size());
    commands_.push_back({hash, offset});
    command_slots_.add(hash, entry, [this](std::uint32_t at) { return commands_[at].hash; });
}

void MemoryIndex::append(const MemoryIndex& other, std::uint32_t offset) {
    for (const Batch& batch : other.batches_) {
        const Stream& stream = other.streams_[batch.stream];
        add_batch(stream.hash, other.key(stream), offset + batch.offset, Version(batch.first_version),
                  batch.record_count);
    }
    for (const Command& command : other.commands_)
        add_command(command.hash, offset + command.offset);
}

void MemoryIndex::clear() {
    stream_slots_.clear([this](std::uint32_t entry) { return streams_[entry].hash; });
    command_slots_.clear([this](std::uint32_t entry) { return commands_[entry].hash; });
    batches_.clear();
    streams_.clear();
    commands_.clear();
    keys_.clear();
}

std::size_t MemoryIndex::memory_bytes() const noexcept {
    return batches_.capacity() * sizeof(Batch) + streams_.capacity() * sizeof(Stream) +
           commands_.capacity() * sizeof(Command) + keys_.capacity() + stream_slots_.memory_bytes() +
           command_slots_.memory_bytes();
}

}  // namespace leftfold::log
