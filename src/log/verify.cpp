#include "leftfold/log/verify.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "commit.hpp"
#include "hash.hpp"
#include "index_file.hpp"
#include "manifest.hpp"
#include "recovery.hpp"
#include "scan.hpp"
#include "segment_reader.hpp"

namespace leftfold::log {
namespace {

// While somebody writes, a segment is looked at again and again: it may have grown between two looks.
constexpr int kLooksMax = 16;

class Verifier {
  public:
    Verifier(FileSystem& files, const std::string& directory, const Manifest& manifest,
             const std::function<void(const VerifyProgress&)>& progress)
        : files_(files), directory_(directory), manifest_(manifest), progress_(progress) {}

    Result<LogReport> run();

  private:
    Result<> measure();
    Result<PartitionReport> verify_partition(const StoredTopic& topic, PartitionId partition);
    Result<> verify_segment(PartitionReport& report, Position base, bool is_last);
    Result<> verify_last(PartitionReport& report, File& file, const std::string& path, const SegmentHeader& header,
                         Scan& scan);
    Result<> verify_index(PartitionReport& report, const std::string& path, const SegmentHeader& header,
                          const Scan& scan);
    Result<Scan> scan(PartitionReport& report, File& file, const std::string& path, const SegmentHeader& header);

    FileSystem& files_;
    const std::string& directory_;
    const Manifest& manifest_;
    const std::function<void(const VerifyProgress&)>& progress_;
    VerifyProgress done_;

    // Of the partition at hand.
    std::string folder_;
    Position previous_base_ = kNoPosition;
    std::unordered_map<std::uint64_t, Version> heads_;  // by hash of the key
};

Result<LogReport> Verifier::run() {
    LEFTFOLD_CHECK(measure());
    LogReport report;
    report.incarnation = manifest_.incarnation;
    report.epoch = manifest_.epoch;
    for (const StoredTopic& topic : manifest_.topics) {
        for (std::uint32_t p = 0; p < topic.durable.size(); ++p) {
            LEFTFOLD_TRY(partition, verify_partition(topic, PartitionId(p)));
            report.partitions.push_back(std::move(partition));
        }
    }
    return report;
}

Result<> Verifier::measure() {
    for (const StoredTopic& topic : manifest_.topics) {
        for (std::uint32_t p = 0; p < topic.durable.size(); ++p) {
            const std::string folder = partition_folder(directory_, topic.name, PartitionId(p));
            LEFTFOLD_TRY(exists, files_.exists(folder));
            if (!exists)
                continue;
            LEFTFOLD_TRY(bases, list_segments(files_, folder));
            for (const Position base : bases) {
                LEFTFOLD_TRY(file, files_.open(join_path(folder, segment_name(base, kSegmentSuffix)), OpenMode::read));
                LEFTFOLD_TRY(bytes, file->size());
                done_.bytes_total += bytes;
            }
        }
    }
    return {};
}

Result<PartitionReport> Verifier::verify_partition(const StoredTopic& topic, PartitionId partition) {
    PartitionReport report;
    report.topic = topic.name;
    report.partition = partition;
    folder_ = partition_folder(directory_, topic.name, partition);
    previous_base_ = kNoPosition;
    heads_.clear();
    LEFTFOLD_TRY(exists, files_.exists(folder_));
    std::vector<Position> bases;
    if (exists) {
        LEFTFOLD_TRY(listed, list_segments(files_, folder_));
        bases = std::move(listed);
    }
    report.start = report.end = bases.empty() ? Position(0) : bases.front();
    for (const Position base : bases)
        LEFTFOLD_CHECK(verify_segment(report, base, base == bases.back()));
    report.stream_count = heads_.size();
    const Position durable = topic.durable[partition.value()];
    if (report.end < durable && report.damages.empty()) {
        report.damages.push_back({folder_, 0,
                                  fmt::format("records are missing: they end at position {}, and were durable up to {}",
                                              report.end.value(), durable.value())});
    }
    return report;
}

Result<> Verifier::verify_segment(PartitionReport& report, Position base, bool is_last) {
    const std::string path = join_path(folder_, segment_name(base, kSegmentSuffix));
    const Position previous_base = std::exchange(previous_base_, base);
    LEFTFOLD_TRY(file, files_.open(path, OpenMode::read));
    LEFTFOLD_TRY(file_bytes, file->size());
    ++report.segment_count;
    auto header = read_segment_header(*file, path, {manifest_.incarnation, report.topic, report.partition}, base);
    if (!header) {
        report.damages.push_back({path, 0, header.error().message()});
        return {};
    }
    if (header->previous_base != previous_base)
        report.damages.push_back({path, 0, "the segment before it is missing"});
    if (base < report.end)
        report.damages.push_back({path, 0, "it begins below the end of the segment before it"});
    LEFTFOLD_TRY(scanned, scan(report, *file, path, *header));
    if (is_last) {
        LEFTFOLD_CHECK(verify_last(report, *file, path, *header, scanned));
    } else if (scanned.bytes != file_bytes) {
        report.damages.push_back({path, scanned.bytes, std::string(reason(scanned))});
    } else {
        LEFTFOLD_CHECK(verify_index(report, path, *header, scanned));
    }
    report.batch_count += scanned.batch_count;
    report.record_count += scanned.record_count;
    report.bytes += scanned.bytes;
    report.end = std::max(report.end, scanned.index.end);
    done_.bytes_done += file_bytes;
    if (progress_)
        progress_(done_);
    return {};
}

Result<Scan> Verifier::scan(PartitionReport& report, File& file, const std::string& path, const SegmentHeader& header) {
    LEFTFOLD_TRY(file_bytes, file.size());
    return scan_segment(
        file, header, file_bytes, manifest_.hash_seed, [&](const BatchView& batch, std::uint64_t offset) {
            Version& head = heads_[key_hash(manifest_.hash_seed, batch.key)];
            // A second look at a segment that is being written sees the same batches again.
            if (batch.first_version != head.next() && batch.last_version() > head) {
                report.damages.push_back({path, offset,
                                          fmt::format("stream '{}' goes on with version {} behind {}", batch.key,
                                                      batch.first_version.value(), head.value())});
            }
            head = std::max(head, batch.last_version());
        });
}

// A torn tail, or a write that is going on, is no damage; a break with something durable behind it is.
Result<> Verifier::verify_last(PartitionReport& report, File& file, const std::string& path,
                               const SegmentHeader& header, Scan& scanned) {
    for (int look = 0; look < kLooksMax; ++look) {
        LEFTFOLD_TRY(file_bytes, file.size());
        LEFTFOLD_TRY(remains, examine_remains(file, header.checksum, scanned.bytes, file_bytes));
        if (remains.is_zero && scanned.contradiction.empty())
            return {};
        const std::uint64_t broken_at = scanned.bytes;
        LEFTFOLD_TRY(again, scan(report, file, path, header));
        scanned = std::move(again);
        if (scanned.bytes != broken_at)
            continue;
        std::string why(reason(scanned));
        if (scanned.contradiction.empty() && remains.durable_up_to <= scanned.index.end &&
            scanned.fault != BatchFault::unsupported) {
            report.unfinished = {path, broken_at, std::move(why)};
        } else {
            if (remains.durable_up_to > scanned.index.end)
                why += fmt::format(", though position {} was durable (the batch at byte {} says so)",
                                   scanned.index.end.value(), remains.witness_offset);
            report.damages.push_back({path, broken_at, std::move(why)});
        }
        return {};
    }
    report.unfinished = {path, scanned.bytes, "written faster than it can be looked at"};
    return {};
}

Result<> Verifier::verify_index(PartitionReport& report, const std::string& path, const SegmentHeader& header,
                                const Scan& scan) {
    const std::string index = index_path(path);
    LEFTFOLD_TRY(exists, files_.exists(index));
    if (!exists)
        return {};
    const std::string expected = encode_index(scan.index, {header.checksum, scan.bytes, manifest_.hash_seed});
    LEFTFOLD_TRY(file, files_.open(index, OpenMode::read));
    LEFTFOLD_TRY(bytes, read_bytes(*file, 0, expected.size() + 1));
    if (bytes != expected) {
        const auto [differs, unused] = std::ranges::mismatch(bytes, expected);
        report.stale_indexes.push_back(
            {index, static_cast<std::uint64_t>(differs - bytes.begin()), "not the index of its segment"});
    }
    return {};
}

}  // namespace

bool LogReport::is_sound() const noexcept {
    return std::ranges::all_of(partitions, [](const PartitionReport& partition) { return partition.damages.empty(); });
}

Result<LogReport> verify_log(FileSystem& files, const std::string& directory,
                             const std::function<void(const VerifyProgress&)>& progress) {
    LEFTFOLD_TRY(manifest, read_manifest(files, directory));
    if (!manifest)
        return fail(ErrorCode::not_found,
                    fmt::format("'{}' holds no log: there is no '{}' in it", directory, kManifestName));
    return Verifier(files, directory, *manifest, progress).run();
}

}  // namespace leftfold::log
