#include "leftfold/log/position_token.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/bytes.hpp"
#include "leftfold/base/crc32c.hpp"

namespace leftfold::log {

namespace {

constexpr std::string_view kPrefix = "1.";
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> kDigits = [] {
    std::array<std::int8_t, 256> digits;
    digits.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        digits[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    return digits;
}();

// RFC 4648 §5, without padding. In whole groups: every reply carries a token.
void append_base64url(std::string& out, std::string_view bytes) {
    const auto byte = [&bytes](std::size_t i) { return std::uint32_t{static_cast<std::uint8_t>(bytes[i])}; };
    const std::size_t begin = out.size();
    out.resize(begin + (bytes.size() * 4 + 2) / 3);
    char* to = out.data() + begin;
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        for (const int shift : {18, 12, 6, 0})
            *to++ = kAlphabet[(bits >> shift) & 0x3F];
    }
    if (i == bytes.size())
        return;
    const bool has_two = i + 2 == bytes.size();
    const std::uint32_t bits = byte(i) << 16 | (has_two ? byte(i + 1) << 8 : 0);
    *to++ = kAlphabet[bits >> 18];
    *to++ = kAlphabet[(bits >> 12) & 0x3F];
    if (has_two)
        *to = kAlphabet[(bits >> 6) & 0x3F];
}

// Only the canonical form: unused bits must be zero.
std::optional<std::string> decode_base64url(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int digit = kDigits[static_cast<std::uint8_t>(c)];
        if (digit < 0)
            return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>((bits >> count) & 0xFF));
        }
    }
    if (count >= 6 || (bits & ((1U << count) - 1)) != 0)
        return std::nullopt;
    return bytes;
}

void write_entry(ByteWriter& out, TopicHash topic, PartitionId partition, Position position) {
    out.integer(topic.value());
    out.varint(partition.value());
    out.varint(static_cast<std::uint64_t>(position.value()));
}

void write_head(ByteWriter& out, const Uuid& incarnation, std::size_t entries) {
    out.raw(std::string_view(reinterpret_cast<const char*>(incarnation.bytes().data()), incarnation.bytes().size()));
    out.varint(entries);
}

std::unexpected<Error> malformed(std::string_view text) {
    return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not a position token", text.substr(0, 64)));
}

}  // namespace

TopicHash topic_hash(std::string_view topic_name) noexcept {
    return TopicHash(crc32c(bytes_of(topic_name)));
}

Result<PositionToken> PositionToken::parse(std::string_view text) {
    if (!text.starts_with(kPrefix)) {
        const std::size_t digits = text.find('.');
        const bool other_version =
            digits != std::string_view::npos && digits > 0 && digits <= 3 &&
            std::ranges::all_of(text.substr(0, digits), [](char c) { return c >= '0' && c <= '9'; });
        if (other_version)
            return fail(
                ErrorCode::unsupported,
                fmt::format("a position token of version {}; this build knows version 1", text.substr(0, digits)));
        return malformed(text);
    }
    const auto bytes = decode_base64url(text.substr(kPrefix.size()));
    if (!bytes)
        return malformed(text);

    ByteReader in(*bytes);
    const std::string_view raw_incarnation = in.raw(16);
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > kEntriesMax)
        return malformed(text);
    std::array<std::uint8_t, 16> incarnation;
    std::memcpy(incarnation.data(), raw_incarnation.data(), incarnation.size());
    PositionToken token{Uuid(incarnation)};
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        const TopicHash topic(in.integer<std::uint32_t>());
        const std::uint64_t partition = in.varint();
        const std::uint64_t position = in.varint();
        if (partition > UINT32_MAX || position > INT64_MAX)
            return malformed(text);
        token.advance(topic, PartitionId(static_cast<std::uint32_t>(partition)),
                      Position(static_cast<std::int64_t>(position)));
    }
    if (!in.ok() || !in.at_end() || token.entries_.size() != count)
        return malformed(text);
    return token;
}

std::string PositionToken::to_string() const {
    std::string bytes;
    ByteWriter out(bytes);
    write_head(out, incarnation_, entries_.size());
    for (const auto& [slot, position] : entries_)
        write_entry(out, slot.first, slot.second, position);
    std::string text(kPrefix);
    append_base64url(text, bytes);
    return text;
}

void PositionToken::advance(TopicHash topic, PartitionId partition, Position position) {
    Position& known = entries_[{topic, partition}];
    known = std::max(known, position);
}

Result<> PositionToken::merge(const PositionToken& other) {
    if (other.incarnation_ != incarnation_)
        return fail(ErrorCode::invalid_argument, "position tokens of two different logs do not merge");
    for (const auto& [slot, position] : other.entries_)
        advance(slot.first, slot.second, position);
    return {};
}

std::string make_position_token(const Uuid& incarnation, TopicHash topic, PartitionId partition, Position position) {
    std::string bytes;
    bytes.reserve(32);
    ByteWriter out(bytes);
    write_head(out, incarnation, 1);
    write_entry(out, topic, partition, position);
    std::string text;
    text.reserve(kPrefix.size() + bytes.size() * 4 / 3 + 1);
    text.append(kPrefix);
    append_base64url(text, bytes);
    return text;
}

void append_position_token(std::string& out, const Uuid& incarnation, std::span<const PositionEntry> entries) {
    LEFTFOLD_ASSERT(entries.size() <= PositionToken::kEntriesMax);
    std::string bytes;
    constexpr std::size_t kUsualEntryBytes = 9;
    bytes.reserve(20 + entries.size() * kUsualEntryBytes);
    ByteWriter writer(bytes);
    write_head(writer, incarnation, entries.size());
    for (const PositionEntry& entry : entries)
        write_entry(writer, entry.topic, entry.partition, entry.position);
    out.append(kPrefix);
    append_base64url(out, bytes);
}

}  // namespace leftfold::log
