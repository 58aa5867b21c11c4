// PositionToken: "I have seen this much": the log's incarnation, and for some partitions the position up to which
// (exclusive) its holder has seen the events. Opaque to clients, who send it back to read their own writes.
//
// Written form: "1." and base64url, without padding, of: incarnation (16 bytes), number of entries (LEB128), then for
// each entry the CRC-32C of the topic's name (4 bytes, little-endian), partition and position (LEB128 each).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "leftfold/base/error.hpp"
#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/uuid.hpp"

namespace leftfold::log {

// Stable over restarts and engines, as names are; ids are not.
using TopicHash = StrongId<struct TopicHashTag, std::uint32_t>;
TopicHash topic_hash(std::string_view topic_name) noexcept;

class PositionToken {
  public:
    static constexpr std::size_t kEntriesMax = 256;

    explicit PositionToken(const Uuid& incarnation) noexcept : incarnation_(incarnation) {}

    // invalid_argument: not a token. unsupported: of a later version.
    static Result<PositionToken> parse(std::string_view text);
    std::string to_string() const;

    const Uuid& incarnation() const noexcept { return incarnation_; }
    // Raises the entry of a partition; never lowers it.
    void advance(TopicHash topic, PartitionId partition, Position position);
    // By maximum. invalid_argument if the other is of another incarnation.
    Result<> merge(const PositionToken& other);

    using Entries = std::map<std::pair<TopicHash, PartitionId>, Position>;
    const Entries& entries() const noexcept { return entries_; }

  private:
    Uuid incarnation_;
    Entries entries_;
};

struct PositionEntry {
    TopicHash topic;
    PartitionId partition;
    Position position;
};

// Tokens without the map in between. Of one partition, as it goes out with every reply:
std::string make_position_token(const Uuid& incarnation, TopicHash topic, PartitionId partition, Position position);
// Of several, sorted by topic and partition, at most kEntriesMax; as it goes out with every event of a live stream.
void append_position_token(std::string& out, const Uuid& incarnation, std::span<const PositionEntry> entries);

}  // namespace leftfold::log
