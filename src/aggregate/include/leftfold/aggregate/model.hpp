// AggregateModel: one type of aggregate with its template arguments erased, so that the runtime is compiled once. Users
// do not write one: typed_model.hpp makes it from their struct.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/aggregate/context.hpp"
#include "leftfold/aggregate/decision.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/event/catalogue.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/record.hpp"

namespace leftfold {

struct CommandType {
    std::string name;   // kebab-case, the last part of its route
    std::string shape;  // of its JSON
    // Whether clients may send it. Those that only the machinery gives come last.
    bool is_routed = true;
};

// Ids of commands that the machinery gives begin with this. No client may choose one.
inline constexpr std::string_view kDerivedIdPrefix = "leftfold:";

// A command that was read from JSON: well-formed, not yet decided.
class AggregateCommand {
  public:
    virtual ~AggregateCommand() = default;
    const PayloadHash& hash() const noexcept { return hash_; }

  protected:
    explicit AggregateCommand(const PayloadHash& hash) noexcept : hash_(hash) {}

  private:
    PayloadHash hash_;
};

// Events decided and not yet stored.
struct DecidedEvent {
    std::string_view type;  // lives as long as the model
    std::uint32_t type_version = 1;
    std::string payload;
};

// The state of one aggregate, and its code. decide and evolve run here, and only here may they throw.
class AggregateInstance {
  public:
    virtual ~AggregateInstance() = default;

    // Folds a stored event. Fails if it cannot be decoded (corrupt, unsupported).
    virtual Result<> apply(const Record& record) = 0;

    // Runs decide on the state. The events stay here, too, until apply_decided().
    virtual std::expected<std::vector<DecidedEvent>, Rejection> decide(const AggregateCommand& command,
                                                                       const CommandContext& context) = 0;
    // Folds the events of the last decide(), one context each.
    virtual void apply_decided(std::span<const EventContext> contexts) = 0;

    // The fields as JSON members without the braces; empty if there are none.
    virtual void write_members(std::string& out) const = 0;
    // The whole as one JSON object, and back: for snapshots.
    virtual void write_state(std::string& out) const = 0;
    virtual Result<> read_state(std::string_view json_text) = 0;
};

class AggregateModel {
  public:
    virtual ~AggregateModel() = default;

    virtual const std::string& name() const noexcept = 0;  // "account"
    virtual std::span<const CommandType> commands() const noexcept = 0;
    // The first of commands(): those that clients may send.
    std::span<const CommandType> routed_commands() const noexcept;
    virtual std::span<const EventType> events() const noexcept = 0;
    // Of the state, for the keys of snapshots.
    virtual const std::string& state_shape() const noexcept = 0;
    // The user's word that the code folds as before; none: only the very same build is believed.
    virtual std::optional<std::uint32_t> snapshot_version() const noexcept = 0;

    // `command` is an index into commands(). Strict: unknown fields and wrong types are errors with their path.
    virtual std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> read_command(
        std::size_t command, std::string_view json_text) const = 0;
    // As of version 0.
    virtual std::unique_ptr<AggregateInstance> initial() const = 0;

    // For `replay` and tests: nullopt if there is no such command.
    std::optional<std::size_t> find_command(std::string_view command_name) const noexcept;
};

}  // namespace leftfold
