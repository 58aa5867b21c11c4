#include "shared_database.hpp"

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::rows {

namespace {

constexpr std::size_t at(FileLockLevel level) noexcept {
    return static_cast<std::size_t>(level);
}

constexpr std::uint8_t bit(std::size_t slot) noexcept {
    return static_cast<std::uint8_t>(1U << slot);
}

}  // namespace

void ReleaseSignal::tell() {
    {
        const std::scoped_lock lock(mutex_);
        ++count_;
    }
    released_.notify_all();
}

void ReleaseSignal::wait(std::chrono::microseconds at_most) {
    std::unique_lock lock(mutex_);
    const std::uint64_t before = count_;
    released_.wait_for(lock, at_most, [&] { return count_ != before; });
}

bool SharedDatabase::lock(FileLockLevel& mine, FileLockLevel wanted) {
    if (mine >= wanted)
        return true;
    const std::scoped_lock lock(mutex_);
    const auto others = [&](FileLockLevel level) { return holders_[at(level)] - (mine == level ? 1U : 0U); };
    const auto become = [&](FileLockLevel level) {
        if (mine != FileLockLevel::none)
            --holders_[at(mine)];
        ++holders_[at(level)];
        mine = level;
    };
    if (others(FileLockLevel::pending) > 0 || others(FileLockLevel::exclusive) > 0)
        return false;
    if (wanted > FileLockLevel::shared && others(FileLockLevel::reserved) > 0)
        return false;
    if (wanted == FileLockLevel::exclusive && others(FileLockLevel::shared) > 0) {
        become(FileLockLevel::pending);
        return false;
    }
    become(wanted);
    return true;
}

void SharedDatabase::unlock(FileLockLevel& mine, FileLockLevel to) {
    if (mine <= to)
        return;
    {
        const std::scoped_lock lock(mutex_);
        --holders_[at(mine)];
        if (to != FileLockLevel::none)
            ++holders_[at(to)];
        mine = to;
    }
    released_.tell();
}

bool SharedDatabase::is_reserved() {
    const std::scoped_lock lock(mutex_);
    return holders_[at(FileLockLevel::reserved)] + holders_[at(FileLockLevel::pending)] +
               holders_[at(FileLockLevel::exclusive)] >
           0;
}

bool SharedDatabase::lock_index_shared(IndexHold& mine, std::size_t slot) {
    if ((mine.shared & bit(slot)) != 0)
        return true;
    const std::scoped_lock lock(mutex_);
    if (index_exclusive_[slot])
        return false;
    ++index_shared_[slot];
    mine.shared |= bit(slot);
    return true;
}

bool SharedDatabase::lock_index_exclusive(IndexHold& mine, std::size_t first, std::size_t count) {
    const std::scoped_lock lock(mutex_);
    for (std::size_t slot = first; slot < first + count; ++slot) {
        const std::uint32_t own = (mine.shared & bit(slot)) != 0 ? 1 : 0;
        const bool is_mine = (mine.exclusive & bit(slot)) != 0;
        if (index_shared_[slot] > own || (index_exclusive_[slot] && !is_mine))
            return false;
    }
    for (std::size_t slot = first; slot < first + count; ++slot) {
        index_exclusive_[slot] = true;
        mine.exclusive |= bit(slot);
    }
    return true;
}

void SharedDatabase::unlock_index(IndexHold& mine, std::size_t first, std::size_t count) {
    {
        const std::scoped_lock lock(mutex_);
        for (std::size_t slot = first; slot < first + count; ++slot) {
            const auto others = static_cast<std::uint8_t>(~bit(slot));
            if ((mine.shared & bit(slot)) != 0)
                --index_shared_[slot];
            if ((mine.exclusive & bit(slot)) != 0)
                index_exclusive_[slot] = false;
            mine.shared &= others;
            mine.exclusive &= others;
        }
    }
    released_.tell();
}

volatile void* SharedDatabase::index_region(std::size_t number, std::size_t size_bytes, bool make) {
    const std::scoped_lock lock(mutex_);
    if (number >= regions_.size()) {
        if (!make)
            return nullptr;
        while (number >= regions_.size())
            regions_.push_back(std::make_unique<std::byte[]>(size_bytes));
    }
    return regions_[number].get();
}

void SharedDatabase::use_index() {
    const std::scoped_lock lock(mutex_);
    ++index_users_;
}

void SharedDatabase::leave_index(IndexHold& mine) {
    unlock_index(mine, 0, kIndexLocks);
    const std::scoped_lock lock(mutex_);
    LEFTFOLD_ASSERT(index_users_ > 0);
    // Who comes next makes it anew, from the WAL.
    if (--index_users_ == 0)
        regions_.clear();
}

void SharedDatabase::sync_failed(Error error) {
    const std::scoped_lock lock(mutex_);
    if (!sync_failure_)
        sync_failure_ = std::move(error);
}

std::optional<Error> SharedDatabase::refusal(const std::string& path) {
    const std::scoped_lock lock(mutex_);
    if (!sync_failure_)
        return std::nullopt;
    return Error(ErrorCode::unavailable,
                 fmt::format("'{}' takes no more writes until it is closed and opened again, because a sync failed: {}",
                             path, sync_failure_->message()));
}

bool SharedDatabase::is_wal_settled() {
    const std::scoped_lock lock(mutex_);
    return is_wal_settled_;
}

void SharedDatabase::settle_wal() {
    const std::scoped_lock lock(mutex_);
    is_wal_settled_ = true;
}

}  // namespace leftfold::rows
