#include "projection_report.hpp"

#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace leftfold {

namespace {

FaultReport report_of(const EventFault& fault) {
    return {.place = {fault.place.topic, fault.place.partition.value(), fault.place.position.value()},
            .type = fault.type,
            .key = fault.key,
            .version = fault.version.value(),
            .message = fault.message};
}

std::string text_of(const Trouble& trouble) {
    return fmt::format("{} (tried {} times, again after {})", trouble.message, trouble.attempts,
                       std::chrono::duration_cast<std::chrono::milliseconds>(trouble.retry_after));
}

GenerationReport report_of(const GenerationStatus& status) {
    GenerationReport report{.generation = status.generation.value(),
                            .created = status.created,
                            .lag = status.lag(),
                            .events_folded = status.events_folded,
                            .events_per_second = std::llround(status.events_per_second),
                            .partitions = {},
                            .fault = {},
                            .skipped = {},
                            .trouble = {}};
    for (const PartitionProgress& partition : status.partitions)
        report.partitions.push_back({partition.topic, partition.partition.value(), partition.position.value(),
                                     partition.durable_end.value(), partition.lag()});
    if (status.fault)
        report.fault = report_of(*status.fault);
    for (const SkippedEvent& skipped : status.skipped)
        report.skipped.push_back({report_of(skipped.fault), skipped.at});
    if (status.trouble)
        report.trouble = text_of(*status.trouble);
    return report;
}

}  // namespace

ProjectionReport report_of(const ProjectionStatus& status) {
    ProjectionReport report{.name = status.name,
                            .state = std::string(to_string(status.state)),
                            .is_served = status.is_served,
                            .is_stale = status.is_stale,
                            .live = {},
                            .build = {},
                            .previous = {},
                            .difference = {},
                            .trouble = {},
                            .remark = status.remark};
    if (status.live)
        report.live = report_of(*status.live);
    if (status.build)
        report.build = BuildReport{std::string(to_string(status.build->stage)), status.build->positions_done,
                                   status.build->positions_total, report_of(status.build->generation)};
    if (status.previous)
        report.previous = status.previous->value();
    if (status.difference)
        report.difference =
            DifferenceReport{status.difference->older.value(), status.difference->newer.value(),
                             status.difference->is_equal, status.difference->is_complete, status.difference->path};
    if (status.trouble)
        report.trouble = text_of(*status.trouble);
    return report;
}

}  // namespace leftfold
