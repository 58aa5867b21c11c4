// StreamClient: the far end of a live stream, without a connection: what it was sent, and whether it reads.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/base/assert.hpp"
#include "leftfold/event/cloud_event.hpp"
#include "leftfold/http/responder.hpp"
#include "leftfold/http/sse.hpp"

namespace leftfold::gateway {

struct StreamedEvent {
    std::string id;    // the token behind it
    std::string type;  // of the event field
    CloudEvent event;
};

class StreamClient {
  public:
    explicit StreamClient(std::size_t room_bytes = 64UL * 1024) : sink_(new Sink(room_bytes)) { sink_->retain(); }
    ~StreamClient() {
        if (sink_->handler != nullptr)
            go();
        sink_->release();
    }
    StreamClient(const StreamClient&) = delete;
    StreamClient& operator=(const StreamClient&) = delete;

    http::Responder responder() { return {*sink_, 0}; }

    // What was answered in place of a stream, if it was.
    const std::optional<http::Response>& refused() const noexcept { return sink_->answer; }
    bool is_open() const noexcept { return sink_->handler != nullptr; }
    const http::Response& head() const noexcept { return sink_->head; }
    // Ended by the server with its last piece; cut off without it.
    bool is_whole() const noexcept { return sink_->is_whole; }
    bool is_cut() const noexcept { return sink_->is_cut; }

    std::string take_text() { return std::exchange(sink_->received, {}); }
    // Everything received since the last call.
    std::vector<StreamedEvent> take_events() {
        std::vector<StreamedEvent> events;
        const std::string text = take_text();
        for (std::size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size() - 1) + 1)
            if (const std::string_view line = std::string_view(text).substr(at); line.starts_with("id: "))
                ids_.emplace_back(line.substr(4, line.find('\n') - 4));
        const auto fed = reader_.feed(text, [&](const http::SseReader::Event& event) {
            json::Reader json;
            auto read = read_cloud_event(event.data, json);
            LEFTFOLD_ASSERT(read.has_value());
            events.push_back({std::string(event.last_id), std::string(event.type), *std::move(read)});
        });
        LEFTFOLD_ASSERT(fed.has_value());
        return events;
    }
    // To connect again with; as far as take_events() has come.
    const std::string& last_id() const noexcept { return reader_.last_id(); }

    // All that were sent, with events and without, since the last call; as far as take_events() has come.
    std::vector<std::string> take_ids() { return std::exchange(ids_, {}); }

    std::size_t unread_bytes() const noexcept { return sink_->unread.size(); }
    void stop_reading() { sink_->reads = false; }
    void read_on() {
        sink_->reads = true;
        sink_->received += std::exchange(sink_->unread, {});
        if (std::exchange(sink_->awaits_room, false) && sink_->handler != nullptr)
            sink_->handler->on_room();
    }
    void go() { std::exchange(sink_->handler, nullptr)->on_gone(); }
    void stop_server() { sink_->handler->on_stop(); }

  private:
    struct Sink final : http::ReplySink {
        explicit Sink(std::size_t room) : room_bytes(room) {}

        void retain() noexcept override { ++references; }
        void release() noexcept override {
            if (--references == 0)
                delete this;
        }
        void reply(std::uint64_t, http::Response response) override { answer = std::move(response); }
        bool begin_body(std::uint64_t, http::Response begun, http::BodyHandler& its_handler) override {
            if (is_head) {
                head = std::move(begun);
                return false;
            }
            handler = &its_handler;
            received = std::exchange(begun.body, {});
            head = std::move(begun);
            return true;
        }
        void write_body(std::uint64_t, std::string_view piece) override {
            if (handler != nullptr)
                (reads ? received : unread) += piece;
        }
        void end_body(std::uint64_t, bool whole) override {
            if (std::exchange(handler, nullptr) != nullptr)
                (whole ? is_whole : is_cut) = true;
        }
        std::size_t unsent_body_bytes(std::uint64_t) const noexcept override { return unread.size(); }
        bool has_body_room(std::uint64_t) noexcept override {
            awaits_room = awaits_room || unread.size() > room_bytes;
            return !awaits_room;
        }

        const std::size_t room_bytes;
        std::uint32_t references = 0;
        http::BodyHandler* handler = nullptr;
        std::optional<http::Response> answer;
        http::Response head;
        std::string received;
        std::string unread;
        bool reads = true;
        bool is_head = false;
        bool awaits_room = false;
        bool is_whole = false;
        bool is_cut = false;

      private:
        ~Sink() = default;
    };

  public:
    void ask_by_head() { sink_->is_head = true; }

  private:
    Sink* sink_;
    http::SseReader reader_;
    std::vector<std::string> ids_;
};

}  // namespace leftfold::gateway
