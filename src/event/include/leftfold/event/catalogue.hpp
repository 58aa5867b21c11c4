// The catalogue of event types: what a service stores, by which name, in which version and shape. It is committed as a
// golden file; the build compares, so that nobody renames a stored type or changes its shape unknowingly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/base/error.hpp"

namespace leftfold {

struct EventType {
    std::string name;  // "bank.account.withdrawn"
    std::uint32_t version = 1;
    std::string shape;  // shape.hpp

    friend bool operator==(const EventType&, const EventType&) = default;
};

struct CatalogueProblem {
    std::string type;
    std::string message;  // what changed, and what to do
};

class Catalogue {
  public:
    Catalogue() = default;

    // Sorted by name. Two types of one name are refused.
    static Result<Catalogue> of(std::vector<EventType> types);
    // The text that to_text() gave. It must be a catalogue of this format.
    static Result<Catalogue> parse(std::string_view text);

    const std::vector<EventType>& types() const noexcept { return types_; }
    const EventType* find(std::string_view name) const noexcept;

    // Stable and readable: indented JSON, one type per block, ending in a line feed.
    std::string to_text() const;

    // What differs in `current`, in the order of the names; empty if nothing does, but for the order of fields.
    // `accept_command` writes the golden file anew: "bank catalogue --write catalogue.json".
    static std::vector<CatalogueProblem> compare(const Catalogue& golden, const Catalogue& current,
                                                 std::string_view accept_command);

  private:
    std::vector<EventType> types_;
};

}  // namespace leftfold
