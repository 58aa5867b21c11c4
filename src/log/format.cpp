#include "format.hpp"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"

namespace leftfold::log {
namespace {

constexpr std::string_view kSegmentMagic("LFSEG\r\n\xFF", 8);
// 0xFF is in no UTF-8 text, so that payloads do not look like batches.
constexpr std::string_view kBatchMagic("\xFFLFB", 4);

constexpr std::size_t kSegmentChecked = 12;  // first byte under the checksum
constexpr std::size_t kSegmentTopic = 74;
static_assert(kSegmentTopic + kTopicNameBytesMax <= kSegmentHeaderBytes);

constexpr std::size_t kBatchChecksum = 4;
constexpr std::size_t kBatchChecked = 8;
constexpr std::size_t kBatchLength = 8;
constexpr std::size_t kBatchRecordCount = 20;
constexpr std::size_t kBatchBase = 24;
constexpr std::size_t kBatchFirstVersion = 32;
constexpr std::size_t kBatchRecordedAt = 40;
constexpr std::size_t kBatchDurable = 48;
constexpr std::size_t kBatchEpoch = 56;
constexpr std::size_t kBatchKeyBytes = 60;

constexpr std::uint64_t kRecordClientCommand = 1;
constexpr std::uint64_t kRecordPayloadHash = 2;

std::string_view as_text(const std::array<std::uint8_t, 16>& bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::array<std::uint8_t, 16> sixteen(std::string_view raw) noexcept {
    std::array<std::uint8_t, 16> bytes{};
    if (raw.size() == bytes.size())
        std::memcpy(bytes.data(), raw.data(), bytes.size());
    return bytes;
}

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_sub(std::int64_t a, std::int64_t b) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

// Writes into space that was sized before: one check for a batch instead of one for each field.
class Cursor {
  public:
    explicit Cursor(char* at) noexcept : at_(at) {}
    const char* at() const noexcept { return at_; }

    template <std::integral T>
    void integer(T value) noexcept {
        store_le(at_, value);
        at_ += sizeof value;
    }
    void varint(std::uint64_t value) noexcept {
        for (; value >= 0x80; value >>= 7)
            *at_++ = static_cast<char>(value | 0x80);
        *at_++ = static_cast<char>(value);
    }
    void raw(std::string_view bytes) noexcept {
        if (bytes.empty())
            return;
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
    }
    void text(std::string_view bytes) noexcept {
        varint(bytes.size());
        raw(bytes);
    }

  private:
    char* at_;
};

constexpr std::size_t varint_bytes(std::uint64_t value) noexcept {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}
constexpr std::size_t text_bytes(std::string_view text) noexcept {
    return varint_bytes(text.size()) + text.size();
}

struct RecordPlan {
    std::uint64_t flags;
    std::uint64_t time_offset;
    std::size_t bytes;
};

RecordPlan plan_record(const Record& record, Timestamp recorded_at) noexcept {
    const EventMeta& meta = record.meta;
    const bool has_hash = meta.payload_hash != PayloadHash{};
    RecordPlan plan{};
    plan.flags = (meta.command_id_source == CommandIdSource::client ? kRecordClientCommand : 0) |
                 (has_hash ? kRecordPayloadHash : 0);
    plan.time_offset = zigzag(wrapping_sub(to_micros(meta.time), to_micros(recorded_at)));
    plan.bytes = 16 + varint_bytes(plan.flags) + varint_bytes(meta.type_version) + varint_bytes(plan.time_offset) +
                 text_bytes(meta.type) + text_bytes(meta.command_id) + (has_hash ? meta.payload_hash.size() : 0) +
                 text_bytes(meta.correlation_id) + text_bytes(meta.causation_id) + text_bytes(meta.traceparent) +
                 text_bytes(meta.actor) + text_bytes(meta.tenant) + text_bytes(record.payload);
    return plan;
}

void write_record(Cursor& out, const Record& record, Timestamp recorded_at) noexcept {
    const RecordPlan plan = plan_record(record, recorded_at);
    const EventMeta& meta = record.meta;
    out.varint(plan.bytes);
    const char* start = out.at();
    out.raw(as_text(meta.id.bytes()));
    out.varint(plan.flags);
    out.varint(meta.type_version);
    out.varint(plan.time_offset);
    out.text(meta.type);
    out.text(meta.command_id);
    if ((plan.flags & kRecordPayloadHash) != 0)
        out.raw(as_text(meta.payload_hash));
    out.text(meta.correlation_id);
    out.text(meta.causation_id);
    out.text(meta.traceparent);
    out.text(meta.actor);
    out.text(meta.tenant);
    out.text(record.payload);
    LEFTFOLD_ASSERT(static_cast<std::size_t>(out.at() - start) == plan.bytes);
}

// False if the bytes are not a record.
bool decode_record(std::string_view bytes, Timestamp recorded_at, Record& record) {
    ByteReader body(bytes);
    EventMeta& meta = record.meta;
    meta.id = Uuid(sixteen(body.raw(16)));
    const std::uint64_t flags = body.varint();
    const std::uint64_t type_version = body.varint();
    meta.time = timestamp_from_micros(wrapping_add(to_micros(recorded_at), body.signed_varint()));
    meta.type = body.text();
    meta.command_id = body.text();
    if ((flags & kRecordPayloadHash) != 0)
        meta.payload_hash = sixteen(body.raw(16));
    meta.correlation_id = body.text();
    meta.causation_id = body.text();
    meta.traceparent = body.text();
    meta.actor = body.text();
    meta.tenant = body.text();
    record.payload = body.text();
    meta.type_version = static_cast<std::uint32_t>(type_version);
    meta.command_id_source = (flags & kRecordClientCommand) != 0 ? CommandIdSource::client : CommandIdSource::server;
    meta.recorded_at = recorded_at;
    return body.ok() && type_version <= UINT32_MAX;
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
    LEFTFOLD_ASSERT(header.topic.size() <= kTopicNameBytesMax);
    std::string out;
    out.reserve(kSegmentHeaderBytes);
    ByteWriter writer(out);
    writer.raw(kSegmentMagic);
    writer.integer(std::uint32_t{0});
    writer.integer(static_cast<std::uint16_t>(kSegmentHeaderBytes));
    writer.integer(kFormatVersion);
    writer.integer(std::uint32_t{0});  // features that a reader must know
    writer.integer(std::uint32_t{0});  // features that a reader may ignore
    writer.raw(as_text(header.incarnation.bytes()));
    writer.integer(header.base.value());
    writer.integer(header.previous_base.value());
    writer.integer(to_micros(header.created_at));
    writer.integer(header.epoch.value());
    writer.integer(header.partition.value());
    writer.integer(static_cast<std::uint16_t>(header.topic.size()));
    LEFTFOLD_ASSERT(out.size() == kSegmentTopic);
    writer.raw(header.topic);
    out.resize(kSegmentHeaderBytes);
    store_le(out.data() + kSegmentMagic.size(), crc32c(bytes_of(std::string_view(out).substr(kSegmentChecked))));
    return out;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
    ByteReader reader(bytes);
    if (reader.raw(kSegmentMagic.size()) != kSegmentMagic)
        return fail(ErrorCode::corrupt, "no segment header (the first bytes are not those of a Leftfold segment)");
    SegmentHeader header;
    header.checksum = reader.integer<std::uint32_t>();
    header.bytes = reader.integer<std::uint16_t>();
    const auto version = reader.integer<std::uint16_t>();
    if (!reader.ok() || header.bytes < kSegmentTopic || header.bytes > bytes.size())
        return fail(ErrorCode::corrupt, "the segment header is cut short");
    if (crc32c(bytes_of(bytes.substr(kSegmentChecked, header.bytes - kSegmentChecked))) != header.checksum)
        return fail(ErrorCode::corrupt, "the segment header's checksum does not hold");
    const auto required = reader.integer<std::uint32_t>();
    if (version != kFormatVersion || required != 0) {
        return fail(
            ErrorCode::unsupported,
            fmt::format("segment of format {} with features {:#x}; this build reads format {} without: use a newer one",
                        version, required, kFormatVersion));
    }
    reader.integer<std::uint32_t>();
    header.incarnation = Uuid(sixteen(reader.raw(16)));
    header.base = Position(reader.integer<std::int64_t>());
    header.previous_base = Position(reader.integer<std::int64_t>());
    header.created_at = timestamp_from_micros(reader.integer<std::int64_t>());
    header.epoch = Epoch(reader.integer<std::uint32_t>());
    header.partition = PartitionId(reader.integer<std::uint32_t>());
    header.topic = reader.raw(reader.integer<std::uint16_t>());
    if (!reader.ok() || header.base.value() < 0)
        return fail(ErrorCode::corrupt, "the segment header holds values that cannot be");
    return header;
}

std::size_t encoded_batch_bytes(const BatchFields& fields, std::span<const Record> records) noexcept {
    std::size_t bytes = kBatchHeaderBytes + fields.key.size();
    for (const Record& record : records) {
        const std::size_t record_bytes = plan_record(record, fields.recorded_at).bytes;
        bytes += varint_bytes(record_bytes) + record_bytes;
    }
    return bytes;
}

void encode_batch(char* out, std::size_t bytes, const BatchFields& fields, std::span<const Record> records) noexcept {
    LEFTFOLD_ASSERT(!records.empty() && fields.key.size() <= kKeyBytesMax && bytes <= kBatchBytesMax);
    Cursor writer(out);
    writer.raw(kBatchMagic);
    writer.integer(std::uint32_t{0});  // checksum
    writer.integer(static_cast<std::uint32_t>(bytes));
    writer.integer(static_cast<std::uint16_t>(kBatchHeaderBytes));
    writer.integer(kCodecJson);
    writer.integer(std::uint8_t{0});   // features that a reader must know
    writer.integer(std::uint32_t{0});  // key id
    writer.integer(static_cast<std::uint32_t>(records.size()));
    writer.integer(fields.base.value());
    writer.integer(fields.first_version.value());
    writer.integer(to_micros(fields.recorded_at));
    writer.integer(std::int64_t{0});  // durable up to
    writer.integer(fields.epoch.value());
    writer.integer(static_cast<std::uint16_t>(fields.key.size()));
    writer.integer(std::uint16_t{0});
    LEFTFOLD_ASSERT(writer.at() == out + kBatchHeaderBytes);
    writer.raw(fields.key);
    for (const Record& record : records)
        write_record(writer, record, fields.recorded_at);
    LEFTFOLD_ASSERT(writer.at() == out + bytes);
}

void seal_batch(char* batch, Position durable_up_to, std::uint32_t seed) {
    store_le(batch + kBatchDurable, durable_up_to.value());
    const std::string_view checked(batch + kBatchChecked, batch_bytes(batch) - kBatchChecked);
    store_le(batch + kBatchChecksum, crc32c(bytes_of(checked), seed));
}

std::size_t batch_bytes(const char* batch) noexcept {
    return load_le<std::uint32_t>(batch + kBatchLength);
}

std::string_view to_string(BatchFault fault) noexcept {
    switch (fault) {
        case BatchFault::none:
            return "whole";
        case BatchFault::empty:
            return "nothing written";
        case BatchFault::cut_short:
            return "a batch cut short";
        case BatchFault::malformed:
            return "no batch where one must begin";
        case BatchFault::checksum:
            return "a batch whose checksum does not hold";
        case BatchFault::unsupported:
            return "a batch of a newer form";
    }
    return "?";
}

ParsedBatch parse_batch(std::string_view bytes, std::uint32_t seed) {
    ParsedBatch parsed;
    const std::string_view magic = bytes.substr(0, kBatchMagic.size());
    if (magic.find_first_not_of('\0') == std::string_view::npos)
        return parsed.fault = BatchFault::empty, parsed;
    parsed.fault = BatchFault::malformed;
    if (magic != kBatchMagic.substr(0, magic.size()))
        return parsed;
    if (bytes.size() < kBatchHeaderBytes)
        return parsed.fault = BatchFault::cut_short, parsed.needed_bytes = kBatchHeaderBytes, parsed;

    ByteReader reader(bytes.substr(kBatchMagic.size()));
    BatchView& batch = parsed.batch;
    const auto checksum = reader.integer<std::uint32_t>();
    const std::size_t length = reader.integer<std::uint32_t>();
    const std::size_t header_bytes = reader.integer<std::uint16_t>();
    const auto codec = reader.integer<std::uint8_t>();
    const auto required = reader.integer<std::uint8_t>();
    const auto key_id = reader.integer<std::uint32_t>();
    batch.record_count = reader.integer<std::uint32_t>();
    batch.base = Position(reader.integer<std::int64_t>());
    batch.first_version = Version(reader.integer<std::int64_t>());
    batch.recorded_at = timestamp_from_micros(reader.integer<std::int64_t>());
    batch.durable_up_to = Position(reader.integer<std::int64_t>());
    batch.epoch = Epoch(reader.integer<std::uint32_t>());
    const std::size_t key_bytes = reader.integer<std::uint16_t>();
    if (length > kBatchBytesMax || header_bytes < kBatchHeaderBytes || header_bytes + key_bytes > length)
        return parsed;
    if (length > bytes.size())
        return parsed.fault = BatchFault::cut_short, parsed.needed_bytes = length, parsed;
    parsed.fault = BatchFault::checksum;
    batch.bytes = bytes.substr(0, length);
    if (crc32c(bytes_of(batch.bytes.substr(kBatchChecked)), seed) != checksum)
        return parsed;
    // From here on a writer meant these bytes.
    if (codec != kCodecJson || required != 0 || key_id != 0)
        return parsed.fault = BatchFault::unsupported, parsed;
    constexpr std::int64_t kCountable = INT64_MAX - UINT32_MAX;
    if (batch.record_count == 0 || batch.base.value() < 0 || batch.first_version.value() < 1 ||
        batch.base.value() > kCountable || batch.first_version.value() > kCountable)
        return parsed.fault = BatchFault::malformed, parsed;
    batch.key = batch.bytes.substr(header_bytes, key_bytes);
    batch.body = batch.bytes.substr(header_bytes + key_bytes);
    parsed.fault = BatchFault::none;
    return parsed;
}

BatchView view_unsealed_batch(std::string_view bytes) noexcept {
    BatchView batch;
    batch.bytes = bytes.substr(0, batch_bytes(bytes.data()));
    batch.record_count = load_le<std::uint32_t>(bytes.data() + kBatchRecordCount);
    batch.base = Position(load_le<std::int64_t>(bytes.data() + kBatchBase));
    batch.first_version = Version(load_le<std::int64_t>(bytes.data() + kBatchFirstVersion));
    batch.recorded_at = timestamp_from_micros(load_le<std::int64_t>(bytes.data() + kBatchRecordedAt));
    batch.epoch = Epoch(load_le<std::uint32_t>(bytes.data() + kBatchEpoch));
    const std::size_t key_bytes = load_le<std::uint16_t>(bytes.data() + kBatchKeyBytes);
    batch.key = batch.bytes.substr(kBatchHeaderBytes, key_bytes);
    batch.body = batch.bytes.substr(kBatchHeaderBytes + key_bytes);
    return batch;
}

bool decode_records(const BatchView& batch, std::vector<Record>& out) {
    const std::size_t before = out.size();
    ByteReader body(batch.body);
    for (std::uint32_t i = 0; i < batch.record_count; ++i) {
        const std::string_view bytes = body.text();
        Record& record = out.emplace_back();
        if (!body.ok() || !decode_record(bytes, batch.recorded_at, record))
            return out.resize(before), false;
        record.position = Position(batch.base.value() + i);
        record.meta.version = Version(batch.first_version.value() + i);
        record.meta.key = batch.key;
    }
    return true;
}

std::size_t find_batch_start(std::string_view bytes, std::size_t from) noexcept {
    return bytes.find(kBatchMagic, from);
}

}  // namespace leftfold::log
