// make_typed_process<P>: the ProcessModel of a user's struct. The only template code between the struct and the
// runtime.
#pragma once

#include <array>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leftfold/aggregate/typed_model.hpp"
#include "leftfold/base/assert.hpp"
#include "leftfold/event/event_codec.hpp"
#include "leftfold/event/json.hpp"
#include "leftfold/event/reflect.hpp"
#include "leftfold/event/shape.hpp"
#include "leftfold/process/concepts.hpp"
#include "leftfold/process/inputs.hpp"
#include "leftfold/process/model.hpp"
#include "leftfold/process/stored.hpp"

namespace leftfold {

namespace process {

template <class V>
struct WithStored;
template <class... E>
struct WithStored<std::variant<E...>> {
    using type = std::variant<E..., CommandRequested, TimerSet, TimerCancelled, Answered, TimerFired>;
};

// As snapshots keep it.
template <class P>
struct Whole {
    P state;
    Book book;
};

template <class P, class C>
ProcessDecision<P> call_decide(const P& process, const C& command, const CommandContext& context) {
    if constexpr (DecidesInContext<P, C>)
        return process.decide(command, context);
    else
        return process.decide(command);
}
template <class P, class C>
Steps<P> call_on_answer(const P& process, const C& sent, const Answer& answer, const CommandContext& context) {
    if constexpr (HearsAnswerInContext<P, C>)
        return process.on_answer(sent, answer, context);
    else
        return process.on_answer(sent, answer);
}
template <class P>
Steps<P> call_on_timer(const P& process, std::string_view name, const CommandContext& context) {
    if constexpr (HearsTimersInContext<P>)
        return process.on_timer(name, context);
    else if constexpr (HearsTimersPlain<P>)
        return process.on_timer(name);
    else
        return {};
}
template <class P, class E>
Steps<P> call_on_event(const P& process, const E& event, const EventContext& context) {
    if constexpr (HearsEventInContext<P, E>)
        return process.on_event(event, context);
    else
        return process.on_event(event);
}
template <class P, class E>
std::optional<std::string> call_instance(const E& event, const EventContext& context) {
    if constexpr (FindsInstanceInContext<P, E>)
        return P::instance(event, context);
    else
        return P::instance(event);
}

// The events of one alternative of one stream, where the process hears them.
template <class P>
struct HeardEvent {
    // The instance and the event in its present form.
    using Route = Result<std::optional<ProcessInput>> (*)(const HeardEvent&, const Record&, json::Reader&);
    using Hear = Steps<P> (*)(const P&, const EventInput&, const EventContext&, json::Reader&);

    std::string topic;
    std::string type;
    std::shared_ptr<const void> codec;  // of the stream
    Route route = nullptr;
    Hear hear = nullptr;
};

template <class P, class Stream, class E>
Result<std::optional<ProcessInput>> route_one(const HeardEvent<P>& heard, const Record& record, json::Reader& reader) {
    const auto& codec = *static_cast<const EventCodec<typename Stream::Event>*>(heard.codec.get());
    LEFTFOLD_TRY(decoded, codec.decode(record, reader));
    const E& event = std::get<E>(decoded);
    std::optional<std::string> instance;
    try {
        instance = call_instance<P>(event, detail::event_context_of(record.meta));
    } catch (const std::exception& thrown) {
        return fail(ErrorCode::user_code, instance_threw(record, thrown.what()));
    } catch (...) {
        return fail(ErrorCode::user_code, instance_threw(record, "something that is no std::exception"));
    }
    if (!instance)
        return std::nullopt;
    return ProcessInput{*std::move(instance), event_json(heard.topic, record.meta, json::to_string(event))};
}

template <class P, class E>
Steps<P> hear_one(const P& process, const EventInput& input, const EventContext& context, json::Reader& reader) {
    E event{};
    if (!json::read(event, input.data, json::Strictness::lenient, reader))
        throw_unreadable(input.type, reader.error());
    return call_on_event(process, event, context);
}

// Reads the command as it was sent, and gives it to the process with its answer.
template <class P>
struct SentCommand {
    using Hear = Steps<P> (*)(const P&, std::string_view body, const Answer&, const CommandContext&, json::Reader&);
    Hear hear = nullptr;
};
template <class P, class C>
Steps<P> hear_answer(const P& process, std::string_view body, const Answer& answer, const CommandContext& context,
                     json::Reader& reader) {
    C sent{};
    if (!json::read(sent, body, json::Strictness::lenient, reader))
        throw_unreadable(command_name<C>(), reader.error());
    return call_on_answer(process, sent, answer, context);
}

template <class P>
class TypedProcess final : public ProcessModel {
    static_assert(check_process<P>());

    using CommandVariant = typename P::Command;
    using UserEvent = typename P::Event;
    using Event = typename WithStored<UserEvent>::type;
    static constexpr std::size_t kCommandCount = std::variant_size_v<CommandVariant>;

    struct TypedCommand final : AggregateCommand {
        template <class Value>
        TypedCommand(Value&& of, const PayloadHash& hash) noexcept
            : AggregateCommand(hash), value(std::forward<Value>(of)) {}
        std::variant<CommandVariant, EventInput, AnswerInput, TimerInput> value;
    };

    class Instance final : public AggregateInstance {
      public:
        explicit Instance(const TypedProcess& model) noexcept : model_(model) {}

        Result<> apply(const Record& record) override {
            LEFTFOLD_TRY(event, model_.codec_.decode(record, model_.reader_));
            const EventContext context = detail::event_context_of(record.meta);
            try {
                fold(event, context);
            } catch (const std::exception& thrown) {
                return fail(ErrorCode::user_code, evolve_threw(context.version, thrown.what()));
            } catch (...) {
                return fail(ErrorCode::user_code, evolve_threw(context.version, "something that is no std::exception"));
            }
            return {};
        }
        std::expected<std::vector<DecidedEvent>, Rejection> decide(const AggregateCommand& command,
                                                                   const CommandContext& context) override {
            decided_.clear();
            std::optional<Rejection> rejection;
            std::visit([&](const auto& what) { rejection = take(what, context); },
                       static_cast<const TypedCommand&>(command).value);
            if (rejection) {
                decided_.clear();
                return std::unexpected(*std::move(rejection));
            }
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
            json::write(out, whole_.state);
            out.pop_back();
            out.erase(begin, 1);
        }
        void write_state(std::string& out) const override { json::write(out, whole_); }
        Result<> read_state(std::string_view json_text) override {
            Whole<P> whole{};
            if (!json::read(whole, json_text, json::Strictness::lenient, model_.reader_))
                return std::unexpected(model_.reader_.error().to_error());
            whole_ = std::move(whole);
            return {};
        }

      private:
        void fold(const Event& event, const EventContext& context) {
            std::visit(
                [&]<class E>(const E& typed) {
                    if constexpr (kIsAlternative<E, UserEvent>)
                        detail::call_evolve(whole_.state, typed, context);
                    else
                        whole_.book.apply(typed, context.version);
                },
                event);
        }

        // Each leaves in decided_ what is to be stored. What is no longer waited for changes nothing.
        std::optional<Rejection> take(const CommandVariant& command, const CommandContext& context) {
            auto decision =
                std::visit([&](const auto& typed) { return call_decide(whole_.state, typed, context); }, command);
            if (const Rejection* rejection = decision.rejection())
                return *rejection;
            add(std::move(decision).take_steps());
            return std::nullopt;
        }
        std::optional<Rejection> take(const EventInput& input, const CommandContext&) {
            add(model_.heard(input).hear(whole_.state, input, context_of(input), model_.reader_));
            return std::nullopt;
        }
        std::optional<Rejection> take(const AnswerInput& input, const CommandContext& context) {
            const CommandRequested* request = whole_.book.find_request(Version(input.request));
            if (request == nullptr)
                return std::nullopt;
            const Answer answer = answer_of(input);
            decided_.emplace_back(answered(Version(input.request), answer));
            add(model_.sent(*request).hear(whole_.state, request->body.to_string(), answer, context, model_.reader_));
            return std::nullopt;
        }
        std::optional<Rejection> take(const TimerInput& input, const CommandContext& context) {
            const OpenTimer* timer = whole_.book.find_timer(Version(input.timer));
            if (timer == nullptr)
                return std::nullopt;
            decided_.emplace_back(TimerFired{timer->name, timer->version});
            add(call_on_timer(whole_.state, timer->name, context), timer->version);
            return std::nullopt;
        }

        // `fired`: the timer that this is the answer to, if it is one; it waits no more.
        void add(Steps<P>&& steps, std::int64_t fired = 0) {
            Effects effects = std::move(steps).take_effects();
            for (UserEvent& event : std::move(steps).take_events())  // NOLINT(bugprone-use-after-move): the other part
                std::visit([&](auto& typed) { decided_.emplace_back(std::move(typed)); }, event);
            for (TimerCancelled& cancelled : timers_ended_by(effects, whole_.book, fired))
                decided_.emplace_back(std::move(cancelled));
            for (OutgoingStep& command : effects.commands)
                decided_.emplace_back(requested(std::move(command), model_.reader_));
            for (TimerSet& timer : timers_set_by(effects))
                decided_.emplace_back(std::move(timer));
        }

        const TypedProcess& model_;
        Whole<P> whole_{};
        std::vector<Event> decided_;
    };

  public:
    TypedProcess(std::string_view application, std::string_view process)
        : ProcessModel(application, process),
          codec_(topic()),
          events_(codec_.types()),
          state_shape_(shape_of<Whole<P>>()) {
        add_commands(std::make_index_sequence<kCommandCount>());
        for (CommandType& type : input_command_types())
            commands_.push_back(std::move(type));
        if constexpr (requires { typename P::Sends; })
            add_sends(std::type_identity<typename P::Sends>());
        if constexpr (requires { typename P::Inputs; })
            add_inputs(application, std::type_identity<typename P::Inputs>());
    }

    std::span<const CommandType> commands() const noexcept override { return commands_; }
    std::span<const EventType> events() const noexcept override { return events_; }
    const std::string& state_shape() const noexcept override { return state_shape_; }
    std::optional<std::uint32_t> snapshot_version() const noexcept override {
        if constexpr (requires { P::snapshot_version; })
            return std::uint32_t{P::snapshot_version};
        else
            return std::nullopt;
    }
    std::span<const SentCommandType> sends() const noexcept override { return sends_; }
    std::span<const std::string> input_topics() const noexcept override { return input_topics_; }

    std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> read_command(
        std::size_t command, std::string_view json_text) const override {
        if (command < kCommandCount)
            return readers_[command](*this, json_text);
        if (command == event_command())
            return read_input<EventInput>(json_text);
        if (command == answer_command())
            return read_input<AnswerInput>(json_text);
        return read_input<TimerInput>(json_text);
    }
    std::unique_ptr<AggregateInstance> initial() const override { return std::make_unique<Instance>(*this); }

    Result<std::optional<ProcessInput>> route_input(const Record& record) const override {
        const auto found = heard_.find(record.meta.type);
        if (found == heard_.end())
            return std::nullopt;
        return found->second.route(found->second, record, reader_);
    }

  private:
    using ReadCommand = std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> (*)(const TypedProcess&,
                                                                                              std::string_view);

    const HeardEvent<P>& heard(const EventInput& input) const {
        const auto found = heard_.find(input.type);
        if (found == heard_.end())
            throw_not_heard(input);
        return found->second;
    }
    const SentCommand<P>& sent(const CommandRequested& request) const {
        for (std::size_t i = 0; i < sends_.size(); ++i)
            if (sends_[i].aggregate == request.aggregate && sends_[i].name == request.command)
                return sent_[i];
        throw_not_sent(request);
    }

    template <std::size_t... Is>
    void add_commands(std::index_sequence<Is...>) {
        (commands_.push_back({std::string(reflect::kebab_name<std::variant_alternative_t<Is, CommandVariant>>()),
                              shape_of<std::variant_alternative_t<Is, CommandVariant>>()}),
         ...);
        readers_ = {&read_one<Is>...};
    }
    template <class... C>
    void add_sends(std::type_identity<std::variant<C...>>) {
        (sends_.push_back({std::string(C::aggregate), std::string(command_name<C>()), shape_of<C>()}), ...);
        (sent_.push_back({&hear_answer<P, C>}), ...);
    }
    template <class... Streams>
    void add_inputs(std::string_view application, std::type_identity<ReadsFrom<Streams...>>) {
        (add_stream<Streams>(topic_name(application, Streams::aggregate),
                             std::type_identity<typename Streams::Event>()),
         ...);
    }
    template <class Stream, class... E>
    void add_stream(const std::string& topic, std::type_identity<std::variant<E...>>) {
        input_topics_.push_back(topic);
        const auto codec = std::make_shared<const EventCodec<typename Stream::Event>>(topic);
        (
            [&] {
                if constexpr (kHears<P, E>) {
                    std::string type = topic + "." + std::string(event_name<E>());
                    heard_.emplace(type, HeardEvent<P>{topic, type, codec, &route_one<P, Stream, E>, &hear_one<P, E>});
                }
            }(),
            ...);
    }

    template <std::size_t I>
    static std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> read_one(const TypedProcess& model,
                                                                                      std::string_view json_text) {
        std::variant_alternative_t<I, CommandVariant> command{};
        if (!json::read(command, json_text, json::Strictness::strict, model.reader_))
            return std::unexpected(model.reader_.error());
        model.canonical_.clear();
        json::write(model.canonical_, command);
        const PayloadHash hash = payload_hash(model.commands_[I].name, model.canonical_);
        return std::make_unique<TypedCommand>(CommandVariant(std::in_place_index<I>, std::move(command)), hash);
    }
    // What a repeat brings may differ in its wording; what it is about does not.
    template <class Input>
    std::expected<std::unique_ptr<AggregateCommand>, json::ReadError> read_input(std::string_view json_text) const {
        Input input{};
        if (!json::read(input, json_text, json::Strictness::strict, reader_))
            return std::unexpected(reader_.error());
        const PayloadHash hash = identity_of(input);
        return std::make_unique<TypedCommand>(std::move(input), hash);
    }

    EventCodec<Event> codec_;
    std::vector<EventType> events_;
    std::string state_shape_;
    std::vector<CommandType> commands_;
    std::array<ReadCommand, kCommandCount> readers_{};
    std::vector<SentCommandType> sends_;
    std::vector<SentCommand<P>> sent_;  // beside sends_
    std::vector<std::string> input_topics_;
    std::map<std::string, HeardEvent<P>, std::less<>> heard_;  // by stored type
    // Scratch, reused: a model belongs to one shard.
    mutable json::Reader reader_;
    mutable std::string canonical_;
};

}  // namespace process

// Stored names are "<application>.<process>.<event>". One model per shard.
template <class P>
std::unique_ptr<ProcessModel> make_typed_process(std::string_view application, std::string_view process) {
    return std::make_unique<process::TypedProcess<P>>(application, process);
}

}  // namespace leftfold
