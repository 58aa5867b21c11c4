// json::Value: any JSON text as a tree, for upcasters and tools. Objects keep the order of their fields; numbers keep
// the characters they were written with. What parse() gives is no deeper than kDepthMax.
#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/event/json_codec.hpp"

namespace leftfold::json {

class Value {
  public:
    using Array = std::vector<Value>;
    using Field = std::pair<std::string, Value>;
    using Object = std::vector<Field>;  // no two fields have the same name

    Value() noexcept = default;  // null
    Value(std::same_as<bool> auto flag) : content_(flag) {}
    template <std::integral T>
        requires(!std::same_as<T, bool> && !std::same_as<T, char>)
    Value(T number) : content_(Number{std::to_string(number)}) {}
    Value(std::string text) : content_(std::move(text)) {}
    Value(std::string_view text) : content_(std::string(text)) {}
    Value(const char* text) : content_(std::string(text)) {}
    Value(Array elements) : content_(std::move(elements)) {}

    static Value object() {
        Value value;
        value.content_ = Object{};
        return value;
    }

    static std::expected<Value, ReadError> parse(std::string_view text, Reader& reader);
    static std::expected<Value, ReadError> parse(std::string_view text);

    Kind kind() const noexcept;
    bool is_object() const noexcept { return kind() == Kind::object; }

    // Null, empty or absent if the value is of another kind.
    const bool* boolean() const noexcept { return std::get_if<bool>(&content_); }
    const std::string* string() const noexcept { return std::get_if<std::string>(&content_); }
    std::string_view number_text() const noexcept;
    std::optional<std::int64_t> integer() const noexcept;  // of a whole number that fits
    const Array* array() const noexcept { return std::get_if<Array>(&content_); }
    Array* array() noexcept { return std::get_if<Array>(&content_); }
    const Object* fields() const noexcept { return std::get_if<Object>(&content_); }
    Object* fields() noexcept { return std::get_if<Object>(&content_); }

    // Fields of an object. On another kind find() finds nothing; erase() and rename() do nothing.
    const Value* find(std::string_view name) const noexcept;
    Value* find(std::string_view name) noexcept;
    // Appends a null if there is none. Turns a value of another kind into an object.
    Value& operator[](std::string_view name);
    bool erase(std::string_view name);
    // The field keeps its place. False if there is none, or another is called `to` already.
    bool rename(std::string_view from, std::string_view to);

    // Canonical: no spaces, in the order of the fields.
    void write(std::string& out) const;
    std::string to_string() const;
    // For people: one field or element a line, each level indented by two spaces.
    void write_indented(std::string& out, std::size_t level = 0) const;

    friend bool operator==(const Value&, const Value&) = default;

  private:
    struct Number {
        std::string text;
        friend bool operator==(const Number&, const Number&) = default;
    };
    friend struct Codec<Value>;

    std::variant<std::monostate, bool, Number, std::string, Array, Object> content_;
};

template <>
struct Codec<Value> {
    static bool read(Reader& in, Value& out);
    static void write(std::string& out, const Value& value) { value.write(out); }
    static void shape(ShapeWriter& out) { out.name("any"); }
};

}  // namespace leftfold::json
