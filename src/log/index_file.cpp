#include "index_file.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"

#include "segment_reader.hpp"

namespace leftfold::log {
namespace {

constexpr std::string_view kIndexMagic("LFIDX\r\n\xFF", 8);
constexpr std::uint16_t kIndexVersion = 1;
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kChecked = 12;
constexpr std::size_t kStreamCountAt = 56;
constexpr std::size_t kCommandCountAt = 60;
constexpr std::size_t kPlaceCountAt = 68;

constexpr std::size_t kBucketBytes = 8;
constexpr std::size_t kPlaceEntryBytes = 12;
constexpr std::size_t kStreamBytes = 36;
constexpr std::size_t kCommandBytes = 12;
constexpr std::size_t kListEntryBytes = 8;
constexpr std::uint32_t kEntriesPerBucket = 32;

// Blocked bloom filter: one cache line answers (Putze, Sanders, Singler 2007).
constexpr std::size_t kBloomBlockWords = 8;
constexpr std::uint32_t kBloomBitsPerEntry = 10;
constexpr int kBloomProbes = 6;

template <class Visit>
void visit_bloom_bits(std::uint64_t hash, std::size_t word_count, Visit&& visit) {
    // The hash is uniform; another multiple of it chooses the bits within the block.
    const std::uint64_t blocks = word_count / kBloomBlockWords;
    const auto block = static_cast<std::size_t>(((hash >> 32) * blocks) >> 32) * kBloomBlockWords;
    std::uint64_t bits = hash * 0x9E37'79B9'7F4A'7C15ULL;
    for (int probe = 0; probe < kBloomProbes; ++probe, bits = std::rotr(bits, 9))
        visit(block + ((bits >> 6) & (kBloomBlockWords - 1)), std::uint64_t{1} << (bits & 63));
}

std::size_t bloom_words(std::size_t entry_count) {
    const std::size_t bits = std::max<std::size_t>(entry_count, 1) * kBloomBitsPerEntry;
    return (bits + 64 * kBloomBlockWords - 1) / (64 * kBloomBlockWords) * kBloomBlockWords;
}

std::uint32_t bucket_bits(std::uint32_t entry_count) {
    return static_cast<std::uint32_t>(std::bit_width(entry_count / kEntriesPerBucket));
}

std::size_t bucket_of(std::uint64_t hash, std::uint32_t bits) {
    return bits == 0 ? 0 : static_cast<std::size_t>(hash >> (64 - bits));
}

std::size_t bucket_count(std::uint32_t entry_count) {
    return std::size_t{1} << bucket_bits(entry_count);
}

// Of the part that stays in memory, behind the header.
std::uint64_t resident_bytes(std::uint32_t stream_count, std::uint32_t command_count, std::uint32_t place_count) {
    return bloom_words(std::size_t{stream_count} + command_count) * sizeof(std::uint64_t) +
           (bucket_count(stream_count) + bucket_count(command_count)) * kBucketBytes +
           std::uint64_t{place_count} * kPlaceEntryBytes;
}

// Entries sorted by hash, their hashes, and the directory over them.
struct SortedSection {
    std::string entries;
    std::vector<std::uint64_t> hashes;

    std::string directory(std::size_t entry_bytes) const {
        const auto count = static_cast<std::uint32_t>(hashes.size());
        const std::uint32_t bits = bucket_bits(count);
        std::string out;
        ByteWriter writer(out);
        std::uint32_t first = 0;
        for (std::size_t bucket = 0; bucket < bucket_count(count); ++bucket) {
            std::uint32_t end = first;
            while (end < count && bucket_of(hashes[end], bits) == bucket)
                ++end;
            writer.integer(first);
            writer.integer(
                crc32c(bytes_of(std::string_view(entries).substr(first * entry_bytes, (end - first) * entry_bytes))));
            first = end;
        }
        return out;
    }
};

// Numbers of the entries by hash; those with equal hashes as they were.
template <class Entry>
std::vector<std::pair<std::uint64_t, std::uint32_t>> order_by_hash(const std::vector<Entry>& entries) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    order.reserve(entries.size());
    for (std::uint32_t i = 0; i < entries.size(); ++i)
        order.emplace_back(entries[i].hash, i);
    std::ranges::sort(order);
    return order;
}

SortedSection encode_streams(const MemoryIndex& index, std::string& lists) {
    SortedSection section;
    ByteWriter entries(section.entries);
    ByteWriter list(lists);
    std::uint32_t list_start = 0;
    std::vector<const MemoryIndex::Batch*> chain;
    for (const auto& [hash, number] : order_by_hash(index.streams())) {
        const MemoryIndex::Stream& stream = index.streams()[number];
        chain.clear();
        for (std::uint32_t at = stream.head; at != MemoryIndex::kNone; at = index.batches()[at].previous)
            chain.push_back(&index.batches()[at]);
        const std::int64_t first_version = chain.back()->first_version;
        section.hashes.push_back(hash);
        entries.integer(hash);
        entries.integer(first_version);
        entries.integer(chain.front()->last_version().value());
        entries.integer(chain.front()->offset);
        entries.integer(list_start);
        entries.integer(static_cast<std::uint32_t>(chain.size()));
        for (auto batch = chain.rbegin(); batch != chain.rend(); ++batch) {
            list.integer((*batch)->offset);
            list.integer(static_cast<std::uint32_t>((*batch)->first_version - first_version));
        }
        list_start += static_cast<std::uint32_t>(chain.size());
    }
    return section;
}

SortedSection encode_commands(const MemoryIndex& index) {
    SortedSection section;
    ByteWriter entries(section.entries);
    for (const auto& [hash, number] : order_by_hash(index.commands())) {
        section.hashes.push_back(hash);
        entries.integer(hash);
        entries.integer(index.commands()[number].offset);
    }
    return section;
}

std::string encode_bloom(const SortedSection& streams, const SortedSection& commands) {
    std::vector<std::uint64_t> words(bloom_words(streams.hashes.size() + commands.hashes.size()));
    for (const auto* section : {&streams, &commands}) {
        for (const std::uint64_t hash : section->hashes)
            visit_bloom_bits(hash, words.size(), [&](std::size_t word, std::uint64_t bit) { words[word] |= bit; });
    }
    std::string out;
    ByteWriter writer(out);
    for (const std::uint64_t word : words)
        writer.integer(word);
    return out;
}

std::unexpected<Error> not_an_index(const std::string& path, std::string_view why) {
    return fail(ErrorCode::corrupt, fmt::format("'{}': {}", path, why));
}

}  // namespace

std::string encode_index(const SegmentIndex& index, const IndexedSegment& segment) {
    std::string lists;
    const SortedSection streams = encode_streams(index.batches, lists);
    const SortedSection commands = encode_commands(index.batches);
    const std::string bloom = encode_bloom(streams, commands);
    std::string out;
    ByteWriter writer(out);
    writer.raw(kIndexMagic);
    writer.integer(std::uint32_t{0});
    writer.integer(static_cast<std::uint16_t>(kHeaderBytes));
    writer.integer(kIndexVersion);
    writer.integer(std::uint32_t{0});  // features that a reader must know
    writer.integer(segment.seed);
    writer.integer(segment.bytes);
    writer.integer(segment.hash_seed);
    writer.integer(index.end.value());
    writer.integer(to_micros(index.recorded_at_last));
    writer.integer(static_cast<std::uint32_t>(streams.hashes.size()));
    writer.integer(static_cast<std::uint32_t>(commands.hashes.size()));
    writer.integer(static_cast<std::uint32_t>(index.batches.batches().size()));
    writer.integer(static_cast<std::uint32_t>(index.places.size()));
    writer.integer(std::uint64_t{bloom.size()});
    out.resize(kHeaderBytes);
    writer.raw(bloom);
    writer.raw(streams.directory(kStreamBytes));
    writer.raw(commands.directory(kCommandBytes));
    for (const Place& place : index.places) {
        writer.integer(place.position.value());
        writer.integer(place.offset);
    }
    store_le(out.data() + kIndexMagic.size(), crc32c(bytes_of(std::string_view(out).substr(kChecked))));
    writer.raw(streams.entries);
    writer.raw(commands.entries);
    writer.raw(lists);
    return out;
}

Result<> IndexFile::parse_resident(std::string_view bytes, const IndexedSegment& segment) {
    ByteReader reader(bytes);
    if (reader.raw(kIndexMagic.size()) != kIndexMagic)
        return not_an_index(path_, "no index header");
    const auto checksum = reader.integer<std::uint32_t>();
    const auto header_bytes = reader.integer<std::uint16_t>();
    const auto version = reader.integer<std::uint16_t>();
    const auto required = reader.integer<std::uint32_t>();
    if (!reader.ok() || header_bytes != kHeaderBytes || version != kIndexVersion || required != 0)
        return not_an_index(path_, "an index of another form");
    IndexedSegment found;
    found.seed = reader.integer<std::uint32_t>();
    found.bytes = reader.integer<std::uint64_t>();
    found.hash_seed = reader.integer<std::uint64_t>();
    if (found != segment)
        return not_an_index(path_, "not the index of this segment");
    end_ = Position(reader.integer<std::int64_t>());
    recorded_at_last_ = timestamp_from_micros(reader.integer<std::int64_t>());
    streams_.count = reader.integer<std::uint32_t>();
    commands_.count = reader.integer<std::uint32_t>();
    batch_count_ = reader.integer<std::uint32_t>();
    const auto place_count = reader.integer<std::uint32_t>();
    const auto bloom_bytes = reader.integer<std::uint64_t>();
    streams_.bits = bucket_bits(streams_.count);
    commands_.bits = bucket_bits(commands_.count);

    const std::uint64_t resident = resident_bytes(streams_.count, commands_.count, place_count);
    const std::uint64_t expected_bloom =
        bloom_words(std::size_t{streams_.count} + commands_.count) * sizeof(std::uint64_t);
    if (bloom_bytes != expected_bloom || bytes.size() < kHeaderBytes + resident)
        return not_an_index(path_, "an index cut short");
    const std::string_view checked =
        bytes.substr(kChecked, static_cast<std::size_t>(kHeaderBytes - kChecked + resident));
    if (crc32c(bytes_of(checked)) != checksum)
        return not_an_index(path_, "an index whose checksum does not hold");

    ByteReader body(bytes.substr(kHeaderBytes, static_cast<std::size_t>(resident)));
    bloom_.resize(static_cast<std::size_t>(bloom_bytes) / sizeof(std::uint64_t));
    for (std::uint64_t& word : bloom_)
        word = body.integer<std::uint64_t>();
    for (Directory* directory : {&streams_, &commands_}) {
        directory->buckets.resize(bucket_count(directory->count));
        for (Bucket& bucket : directory->buckets) {
            bucket.first = body.integer<std::uint32_t>();
            bucket.checksum = body.integer<std::uint32_t>();
        }
        if (!std::ranges::is_sorted(directory->buckets, {}, &Bucket::first) ||
            directory->buckets.back().first > directory->count)
            return not_an_index(path_, "an index whose buckets are not in order");
    }
    places_.resize(place_count);
    for (Place& place : places_) {
        place.position = Position(body.integer<std::int64_t>());
        place.offset = body.integer<std::uint32_t>();
    }
    LEFTFOLD_ASSERT(body.ok() && body.at_end());
    streams_.entries_offset = kHeaderBytes + resident;
    commands_.entries_offset = streams_.entries_offset + std::uint64_t{streams_.count} * kStreamBytes;
    lists_offset_ = commands_.entries_offset + std::uint64_t{commands_.count} * kCommandBytes;
    return {};
}

Result<std::unique_ptr<IndexFile>> IndexFile::from_bytes(const std::string& path, std::string_view bytes,
                                                         const IndexedSegment& segment) {
    auto index = std::make_unique<IndexFile>();
    index->path_ = path;
    LEFTFOLD_CHECK(index->parse_resident(bytes, segment));
    return index;
}

Result<std::unique_ptr<IndexFile>> IndexFile::open(FileSystem& files, const std::string& path,
                                                   const IndexedSegment& segment) {
    LEFTFOLD_TRY(file, files.open(path, OpenMode::read));
    LEFTFOLD_TRY(header, read_bytes(*file, 0, kHeaderBytes));
    // Before anything is believed, only how much to read: the checksum then covers it.
    if (header.size() < kHeaderBytes)
        return not_an_index(path, "an index cut short");
    const auto stream_count = load_le<std::uint32_t>(header.data() + kStreamCountAt);
    const auto command_count = load_le<std::uint32_t>(header.data() + kCommandCountAt);
    const auto place_count = load_le<std::uint32_t>(header.data() + kPlaceCountAt);
    const std::uint64_t resident = resident_bytes(stream_count, command_count, place_count);
    LEFTFOLD_TRY(file_bytes, file->size());
    if (kHeaderBytes + resident > file_bytes)
        return not_an_index(path, "an index cut short");
    LEFTFOLD_TRY(bytes, read_bytes(*file, 0, static_cast<std::size_t>(kHeaderBytes + resident)));
    return from_bytes(path, bytes, segment);
}

bool IndexFile::may_contain(std::uint64_t hash) const noexcept {
    bool all_set = true;
    visit_bloom_bits(hash, bloom_.size(),
                     [&](std::size_t word, std::uint64_t bit) { all_set = all_set && (bloom_[word] & bit) != 0; });
    return all_set;
}

Result<std::string> IndexFile::read_bucket(File& file, const Directory& directory, std::size_t entry_bytes,
                                           std::uint64_t hash) const {
    const std::size_t number = bucket_of(hash, directory.bits);
    const Bucket& bucket = directory.buckets[number];
    const std::uint32_t end =
        number + 1 < directory.buckets.size() ? directory.buckets[number + 1].first : directory.count;
    const std::size_t bytes = (end - bucket.first) * entry_bytes;
    LEFTFOLD_TRY(entries,
                 read_bytes(file, directory.entries_offset + std::uint64_t{bucket.first} * entry_bytes, bytes));
    if (entries.size() != bytes || crc32c(bytes_of(entries)) != bucket.checksum)
        return not_an_index(path_, fmt::format("the checksum of bucket {} does not hold", number));
    return entries;
}

Result<std::vector<IndexFile::Stream>> IndexFile::find_streams(File& file, std::uint64_t hash) const {
    std::vector<Stream> found;
    if (!may_contain(hash))
        return found;
    LEFTFOLD_TRY(entries, read_bucket(file, streams_, kStreamBytes, hash));
    for (std::size_t at = 0; at < entries.size(); at += kStreamBytes) {
        ByteReader entry(std::string_view(entries).substr(at, kStreamBytes));
        Stream stream{};
        stream.hash = entry.integer<std::uint64_t>();
        if (stream.hash != hash)
            continue;
        stream.first = Version(entry.integer<std::int64_t>());
        stream.last = Version(entry.integer<std::int64_t>());
        stream.newest_offset = entry.integer<std::uint32_t>();
        stream.list_start = entry.integer<std::uint32_t>();
        stream.list_count = entry.integer<std::uint32_t>();
        found.push_back(stream);
    }
    return found;
}

Result<std::vector<std::uint32_t>> IndexFile::find_commands(File& file, std::uint64_t hash) const {
    std::vector<std::uint32_t> found;
    if (!may_contain(hash))
        return found;
    LEFTFOLD_TRY(entries, read_bucket(file, commands_, kCommandBytes, hash));
    for (std::size_t at = 0; at < entries.size(); at += kCommandBytes) {
        ByteReader entry(std::string_view(entries).substr(at, kCommandBytes));
        if (entry.integer<std::uint64_t>() == hash)
            found.push_back(entry.integer<std::uint32_t>());
    }
    return found;
}

Result<std::vector<std::uint32_t>> IndexFile::batches(File& file, const Stream& stream, Version from,
                                                      std::size_t count_max) const {
    const auto read_entries = [&](std::uint32_t first, std::size_t count) -> Result<std::string> {
        const std::uint64_t offset = lists_offset_ + (std::uint64_t{stream.list_start} + first) * kListEntryBytes;
        LEFTFOLD_TRY(bytes, read_bytes(file, offset, count * kListEntryBytes));
        if (bytes.size() != count * kListEntryBytes)
            return not_an_index(path_, "an index cut short");
        return bytes;
    };
    if (from > stream.last)
        return std::vector<std::uint32_t>{};
    const std::int64_t wanted = std::max(from, stream.first).value() - stream.first.value();
    // The last entry whose version offset is not above what is wanted.
    std::uint32_t low = 0;
    for (std::uint32_t high = stream.list_count; high - low > 1;) {
        const std::uint32_t middle = low + (high - low) / 2;
        LEFTFOLD_TRY(entry, read_entries(middle, 1));
        (load_le<std::uint32_t>(entry.data() + 4) <= wanted ? low : high) = middle;
    }
    LEFTFOLD_TRY(entries, read_entries(low, std::min<std::size_t>(count_max, stream.list_count - low)));
    std::vector<std::uint32_t> offsets;
    for (std::size_t at = 0; at < entries.size(); at += kListEntryBytes)
        offsets.push_back(load_le<std::uint32_t>(entries.data() + at));
    return offsets;
}

Result<std::unique_ptr<IndexFile>> write_index(FileSystem& files, const std::string& path, const SegmentIndex& index,
                                               const IndexedSegment& segment) {
    const std::string bytes = encode_index(index, segment);
    LEFTFOLD_CHECK(replace_file(files, path, bytes));
    return IndexFile::from_bytes(path, bytes, segment);
}

std::string index_path(std::string_view segment_path) {
    return std::string(segment_path.substr(0, segment_path.rfind('.'))) + std::string(kIndexSuffix);
}

std::size_t IndexFile::memory_bytes() const noexcept {
    return sizeof *this + bloom_.capacity() * sizeof(std::uint64_t) + places_.capacity() * sizeof(Place) +
           (streams_.buckets.capacity() + commands_.buckets.capacity()) * sizeof(Bucket);
}

}  // namespace leftfold::log
