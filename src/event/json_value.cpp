#include "leftfold/event/json_value.hpp"

#include <algorithm>
#include <charconv>

namespace leftfold::json {

namespace {

auto find_field(auto& fields, std::string_view name) {
    return std::ranges::find_if(fields, [&](const Value::Field& field) { return field.first == name; });
}

// The name that stands twice, if there is one. Sorted, since a hostile object may have very many fields.
std::optional<std::string> repeated_name(const Value::Object& fields) {
    std::vector<std::string_view> names;
    names.reserve(fields.size());
    for (const auto& [name, value] : fields)
        names.push_back(name);
    std::ranges::sort(names);
    const auto repeated = std::ranges::adjacent_find(names);
    return repeated == names.end() ? std::nullopt : std::optional<std::string>(*repeated);
}

void start_line(std::string& out, std::size_t level) {
    out.push_back('\n');
    out.append(2 * level, ' ');
}

}  // namespace

bool Codec<Value>::read(Reader& in, Value& out) {
    switch (in.kind()) {
        case Kind::null:
            out = Value();
            return in.null();
        case Kind::boolean:
            return in.boolean(out.content_.emplace<bool>());
        case Kind::number: {
            std::string_view text;
            if (!in.number_text(text))
                return false;
            out.content_ = Value::Number{std::string(text)};
            return true;
        }
        case Kind::string:
            return Codec<std::string>::read(in, out.content_.emplace<std::string>());
        case Kind::array:
            return Codec<Value::Array>::read(in, out.content_.emplace<Value::Array>());
        case Kind::object:
            break;
    }
    Value::Object& fields = out.content_.emplace<Value::Object>();
    if (!in.begin_object())
        return false;
    for (std::string_view name; in.next_field(name);) {
        Value& value = fields.emplace_back(std::string(name), Value()).second;
        if (!read(in, value))
            return false;
    }
    if (!in.ok())
        return false;
    const auto repeated = repeated_name(fields);
    return !repeated || in.fail_at(*repeated, "given twice");
}

std::expected<Value, ReadError> Value::parse(std::string_view text, Reader& reader) {
    std::expected<Value, ReadError> value;
    if (!reader.start(text, Strictness::lenient) || !Codec<Value>::read(reader, *value) || !reader.finish())
        value = std::unexpected(reader.error());
    return value;
}

std::expected<Value, ReadError> Value::parse(std::string_view text) {
    Reader reader;
    return parse(text, reader);
}

Kind Value::kind() const noexcept {
    constexpr Kind kKinds[] = {Kind::null, Kind::boolean, Kind::number, Kind::string, Kind::array, Kind::object};
    return kKinds[content_.index()];
}

std::string_view Value::number_text() const noexcept {
    const Number* const number = std::get_if<Number>(&content_);
    return number == nullptr ? std::string_view{} : number->text;
}

std::optional<std::int64_t> Value::integer() const noexcept {
    const std::string_view text = number_text();
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

const Value* Value::find(std::string_view name) const noexcept {
    const Object* const all = fields();
    if (all == nullptr)
        return nullptr;
    const auto field = find_field(*all, name);
    return field == all->end() ? nullptr : &field->second;
}

Value* Value::find(std::string_view name) noexcept {
    return const_cast<Value*>(std::as_const(*this).find(name));
}

Value& Value::operator[](std::string_view name) {
    if (Value* const found = find(name))
        return *found;
    Object* all = fields();
    if (all == nullptr)
        all = &content_.emplace<Object>();
    return all->emplace_back(std::string(name), Value()).second;
}

bool Value::erase(std::string_view name) {
    Object* const all = fields();
    return all != nullptr && std::erase_if(*all, [&](const Field& field) { return field.first == name; }) != 0;
}

bool Value::rename(std::string_view from, std::string_view to) {
    Object* const all = fields();
    if (all == nullptr || find(to) != nullptr)
        return false;
    const auto field = find_field(*all, from);
    if (field == all->end())
        return false;
    field->first = to;
    return true;
}

void Value::write(std::string& out) const {
    switch (kind()) {
        case Kind::null:
            out += "null";
            break;
        case Kind::boolean:
            out += *boolean() ? "true" : "false";
            break;
        case Kind::number:
            out += number_text();
            break;
        case Kind::string:
            write_string(out, *string());
            break;
        case Kind::array:
            Codec<Array>::write(out, *array());
            break;
        case Kind::object:
            out.push_back('{');
            for (const auto& [name, value] : *fields()) {
                if (out.back() != '{')
                    out.push_back(',');
                write_string(out, name);
                out.push_back(':');
                value.write(out);
            }
            out.push_back('}');
            break;
    }
}

std::string Value::to_string() const {
    std::string out;
    write(out);
    return out;
}

void Value::write_indented(std::string& out, std::size_t level) const {
    const auto separate = [&](char open) {
        if (out.back() != open)
            out.push_back(',');
        start_line(out, level + 1);
    };
    if (array() != nullptr && !array()->empty()) {
        out.push_back('[');
        for (const Value& element : *array()) {
            separate('[');
            element.write_indented(out, level + 1);
        }
        start_line(out, level);
        out.push_back(']');
    } else if (fields() != nullptr && !fields()->empty()) {
        out.push_back('{');
        for (const auto& [name, value] : *fields()) {
            separate('{');
            write_string(out, name);
            out += ": ";
            value.write_indented(out, level + 1);
        }
        start_line(out, level);
        out.push_back('}');
    } else {
        write(out);
    }
}

}  // namespace leftfold::json
