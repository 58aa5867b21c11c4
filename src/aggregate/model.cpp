#include "leftfold/aggregate/model.hpp"

#include "leftfold/aggregate/typed_model.hpp"

namespace leftfold {

std::span<const CommandType> AggregateModel::routed_commands() const noexcept {
    const auto all = commands();
    std::size_t count = 0;
    while (count < all.size() && all[count].is_routed)
        ++count;
    return all.first(count);
}

std::optional<std::size_t> AggregateModel::find_command(std::string_view command_name) const noexcept {
    const auto all = commands();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].name == command_name)
            return i;
    return std::nullopt;
}

EventContext detail::event_context_of(const EventMeta& meta) noexcept {
    return {.id = meta.id, .key = meta.key, .version = meta.version, .time = meta.time, .actor = meta.actor};
}

}  // namespace leftfold
