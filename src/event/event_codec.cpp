#include "leftfold/event/event_codec.hpp"

#include <bit>
#include <cstring>
#include <exception>

#include "leftfold/base/assert.hpp"

namespace leftfold {

namespace {

std::uint64_t hash(std::string_view name, std::uint64_t seed) noexcept {
    constexpr std::uint64_t kMultiplier = 0x9E37'79B9'7F4A'7C15;
    std::uint64_t value = (seed + name.size()) * kMultiplier;
    while (!name.empty()) {
        std::uint64_t word = 0;
        const std::size_t size = name.size() < sizeof word ? name.size() : sizeof word;
        std::memcpy(&word, name.data(), size);
        name.remove_prefix(size);
        value = (std::rotl(value, 29) ^ word) * kMultiplier;
    }
    return value;
}

std::string where(const Record& record) {
    return "event " + std::to_string(record.meta.version.value()) + " of '" + std::string(record.meta.key) + "' (" +
           std::string(record.meta.type) + ", version " + std::to_string(record.meta.type_version) + ")";
}

}  // namespace

EventTypeTable::EventTypeTable(std::vector<Entry> entries) : entries_(std::move(entries)) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        for (std::size_t j = i + 1; j < entries_.size(); ++j)
            LEFTFOLD_ASSERT(entries_[i].name != entries_[j].name);
    }
    // With twice as many slots as names a seed without collisions is soon found; if not, more slots.
    for (std::size_t size = std::bit_ceil(2 * entries_.size() + 2);; size *= 2) {
        shift_ = 64U - static_cast<unsigned>(std::countr_zero(size));
        for (seed_ = 1; seed_ <= 1000; ++seed_) {
            slots_.assign(size, 0);
            bool collided = false;
            for (std::size_t i = 0; i < entries_.size() && !collided; ++i) {
                std::uint32_t& slot = slots_[slot_of(entries_[i].name)];
                collided = slot != 0;
                slot = static_cast<std::uint32_t>(i + 1);
            }
            if (!collided)
                return;
        }
    }
}

std::size_t EventTypeTable::slot_of(std::string_view name) const noexcept {
    return hash(name, seed_) >> shift_;
}

std::size_t EventTypeTable::find(std::string_view name) const noexcept {
    const std::uint32_t slot = slots_[slot_of(name)];
    return slot != 0 && entries_[slot - 1].name == name ? slot - 1 : kNone;
}

Error EventTypeTable::unknown_type(const Record& record) const {
    std::string known;
    for (const Entry& entry : entries_)
        known += (known.empty() ? "" : ", ") + entry.name;
    return Error(ErrorCode::unsupported,
                 where(record) +
                     " is of a type that this build does not know. A newer build wrote it, or the "
                     "struct was renamed without event_name. Known are " +
                     known);
}

Error EventTypeTable::newer_version(const Record& record, std::size_t index) const {
    return Error(ErrorCode::unsupported, where(record) + " is newer than this build, which reads up to version " +
                                             std::to_string(entries_[index].version) + ": run a newer build");
}

Error EventTypeTable::unreadable(const Record& record, const json::ReadError& why) {
    return Error(ErrorCode::corrupt, where(record) + " does not read: " + why.message());
}

Result<std::string> EventTypeTable::upcast(const Record& record, std::size_t index, json::Reader& reader) const {
    const Entry& entry = entries_[index];
    LEFTFOLD_ASSERT(entry.upcast != nullptr && record.meta.type_version < entry.version);
    if (record.meta.type_version == 0)
        return fail(ErrorCode::corrupt, where(record) + ": versions count from 1");
    auto payload = json::Value::parse(record.payload, reader);
    if (!payload)
        return std::unexpected(unreadable(record, payload.error()));
    try {
        for (std::uint32_t from = record.meta.type_version; from < entry.version; ++from)
            entry.upcast(*payload, from);
    } catch (const std::exception& error) {
        return fail(ErrorCode::corrupt, where(record) + ": upcast() threw: " + error.what());
    }
    return payload->to_string();
}

}  // namespace leftfold
