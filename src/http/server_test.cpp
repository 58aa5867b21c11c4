#include "leftfold/http/server.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "leftfold/http/problem.hpp"

#include "testing/fake_world.hpp"

namespace leftfold::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

// Keeps requests until the test answers them.
class HoldingHandler final : public Handler {
  public:
    void handle(const Request& request, Responder responder) override {
        seen.push_back(std::string(to_string(request.method)) + " " + std::string(request.path) + " " +
                       std::string(request.body));
        peer = to_string(*request.peer);
        on_loopback = request.on_loopback;
        if (during)
            during(request, responder);
        held.push_back(std::move(responder));
    }
    void answer(std::size_t index, std::string body) { held[index].send(text_response(200, std::move(body))); }

    std::vector<std::string> seen;
    std::vector<Responder> held;
    std::string peer;
    bool on_loopback = false;
    std::move_only_function<void(const Request&, Responder&)> during;
};

class ServerTest : public testing::Test {
  protected:
    ServerTest() {
        options_.header_bytes_max = 1000;
        options_.body_bytes_max = 5000;
    }

    void start() {
        auto server = Server::start(world_.env(), options_, handler_);
        ASSERT_TRUE(server) << server.error().message();
        server_ = std::move(*server);
    }
    std::shared_ptr<FakePeer> open() {
        auto peer = world_.network.open();
        world_.run();
        return peer;
    }
    void send(FakePeer& peer, std::string_view bytes) {
        peer.send(bytes);
        world_.run();
    }
    void answer(std::size_t index, std::string body) {
        handler_.answer(index, std::move(body));
        world_.run();
    }
    static int status_of(std::string_view answer) {
        return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string(answer.substr(9, 3))) : 0;
    }
    static bool says_close(std::string_view answer) { return answer.find("\r\nConnection: close\r\n") != answer.npos; }

    FakeWorld world_;
    ServerOptions options_;
    HoldingHandler handler_;
    std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, request_is_handled_and_answered) {
    start();
    const auto peer = open();
    send(*peer, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    ASSERT_EQ(handler_.seen, std::vector<std::string>{"POST /a hi"});
    EXPECT_EQ(handler_.peer, "192.0.2.1:4711");
    EXPECT_TRUE(handler_.on_loopback);
    EXPECT_EQ(peer->take(), "");
    answer(0, "ok");
    EXPECT_EQ(peer->take(), "HTTP/1.1 200 OK\r\n" + std::string(kDate) +
                                "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_FALSE(peer->closed);
    EXPECT_EQ(server_->counters().requests, 1U);
    EXPECT_EQ(server_->counters().responses, 1U);
    EXPECT_EQ(server_->counters().connections, 1U);
}

TEST_F(ServerTest, listener_that_is_not_loopback_says_so) {
    options_.endpoint = TcpEndpoint{.host = "0.0.0.0", .port = 80};
    start();
    send(*open(), kGet);
    EXPECT_FALSE(handler_.on_loopback);
}

TEST_F(ServerTest, limits_of_zero_are_refused_together) {
    options_.pipelined_max = 0;
    options_.idle_timeout = 0s;
    const auto server = Server::start(world_.env(), options_, handler_);
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(server.error().message().find("pipelined_max, idle_timeout"), std::string::npos);
}

TEST_F(ServerTest, replies_given_backwards_leave_in_order) {
    start();
    const auto peer = open();
    send(*peer, std::string(kGet) + std::string(kGet) + std::string(kGet));
    ASSERT_EQ(handler_.held.size(), 3U);
    answer(2, "third");
    answer(1, "second");
    EXPECT_EQ(peer->take(), "");
    answer(0, "first");
    const std::string all = peer->take();
    EXPECT_LT(all.find("first"), all.find("second"));
    EXPECT_LT(all.find("second"), all.find("third"));
}

TEST_F(ServerTest, responder_destroyed_unused_answers_500) {
    start();
    const auto peer = open();
    send(*peer, kGet);
    handler_.held.clear();
    world_.run();
    const std::string answer = peer->take();
    EXPECT_EQ(status_of(answer), 500);
    EXPECT_NE(answer.find("urn:leftfold:problem:internal-error"), std::string::npos);
    EXPECT_FALSE(says_close(answer));
}

TEST_F(ServerTest, exception_from_the_handler_answers_500) {
    start();
    handler_.during = [](const Request&, Responder&) { throw std::runtime_error("user code"); };
    const auto peer = open();
    send(*peer, kGet);
    EXPECT_EQ(status_of(peer->take()), 500);
    EXPECT_EQ(server_->counters().handler_exceptions, 1U);
}

TEST_F(ServerTest, reply_to_a_client_that_has_gone_is_dropped) {
    start();
    const auto peer = open();
    send(*peer, kGet);
    peer->reset();
    world_.run();
    EXPECT_TRUE(peer->closed);
    EXPECT_EQ(server_->counters().connections, 0U);
    EXPECT_EQ(server_->counters().responses_dropped, 1U);
    answer(0, "late");
    EXPECT_EQ(server_->counters().responses, 0U);
}

TEST_F(ServerTest, responder_may_outlive_the_server) {
    start();
    send(*open(), kGet);
    server_.reset();
    world_.run();
    answer(0, "late");
    handler_.held.clear();
}

TEST_F(ServerTest, client_that_finished_sending_still_gets_its_answers) {
    start();
    const auto peer = open();
    peer->send(std::string(kGet) + std::string(kGet));
    peer->finish_sending();
    world_.run();
    ASSERT_EQ(handler_.held.size(), 2U);
    EXPECT_FALSE(peer->closed);
    answer(1, "second");
    answer(0, "first");
    EXPECT_TRUE(peer->take().ends_with("second"));
    EXPECT_TRUE(peer->closed);
}

TEST_F(ServerTest, client_that_ends_between_or_within_requests_is_closed) {
    start();
    for (const std::string_view sent : {"", "GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx"}) {
        const auto peer = open();
        peer->send(sent);
        peer->finish_sending();
        world_.run();
        EXPECT_TRUE(peer->closed) << sent;
        EXPECT_EQ(peer->take(), "");
    }
    EXPECT_EQ(server_->counters().connections, 0U);
}

TEST_F(ServerTest, refusal_reaches_a_client_that_still_sends) {
    start();
    const auto peer = open();
    send(*peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5001\r\n\r\nthe body begins");
    const std::string answer = peer->take();
    EXPECT_EQ(status_of(answer), 413);
    EXPECT_TRUE(says_close(answer));
    EXPECT_TRUE(peer->end_seen);
    EXPECT_FALSE(peer->closed);
    send(*peer, std::string(3000, 'x'));  // read and dropped, so that no reset destroys the answer
    EXPECT_FALSE(peer->closed);
    peer->finish_sending();
    world_.run();
    EXPECT_TRUE(peer->closed);
    EXPECT_EQ(server_->counters().bad_requests, 1U);
}

TEST_F(ServerTest, client_that_does_not_close_after_the_last_answer_is_closed) {
    start();
    const auto peer = open();
    send(*peer, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(peer->take()), 400);
    world_.advance(1900ms);
    EXPECT_FALSE(peer->closed);
    world_.advance(1s);
    EXPECT_TRUE(peer->closed);
}

TEST_F(ServerTest, connections_over_the_limit_are_closed_at_once) {
    options_.connections_max = 2;
    start();
    const auto first = open();
    const auto second = open();
    const auto third = open();
    EXPECT_TRUE(third->closed);
    EXPECT_FALSE(first->closed || second->closed);
    EXPECT_EQ(server_->counters().connections_refused, 1U);
    first->reset();
    world_.run();
    EXPECT_FALSE(open()->closed);
    EXPECT_EQ(server_->counters().connections_accepted, 3U);
}

TEST_F(ServerTest, pipelined_requests_over_the_limit_wait) {
    options_.pipelined_max = 2;
    start();
    const auto peer = open();
    send(*peer, std::string(kGet) + std::string(kGet) + std::string(kGet) + "GET /a HT");
    EXPECT_EQ(handler_.held.size(), 2U);
    EXPECT_TRUE(peer->reading_paused);
    send(*peer, "TP/1.1\r\nHost: a\r\n\r\n");  // stays in the network
    EXPECT_EQ(handler_.held.size(), 2U);
    answer(0, "0");
    EXPECT_EQ(handler_.held.size(), 3U);
    EXPECT_TRUE(peer->reading_paused);
    answer(1, "1");
    EXPECT_EQ(handler_.held.size(), 4U);
    answer(2, "2");
    EXPECT_FALSE(peer->reading_paused);
    answer(3, "3");
    EXPECT_EQ(handler_.seen, std::vector<std::string>(4, "GET /a "));
    EXPECT_TRUE(peer->take().ends_with("3"));
}

TEST_F(ServerTest, client_that_does_not_read_is_not_read_either) {
    options_.unsent_bytes_max = 10'000;
    start();
    handler_.during = [](const Request&, Responder& responder) {
        Responder(std::move(responder)).send(text_response(200, std::string(4000, 'x')));
    };
    const auto peer = open();
    peer->window = 0;
    std::string many;
    for (int i = 0; i < 30; ++i)
        many += kGet;
    send(*peer, many);
    EXPECT_EQ(handler_.seen.size(), 3U);
    EXPECT_TRUE(peer->reading_paused);
    peer->window = std::numeric_limits<std::size_t>::max();
    world_.run();
    EXPECT_EQ(handler_.seen.size(), 30U);
    EXPECT_FALSE(peer->reading_paused);
    EXPECT_EQ(server_->counters().responses, 30U);
}

// The one request that is being handled lies in a place that all connections share.
TEST_F(ServerTest, answer_on_another_connection_within_a_handler_does_not_disturb_the_request) {
    options_.pipelined_max = 1;
    start();
    const auto other = open();
    send(*other, "GET /other HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n");
    std::string path_afterwards;
    handler_.during = [&](const Request& request, Responder&) {
        if (request.path != "/mine")
            return;
        handler_.answer(0, "now");  // makes room for /later, which must wait
        path_afterwards = std::string(request.path) + std::string(request.header("host").value_or(""));
    };
    const auto mine = open();
    send(*mine, "GET /mine HTTP/1.1\r\nHost: m\r\n\r\n");
    EXPECT_EQ(path_afterwards, "/minem");
    EXPECT_EQ(handler_.seen, (std::vector<std::string>{"GET /other ", "GET /mine ", "GET /later "}));
    EXPECT_TRUE(other->take().ends_with("now"));
}

struct TimeoutCase {
    const char* name;
    std::string_view sent;
    Duration timeout;
    int status;  // 0: closed without a word
};

class ServerTimeout : public ServerTest, public testing::WithParamInterface<TimeoutCase> {};

TEST_P(ServerTimeout, closes_when_due_and_not_before) {
    start();
    const auto peer = open();
    send(*peer, GetParam().sent);
    peer->take();
    world_.advance(GetParam().timeout - 1ms);
    EXPECT_EQ(peer->take(), "");
    EXPECT_FALSE(peer->closed);
    world_.advance(1s);
    EXPECT_EQ(status_of(peer->take()), GetParam().status);
    EXPECT_TRUE(GetParam().status == 0 ? peer->closed : peer->end_seen);
    EXPECT_EQ(server_->counters().timeouts, 1U);
    world_.advance(3s);
    EXPECT_TRUE(peer->closed);
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ServerTimeout,
    testing::Values(TimeoutCase{"no_byte", "", 10s, 0},
                    TimeoutCase{"slow_headers", "GET / HTTP/1.1\r\nHost:", 10s, 408},
                    TimeoutCase{"slow_body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", 30s, 408},
                    TimeoutCase{"slow_chunks",
                                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", 30s, 408},
                    TimeoutCase{"empty_lines", "\r\n\r\n", 10s, 0}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_F(ServerTest, bytes_that_drip_in_do_not_extend_the_header_timeout) {
    start();
    const auto peer = open();
    send(*peer, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 9; ++i) {
        world_.advance(1s);
        send(*peer, "x");
        EXPECT_EQ(peer->received, "");
    }
    world_.advance(2s);
    EXPECT_EQ(status_of(peer->take()), 408);
}

TEST_F(ServerTest, idle_connection_is_closed_but_a_waiting_one_is_not) {
    start();
    const auto peer = open();
    send(*peer, kGet);
    world_.advance(1000s);  // the handler takes its time
    EXPECT_FALSE(peer->closed);
    answer(0, "x");
    world_.advance(59s);
    EXPECT_FALSE(peer->closed);
    send(*peer, kGet);
    answer(1, "x");
    world_.advance(59s);
    EXPECT_FALSE(peer->closed);
    world_.advance(2s);
    EXPECT_TRUE(peer->closed);
}

TEST_F(ServerTest, reader_without_progress_is_dropped_a_slow_one_is_not) {
    start();
    const auto stuck = open();
    const auto slow = open();
    stuck->window = slow->window = 10;
    send(*stuck, kGet);
    send(*slow, kGet);
    answer(0, std::string(1000, 'x'));
    answer(1, std::string(1000, 'x'));
    for (int i = 0; i < 29; ++i) {
        slow->window = 10;
        world_.advance(1s);
    }
    EXPECT_FALSE(stuck->closed || slow->closed);
    for (int i = 0; i < 3; ++i) {
        slow->window = 10;
        world_.advance(1s);
    }
    EXPECT_TRUE(stuck->closed);
    EXPECT_FALSE(slow->closed);
}

class ServerStop : public ServerTest {
  protected:
    void stop(Duration grace = 5s) {
        server_->stop(grace, [this] { ++stopped_; });
        EXPECT_EQ(stopped_, 0);
        world_.run();
        EXPECT_FALSE(world_.network.is_listening());
    }

    int stopped_ = 0;
};

TEST_F(ServerStop, without_connections_is_at_once) {
    start();
    stop();
    EXPECT_EQ(stopped_, 1);
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

TEST_F(ServerStop, closes_fresh_and_idle_connections) {
    start();
    const auto fresh = open();
    const auto idle = open();
    send(*idle, kGet);
    answer(0, "x");
    stop();
    EXPECT_TRUE(fresh->closed && idle->closed);
    EXPECT_EQ(stopped_, 1);
}

TEST_F(ServerStop, answers_what_was_read_with_close) {
    start();
    const auto peer = open();
    send(*peer, std::string(kGet) + std::string(kGet));
    stop();
    send(*peer, kGet);
    EXPECT_EQ(handler_.held.size(), 2U);
    EXPECT_EQ(stopped_, 0);
    answer(0, "first");
    EXPECT_FALSE(says_close(peer->take()));
    answer(1, "second");
    EXPECT_TRUE(says_close(peer->take()));
    EXPECT_TRUE(peer->end_seen);
    peer->finish_sending();
    world_.run();
    EXPECT_TRUE(peer->closed);
    EXPECT_EQ(stopped_, 1);
}

TEST_F(ServerStop, lets_a_request_underway_end) {
    start();
    const auto head = open();
    const auto body = open();
    send(*head, "GET /head HTTP/1.1\r\nHo");
    send(*body, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
    stop();
    send(*head, "st: a\r\n\r\n");
    send(*body, "y");
    ASSERT_EQ(handler_.held.size(), 2U);
    answer(0, "0");
    answer(1, "1");
    EXPECT_TRUE(says_close(head->take()) && says_close(body->take()));
    head->finish_sending();
    body->finish_sending();
    world_.run();
    EXPECT_EQ(stopped_, 1);
}

TEST_F(ServerStop, lets_a_slow_reader_have_its_answer) {
    start();
    const auto peer = open();
    peer->window = 10;
    send(*peer, kGet);
    answer(0, "the answer");
    stop();
    EXPECT_FALSE(peer->closed);
    peer->window = 10'000;
    peer->finish_sending();
    world_.run();
    EXPECT_TRUE(peer->take().ends_with("the answer"));
    EXPECT_EQ(stopped_, 1);
}

TEST_F(ServerStop, drops_what_is_left_after_the_grace) {
    start();
    const auto unanswered = open();
    send(*unanswered, kGet);
    const auto partial = open();
    send(*partial, "GET / HT");
    const auto lingering = open();
    send(*lingering, "GET / HTTP/1.1\r\n\r\n");
    stop(1s);
    world_.advance(999ms);
    EXPECT_EQ(stopped_, 0);
    world_.advance(1ms);
    world_.run();
    EXPECT_TRUE(unanswered->closed && partial->closed && lingering->closed);
    EXPECT_EQ(stopped_, 1);
    answer(0, "late");
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

TEST_F(ServerStop, from_within_a_handler_ends_that_request_too) {
    start();
    handler_.during = [this](const Request&, Responder&) { server_->stop(5s, [this] { ++stopped_; }); };
    const auto peer = open();
    send(*peer, kGet);
    answer(0, "bye");
    EXPECT_TRUE(says_close(peer->take()));
    peer->finish_sending();
    world_.run();
    EXPECT_EQ(stopped_, 1);
}

TEST_F(ServerStop, server_destroyed_at_any_stage_leaves_nothing_behind) {
    for (int stage = 0; stage < 7; ++stage) {
        start();
        const auto peer = open();
        if (stage >= 1)
            send(*peer, "GET / HTTP/1.1\r\n");
        if (stage >= 2)
            send(*peer, "Host: a\r\n\r\n");
        if (stage >= 3)
            send(*peer, kGet);
        if (stage >= 4)
            answer(handler_.held.size() - 1, "second");
        if (stage >= 5)
            server_->stop(5s, [this] { ++stopped_; });
        if (stage >= 6)
            world_.run();
        server_.reset();
        world_.run();
        EXPECT_TRUE(peer->closed);
        EXPECT_EQ(world_.scheduler.timer_count(), 0U) << stage;
    }
    EXPECT_EQ(stopped_, 0);
}

}  // namespace
}  // namespace leftfold::http
