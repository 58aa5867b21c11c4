#include "disk_file.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "leftfold/base/assert.hpp"

namespace leftfold::sim {

namespace {

// More than this is written back by the system without being asked, the oldest first.
constexpr std::uint64_t kUnsyncedBytesMax = 256ULL * 1024 * 1024;

std::uint64_t sector_count(std::uint64_t offset, std::uint64_t size) {
    return size == 0 ? 0 : (offset + size - 1) / kSectorBytes - offset / kSectorBytes + 1;
}

// Which sectors of a torn write reached the disk: a prefix or any subset, never none and never all.
std::vector<bool> torn_sectors(std::uint64_t count, Random& random) {
    LEFTFOLD_ASSERT(count > 1);
    std::vector<bool> written(count, false);
    if (random.below(2) == 0) {
        const auto prefix = static_cast<std::ptrdiff_t>(1 + random.below(count - 1));
        std::fill(written.begin(), written.begin() + prefix, true);
        return written;
    }
    for (std::size_t i = 0; i < count; ++i)
        written[i] = random.below(2) == 0;
    const std::uint64_t kept = random.below(count);
    written[kept] = true;
    written[(kept + 1 + random.below(count - 1)) % count] = false;
    return written;
}

enum class Garbage : std::uint8_t { none, zeros, noise };

void spoil(std::string& bytes, Garbage garbage, Random& random) {
    for (char& byte : bytes)
        byte = garbage == Garbage::zeros ? '\0' : static_cast<char>(random.below(256));
}

}  // namespace

void DiskFile::read(std::uint64_t offset, MutableByteSpan buffer) const {
    LEFTFOLD_ASSERT(offset + buffer.size() <= size_);
    cache_.read(offset, buffer);
}

void DiskFile::write(std::uint64_t offset, ByteSpan bytes) {
    if (bytes.empty())
        return;
    cache_.write(offset, bytes);
    unsynced_.emplace_back(Write{offset, std::string(text_of(bytes))});
    unsynced_bytes_ += bytes.size();
    if (const std::uint64_t end = offset + bytes.size(); end > size_)
        resize(end);
    limit_unsynced();
}

void DiskFile::resize(std::uint64_t size) {
    if (size < size_)
        cache_.cut(size);
    if (size != size_)
        unsynced_.emplace_back(Resize{size});
    size_ = size;
}

void DiskFile::resize_on_disk(std::uint64_t size) {
    if (size < disk_size_)
        disk_.cut(size);
    disk_size_ = size;
}

void DiskFile::write_back(const std::variant<Write, Resize>& change) {
    if (const auto* write = std::get_if<Write>(&change))
        disk_.write(write->offset, bytes_of(write->bytes));
    else
        resize_on_disk(std::get<Resize>(change).size);
}

void DiskFile::sync() {
    for (const auto& change : unsynced_)
        write_back(change);
    unsynced_.clear();
    unsynced_bytes_ = 0;
    LEFTFOLD_ASSERT(disk_size_ == size_);
}

void DiskFile::limit_unsynced() {
    while (unsynced_bytes_ > kUnsyncedBytesMax) {
        write_back(unsynced_.front());
        if (const auto* write = std::get_if<Write>(&unsynced_.front()))
            unsynced_bytes_ -= write->bytes.size();
        unsynced_.pop_front();
    }
}

void DiskFile::fail_sync(Random& random) {
    const bool all_lost = random.below(2) == 0;
    std::deque<std::variant<Write, Resize>> sizes;
    for (auto& change : unsynced_) {
        const auto* write = std::get_if<Write>(&change);
        if (write == nullptr) {
            sizes.push_back(std::move(change));
            continue;
        }
        const std::uint64_t sectors = sector_count(write->offset, write->bytes.size());
        const bool can_tear = sectors > 1;
        if (!all_lost) {
            const std::uint64_t draw = random.below(can_tear ? 3 : 2);
            write_by_fate(*write, draw == 0 ? Fate::kept : draw == 1 ? Fate::dropped : Fate::torn, random);
        }
    }
    unsynced_ = std::move(sizes);
    unsynced_bytes_ = 0;
}

void DiskFile::drop_cache() {
    cache_ = disk_;
    for (const auto& change : unsynced_) {
        if (const auto* write = std::get_if<Write>(&change))
            cache_.write(write->offset, bytes_of(write->bytes));
        else
            cache_.cut(std::get<Resize>(change).size);
    }
    cache_.cut(size_);
}

void DiskFile::write_by_fate(const Write& write, Fate fate, Random& random) {
    if (fate == Fate::dropped)
        return;
    if (fate == Fate::kept) {
        disk_.write(write.offset, bytes_of(write.bytes));
        return;
    }
    const std::uint64_t count = sector_count(write.offset, write.bytes.size());
    const std::vector<bool> written =
        fate == Fate::torn ? torn_sectors(count, random) : std::vector<bool>(count, random.below(2) == 0);
    // Of a trashed write at least one sector is garbage.
    const std::uint64_t spoilt = fate == Fate::trashed ? random.below(count) : count;
    const auto kind = random.below(2) == 0 ? Garbage::zeros : Garbage::noise;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t sector = (write.offset / kSectorBytes + i) * kSectorBytes;
        const std::uint64_t begin = std::max(sector, write.offset);
        const std::uint64_t end = std::min(sector + kSectorBytes, write.offset + write.bytes.size());
        std::string piece = write.bytes.substr(begin - write.offset, end - begin);
        const bool is_spoilt = i == spoilt || (fate == Fate::trashed && random.below(2) == 0);
        if (is_spoilt)
            spoil(piece, kind, random);
        if (is_spoilt || written[i])
            disk_.write(begin, bytes_of(piece));
    }
}

void DiskFile::crash(CrashDice& dice) {
    const auto is_resize = [](const auto& change) { return std::holds_alternative<Resize>(change); };
    const auto resizes = static_cast<std::uint64_t>(std::ranges::count_if(unsynced_, is_resize));
    // Sizes are metadata, which journals keep in order; data knows no order.
    std::uint64_t resizes_left = dice.prefix(resizes);
    CrashReport& report = dice.report();
    report.sizes_kept += resizes_left;
    report.sizes_dropped += resizes - resizes_left;
    for (const auto& change : unsynced_) {
        if (const auto* resize = std::get_if<Resize>(&change)) {
            if (resizes_left == 0)
                continue;
            resize_on_disk(resize->size);
            --resizes_left;
            continue;
        }
        const auto& write = std::get<Write>(change);
        const Fate fate = dice.write_fate(sector_count(write.offset, write.bytes.size()));
        write_by_fate(write, fate, dice.random());
        switch (fate) {
            case Fate::kept:
                ++report.writes_kept;
                break;
            case Fate::dropped:
                ++report.writes_dropped;
                break;
            case Fate::torn:
                ++report.writes_torn;
                break;
            case Fate::trashed:
                ++report.writes_trashed;
                break;
        }
    }
    unsynced_.clear();
    unsynced_bytes_ = 0;
    // Data may have arrived behind a size that did not.
    disk_.cut(disk_size_);
    cache_ = disk_;
    size_ = disk_size_;
}

}  // namespace leftfold::sim
