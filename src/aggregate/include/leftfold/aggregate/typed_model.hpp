// make_typed_model<A>: the AggregateModel of a user's struct. The only template code between the struct and the
// runtime.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/aggregate/concepts.hpp"
#include "leftfold/aggregate/model.hpp"
#include "leftfold/base/assert.hpp"
#include "leftfold/event/event_codec.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/payload_hash.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/event/shape.hpp"

namespace leftfold {

namespace detail {

EventContext event_context_of(const EventMeta& meta) noexcept;

template <class A>
class TypedModel final : public AggregateModel {
    static_assert(check_aggregate<A>());

    using CommandVariant = typename A::Command;
    using EventVariant = typename A::Event;
    static constexpr std::size_t kCommandCount = std::variant_size_v<CommandVariant>;

    struct TypedCommand final : AggregateCommand {
        TypedCommand(CommandVariant command, const PayloadHash& hash) noexcept
            : AggregateCommand(hash), value(std::move(command)) {}
        CommandVariant value;
    };

    class Instance final : public AggregateInstance {
      public:
        explicit Instance(const TypedModel& model) noexcept : model_(model) {}

        Result<> apply(const Record& record) override {
            LEFTFOLD_TRY(event, model_.codec_.decode(record, model_.reader_));
            return fold_stored(event, event_context_of(record.meta));
        }
        std::expected<std::vector<DecidedEvent>, Rejection> decide(const AggregateCommand& command,
                                                                   const CommandContext& context) override {
            decided_.clear();
            auto decision = std::visit([&](const auto& typed) { return call_decide(state_, typed, context); },
                                       static_cast<const TypedCommand&>(command).value);
            if (const Rejection* rejection = decision.rejection())
                return std::unexpected(*rejection);
            decided_ = std::move(decision).take_events();
            std::vector<DecidedEvent> encoded(decided_.size());
            for (std::size_t i = 0; i < decided_.size(); ++i) {
                const StoredType type = model_.codec_.encode(decided_[i], encoded[i].payload);
                encoded[i].type = type.name;
                encoded[i].type_version = type.version;
            }
            return encoded;
        }
        void apply_decided(std::span<const EventContext> contexts) override {
            LEFTFOLD_ASSERT(contexts.size() == decided_.size());
            for (std::size_t i = 0; i < decided_.size(); ++i)
                fold(decided_[i], contexts[i]);
            decided_.clear();
        }
        void write_members(std::string& out) const override {
            const std::size_t begin = out.size();
            json::write(out, state_);
            out.pop_back();
            out.erase(begin, 1);
        }
        void write_state(std::string& out) const override { json::write(out, state_); }
        Result<> read_state(std::string_view json_text) override {
            A state{};
            if (!json::read(state, json_text, json::Strictness::lenient, model_.reader_))
                return std::unexpected(model_.reader_.error().to_error());
            state_ = std::move(state);
            return {};
        }

      private:
        void fold(const EventVariant& event, const EventContext& context) {
            std::visit([&](const auto& typed) { call_evolve(state_, typed, context); }, event);
        }
        Result<> fold_stored(const EventVariant& event, const EventContext& context) {
            try {
                fold(event, context);
            } catch (const std::exception& thrown) {
                return fail(ErrorCode::user_code, "evolve threw at version " + std::to_string(context.version.value()) +
                                                      ": " + thrown.what());
            } catch (...) {
                return fail(ErrorCode::user_code, "evolve threw at version " + std::to_string(context.version.value()));
            }
            return {};
        }

        const TypedModel& model_;
        A state_{};
        std::vector<EventVariant> decided_;
    };

  public:
    TypedModel(std::string_view application, std::string_view aggregate)
        : name_(aggregate),
          codec_(std::string(application) + "." + std::string(aggregate)),
          events_(codec_.types()),
          state_shape_(shape_of<A>()) {
        add_commands(std::make_index_sequence<kCommandCount>());
    }

    const std::string& name() const noexcept override { return name_; }
    std::span<const CommandType> commands() const noexcept override { return commands_; }
    std::span<const EventType> events() const noexcept override { return events_; }
    const std::string& state_shape() const noexcept override { return state_shape_; }
    std::optional<std::uint32_t> snapshot_version() const noexcept override {
        if constexpr (requires { A::snapshot_version; })
            return std::uint32_t{A::snapshot_version};
        else
            return std::nullopt;
    }

    std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> read_command(
        std::size_t command, std::string_view json_text) const override {
        return readers_[command](*this, json_text);
    }
    std::unique_ptr<AggregateInstance> initial() const override { return std::make_unique<Instance>(*this); }

  private:
    using ReadCommand = std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> (*)(const TypedModel&,
                                                                                              std::string_view);

    template <std::size_t... Is>
    void add_commands(std::index_sequence<Is...>) {
        (commands_.push_back({std::string(reflect::kebab_name<std::variant_alternative_t<Is, CommandVariant>>()),
                              shape_of<std::variant_alternative_t<Is, CommandVariant>>()}),
         ...);
        readers_ = {&read_one<Is>...};
    }

    template <std::size_t I>
    static std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> read_one(const TypedModel& model,
                                                                                      std::string_view json_text) {
        std::variant_alternative_t<I, CommandVariant> command{};
        if (!json::read(command, json_text, json::Strictness::strict, model.reader_))
            return std::unexpected(model.reader_.error());
        // Of the canonical form, so that white space and the order of fields do not make another command of a repeat.
        model.canonical_.clear();
        json::write(model.canonical_, command);
        const PayloadHash hash = payload_hash(model.commands_[I].name, model.canonical_);
        return std::make_unique<TypedCommand>(CommandVariant(std::in_place_index<I>, std::move(command)), hash);
    }

    std::string name_;
    EventCodec<EventVariant> codec_;
    std::vector<EventType> events_;
    std::string state_shape_;
    std::vector<CommandType> commands_;
    std::array<ReadCommand, kCommandCount> readers_{};
    // Scratch, reused: a model belongs to one shard.
    mutable json::Reader reader_;
    mutable std::string canonical_;
};

}  // namespace detail

// Stored names are "<application>.<aggregate>.<event>". One model per shard.
template <class A>
std::unique_ptr<AggregateModel> make_typed_model(std::string_view application, std::string_view aggregate) {
    return std::make_unique<detail::TypedModel<A>>(application, aggregate);
}

}  // namespace leftfold
