// EventIntake: POST /events. Events of others for the inboxes that are declared.
//
// An event goes to the inbox that declares its type, under its `subject`, as a command whose id is its source and id
// together: sent again, it is recognised, and with other data refused (422). A batch is taken event by event, in order,
// and answered event by event.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aggregate_routes.hpp"
#include "cloud_event_binding.hpp"

namespace leftfold::gateway {

// Of `source`, a space and `id` together: they are kept as the command's id.
inline constexpr std::size_t kEventIdBytesMax = 500;

class EventIntake {
  public:
    explicit EventIntake(log::EventLog& log) noexcept : log_(log) {}

    // Borrowed. Its model's commands are its events, in the same order.
    void add(AggregateRoutes& inbox);
    bool is_empty() const noexcept { return types_.empty(); }

    void post(const http::Request& request, http::Responder responder);

  private:
    struct Type {
        AggregateRoutes* inbox;
        std::size_t command;
        std::uint32_t version;
    };
    // A command that is made of an event.
    struct Delivery {
        AggregateRoutes* inbox = nullptr;
        std::size_t command = 0;
        std::string key, json, command_id, correlation_id, causation_id, traceparent;
        std::optional<Timestamp> time;
    };
    // What one event came to: `refusal` is a problem, or the version is what it was kept under.
    struct Outcome {
        std::string source, id, subject;
        std::optional<http::Response> refusal;
        Version version;
        bool repeated = false;
    };
    // A request whose events are on their way.
    struct Post {
        http::Responder responder;
        std::vector<Outcome> outcomes;
        std::size_t waiting = 0;
        log::PositionToken position;
        bool is_batch = false;
    };

    OrResponse<Delivery> delivery_of(const CloudEvent& event, const http::Request& request) const;
    OrResponse<const Type*> type_of(const CloudEvent& event) const;
    OrResponse<void> add_tracing(Delivery& delivery, const CloudEvent& event, const http::Request& request) const;
    void deliver(std::uint64_t post, std::size_t index, const Delivery& delivery);
    void answered(std::uint64_t number, std::size_t index, const AggregateRoutes& inbox, CommandReply reply);
    void finish(std::uint64_t number);

    log::EventLog& log_;
    std::map<std::string, Type, std::less<>> types_;
    std::map<std::uint64_t, Post> posts_;
    std::uint64_t next_post_ = 0;
    json::Reader reader_;
};

}  // namespace leftfold::gateway
