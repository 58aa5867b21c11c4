// LiveStreams: events as they become durable, to any number of clients, as server-sent events (WHATWG HTML §9.2).
//
// A stream is an answer without an end:
//   retry: 1000                  how long to wait before connecting again
//   id: TOKEN                    where it begins
//
//   id: TOKEN                    the whole vector behind this event: what is to be seen begins there
//   event: bank.account.opened   its CloudEvents type
//   data: {…}                    the CloudEvent
//
// Within a partition events come in the order of their positions, none left out and none twice; who connects again with
// the last id goes on exactly behind it. An id alone, without data, tells how far a filtered stream has come, and at
// the end of a stream where to go on: the specification has the client remember it and dispatch nothing (§9.2.6), so
// that no program has to know of another type of event. A comment keeps a silent connection open.
//
// What is read and formatted is shared. All streams that have seen everything so far stand at one vector, which moves
// in turns: a turn reads what is new once, formats each event once, writes it once for each distinct selection (a
// group), and hands the same bytes to all streams of the group. A stream that begins in the past, or whose client reads
// slowly, has a vector of its own and reads the log by itself, a bounded piece in its turn, and only while its
// connection has room: a slow client costs the positions where it is, and no queue. Turns are bounded in bytes read and
// in writes, and requests are served between them.
#pragma once

#include <memory>

#include "leftfold/gateway/gateway.hpp"
#include "leftfold/http/responder.hpp"

#include "stream_topics.hpp"

namespace leftfold::gateway {

class LiveStreams {
  public:
    class Impl;  // of this module's sources

    // All borrowed. Thread rule and life cycle as those of Gateway.
    LiveStreams(const Env& env, log::EventLog& log, StreamOptions options, MetricRegistry& registry, Logger& logger);
    ~LiveStreams();
    LiveStreams(const LiveStreams&) = delete;
    LiveStreams& operator=(const LiveStreams&) = delete;

    // Before the first stream.
    void add_topic(TopicId topic, std::string aggregate, std::string source, std::span<const EventType> types);

    // GET /events, and of one aggregate. Answers itself what cannot be served.
    void open_all(const http::Request& request, http::Responder responder);
    void open_one(TopicId topic, std::string_view key, const http::Request& request, http::Responder responder);

  private:
    std::unique_ptr<Impl> impl_;
};

// Of an Accept header: whether the client wants server-sent events by name; and whether it takes them.
bool wants_event_stream(const http::Request& request) noexcept;
bool takes_event_stream(const http::Request& request) noexcept;

}  // namespace leftfold::gateway
