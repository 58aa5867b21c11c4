// The hash and the partition rule of Kafka's default partitioner, so that any client in any language lands on the same
// partition (org.apache.kafka.common.utils.Utils.murmur2 and BuiltInPartitioner; SEMANTICS: stream and partition).
#pragma once

#include <cstdint>
#include <string_view>

#include "leftfold/base/strong_id.hpp"

namespace leftfold {

std::uint32_t murmur2(std::string_view key) noexcept;

// count must not be 0.
inline PartitionId partition_of(std::string_view key, std::uint32_t count) noexcept {
    return PartitionId((murmur2(key) & 0x7FFF'FFFFU) % count);
}

}  // namespace leftfold
