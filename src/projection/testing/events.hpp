// Records of a stream for tests, which own what they point to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "leftfold/event/event_codec.hpp"
#include "leftfold/event/event_stream.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold::testing {

inline constexpr Timestamp kNoon = timestamp_from_micros(738'849'600'000'000);  // 1993-05-31T12:00:00Z

struct OwnedRecord {
    std::string type;
    std::uint32_t type_version = 1;
    std::string key;
    std::string payload;
    std::int64_t version = 1;
    std::int64_t position = 0;
    Timestamp time = kNoon;

    Record view() const {
        Record record;
        record.meta.type = type;
        record.meta.type_version = type_version;
        record.meta.key = key;
        record.meta.version = Version(version);
        record.meta.time = time;
        record.meta.recorded_at = time;
        record.payload = payload;
        record.position = Position(position);
        return record;
    }
};

template <EventStream Stream>
OwnedRecord record_of(std::string key, const typename Stream::Event& event, std::int64_t version = 1) {
    const EventCodec<typename Stream::Event> codec(topic_name("bank", Stream::aggregate));
    OwnedRecord record;
    const StoredType type = codec.encode(event, record.payload);
    record.type = type.name;
    record.type_version = type.version;
    record.key = std::move(key);
    record.version = record.position = version;
    return record;
}

}  // namespace leftfold::testing
