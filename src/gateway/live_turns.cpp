// Turns: what is new goes to all who wait for it; who is behind reads on.

#include <algorithm>
#include <utility>

#include "leftfold/base/assert.hpp"
#include "leftfold/event/cloud_event.hpp"
#include "leftfold/http/sse.hpp"

#include "live_streams_impl.hpp"

namespace leftfold::gateway {

namespace {

// A stream that finds nothing to show for so much that it read says how far it is: no more is read again.
constexpr std::size_t kSilentBytesMax = 1024UL * 1024;
// A group's buffer, emptied, is kept up to this.
constexpr std::size_t kPendingBytesKept = 16UL * 1024;

// "event: TYPE\ndata: {…}\n\n"
void append_tail(std::string& out, const Record& record, std::string_view source) {
    http::append_sse_field(out, "event", record.meta.type);
    std::string json;
    write_cloud_event(json, record, source);
    http::append_sse_field(out, "data", json);
    out.push_back('\n');
}

}  // namespace

void LiveStreams::Impl::advanced(log::Slot slot, Position durable_end) {
    const auto index = topics_.find(slot);
    if (!index)
        return;
    SlotState& state = state_of(*index);
    if (!state.is_watched() && !state.dirty) {
        // Nobody stands here; who catches up has a bit more to go.
        state.live = std::max(state.live, durable_end);
        ++move_;
        return;
    }
    mark_dirty(*index);
}

void LiveStreams::Impl::mark_dirty(SlotIndex index) {
    if (std::exchange(state_of(index).dirty, true))
        return;
    dirty_.push_back(index);
    turn_soon();
}

void LiveStreams::Impl::turn_soon() {
    if (std::exchange(turn_due_, true))
        return;
    env_.scheduler.post([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired())
            turn();
    });
}

// By a timer: posted steps may run several rounds before the sockets are looked at again.
void LiveStreams::Impl::turn_later() {
    turn_due_ = true;
    turn_timer_.set(Duration::zero(), [this] { turn(); });
}

void LiveStreams::Impl::turn() {
    turn_due_ = false;
    std::size_t writes_left = options_.turn_writes_max;
    deliver(writes_left);
    if (deliveries_.empty()) {
        fan_out();
        deliver(writes_left);
    }
    if (!catching_up_.empty())
        catch_up_one();
    if (!turn_due_ && (!deliveries_.empty() || !dirty_.empty() || !catching_up_.empty()))
        turn_later();
}

// ---------------------------------------------------------------------------------------------------------------------
// What is new

void LiveStreams::Impl::fan_out() {
    std::size_t bytes = 0;
    for (std::size_t left = dirty_.size(); left > 0 && bytes < options_.turn_written_bytes; --left) {
        const SlotIndex index = dirty_.front();
        dirty_.pop_front();
        state_of(index).dirty = false;
        auto written = fan_out_slot(index);
        if (written)
            bytes += *written;
        else
            lose_slot(index, written.error());
    }
}

// How many bytes were found for anybody.
Result<std::size_t> LiveStreams::Impl::fan_out_slot(SlotIndex index) {
    SlotState& state = state_of(index);
    const log::Slot slot = topics_.slot(index);
    LEFTFOLD_TRY(bounds, log_.bounds(slot));
    ++move_;
    if (!state.is_watched()) {
        state.live = std::max(state.live, bounds.durable_end);
        return std::size_t{0};
    }
    LEFTFOLD_TRY(batch, log_.read(slot, state.live, options_.read_bytes));
    const std::string& source = topics_.topic_of(index).source;
    std::size_t bytes = 0;
    for (const Record& record : batch.records()) {
        state.live = record.position.next();
        ++move_;
        tail_.clear();
        fan_out_record(state, record, source);
        bytes += tail_.size();
    }
    if (batch.records().empty())
        state.live = std::max(state.live, bounds.durable_end);
    if (state.live < bounds.durable_end)
        mark_dirty(index);
    return bytes;
}

void LiveStreams::Impl::fan_out_record(SlotState& state, const Record& record, std::string_view source) {
    const auto show = [&](StreamGroup& group) {
        if (!group.selection.takes_type(record.meta.type))
            return;
        if (tail_.empty())
            append_tail(tail_, record, source);
        add_pending(group);
    };
    for (StreamGroup* group : state.groups)
        show(*group);
    if (state.groups_of_key.empty())
        return;
    if (const auto found = state.groups_of_key.find(record.meta.key); found != state.groups_of_key.end())
        for (StreamGroup* group : found->second)
            show(*group);
}

void LiveStreams::Impl::add_pending(StreamGroup& group) {
    if (!std::exchange(group.delivering, true)) {
        ++group.delivery;
        group.cursor = group.live.size();
        deliveries_.push_back(&group);
    }
    const VectorToken& token = token_of(group);
    append_id(group.pending, token.text);
    group.pending += tail_;
    group.pending_sum = token.sum;
    written_.add();
}

void LiveStreams::Impl::deliver(std::size_t& writes_left) {
    while (!deliveries_.empty()) {
        StreamGroup& group = *deliveries_.front();
        // From the end: who joins is put behind, and who leaves is replaced by the last, who has been given it.
        group.cursor = std::min(group.cursor, group.live.size());
        while (group.cursor > 0 && writes_left > 0) {
            LiveStream& stream = *group.live[--group.cursor];
            if (!awaits_delivery(stream))
                continue;
            --writes_left;
            stream.delivery = group.delivery;
            give(stream, group.pending, group.pending_sum);
            if (!stream.writer.has_room())
                block(stream);
        }
        if (group.cursor > 0)
            return;
        group.pending.clear();
        if (group.pending.capacity() > kPendingBytesKept)
            group.pending.shrink_to_fit();
        group.delivering = false;
        deliveries_.pop_front();
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// What is caught up on

void LiveStreams::Impl::catch_up_one() {
    LiveStream& stream = *catching_up_.front();
    catching_up_.pop_front();
    std::string out;
    if (const auto read = advance(stream, out); !read) {
        lose(stream, read.error());
        return;
    }
    const bool stands = stands_live(stream);
    if (!out.empty())
        give(stream, out, stream.sent_sum);
    if (stands || stream.trail->silent_bytes >= kSilentBytesMax) {
        stream.trail->silent_bytes = 0;
        write_progress(stream);
    }
    if (!stream.writer.has_room())
        block(stream);
    else if (stands)
        join(stream);
    else
        catching_up_.push_back(&stream);
}

// Reads on where there is something, slot by slot, for one turn. What is durable behind the live positions is for the
// turns of the group.
Result<> LiveStreams::Impl::advance(LiveStream& stream, std::string& out) {
    Trail& trail = *stream.trail;
    const auto& slots = stream.group.selection.slots;
    std::size_t without = 0;  // slots in a row that have nothing
    for (std::size_t bytes = 0;
         bytes < options_.turn_read_bytes && out.size() < options_.turn_written_bytes && without < slots.size();) {
        const std::size_t i = std::exchange(trail.next, (trail.next + 1) % slots.size());
        if (trail.vector[i] >= state_of(slots[i]).live) {
            ++without;
            continue;
        }
        without = 0;
        bytes += options_.read_bytes;
        LEFTFOLD_CHECK(stream.group.selection.key.empty() ? advance_in_slot(stream, i, out)
                                                          : advance_in_key(stream, i, out));
        trail.silent_bytes += options_.read_bytes;
    }
    return {};
}

// False if the record is for the group.
bool LiveStreams::Impl::see(LiveStream& stream, std::size_t i, const Record& record, std::string& out) {
    Trail& trail = *stream.trail;
    const SlotIndex index = stream.group.selection.slots[i];
    if (record.position >= state_of(index).live)
        return false;
    trail.vector[i] = record.position.next();
    if (!stream.group.selection.takes_type(record.meta.type))
        return true;
    out += "id: ";
    topics_.append_token(out, stream.group.selection, trail.vector);
    out.push_back('\n');
    append_tail(out, record, topics_.topic_of(index).source);
    stream.sent_sum = sum_of(trail.vector);  // not of where the turn ends: that may be further
    trail.silent_bytes = 0;
    written_.add();
    return true;
}

Result<> LiveStreams::Impl::advance_in_slot(LiveStream& stream, std::size_t i, std::string& out) {
    const SlotIndex index = stream.group.selection.slots[i];
    Trail& trail = *stream.trail;
    LEFTFOLD_TRY(batch, log_.read(topics_.slot(index), trail.vector[i], options_.read_bytes));
    bool is_more = !batch.records().empty();
    for (const Record& record : batch.records())
        is_more = is_more && see(stream, i, record, out);
    if (!is_more)
        trail.vector[i] = std::max(trail.vector[i], state_of(index).live);
    return {};
}

// By the index of the stream, not by a look at every event of the partition.
Result<> LiveStreams::Impl::advance_in_key(LiveStream& stream, std::size_t i, std::string& out) {
    const Selection& selection = stream.group.selection;
    const log::Slot slot = topics_.slot(selection.slots[i]);
    Trail& trail = *stream.trail;
    trail.versions.resize(selection.slots.size());
    Version& next = trail.versions[i];
    if (next == Version(0)) {
        LEFTFOLD_TRY(found, version_at(slot, selection.key, trail.vector[i]));
        next = found;
    }
    LEFTFOLD_TRY(batch, log_.read_stream(slot, selection.key, next, options_.read_bytes));
    bool is_more = !batch.records().empty();
    for (const Record& record : batch.records()) {
        is_more = is_more && see(stream, i, record, out);
        if (is_more)
            next = record.meta.version.next();
    }
    if (!is_more)
        trail.vector[i] = std::max(trail.vector[i], state_of(selection.slots[i]).live);
    return {};
}

// The first version at or behind a position; one that does not exist yet if there is none.
Result<Version> LiveStreams::Impl::version_at(log::Slot slot, std::string_view key, Position position) {
    if (position == Position(0))
        return Version(1);
    LEFTFOLD_TRY(head, log_.stream_head(slot, key));
    std::int64_t low = 1;
    std::int64_t high = head.version.value() + 1;
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        LEFTFOLD_TRY(batch, log_.read_stream(slot, key, Version(middle), 1));
        if (batch.records().empty() || batch.records().front().position >= position)
            high = middle;
        else
            low = middle + 1;
    }
    return Version(low);
}

// ---------------------------------------------------------------------------------------------------------------------

void LiveStreams::Impl::lose(LiveStream& stream, const Error& error) {
    logger_.error("event-stream-failed", {{"error", error}});
    stream.writer = {};
    remove(stream);
}

// It cannot be read: who followed it is cut off rather than led past it.
void LiveStreams::Impl::lose_slot(SlotIndex index, const Error& error) {
    for (std::size_t i = streams_.size(); i-- > 0;) {
        const auto& slots = streams_[i]->group.selection.slots;
        if (std::ranges::find(slots, index) != slots.end())
            lose(*streams_[i], error);
    }
}

}  // namespace leftfold::gateway
