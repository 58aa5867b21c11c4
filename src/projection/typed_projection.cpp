#include "leftfold/projection/typed_projection.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::detail {

namespace {

// Of how fields are kept in cells (columns.hpp): another one folds all projections anew.
constexpr int kStoredForm = 1;

void append_names(std::string& out, std::string_view name, std::span<const std::string> names) {
    json::write_key(out, name);
    out.push_back('[');
    for (const std::string& each : names) {
        if (out.back() != '[')
            out.push_back(',');
        json::write_string(out, each);
    }
    out.push_back(']');
}

// Handled events are in it, so that a handler that is added sees the events of before.
std::string shape_of_parts(const ProjectionBase::Parts& parts) {
    std::vector<std::string> handled;
    for (const ProjectionBase::Event& event : parts.events) {
        if (event.is_handled)
            handled.push_back(event.type.name);
    }
    std::string out = fmt::format("{{\"stored_form\":{},\"version\":{}", kStoredForm, parts.version);
    append_names(out, "topics", parts.topics);
    append_names(out, "events", handled);
    out += ",\"tables\":[";
    for (const TableForm& form : parts.forms) {
        if (out.back() != '[')
            out.push_back(',');
        append_shape(out, form);
    }
    return out + "]}";
}

std::vector<EventTypeTable::Entry> types_of(const std::vector<ProjectionBase::Event>& events) {
    std::vector<EventTypeTable::Entry> types;
    for (const ProjectionBase::Event& event : events)
        types.push_back(event.type);
    return types;
}

std::string where(const Record& record) {
    return fmt::format("{} at version {} of '{}' (position {})", record.meta.type, record.meta.version.value(),
                       record.meta.key, record.position.value());
}

}  // namespace

ProjectionBase::ProjectionBase(std::string_view name, Parts parts, const ProjectionOptions& options)
    : name_(name),
      topics_(parts.topics),
      types_(types_of(parts.events)),
      shape_(shape_of_parts(parts)),
      options_(options) {
    forms_ = std::move(parts.forms);
    for (const TableForm& form : forms_)
        schema_.tables.push_back(form.table);
}

RowsOrigin ProjectionBase::origin(rows::RowStore& store, std::size_t table) const {
    return {.store = store,
            .table = rows::TableId(static_cast<std::uint32_t>(table)),
            .form = forms_[table],
            .rows_max = options_.rows_cached_max};
}

Result<> ProjectionBase::unknown(const Record& record) const {
    const std::string_view type = record.meta.type;
    const bool is_of_stream = std::ranges::any_of(topics_, [&](const std::string& topic) {
        return type.starts_with(topic) && type.substr(topic.size()).starts_with('.');
    });
    if (is_of_stream)
        return std::unexpected(unreadable(record, types_.unknown_type(record)));
    return {};
}

Result<std::string_view> ProjectionBase::payload(const Record& record, std::size_t type, std::string& upcasted,
                                                 json::Reader& reader) const {
    const std::uint32_t version = types_.type(type).version;
    if (record.meta.type_version == version) [[likely]]
        return record.payload;
    if (record.meta.type_version > version)
        return std::unexpected(unreadable(record, types_.newer_version(record, type)));
    auto upcast = types_.upcast(record, type, reader);
    if (!upcast)
        return std::unexpected(unreadable(record, std::move(upcast).error()));
    upcasted = *std::move(upcast);
    return upcasted;
}

Error ProjectionBase::thrown(const Record& record, const char* what) const {
    return Error(ErrorCode::user_code,
                 fmt::format("projection '{}': on() threw for {}: {}", name_, where(record), what));
}

Error ProjectionBase::unreadable(const Record& record, Error why) const {
    return std::move(why).with_context(fmt::format("projection '{}' (position {})", name_, record.position.value()));
}

Error ProjectionBase::failed(const Record& record, Error why) const {
    return std::move(why).with_context(fmt::format("projection '{}' at {}", name_, where(record)));
}

}  // namespace leftfold::detail
