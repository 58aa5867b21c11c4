// The embedded engine: segmented append-only files under one data directory, fsynced before acknowledged.
// The format is docs/formats/log.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "leftfold/env/env.hpp"
#include "leftfold/log/event_log.hpp"

namespace leftfold::log {

struct EmbeddedLogOptions {
    std::string directory = {};                         // created where missing; locked while open
    std::vector<TopicDeclaration> topics = {};          // a stored topic with another partition count is refused
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;  // a segment is closed when it would grow beyond
    std::uint64_t pending_bytes_max =
        16ULL * 1024 * 1024;  // per partition, accepted and not yet durable: then overloaded
    std::uint64_t append_bytes_max = 1ULL * 1024 * 1024;  // of one append: then too_large
};

// Opens the log, recovering what a crash left: a torn tail is cut, damage below a durable position is refused (corrupt)
// with the command that helps. Blocks while it recovers. `env` is borrowed for the life of the log.
Result<std::unique_ptr<EventLog>> open_embedded_log(const Env& env, EmbeddedLogOptions options);

// Whether a log was ever made in this directory. For tools that must not make one.
Result<bool> holds_embedded_log(FileSystem& files, const std::string& directory);

}  // namespace leftfold::log
