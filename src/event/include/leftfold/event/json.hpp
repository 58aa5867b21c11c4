// JSON of plain structs, without macros: json::write and json::read. json_codec.hpp has the form of each type.
//
//   std::string out;  json::write(out, event);                       // canonical: declared order, no spaces
//   auto command = json::read<Withdraw>(body, Strictness::strict);   // std::expected<Withdraw, json::ReadError>
//
// Strict reading, for commands, refuses unknown fields; lenient reading, for stored events, lets them pass. Both refuse
// whatever else is wrong: missing required fields, wrong types, fields given twice, numbers out of range, text behind
// the value, nesting or size over the limits, invalid UTF-8. The error names the path.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "leftfold/event/json_codec.hpp"

namespace leftfold::json {

// Appends. May throw std::range_error for a value without a written form.
template <class T>
void write(std::string& out, const T& value) {
    Codec<T>::write(out, value);
}

template <class T>
std::string to_string(const T& value) {
    std::string out;
    Codec<T>::write(out, value);
    return out;
}

// Into `out`, which is unspecified after a failure. False: reader.error() says why. Fields that may be absent and are
// keep the value that `out` has, so give a new object.
template <class T>
bool read(T& out, std::string_view text, Strictness strictness, Reader& reader) {
    return reader.start(text, strictness) && Codec<T>::read(reader, out) && reader.finish();
}

template <class T>
std::expected<T, ReadError> read(std::string_view text, Strictness strictness, Reader& reader) {
    std::expected<T, ReadError> out;
    if (!read(*out, text, strictness, reader))
        out = std::unexpected(reader.error());
    return out;
}

// With a Reader of its own, which allocates: for tests, tools and start-up.
template <class T>
std::expected<T, ReadError> read(std::string_view text, Strictness strictness) {
    Reader reader;
    return read<T>(text, strictness, reader);
}

}  // namespace leftfold::json
