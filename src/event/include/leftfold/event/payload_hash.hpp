// PayloadHash: tells a repeated command from another one under the same id.
#pragma once

#include <string_view>

#include "leftfold/event/record.hpp"

namespace leftfold {

// XXH3-128 of the JSON, seeded with XXH3-64 of the name, big-endian. Stored with every event: it never changes. Not for
// secrets: whoever can choose both payloads can make them collide.
PayloadHash payload_hash(std::string_view command_name, std::string_view canonical_json) noexcept;

}  // namespace leftfold
