// What operators' tools ask of the owner of a data directory: events, the history of an aggregate, the log's extent.
// The owner answers over its Unix socket; without an owner the tool opens the directory itself and answers the same
// way.
#pragma once

#include <string_view>

#include "leftfold/http/server.hpp"

#include "host.hpp"

namespace leftfold {

// Name of the owner's socket inside the data directory.
inline constexpr std::string_view kControlSocketName = "control.sock";

// Routes, GET but where said, with JSON lines or JSON as answer:
//   /events?topic=&position=TOKEN&limit=&wait-ms=   events of a topic behind a position; the next in Leftfold-Position;
//          &correlation=ID                          only those with this id, of a part of the log: ask on until the
//                                                   position stays
//   /replay?aggregate=&id=&from=&limit=             each event of an aggregate, with the state after it
//   /log                                            topics and the positions of their partitions
//   /processes…                                     process_inspection.hpp
//   /projections…                                   projection_inspection.hpp
class Inspection final : public http::Handler {
  public:
    // Both borrowed.
    Inspection(const Env& env, Host& host);
    ~Inspection() override;

    void handle(const http::Request& request, http::Responder responder) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold
