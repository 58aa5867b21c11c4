// Bytes in memory: views, little-endian stores, and a bounds-checked reader and a writer for stored formats.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace leftfold {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

inline ByteSpan bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view text_of(ByteSpan bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

static_assert(std::endian::native == std::endian::little,
              "stored integers are little-endian; port load_le and store_le");

template <std::integral T>
T load_le(const void* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <std::integral T>
void store_le(void* to, T value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

// Appends to a string that the caller owns. Never fails.
class ByteWriter {
  public:
    explicit ByteWriter(std::string& out) noexcept : out_(out) {}

    template <std::integral T>
    void integer(T value) {
        char raw[sizeof value];
        store_le(raw, value);
        out_.append(raw, sizeof raw);
    }
    // LEB128, at most 10 bytes.
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            out_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        out_.push_back(static_cast<char>(value));
    }
    // ZigZag, then LEB128.
    void signed_varint(std::int64_t value) {
        varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void raw(std::string_view bytes) { out_.append(bytes); }
    void text(std::string_view bytes) {
        varint(bytes.size());
        out_.append(bytes);
    }

  private:
    std::string& out_;
};

// Reads from bytes that outlive it. After the first read past the end, or a malformed varint, ok() is false and every
// value is zero or empty; check ok() once at the end. Views point into the source.
class ByteReader {
  public:
    explicit ByteReader(std::string_view in) noexcept : in_(in) {}

    bool ok() const noexcept { return ok_; }
    bool at_end() const noexcept { return in_.empty(); }
    std::size_t remaining() const noexcept { return in_.size(); }

    template <std::integral T>
    T integer() noexcept {
        const std::string_view raw_bytes = raw(sizeof(T));
        return ok_ ? load_le<T>(raw_bytes.data()) : T{};
    }
    std::uint64_t varint() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (in_.empty())
                break;
            const auto byte = static_cast<std::uint8_t>(in_.front());
            in_.remove_prefix(1);
            if (shift == 63 && byte > 1)
                break;
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80)
                return ok_ ? value : 0;
        }
        return failed(), 0;
    }
    std::int64_t signed_varint() noexcept {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    std::string_view raw(std::size_t size) noexcept {
        if (!ok_ || size > in_.size())
            return failed(), std::string_view{};
        const std::string_view bytes = in_.substr(0, size);
        in_.remove_prefix(size);
        return bytes;
    }
    std::string_view text() noexcept {
        const std::uint64_t size = varint();
        return raw(size);
    }

  private:
    void failed() noexcept {
        ok_ = false;
        in_ = {};
    }

    std::string_view in_;
    bool ok_ = true;
};

}  // namespace leftfold
