// shape_of<T>(): a canonical JSON text that says how values of T are written: names, types, what may be absent, nested.
// Two types with the same shape read each other's values. Catalogue and snapshots compare it; contracts are made from
// it.
//
//   struct Opened { Personal<std::string> owner; std::optional<Money> limit; std::vector<Tag> tags; };
//   {"owner":{"$personal":"string"},"limit?":"decimal(2)","tags":{"$array":{"name":"string"}}}
//
// A struct is an object of its fields, with '?' behind the name of an optional one. A string names a scalar: bool, int8
// … uint64, string, decimal(D), timestamp, uuid. {"$…": …} is everything else: $optional, $array, $map, $one-of
// (alternatives by tag), $enum (names), $range ([lowest, highest]), $personal, $recursive (a struct that contains
// itself).
#pragma once

#include <string>
#include <utility>

#include "leftfold/event/json_codec.hpp"

namespace leftfold {

template <class T>
std::string shape_of() {
    json::ShapeWriter out;
    json::Codec<T>::shape(out);
    return std::move(out.out());
}

}  // namespace leftfold
