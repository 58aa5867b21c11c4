#include "leftfold/http/client.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "leftfold/http/server.hpp"

#include "testing/fake_world.hpp"

namespace leftfold::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class ClientTest : public testing::Test {
  protected:
    ClientTest() {
        options_.endpoint = TcpEndpoint{.host = "127.0.0.1", .port = 8080};
        options_.connections_max = 2;
        options_.waiting_max = 3;
    }

    void start() { client_ = std::make_unique<Client>(world_.env(), options_); }
    // The outcome comes into `outcomes_` under the number of the call.
    void request(std::string target = "/", Method method = Method::get) {
        request(ClientRequest{.method = method, .target = std::move(target)});
    }
    void request(ClientRequest request) {
        const std::size_t index = outcomes_.size();
        outcomes_.emplace_back();
        client_->request(std::move(request), [this, index](Result<ClientResponse> result) {
            EXPECT_EQ(outcomes_[index], "");
            outcomes_[index] =
                result ? std::to_string(result->status) + " " + result->body
                       : std::string(to_string(result.error().code())) + (result.error().retryable() ? " retry" : "");
            message_ = result ? "" : result.error().message();
        });
        EXPECT_EQ(outcomes_[index], "") << "never within the call";
    }
    void send(FakePeer& peer, std::string_view bytes) {
        peer.send(bytes);
        world_.run();
    }
    FakePeer& peer(std::size_t index) { return *world_.network.connected.at(index); }

    FakeWorld world_;
    ClientOptions options_;
    std::unique_ptr<Client> client_;
    std::vector<std::string> outcomes_;
    std::string message_;
};

TEST_F(ClientTest, request_is_exact_to_the_byte) {
    start();
    ClientRequest post{.method = Method::post, .target = "/a?b", .content_type = content_type::kJson, .body = "{}"};
    post.add_header("Idempotency-Key", "k\r\nX: y");
    request(std::move(post));
    world_.run();
    EXPECT_EQ(peer(0).take(),
              "POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
              "Idempotency-Key: k  X: y\r\n\r\n{}");
    send(peer(0), kOk);
    EXPECT_EQ(outcomes_[0], "200 ok");
}

TEST_F(ClientTest, invalid_target_is_refused) {
    start();
    request("/a b");
    request("/a\r\nX: y");
    request("");
    world_.run();
    for (const std::string& outcome : outcomes_)
        EXPECT_EQ(outcome, "invalid-argument");
    EXPECT_EQ(world_.network.connects, 0);
}

TEST_F(ClientTest, connection_is_kept_and_used_again) {
    start();
    for (std::size_t i = 0; i < 3; ++i) {
        request();
        world_.run();
        send(peer(0), kOk);
        EXPECT_EQ(outcomes_[i], "200 ok");
    }
    EXPECT_EQ(world_.network.connects, 1);
}

TEST_F(ClientTest, requests_beyond_the_pool_wait_in_order_and_beyond_the_bound_are_overloaded) {
    start();
    for (const char* target : {"/0", "/1"})
        request(target);
    world_.run();
    for (const char* target : {"/2", "/3", "/4", "/5"})
        request(target);
    world_.run();
    EXPECT_EQ(outcomes_[5], "overloaded retry");
    EXPECT_EQ(world_.network.connects, 2);
    send(peer(0), kOk);
    EXPECT_TRUE(peer(0).take().find("GET /2 ") != std::string::npos);
    send(peer(1), kOk);
    EXPECT_TRUE(peer(1).take().find("GET /3 ") != std::string::npos);
    send(peer(0), kOk);
    send(peer(0), kOk);
    send(peer(1), kOk);
    EXPECT_EQ(outcomes_,
              (std::vector<std::string>{"200 ok", "200 ok", "200 ok", "200 ok", "200 ok", "overloaded retry"}));
}

TEST_F(ClientTest, connection_closed_before_an_answer_is_retryable) {
    start();
    request();
    world_.run();
    send(peer(0), kOk);
    request();
    world_.run();
    peer(0).finish_sending();
    world_.run();
    EXPECT_EQ(outcomes_[1], "closed retry");
    EXPECT_TRUE(peer(0).closed);
    request();
    world_.run();
    peer(1).reset();
    world_.run();
    EXPECT_EQ(outcomes_[2], "closed retry");
}

TEST_F(ClientTest, idle_connection_closed_by_the_server_is_forgotten) {
    start();
    request();
    world_.run();
    send(peer(0), kOk);
    peer(0).finish_sending();
    world_.run();
    EXPECT_TRUE(peer(0).closed);
    request();
    world_.run();
    send(peer(1), kOk);
    EXPECT_EQ(outcomes_[1], "200 ok");
}

TEST_F(ClientTest, idle_connection_is_closed_in_time) {
    start();
    request();
    world_.run();
    send(peer(0), kOk);
    world_.advance(29s);
    EXPECT_FALSE(peer(0).closed);
    world_.advance(1s);
    EXPECT_TRUE(peer(0).closed);
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

TEST_F(ClientTest, connection_is_not_used_again_where_it_cannot_be) {
    start();
    for (const std::string_view last : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore than was asked for"}) {
        request();
        world_.run();
        FakePeer& current = *world_.network.connected.back();
        send(current, last);
        EXPECT_EQ(outcomes_.back(), "200 ");
        EXPECT_TRUE(current.closed);
    }
    EXPECT_EQ(world_.network.connects, 3);
}

TEST_F(ClientTest, answer_nobody_asked_for_closes_the_connection) {
    start();
    request();
    world_.run();
    send(peer(0), kOk);
    send(peer(0), kOk);
    EXPECT_TRUE(peer(0).closed);
}

TEST_F(ClientTest, refused_connection_is_unavailable_for_all_that_wait) {
    world_.network.refuse_connects = true;
    start();
    request();
    request();
    request();
    world_.run();
    EXPECT_EQ(outcomes_, std::vector<std::string>(3, "unavailable retry"));
    EXPECT_EQ(message_, "no connection to 127.0.0.1:8080: connection refused");
}

TEST_F(ClientTest, deadline_covers_connecting_waiting_and_the_answer) {
    start();
    request();
    world_.run();
    world_.advance(10s);
    EXPECT_EQ(outcomes_[0], "timed-out retry");
    EXPECT_TRUE(peer(0).closed);

    world_.network.hang_connects = true;
    request();
    world_.advance(10s);
    EXPECT_EQ(outcomes_[1], "timed-out retry");
    world_.advance(options_.idle_timeout);
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

TEST_F(ClientTest, malformed_answer_is_corrupt_and_too_large_one_says_so) {
    options_.body_bytes_max = 10;
    start();
    request();
    request();
    world_.run();
    send(peer(0), "SSH-2.0-OpenSSH\r\n\r\n");
    EXPECT_EQ(outcomes_[0], "corrupt");
    send(peer(1), "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n");
    EXPECT_EQ(outcomes_[1], "too-large");
    EXPECT_TRUE(peer(0).closed && peer(1).closed);
}

TEST_F(ClientTest, destroyed_client_drops_its_requests) {
    start();
    request();
    world_.run();
    request();
    client_.reset();  // one sent, one connecting
    world_.run();
    EXPECT_EQ(outcomes_, (std::vector<std::string>{"", ""}));
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

TEST_F(ClientTest, callback_may_destroy_the_client) {
    start();
    client_->request({}, [this](Result<ClientResponse> result) {
        EXPECT_TRUE(result);
        client_.reset();
    });
    world_.run();
    send(peer(0), kOk);
    EXPECT_EQ(client_, nullptr);
    EXPECT_TRUE(peer(0).closed);
}

class EchoHandler final : public Handler {
  public:
    void handle(const Request& request, Responder responder) override {
        responder.send(text_response(200, std::string(request.body)).add_header("X-Target", request.target));
    }
};

// Against the server, over real sockets: `count` requests at once, bodies of growing size, over few connections.
void exchange_with_server(Endpoint endpoint) {
    RealEnv env;
    EchoHandler handler;
    ServerOptions options;
    options.endpoint = std::move(endpoint);
    auto server = Server::start(env.env(), options, handler);
    ASSERT_TRUE(server) << server.error().message();
    Client client(env.env(), ClientOptions{.endpoint = (*server)->endpoint(), .connections_max = 3});
    constexpr int count = 100;
    int good = 0;
    int answered = 0;
    for (int i = 0; i < count; ++i) {
        const std::string body(static_cast<std::size_t>(i * i * 40), static_cast<char>('a' + i % 26));
        const std::string target = "/n/" + std::to_string(i);
        client.request(ClientRequest{.method = i % 2 == 0 ? Method::post : Method::put, .target = target, .body = body},
                       [&, body, target](Result<ClientResponse> result) {
                           good += result && result->status == 200 && result->body == body &&
                                   result->header("x-target") == target;
                           if (++answered == count)
                               (*server)->stop(1s, [&] { env.stop(); });
                       });
    }
    env.run();
    EXPECT_EQ(good, count);
    EXPECT_EQ((*server)->counters().connections_accepted, 3U);
    EXPECT_EQ((*server)->counters().connections, 0U);
}

TEST(ClientAndServer, many_requests_over_tcp_are_answered) {
    exchange_with_server(TcpEndpoint{.host = "127.0.0.1", .port = 0});
}

TEST(ClientAndServer, many_requests_over_a_unix_socket_are_answered) {
    std::string folder = testing::TempDir() + "leftfold-http-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    exchange_with_server(UnixEndpoint{.path = folder + "/socket"});
    std::filesystem::remove_all(folder);
}

TEST(ClientAndServer, refusal_reaches_a_client_that_sends_too_much) {
    RealEnv env;
    EchoHandler handler;
    auto server = Server::start(env.env(), {}, handler);
    ASSERT_TRUE(server);
    Client client(env.env(), ClientOptions{.endpoint = (*server)->endpoint()});
    int status = 0;
    client.request(ClientRequest{.method = Method::post, .body = std::string(8 * 1024 * 1024, 'x')},
                   [&](Result<ClientResponse> result) {
                       status = result ? result->status : -1;
                       env.stop();
                   });
    env.run();
    EXPECT_EQ(status, 413);
}

}  // namespace
}  // namespace leftfold::http
