// The inside of LiveStreams, shared by its sources: live_streams.cpp (streams come, go and join) and live_turns.cpp
// (what is new, and what is caught up on).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "leftfold/env/owned_timer.hpp"

#include "live_streams.hpp"

namespace leftfold::gateway {

struct StreamGroup;

// Where the selected slots stand together now, as a token; kept until one of them moves.
struct VectorToken {
    std::string text;
    std::int64_t sum = 0;  // of the positions: they only grow, so that equal sums mean equal vectors
    std::uint64_t move = 0;
    std::size_t users = 0;
};

// How far a stream has come that does not stand where all do.
struct Trail {
    Vector vector;
    std::vector<Version> versions;  // of the one key: the next to read in each slot; 0: to be found by the position
    std::size_t next = 0;           // slot whose turn it is
    std::size_t silent_bytes = 0;   // read since the last id was sent
};

class LiveStream final : public http::BodyHandler {
  public:
    enum class State : std::uint8_t {
        live,         // it has seen what the group has; no trail
        catching_up,  // in the queue for a turn
        blocked       // its connection has no room
    };

    LiveStream(LiveStreams::Impl& its_hub, StreamGroup& its_group) noexcept : hub(its_hub), group(its_group) {}

    void on_room() override;
    void on_stop() override;
    void on_gone() override;

    LiveStreams::Impl& hub;
    StreamGroup& group;
    http::BodyWriter writer;
    std::unique_ptr<Trail> trail;
    std::size_t index = 0;       // in the hub's list
    std::size_t place = 0;       // in the group's, while live
    std::uint64_t delivery = 0;  // of the group, that it has been given
    std::int64_t sent_sum = 0;   // of the vector in the last id that was sent
    MonotonicTime written_at{};
    State state = State::blocked;
};

// The streams of one selection. Those that are live get the same bytes.
struct StreamGroup {
    Selection selection;
    VectorToken* token = nullptr;
    std::size_t stream_count = 0;  // live or not
    std::vector<LiveStream*> live;

    // What the last turn found for them, and how far down the list it was handed out. Streams that join meanwhile
    // stand behind it, and bear its number.
    std::string pending;
    std::int64_t pending_sum = 0;
    std::uint64_t delivery = 0;
    std::size_t cursor = 0;
    bool delivering = false;
};

class LiveStreams::Impl {
  public:
    Impl(const Env& env, log::EventLog& log, StreamOptions options, MetricRegistry& registry, Logger& logger);
    ~Impl();

    void add_topic(TopicId topic, std::string aggregate, std::string source, std::span<const EventType> types);
    void open(const http::Request& request, OrResponse<StreamTopics::Asked> asked, http::Responder responder);
    const StreamTopics& topics() const noexcept { return topics_; }

    void make_room(LiveStream& stream);
    void end(LiveStream& stream);
    void remove(LiveStream& stream);

  private:
    // Where all live streams stand in one slot, and who is told of what is new in it.
    struct SlotState {
        Position live;
        bool dirty = false;  // in dirty_
        std::vector<StreamGroup*> groups;
        std::map<std::string, std::vector<StreamGroup*>, std::less<>> groups_of_key;

        bool is_watched() const noexcept { return !groups.empty() || !groups_of_key.empty(); }
    };

    // live_streams.cpp
    StreamGroup& group_of(Selection selection);
    void release(StreamGroup& group);
    void join(LiveStream& stream);
    void leave(LiveStream& stream);
    void block(LiveStream& stream);
    bool stands_live(const LiveStream& stream) const noexcept;
    void follow(StreamGroup& group);
    void unfollow(StreamGroup& group);
    void give(LiveStream& stream, std::string_view bytes, std::int64_t sum);
    bool awaits_delivery(const LiveStream& stream) const noexcept;
    const VectorToken& token_of(StreamGroup& group);
    void write_progress(LiveStream& stream);
    void keep_alive();
    void arm_keep_alive();

    // live_turns.cpp
    void advanced(log::Slot slot, Position durable_end);
    void mark_dirty(SlotIndex index);
    void turn_soon();
    void turn_later();
    void turn();
    void fan_out();
    Result<std::size_t> fan_out_slot(SlotIndex index);
    void fan_out_record(SlotState& state, const Record& record, std::string_view source);
    void add_pending(StreamGroup& group);
    void deliver(std::size_t& writes_left);
    void catch_up_one();
    Result<> advance(LiveStream& stream, std::string& out);
    Result<> advance_in_slot(LiveStream& stream, std::size_t i, std::string& out);
    Result<> advance_in_key(LiveStream& stream, std::size_t i, std::string& out);
    Result<Version> version_at(log::Slot slot, std::string_view key, Position position);
    bool see(LiveStream& stream, std::size_t i, const Record& record, std::string& out);
    void lose_slot(SlotIndex index, const Error& error);
    void lose(LiveStream& stream, const Error& error);

    SlotState& state_of(SlotIndex index) noexcept { return slots_[index.value()]; }

    Env env_;
    log::EventLog& log_;
    const StreamOptions options_;
    Logger& logger_;
    Gauge& stream_gauge_;
    Counter& opened_;
    Counter& written_;

    StreamTopics topics_;
    std::vector<SlotState> slots_;
    std::map<Selection, std::unique_ptr<StreamGroup>> groups_;
    std::map<std::vector<SlotIndex>, VectorToken> tokens_;  // one for each choice of slots
    std::vector<std::unique_ptr<LiveStream>> streams_;
    std::uint64_t move_ = 1;  // counts the moves of live positions

    std::deque<SlotIndex> dirty_;          // something new is durable there
    std::deque<StreamGroup*> deliveries_;  // with pending bytes not yet handed to all
    std::deque<LiveStream*> catching_up_;  // in turn
    std::string tail_;                     // of the event at hand, behind its id
    log::EventLog::WatchId watch_;
    OwnedTimer turn_timer_;
    OwnedTimer keep_alive_timer_;
    bool turn_due_ = false;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // a posted turn may come too late
};

// "id: TOKEN\n"
void append_id(std::string& out, std::string_view token);
// The sum of a vector: see VectorToken.
std::int64_t sum_of(const Vector& vector) noexcept;

}  // namespace leftfold::gateway
