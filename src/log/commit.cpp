#include "commit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace leftfold::log {
namespace {

// Takes space for [0, end) and some more, where `allocated` says that it is not there yet.
Result<> ensure_allocated(const CommitJob& job, File& file, std::uint64_t end, std::uint64_t& allocated) {
    if (end <= allocated)
        return {};
    const std::uint64_t size = std::max(end, std::min(end + kAllocateBytes, job.segment_bytes));
    auto result = file.allocate(size);
    // A file system that cannot reserve space grows the file with every write instead.
    if (!result && result.error().code() != ErrorCode::unsupported)
        return result;
    allocated = size;
    return {};
}

// The name appears when the header is durable: a segment is never seen without.
Result<> begin_segment(CommitJob& job) {
    if (job.file != nullptr) {
        LEFTFOLD_CHECK(job.file->truncate(job.offset));
        job.allocated = job.offset;
        LEFTFOLD_CHECK(job.file->sync_data());
    }
    const std::string path = join_path(job.folder, segment_name(job.begins->base, kSegmentSuffix));
    const std::string new_path = join_path(job.folder, segment_name(job.begins->base, kNewSegmentSuffix));
    LEFTFOLD_TRY(is_left_over, job.files->exists(new_path));
    if (is_left_over)
        LEFTFOLD_CHECK(job.files->remove(new_path));
    LEFTFOLD_TRY(file, job.files->open(new_path, OpenMode::create_new));
    const std::string header = encode_segment_header(*job.begins);
    std::uint64_t allocated = 0;
    LEFTFOLD_CHECK(ensure_allocated(job, *file, header.size() + job.group->size(), allocated));
    LEFTFOLD_CHECK(file->write_at(0, bytes_of(header)));
    LEFTFOLD_CHECK(file->sync_data());
    // From here on the new name may be there: the segment before must not grow any more.
    job.surely_not_written = false;
    LEFTFOLD_CHECK(job.files->rename(new_path, path));
    LEFTFOLD_CHECK(job.files->sync_directory(job.folder));
    job.surely_not_written = true;
    LEFTFOLD_TRY(decoded, decode_segment_header(header));
    job.seed = decoded.checksum;
    job.offset = header.size();
    job.allocated = allocated;
    job.file = file.get();
    job.created = std::move(file);
    return {};
}

Result<> write_group(CommitJob& job) {
    for (std::size_t at = 0; at < job.group->size(); at += batch_bytes(job.group->data() + at))
        seal_batch(job.group->data() + at, job.durable_up_to, job.seed);
    if (auto written = job.file->write_at(job.offset, bytes_of(*job.group)); !written) {
        // Full or read-only: no answer is yet wrong if the part that was written can be taken away again.
        const ErrorCode code = written.error().code();
        const bool refused = code == ErrorCode::no_space || code == ErrorCode::read_only;
        job.surely_not_written = refused && job.file->truncate(job.offset) && job.file->sync_data();
        if (job.surely_not_written)
            job.allocated = job.offset;
        return written;
    }
    job.surely_not_written = false;
    return job.file->sync_data();
}

Result<> run_steps(CommitJob& job) {
    if (job.begins)
        LEFTFOLD_CHECK(begin_segment(job));
    LEFTFOLD_CHECK(ensure_allocated(job, *job.file, job.offset + job.group->size(), job.allocated));
    return write_group(job);
}

}  // namespace

void run(CommitJob& job) {
    job.surely_not_written = true;
    job.result = run_steps(job);
}

std::string segment_name(Position base, std::string_view suffix) {
    return fmt::format("{:020}{}", base.value(), suffix);
}

}  // namespace leftfold::log
