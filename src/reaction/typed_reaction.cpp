#include "leftfold/reaction/typed_reaction.hpp"

#include "leftfold/base/assert.hpp"

namespace leftfold::reaction {

namespace {

std::vector<EventTypeTable::Entry> types_of(const std::vector<ReactionBase::Event>& events) {
    std::vector<EventTypeTable::Entry> types;
    types.reserve(events.size());
    for (const ReactionBase::Event& event : events)
        types.push_back(event.type);
    return types;
}

}  // namespace

ReactionBase::ReactionBase(std::string_view name, std::vector<std::string> topics, const std::vector<Event>& events)
    : name_(name), topics_(std::move(topics)), types_(types_of(events)) {
    for (const Event& event : events)
        handled_.push_back(event.is_handled);
}

bool ReactionBase::handles(std::string_view type) const noexcept {
    const std::size_t index = types_.find(type);
    return index != EventTypeTable::kNone && handled_[index];
}

std::size_t ReactionBase::index_of(const Record& record) const noexcept {
    const std::size_t index = types_.find(record.meta.type);
    LEFTFOLD_ASSERT(index != EventTypeTable::kNone && handled_[index]);
    return index;
}

Result<std::string_view> ReactionBase::payload(const Record& record, std::size_t index, std::string& upcasted,
                                               json::Reader& reader) const {
    const std::uint32_t version = types_.type(index).version;
    if (record.meta.type_version == version)
        return record.payload;
    if (record.meta.type_version > version)
        return std::unexpected(types_.newer_version(record, index));
    LEFTFOLD_TRY(upcast, types_.upcast(record, index, reader));
    upcasted = std::move(upcast);
    return upcasted;
}

// The same bytes will be no more readable the next time, but perhaps to the next build: retry by an operator.
ReactionResult ReactionBase::unreadable(const Error& why) {
    return ReactionResult::give_up(why.message());
}

}  // namespace leftfold::reaction
