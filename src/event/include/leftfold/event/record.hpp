// Record: one event as the log keeps it, its metadata and its payload. Everything is a view: who needs it longer
// copies.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "leftfold/base/strong_id.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/base/uuid.hpp"

namespace leftfold {

// XXH3-128 of a command's name and its canonical JSON: tells a repeat from another command under the same id.
using PayloadHash = std::array<std::uint8_t, 16>;

// Who chose the command id. Only ids that a client chose can be repeated, and are looked up.
enum class CommandIdSource : std::uint8_t { server = 0, client = 1 };

// An absent text is empty.
struct EventMeta {
    Uuid id;
    std::string_view type;           // "bank.account.withdrawn"
    std::uint32_t type_version = 1;  // of the payload's shape
    std::string_view key;            // the aggregate's id
    Version version;                 // within the stream of (topic, key)
    Timestamp time;                  // when it happened; a trusted source may say so for the past
    Timestamp recorded_at;           // when the log took it; never falls within a partition
    std::string_view command_id;
    CommandIdSource command_id_source = CommandIdSource::server;
    PayloadHash payload_hash{};
    std::string_view correlation_id;
    std::string_view causation_id;
    std::string_view traceparent;  // W3C Trace Context
    std::string_view actor;
    std::string_view tenant;
};

struct Record {
    EventMeta meta;
    std::string_view payload;  // JSON
    Position position;         // given by the log
};

}  // namespace leftfold
