#include "live_streams.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"
#include "leftfold/http/problem.hpp"
#include "leftfold/http/sse.hpp"

#include "live_streams_impl.hpp"
#include "problems.hpp"

namespace leftfold::gateway {

namespace {

// A look at all streams, so that silences end at most this part of the interval late.
constexpr int kLooksPerInterval = 4;

// One range of an Accept header (RFC 9110 §12.5.1) without its parameters; nothing if its weight is 0.
std::string_view accepted_range(std::string_view element) noexcept {
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    std::string_view range = element.substr(0, semicolon);
    range.remove_prefix(std::min(range.find_first_not_of(" \t"), range.size()));
    range = range.substr(0, range.find_last_not_of(" \t") + 1);
    for (std::string_view rest = element.substr(semicolon); !rest.empty();) {
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find(';'), rest.size());
        std::string_view parameter = rest.substr(0, end);
        parameter.remove_prefix(std::min(parameter.find_first_not_of(" \t"), parameter.size()));
        const bool is_weight = parameter.starts_with("q=") || parameter.starts_with("Q=");
        if (is_weight && parameter.substr(2).find_first_not_of("0. \t") == std::string_view::npos)
            return {};
        rest.remove_prefix(end);
    }
    return range;
}

template <class Matches>
bool accepts(const http::Request& request, Matches matches) noexcept {
    for (const http::HeaderField& field : request.fields) {
        if (!http::equal_ignoring_case(field.name, "Accept"))
            continue;
        for (std::string_view list = field.value; !list.empty();) {
            const std::size_t end = std::min(list.find(','), list.size());
            if (matches(accepted_range(list.substr(0, end))))
                return true;
            list.remove_prefix(std::min(end + 1, list.size()));
        }
    }
    return false;
}

http::Response too_many_streams(std::size_t streams_max) {
    return http::Problem(503, "too-many-streams", "There are too many live streams")
        .detail("another may be begun when one of them has ended")
        .member("limit_count", streams_max)
        .response()
        .add_header("Retry-After", "5");
}

}  // namespace

bool wants_event_stream(const http::Request& request) noexcept {
    return accepts(request, [](std::string_view range) {
        return http::equal_ignoring_case(range, http::content_type::kEventStream);
    });
}

bool takes_event_stream(const http::Request& request) noexcept {
    return !request.header("Accept") || accepts(request, [](std::string_view range) {
        return http::equal_ignoring_case(range, http::content_type::kEventStream) || range == "*/*" ||
               http::equal_ignoring_case(range, "text/*");
    });
}

void append_id(std::string& out, std::string_view token) {
    http::append_sse_field(out, "id", token);
}

std::int64_t sum_of(const Vector& vector) noexcept {
    std::int64_t sum = 0;
    for (const Position position : vector)
        sum += position.value();
    return sum;
}

void LiveStream::on_room() {
    hub.make_room(*this);
}
void LiveStream::on_stop() {
    hub.end(*this);
}
void LiveStream::on_gone() {
    hub.remove(*this);
}

LiveStreams::Impl::Impl(const Env& env, log::EventLog& log, StreamOptions options, MetricRegistry& registry,
                        Logger& logger)
    : env_(env),
      log_(log),
      options_(options),
      logger_(logger),
      stream_gauge_(registry.gauge("leftfold_event_streams", "Live streams open now")),
      opened_(registry.counter("leftfold_event_streams_opened_total", "Live streams begun")),
      written_(registry.counter("leftfold_event_stream_events_total",
                                "Events written for live streams; one for all streams of a selection that are live")),
      topics_(log),
      watch_(log.watch([this](log::Slot slot, Position durable_end) { advanced(slot, durable_end); })),
      turn_timer_(env.scheduler),
      keep_alive_timer_(env.scheduler) {}

LiveStreams::Impl::~Impl() {
    log_.unwatch(watch_);
    while (!streams_.empty())
        remove(*streams_.back());
}

void LiveStreams::Impl::add_topic(TopicId topic, std::string aggregate, std::string source,
                                  std::span<const EventType> types) {
    topics_.add(topic, std::move(aggregate), std::move(source), types);
    for (std::size_t i = slots_.size(); i < topics_.slot_count(); ++i) {
        slots_.emplace_back();
        if (const auto bounds = log_.bounds(topics_.slot(SlotIndex(static_cast<std::uint32_t>(i)))))
            slots_.back().live = bounds->durable_end;
    }
}

void LiveStreams::Impl::open(const http::Request& request, OrResponse<StreamTopics::Asked> asked,
                             http::Responder responder) {
    if (!asked) {
        responder.send(std::move(asked).error());
        return;
    }
    auto begin = topics_.begin_of(request, asked->from, asked->selection);
    if (!begin) {
        responder.send(std::move(begin).error());
        return;
    }
    if (streams_.size() >= options_.streams_max) {
        responder.send(too_many_streams(options_.streams_max));
        return;
    }
    std::string first;
    http::append_sse_field(first, "retry", std::to_string(options_.retry / std::chrono::milliseconds(1)));
    first += "id: ";
    topics_.append_token(first, asked->selection, *begin);
    first += "\n\n";

    StreamGroup& group = group_of(std::move(asked->selection));
    auto owned = std::make_unique<LiveStream>(*this, group);
    LiveStream& stream = *owned;
    stream.sent_sum = sum_of(*begin);
    stream.written_at = env_.clock.monotonic();
    stream.trail = std::make_unique<Trail>(Trail{.vector = std::move(*begin), .versions = {}});
    // So that neither a browser nor a proxy in between keeps events or waits for more of them.
    http::Response head{.status = 200,
                        .content_type = http::content_type::kEventStream,
                        .header_lines = "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n",
                        .body = std::move(first)};
    stream.index = streams_.size();
    streams_.push_back(std::move(owned));
    stream.writer = responder.begin(std::move(head), stream);
    if (!stream.writer.is_open()) {
        remove(stream);
        return;
    }
    opened_.add();
    stream_gauge_.set(static_cast<std::int64_t>(streams_.size()));
    if (stands_live(stream)) {
        join(stream);
    } else {
        stream.state = LiveStream::State::catching_up;
        catching_up_.push_back(&stream);
        turn_soon();
    }
    if (!keep_alive_timer_.is_set())
        arm_keep_alive();
}

StreamGroup& LiveStreams::Impl::group_of(Selection selection) {
    auto& group = groups_[selection];
    if (!group) {
        group = std::make_unique<StreamGroup>();
        group->token = &tokens_[selection.slots];
        ++group->token->users;
        group->selection = std::move(selection);
    }
    ++group->stream_count;
    return *group;
}

void LiveStreams::Impl::release(StreamGroup& group) {
    if (--group.stream_count > 0)
        return;
    std::erase(deliveries_, &group);
    if (--group.token->users == 0)
        tokens_.erase(group.selection.slots);
    groups_.erase(groups_.find(group.selection));
}

// ---------------------------------------------------------------------------------------------------------------------
// Live or on a trail

bool LiveStreams::Impl::stands_live(const LiveStream& stream) const noexcept {
    const auto& slots = stream.group.selection.slots;
    for (std::size_t i = 0; i < slots.size(); ++i)
        if (stream.trail->vector[i] != slots_[slots[i].value()].live)
            return false;
    return true;
}

void LiveStreams::Impl::join(LiveStream& stream) {
    LEFTFOLD_ASSERT(stands_live(stream));
    StreamGroup& group = stream.group;
    if (group.live.empty())
        follow(group);
    stream.trail.reset();
    stream.state = LiveStream::State::live;
    stream.delivery = group.delivery;
    stream.place = group.live.size();
    group.live.push_back(&stream);
}

// The stream keeps where it stands, which is where all do: it has been given everything that was found so far.
void LiveStreams::Impl::leave(LiveStream& stream) {
    StreamGroup& group = stream.group;
    stream.trail = std::make_unique<Trail>();
    for (const SlotIndex index : group.selection.slots)
        stream.trail->vector.push_back(state_of(index).live);
    group.live[stream.place] = group.live.back();
    group.live[stream.place]->place = stream.place;
    group.live.pop_back();
    if (group.live.empty())
        unfollow(group);
}

void LiveStreams::Impl::block(LiveStream& stream) {
    if (stream.state == LiveStream::State::live) {
        LEFTFOLD_ASSERT(!awaits_delivery(stream));
        leave(stream);
    }
    stream.state = LiveStream::State::blocked;
}

void LiveStreams::Impl::make_room(LiveStream& stream) {
    if (stream.state != LiveStream::State::blocked)
        return;
    stream.state = LiveStream::State::catching_up;
    catching_up_.push_back(&stream);
    turn_soon();
}

void LiveStreams::Impl::follow(StreamGroup& group) {
    for (const SlotIndex index : group.selection.slots) {
        SlotState& state = state_of(index);
        if (group.selection.key.empty())
            state.groups.push_back(&group);
        else
            state.groups_of_key[group.selection.key].push_back(&group);
    }
}

// Where nobody else is told of what is new, the position moves on by itself; but not now, because others may be about
// to leave who have not seen what came since.
void LiveStreams::Impl::unfollow(StreamGroup& group) {
    for (const SlotIndex index : group.selection.slots) {
        SlotState& state = state_of(index);
        if (group.selection.key.empty()) {
            std::erase(state.groups, &group);
        } else if (const auto found = state.groups_of_key.find(group.selection.key);
                   found != state.groups_of_key.end()) {
            std::erase(found->second, &group);
            if (found->second.empty())
                state.groups_of_key.erase(found);
        }
        mark_dirty(index);
    }
}

void LiveStreams::Impl::remove(LiveStream& stream) {
    if (stream.state == LiveStream::State::live)
        leave(stream);
    else
        std::erase(catching_up_, &stream);
    StreamGroup& group = stream.group;
    const std::size_t index = stream.index;
    const std::unique_ptr<LiveStream> gone = std::move(streams_[index]);
    if (index + 1 < streams_.size()) {
        streams_[index] = std::move(streams_.back());
        streams_[index]->index = index;
    }
    streams_.pop_back();
    stream_gauge_.set(static_cast<std::int64_t>(streams_.size()));
    release(group);
}

// The server stops: with what it has seen, and where to go on.
void LiveStreams::Impl::end(LiveStream& stream) {
    if (awaits_delivery(stream))
        give(stream, stream.group.pending, stream.group.pending_sum);
    stream.delivery = stream.group.delivery;
    write_progress(stream);
    stream.writer.finish();
    remove(stream);
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

void LiveStreams::Impl::give(LiveStream& stream, std::string_view bytes, std::int64_t sum) {
    stream.writer.write(bytes);
    stream.sent_sum = sum;
    stream.written_at = env_.clock.monotonic();
}

bool LiveStreams::Impl::awaits_delivery(const LiveStream& stream) const noexcept {
    return stream.state == LiveStream::State::live && stream.delivery != stream.group.delivery;
}

const VectorToken& LiveStreams::Impl::token_of(StreamGroup& group) {
    VectorToken& token = *group.token;
    if (token.move == move_)
        return token;
    Vector vector;
    vector.reserve(group.selection.slots.size());
    for (const SlotIndex index : group.selection.slots)
        vector.push_back(state_of(index).live);
    token.text.clear();
    topics_.append_token(token.text, group.selection, vector);
    token.sum = sum_of(vector);
    token.move = move_;
    return token;
}

// An id without an event, if the stream has moved since it was last given one.
void LiveStreams::Impl::write_progress(LiveStream& stream) {
    std::string text = "id: ";
    std::int64_t sum = 0;
    if (stream.trail) {
        sum = sum_of(stream.trail->vector);
        topics_.append_token(text, stream.group.selection, stream.trail->vector);
    } else {
        const VectorToken& token = token_of(stream.group);
        sum = token.sum;
        text += token.text;
    }
    text += "\n\n";
    if (sum != stream.sent_sum)
        give(stream, text, sum);
}

void LiveStreams::Impl::arm_keep_alive() {
    keep_alive_timer_.set(options_.keep_alive / kLooksPerInterval, [this] { keep_alive(); });
}

void LiveStreams::Impl::keep_alive() {
    const MonotonicTime now = env_.clock.monotonic();
    for (const auto& stream : streams_) {
        if (stream->written_at + options_.keep_alive > now || stream->state == LiveStream::State::blocked ||
            awaits_delivery(*stream))
            continue;
        write_progress(*stream);
        if (stream->written_at + options_.keep_alive <= now)
            give(*stream, ":\n\n", stream->sent_sum);
    }
    if (!streams_.empty())
        arm_keep_alive();
}

// ---------------------------------------------------------------------------------------------------------------------

LiveStreams::LiveStreams(const Env& env, log::EventLog& log, StreamOptions options, MetricRegistry& registry,
                         Logger& logger)
    : impl_(std::make_unique<Impl>(env, log, options, registry, logger)) {}
LiveStreams::~LiveStreams() = default;

void LiveStreams::add_topic(TopicId topic, std::string aggregate, std::string source,
                            std::span<const EventType> types) {
    impl_->add_topic(topic, std::move(aggregate), std::move(source), types);
}

void LiveStreams::open_all(const http::Request& request, http::Responder responder) {
    if (!takes_event_stream(request)) {
        responder.send(http::Problem(406, "not-acceptable", "What is here has another form")
                           .detail("events come as text/event-stream, which the Accept header leaves out")
                           .response());
        return;
    }
    impl_->open(request, impl_->topics().asked_of_all(request.query), std::move(responder));
}

void LiveStreams::open_one(TopicId topic, std::string_view key, const http::Request& request,
                           http::Responder responder) {
    impl_->open(request, impl_->topics().asked_of_one(topic, key, request.query), std::move(responder));
}

}  // namespace leftfold::gateway
