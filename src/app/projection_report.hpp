// ProjectionReport: a projection as the owner of a data directory tells operators' tools of it, as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/base/time.hpp"
#include "leftfold/projection/status.hpp"

namespace leftfold {

struct PlaceReport {
    std::string topic;
    std::uint32_t partition = 0;
    std::int64_t position = 0;
};

struct FaultReport {
    PlaceReport place;
    std::string type;
    std::string key;
    std::int64_t version = 0;
    std::string message;
};

struct SkippedReport {
    FaultReport fault;
    Timestamp at{};
};

struct PartitionReport {
    std::string topic;
    std::uint32_t partition = 0;
    std::int64_t position = 0;
    std::int64_t durable_end = 0;
    std::int64_t lag = 0;
};

struct GenerationReport {
    std::uint64_t generation = 0;
    Timestamp created{};
    std::int64_t lag = 0;
    std::uint64_t events_folded = 0;
    std::int64_t events_per_second = 0;
    std::vector<PartitionReport> partitions;
    std::optional<FaultReport> fault;
    std::vector<SkippedReport> skipped;
    std::optional<std::string> trouble;
};

struct BuildReport {
    std::string stage;
    std::uint64_t positions_done = 0;
    std::uint64_t positions_total = 0;
    GenerationReport generation;
};

struct DifferenceReport {
    std::uint64_t older = 0;
    std::uint64_t newer = 0;
    bool is_equal = false;
    bool is_complete = false;
    std::string path;
};

struct ProjectionReport {
    std::string name;
    std::string state;
    bool is_served = false;
    bool is_stale = false;
    std::optional<GenerationReport> live;
    std::optional<BuildReport> build;
    std::optional<std::uint64_t> previous;
    std::optional<DifferenceReport> difference;
    std::optional<std::string> trouble;
    std::string remark;
};

ProjectionReport report_of(const ProjectionStatus& status);

}  // namespace leftfold
