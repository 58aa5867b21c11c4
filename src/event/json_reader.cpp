#include "leftfold/event/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::json {

namespace {

namespace ondemand = simdjson::ondemand;

// Within an array of one element every root is an ordinary value, where simdjson treats a scalar at the root apart.
constexpr std::size_t kWrapBytes = 2;

std::string_view describe(simdjson::error_code code) {
    switch (code) {
        case simdjson::UTF8_ERROR:
            return "the text is not valid UTF-8";
        case simdjson::UNESCAPED_CHARS:
            return "a control character stands unescaped in a string";
        case simdjson::UNCLOSED_STRING:
            return "a string is not closed";
        case simdjson::STRING_ERROR:
            return "invalid escape in a string";
        case simdjson::MEMALLOC:
            return "out of memory";
        default:
            return "malformed JSON";
    }
}

std::string_view trim_end(std::string_view token) {
    while (!token.empty() &&
           (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
        token.remove_suffix(1);
    return token;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
    std::size_t count = 0;
    while (at + count < text.size() && text[at + count] >= '0' && text[at + count] <= '9')
        ++count;
    return count;
}

enum class NumberForm : std::uint8_t { no_number, malformed, whole, fractional };

// RFC 8259 §6.
NumberForm number_form(std::string_view text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    const std::size_t whole = digits_at(text, at);
    if (whole == 0 || (whole > 1 && text[at] == '0'))
        return NumberForm::malformed;
    at += whole;
    if (at == text.size())
        return NumberForm::whole;
    if (text[at] == '.') {
        const std::size_t fraction = digits_at(text, at + 1);
        if (fraction == 0)
            return NumberForm::malformed;
        at += 1 + fraction;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        at += 1;
        if (at < text.size() && (text[at] == '+' || text[at] == '-'))
            at += 1;
        const std::size_t exponent = digits_at(text, at);
        if (exponent == 0)
            return NumberForm::malformed;
        at += exponent;
    }
    return at == text.size() ? NumberForm::fractional : NumberForm::malformed;
}

void append_pointer_token(std::string& path, std::string_view token) {
    path.push_back('/');
    for (const char c : token) {
        if (c == '~')
            path += "~0";
        else if (c == '/')
            path += "~1";
        else
            path.push_back(c);
    }
}

struct Frame {
    ondemand::object object;
    ondemand::object_iterator field;
    ondemand::array_iterator element;
    std::string_view key;   // of the current field; no data before the first
    std::size_t index = 0;  // of the current element
    bool is_object = false;
    bool moved = false;  // to the first field or element
};

}  // namespace

struct Reader::State {
    explicit State(ReadLimits read_limits) : limits(read_limits) {}

    bool broken(simdjson::error_code code) { return broken(std::string(describe(code))); }
    bool broken(std::string problem);
    bool grow(std::size_t size);
    bool push();
    bool wrong_kind(std::string_view expected) { return broken("expected " + std::string(expected)); }
    std::optional<std::string_view> scalar_token();
    bool number_token(std::string_view& token, NumberForm& form);
    template <class T>
    bool integer(T& out, T lowest, T highest);

    ReadLimits limits;
    ondemand::parser parser;
    ondemand::document document;
    ondemand::value value;
    std::array<Frame, kDepthMax + 1> frames;  // frames[0] is the array around the root
    std::size_t depth = 0;
    std::unique_ptr<char[]> buffer;
    std::size_t buffer_size = 0;
    std::size_t text_end = 0;
    Strictness strict = Strictness::strict;
    bool failed = true;
    std::optional<ReadError> error;
};

bool Reader::State::broken(std::string problem) {
    if (failed)
        return false;
    failed = true;
    std::string path;
    for (std::size_t i = 1; i <= depth; ++i) {
        if (frames[i].is_object && frames[i].key.data() != nullptr)
            append_pointer_token(path, frames[i].key);
        else if (!frames[i].is_object && frames[i].moved)
            append_pointer_token(path, std::to_string(frames[i].index));
    }
    error = ReadError{std::move(path), std::move(problem)};
    return false;
}

bool Reader::State::grow(std::size_t size) {
    const std::size_t needed = size + kWrapBytes + simdjson::SIMDJSON_PADDING;
    if (needed <= buffer_size)
        return true;
    const std::size_t rounded = std::max<std::size_t>(needed + needed / 2, 4096);
    buffer = std::make_unique_for_overwrite<char[]>(rounded);
    buffer_size = rounded;
    return parser.allocate(rounded - simdjson::SIMDJSON_PADDING, kDepthMax + 8) == simdjson::SUCCESS;
}

bool Reader::State::push() {
    if (depth == kDepthMax)
        return broken("nested deeper than " + std::to_string(kDepthMax) + " levels");
    ++depth;
    frames[depth].key = {};
    frames[depth].index = 0;
    frames[depth].moved = false;
    return true;
}

// The characters of a number, true, false or null; the value stays current, and is left behind by the next move.
std::optional<std::string_view> Reader::State::scalar_token() {
    if (failed)
        return std::nullopt;
    return trim_end(value.raw_json_token());
}

bool Reader::State::number_token(std::string_view& token, NumberForm& form) {
    const auto raw = scalar_token();
    if (!raw)
        return false;
    if (raw->empty() || ((*raw)[0] != '-' && ((*raw)[0] < '0' || (*raw)[0] > '9'))) {
        form = NumberForm::no_number;
        return true;
    }
    token = *raw;
    form = number_form(token);
    return form != NumberForm::malformed || broken("malformed number");
}

template <class T>
bool Reader::State::integer(T& out, T lowest, T highest) {
    std::string_view token;
    NumberForm form{};
    if (!number_token(token, form))
        return false;
    if (form != NumberForm::whole)
        return wrong_kind("a whole number");
    const auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), out);
    const bool minus_zero = token == "-0";  // a valid JSON number, which from_chars refuses for an unsigned type
    if (minus_zero)
        out = 0;
    if ((code != std::errc() && !minus_zero) || out < lowest || out > highest)
        return wrong_kind("a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
    return true;
}

std::string ReadError::message() const {
    return path.empty() ? problem : path + ": " + problem;
}

Error ReadError::to_error() const {
    return Error(ErrorCode::invalid_argument, message());
}

Reader::Reader(ReadLimits limits) : state_(std::make_unique<State>(limits)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

bool Reader::start(std::string_view text, Strictness strictness) {
    State& s = *state_;
    s.failed = false;
    s.error.reset();
    s.strict = strictness;
    s.depth = 0;
    const std::size_t bytes_max =
        strictness == Strictness::strict ? s.limits.strict_bytes_max : s.limits.lenient_bytes_max;
    if (text.size() > bytes_max)
        return s.broken("larger than " + std::to_string(bytes_max) + " bytes");
    if (!s.grow(text.size()))
        return s.broken(simdjson::MEMALLOC);
    s.buffer[0] = '[';
    std::memcpy(s.buffer.get() + 1, text.data(), text.size());
    s.text_end = 1 + text.size();
    s.buffer[s.text_end] = ']';
    s.buffer[s.text_end + 1] = '\0';  // a ']' left there by a longer text would cost simdjson a scan of all brackets
    if (const auto code = s.parser.iterate(s.buffer.get(), s.text_end + 1, s.buffer_size).get(s.document))
        return s.broken(code);

    ondemand::array root;
    if (const auto code = s.document.get_array().get(root))
        return s.broken(code);
    if (const auto code = root.begin().get(s.frames[0].element))
        return s.broken(code);
    if (s.frames[0].element == s.frames[0].element)
        return s.broken("there is no JSON text");
    if (const auto code = (*s.frames[0].element).get(s.value))
        return s.broken(code);
    return true;
}

bool Reader::finish() {
    State& s = *state_;
    if (s.failed)
        return false;
    LEFTFOLD_ASSERT(s.depth == 0);
    ondemand::array_iterator& element = s.frames[0].element;
    ++element;
    if (element != element || s.document.current_location().error() != simdjson::OUT_OF_BOUNDS)
        return s.broken("something follows the JSON text");
    return true;
}

Strictness Reader::strictness() const noexcept {
    return state_->strict;
}
bool Reader::ok() const noexcept {
    return !state_->failed;
}

ReadError Reader::error() const {
    LEFTFOLD_ASSERT(state_->error.has_value());
    return *state_->error;
}

Kind Reader::kind() {
    State& s = *state_;
    if (s.failed)
        return Kind::null;
    ondemand::json_type type{};
    if (const auto code = s.value.type().get(type)) {
        s.broken(code);
        return Kind::null;
    }
    switch (type) {
        case ondemand::json_type::array:
            return Kind::array;
        case ondemand::json_type::object:
            return Kind::object;
        case ondemand::json_type::number:
            return Kind::number;
        case ondemand::json_type::string:
            return Kind::string;
        case ondemand::json_type::boolean:
            return Kind::boolean;
        case ondemand::json_type::null:
            break;
    }
    return Kind::null;
}

bool Reader::null() {
    const auto token = state_->scalar_token();
    return token && (*token == "null" || state_->wrong_kind("null"));
}

bool Reader::boolean(bool& out) {
    const auto token = state_->scalar_token();
    if (!token)
        return false;
    out = *token == "true";
    return out || *token == "false" || state_->wrong_kind("true or false");
}

bool Reader::integer(std::int64_t& out, std::int64_t lowest, std::int64_t highest) {
    return state_->integer(out, lowest, highest);
}

bool Reader::integer(std::uint64_t& out, std::uint64_t lowest, std::uint64_t highest) {
    return state_->integer(out, lowest, highest);
}

bool Reader::number_text(std::string_view& out) {
    NumberForm form{};
    return state_->number_token(out, form) && (form != NumberForm::no_number || state_->wrong_kind("a number"));
}

bool Reader::string(std::string_view& out) {
    return string(out, "expected a string");
}

bool Reader::string(std::string_view& out, std::string_view problem) {
    State& s = *state_;
    if (s.failed)
        return false;
    const std::string_view token = s.value.raw_json_token();
    if (!token.starts_with('"'))
        return s.broken(std::string(problem));
    if (const auto code = s.value.get_string().get(out))
        return s.broken(code);
    return true;
}

bool Reader::skip() {
    switch (kind()) {
        case Kind::null:
            return null();
        case Kind::boolean: {
            bool ignored = false;
            return boolean(ignored);
        }
        case Kind::number: {
            std::string_view ignored;
            return number_text(ignored);
        }
        case Kind::string: {
            std::string_view ignored;
            return string(ignored);
        }
        case Kind::array:
            if (begin_array())
                while (next_element())
                    skip();
            break;
        case Kind::object:
            if (begin_object())
                for (std::string_view key; next_field(key);)
                    skip();
            break;
    }
    return ok();
}

bool Reader::begin_object() {
    State& s = *state_;
    if (s.failed)
        return false;
    if (!std::string_view(s.value.raw_json_token()).starts_with('{'))
        return s.wrong_kind("an object");
    if (!s.push())
        return false;
    Frame& frame = s.frames[s.depth];
    frame.is_object = true;
    if (const auto code = s.value.get_object().get(frame.object))
        return s.broken(code);
    if (const auto code = frame.object.begin().get(frame.field))
        return s.broken(code);
    return true;
}

bool Reader::next_field(std::string_view& key) {
    State& s = *state_;
    if (s.failed)
        return false;
    Frame& frame = s.frames[s.depth];
    LEFTFOLD_ASSERT(s.depth > 0 && frame.is_object);
    if (std::exchange(frame.moved, true))
        ++frame.field;
    if (frame.field == frame.field) {
        --s.depth;
        return false;
    }
    ondemand::field field;
    if (const auto code = (*frame.field).get(field))
        return s.broken(code);
    if (const auto code = field.unescaped_key().get(key))
        return s.broken(code);
    frame.key = key;
    s.value = field.value();
    return true;
}

std::string_view Reader::peek_tag(std::string_view name) {
    State& s = *state_;
    if (s.failed)
        return {};
    Frame& frame = s.frames[s.depth];
    LEFTFOLD_ASSERT(s.depth > 0 && frame.is_object && !frame.moved && name.size() < simdjson::SIMDJSON_PADDING);
    std::string_view tag;
    for (; frame.field != frame.field; ++frame.field) {
        ondemand::field field;
        if (const auto code = (*frame.field).get(field)) {
            s.broken(code);
            return {};
        }
        const char* const raw = field.key().raw();
        if (std::memcmp(raw, name.data(), name.size()) != 0 || raw[name.size()] != '"')
            continue;
        const std::string_view token = field.value().raw_json_token();
        if (token.starts_with('"'))
            tag = token.substr(1, token.find('"', 1) - 1);
        break;
    }
    bool has_fields = false;
    if (const auto code = frame.object.reset().get(has_fields)) {
        s.broken(code);
        return {};
    }
    if (const auto code = frame.object.begin().get(frame.field)) {
        s.broken(code);
        return {};
    }
    return tag;
}

bool Reader::begin_array() {
    State& s = *state_;
    if (s.failed)
        return false;
    if (!std::string_view(s.value.raw_json_token()).starts_with('['))
        return s.wrong_kind("an array");
    if (!s.push())
        return false;
    Frame& frame = s.frames[s.depth];
    frame.is_object = false;
    ondemand::array array;
    if (const auto code = s.value.get_array().get(array))
        return s.broken(code);
    if (const auto code = array.begin().get(frame.element))
        return s.broken(code);
    return true;
}

bool Reader::next_element() {
    State& s = *state_;
    if (s.failed)
        return false;
    Frame& frame = s.frames[s.depth];
    LEFTFOLD_ASSERT(s.depth > 0 && !frame.is_object);
    if (std::exchange(frame.moved, true)) {
        ++frame.element;
        ++frame.index;
    }
    if (frame.element == frame.element) {
        --s.depth;
        return false;
    }
    if (const auto code = (*frame.element).get(s.value))
        return s.broken(code);
    return true;
}

bool Reader::fail(std::string problem) {
    return state_->broken(std::move(problem));
}

bool Reader::fail_at(std::string_view field, std::string problem) {
    if (state_->failed)
        return false;
    state_->broken(std::move(problem));
    append_pointer_token(state_->error->path, field);
    return false;
}

bool Reader::fail_unknown_field(std::span<const std::string_view> known) {
    std::string problem = "unknown field";
    problem += known.empty() ? "; there are none here" : "; known are ";
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (i > 0)
            problem += ", ";
        problem += known[i];
    }
    return state_->broken(std::move(problem));
}

}  // namespace leftfold::json
