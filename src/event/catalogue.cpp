#include "leftfold/event/catalogue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "leftfold/base/assert.hpp"
#include "leftfold/event/json_value.hpp"

namespace leftfold {

namespace {

using json::Value;

constexpr std::string_view kFormat = "leftfold-catalogue";
constexpr std::int64_t kFormatVersion = 1;

enum class Change : std::uint8_t {
    none,        // at most the order of fields
    compatible,  // events stored in the old shape read in the new one
    breaking,
};

Change worse(Change a, Change b) {
    return std::max(a, b);
}

Change compare_shapes(const Value& old_shape, const Value& new_shape);

bool is_operator(std::string_view name) {
    return name.starts_with('$');
}

// Of enumerators: more are fine, fewer are not.
Change compare_names(const Value& old_names, const Value& new_names) {
    if (old_names.array() == nullptr || new_names.array() == nullptr)
        return Change::breaking;
    for (const Value& name : *old_names.array()) {
        if (std::ranges::find(*new_names.array(), name) == new_names.array()->end())
            return Change::breaking;
    }
    return old_names.array()->size() == new_names.array()->size() ? Change::none : Change::compatible;
}

Change compare_ranges(const Value& old_range, const Value& new_range) {
    if (old_range == new_range)
        return Change::none;
    const auto bound = [](const Value& range, std::size_t index) -> std::optional<std::int64_t> {
        return range.array() != nullptr && range.array()->size() == 2 ? (*range.array())[index].integer()
                                                                      : std::nullopt;
    };
    const auto old_low = bound(old_range, 0), old_high = bound(old_range, 1);
    const auto new_low = bound(new_range, 0), new_high = bound(new_range, 1);
    const bool wider = old_low && old_high && new_low && new_high && *new_low <= *old_low && *new_high >= *old_high;
    return wider ? Change::compatible : Change::breaking;
}

// Alternatives of a variant: more are fine, fewer are not.
Change compare_alternatives(const Value& old_ones, const Value& new_ones) {
    if (!old_ones.is_object() || !new_ones.is_object())
        return Change::breaking;
    Change change = old_ones.fields()->size() == new_ones.fields()->size() ? Change::none : Change::compatible;
    for (const auto& [name, shape] : *old_ones.fields()) {
        const Value* const same = new_ones.find(name);
        change = worse(change, same == nullptr ? Change::breaking : compare_shapes(shape, *same));
    }
    return change;
}

std::string_view without_mark(std::string_view name) {
    if (name.ends_with('?'))
        name.remove_suffix(1);
    return name;
}

const Value::Field* find_struct_field(const Value& shape, std::string_view name) {
    const auto field = std::ranges::find_if(*shape.fields(), [&](const Value::Field& candidate) {
        return without_mark(candidate.first) == without_mark(name);
    });
    return field == shape.fields()->end() ? nullptr : &*field;
}

Change compare_structs(const Value& old_struct, const Value& new_struct) {
    Change change = Change::none;
    for (const auto& [name, shape] : *old_struct.fields()) {
        const Value::Field* const same = find_struct_field(new_struct, name);
        if (same == nullptr)
            return Change::breaking;
        if (same->first != name)
            change = worse(change, same->first.ends_with('?') ? Change::compatible : Change::breaking);
        change = worse(change, compare_shapes(shape, same->second));
    }
    for (const auto& [name, shape] : *new_struct.fields()) {
        if (find_struct_field(old_struct, name) == nullptr)
            change = worse(change, name.ends_with('?') ? Change::compatible : Change::breaking);
    }
    return change;
}

Change compare_shapes(const Value& old_shape, const Value& new_shape) {
    if (old_shape == new_shape)
        return Change::none;
    if (!old_shape.is_object() || !new_shape.is_object())
        return Change::breaking;
    const auto operator_of = [](const Value& shape) -> std::string_view {
        return shape.fields()->size() == 1 && is_operator(shape.fields()->front().first) ? shape.fields()->front().first
                                                                                         : std::string_view{};
    };
    const std::string_view kind = operator_of(old_shape);
    if (kind != operator_of(new_shape))
        return Change::breaking;
    if (kind.empty())
        return compare_structs(old_shape, new_shape);
    const Value& old_content = old_shape.fields()->front().second;
    const Value& new_content = new_shape.fields()->front().second;
    if (kind == "$enum")
        return compare_names(old_content, new_content);
    if (kind == "$range")
        return compare_ranges(old_content, new_content);
    if (kind == "$one-of")
        return compare_alternatives(old_content, new_content);
    return compare_shapes(old_content, new_content);
}

Value shape_value(const EventType& type) {
    auto shape = Value::parse(type.shape);
    LEFTFOLD_ASSERT(shape.has_value());  // shape_of wrote it, or Catalogue::parse read it
    return *std::move(shape);
}

std::string difference(const EventType& golden, const EventType& current, std::string_view accept_command) {
    const std::string accept = "run `" + std::string(accept_command) + "`";
    if (current.version < golden.version)
        return "its version went back from " + std::to_string(golden.version) + " to " +
               std::to_string(current.version) + ", though logs may hold events of version " +
               std::to_string(golden.version) + ": restore event_version";
    if (current.version > golden.version)
        return "it is now version " + std::to_string(current.version) +
               ": when a test shows that upcast() turns stored events of version " + std::to_string(golden.version) +
               " into it, accept it: " + accept;
    switch (compare_shapes(shape_value(golden), shape_value(current))) {
        case Change::none:
            return {};
        case Change::compatible:
            return "its shape changed so that stored events still read; accept it: " + accept + ". It was " +
                   golden.shape + ", it is " + current.shape;
        case Change::breaking:
            break;
    }
    return "its shape changed, and stored events may no longer read: raise event_version to " +
           std::to_string(golden.version + 1) + " and write upcast(), or restore the field. It was " + golden.shape +
           ", it is " + current.shape;
}

Result<EventType> type_from(const Value& block) {
    const Value* const name = block.find("name");
    const Value* const version = block.find("version");
    const Value* const shape = block.find("shape");
    if (name == nullptr || name->string() == nullptr || version == nullptr || !version->integer() || shape == nullptr)
        return fail(ErrorCode::invalid_argument, "a catalogue's type needs name, version and shape");
    const std::int64_t number = *version->integer();
    if (number < 1 || number > std::numeric_limits<std::uint32_t>::max())
        return fail(ErrorCode::invalid_argument, "version of " + *name->string() + " is out of range");
    return EventType{*name->string(), static_cast<std::uint32_t>(number), shape->to_string()};
}

}  // namespace

Result<Catalogue> Catalogue::of(std::vector<EventType> types) {
    std::ranges::sort(types, {}, &EventType::name);
    const auto repeated = std::ranges::adjacent_find(types, {}, &EventType::name);
    if (repeated != types.end())
        return fail(ErrorCode::already_exists, "two event types are stored under the name '" + repeated->name +
                                                   "': give one of the structs another event_name");
    Catalogue catalogue;
    catalogue.types_ = std::move(types);
    return catalogue;
}

Result<Catalogue> Catalogue::parse(std::string_view text) {
    const auto root = Value::parse(text);
    if (!root)
        return std::unexpected(root.error().to_error().with_context("catalogue"));
    const Value* const format = root->find(kFormat);
    const Value* const blocks = root->find("types");
    if (format == nullptr || !format->integer() || blocks == nullptr || blocks->array() == nullptr)
        return fail(ErrorCode::invalid_argument, "this is not a catalogue of event types");
    if (*format->integer() != kFormatVersion)
        return fail(ErrorCode::unsupported, "catalogue of format " + std::to_string(*format->integer()) +
                                                "; this build knows " + std::to_string(kFormatVersion));
    std::vector<EventType> types;
    for (const Value& block : *blocks->array()) {
        LEFTFOLD_TRY(type, type_from(block));
        types.push_back(std::move(type));
    }
    return of(std::move(types));
}

const EventType* Catalogue::find(std::string_view name) const noexcept {
    const auto type = std::ranges::lower_bound(types_, name, {}, &EventType::name);
    return type == types_.end() || type->name != name ? nullptr : &*type;
}

std::string Catalogue::to_text() const {
    Value::Array blocks;
    for (const EventType& type : types_) {
        Value block;
        block["name"] = type.name;
        block["version"] = type.version;
        block["shape"] = shape_value(type);
        blocks.push_back(std::move(block));
    }
    Value root;
    root[kFormat] = kFormatVersion;
    root["types"] = std::move(blocks);
    std::string out;
    root.write_indented(out);
    out.push_back('\n');
    return out;
}

std::vector<CatalogueProblem> Catalogue::compare(const Catalogue& golden, const Catalogue& current,
                                                 std::string_view accept_command) {
    const std::string accept = "`" + std::string(accept_command) + "`";
    std::vector<CatalogueProblem> problems;
    for (const EventType& type : golden.types_) {
        const EventType* const same = current.find(type.name);
        if (same == nullptr) {
            const std::string local = type.name.substr(type.name.rfind('.') + 1);
            problems.push_back(
                {type.name,
                 "it is in the catalogue, but no event has this name any more. Renamed? Keep the stored name: "
                 "static constexpr std::string_view event_name = \"" +
                     local + "\". Removed, and no log holds it? Run " + accept});
        } else if (std::string message = difference(type, *same, accept_command); !message.empty()) {
            problems.push_back({type.name, std::move(message)});
        }
    }
    for (const EventType& type : current.types_) {
        if (golden.find(type.name) == nullptr)
            problems.push_back({type.name, "it is new: add it, run " + accept});
    }
    std::ranges::sort(problems, {}, &CatalogueProblem::type);
    return problems;
}

}  // namespace leftfold
