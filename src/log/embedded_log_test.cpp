#include "leftfold/log/embedded_log.hpp"

#include <gtest/gtest.h>

#include "disk_world.hpp"
#include "event_log_conformance.hpp"
#include "sim_world.hpp"

namespace leftfold::log {
namespace {

std::string name_of(const testing::TestParamInfo<LogWorldFactory>& param) {
    return param.param.name;
}

LogWorldFactory on_disk(std::string name, EmbeddedLogOptions options) {
    return {std::move(name), [options] { return std::make_unique<DiskWorld>(options); }};
}

INSTANTIATE_TEST_SUITE_P(Disk, EventLogConformance,
                         testing::Values(on_disk("default", {}), on_disk("tiny_segments", {.segment_bytes = 4096})),
                         name_of);

LogWorldFactory simulated(std::string name, std::uint64_t seed, EmbeddedLogOptions options) {
    return {std::move(name), [seed, options] { return std::make_unique<SimWorld>(seed, options); }};
}

INSTANTIATE_TEST_SUITE_P(Simulated, EventLogConformance,
                         testing::Values(simulated("default", 1, {}),
                                         simulated("tiny_segments", 2, {.segment_bytes = 4096})),
                         name_of);

}  // namespace
}  // namespace leftfold::log
