// Answers that are read piece by piece.
#include <gtest/gtest.h>

#include "leftfold/http/client.hpp"
#include "leftfold/http/server.hpp"

#include "testing/fake_world.hpp"

namespace leftfold::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

class ClientStreamTest : public testing::Test, protected ClientStreamHandler {
  protected:
    void open(ClientRequest request = {.target = "/events"}) {
        stream_ = client_.stream(std::move(request), *this);
        EXPECT_EQ(seen_, "") << "never within the call";
        world_.run();
    }
    FakePeer& peer() { return *world_.network.connected.at(0); }
    void send(std::string_view bytes) {
        peer().send(bytes);
        world_.run();
    }
    std::string take() { return std::exchange(seen_, {}); }

    void on_head(ClientResponse head) override {
        seen_ += std::to_string(head.status) + " " + std::string(head.header("content-type").value_or("")) + "|";
        if (give_up_at_head_)
            stream_.reset();
    }
    void on_piece(std::string_view piece) override {
        seen_ += std::string(piece) + "|";
        if (give_up_at_piece_)
            stream_.reset();
    }
    void on_end(Result<> whole) override {
        seen_ +=
            whole ? "end" : std::string(to_string(whole.error().code())) + (whole.error().retryable() ? " retry" : "");
        stream_.reset();
    }

    FakeWorld world_;
    Client client_{world_.env(), {.endpoint = TcpEndpoint{.host = "127.0.0.1", .port = 8080}}};
    std::unique_ptr<ClientStream> stream_;
    std::string seen_;
    bool give_up_at_head_ = false;
    bool give_up_at_piece_ = false;
};

TEST_F(ClientStreamTest, pieces_come_as_they_are_sent) {
    ClientRequest request{.target = "/events"};
    request.add_header("Last-Event-ID", "1.a");
    open(std::move(request));
    EXPECT_EQ(peer().take(), "GET /events HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nLast-Event-ID: 1.a\r\n\r\n");
    send(kHead);
    EXPECT_EQ(take(), "200 text/event-stream|");
    send("3\r\nabc\r\n2\r\nd");
    EXPECT_EQ(take(), "abcd|");
    send("e\r\n");
    EXPECT_EQ(take(), "e|");
    send("0\r\n\r\n");
    EXPECT_EQ(take(), "end");
    EXPECT_TRUE(peer().closed);
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
}

TEST_F(ClientStreamTest, everything_at_once_comes_in_order) {
    open();
    send(std::string(kHead) + "3\r\nabc\r\n0\r\n\r\n");
    EXPECT_EQ(take(), "200 text/event-stream|abc|end");
}

TEST_F(ClientStreamTest, body_up_to_the_end_of_the_connection_is_whole) {
    open();
    send("HTTP/1.1 200 OK\r\n\r\nabc");
    peer().finish_sending();
    world_.run();
    EXPECT_EQ(take(), "200 |abc|end");
}

TEST_F(ClientStreamTest, more_than_a_body_may_hold_passes_in_pieces) {
    Client small(world_.env(), {.endpoint = TcpEndpoint{.host = "127.0.0.1", .port = 8080}, .body_bytes_max = 10});
    stream_ = small.stream({.target = "/"}, *this);
    world_.run();
    send(kHead);
    for (int i = 0; i < 5; ++i)
        send("8\r\nabcdefgh\r\n");
    EXPECT_EQ(take().size(), std::string_view("200 text/event-stream|").size() + 45);
}

TEST_F(ClientStreamTest, lost_before_the_end_is_retryable) {
    open();
    send(kHead);
    peer().finish_sending();
    world_.run();
    EXPECT_EQ(take(), "200 text/event-stream|closed retry");
}

TEST_F(ClientStreamTest, no_connection_is_retryable) {
    world_.network.refuse_connects = true;
    open();
    EXPECT_EQ(take(), "unavailable retry");
}

TEST_F(ClientStreamTest, what_is_no_http_is_corrupt) {
    open();
    send("SSH-2.0\r\n\r\n");
    EXPECT_EQ(take(), "corrupt");
}

TEST_F(ClientStreamTest, target_that_is_none_is_refused) {
    open({.target = "/a b"});
    EXPECT_EQ(take(), "invalid-argument");
}

TEST_F(ClientStreamTest, head_must_come_in_time) {
    open({.target = "/", .timeout = 10s});
    send("HTTP/1.1 200 OK\r\n");
    world_.advance(11s);
    EXPECT_EQ(take(), "timed-out retry");
}

TEST_F(ClientStreamTest, connect_that_hangs_times_out) {
    world_.network.hang_connects = true;
    open({.target = "/", .timeout = 10s});
    world_.advance(11s);
    EXPECT_EQ(take(), "timed-out retry");
}

TEST_F(ClientStreamTest, silence_times_out_and_a_byte_breaks_it) {
    open({.target = "/", .silence_timeout = 60s});
    send(kHead);
    take();
    world_.advance(59s);
    send("1\r\nx\r\n");
    world_.advance(59s);
    EXPECT_EQ(take(), "x|");
    world_.advance(2s);
    EXPECT_EQ(take(), "timed-out retry");
    EXPECT_TRUE(peer().closed);
}

TEST_F(ClientStreamTest, paused_reads_nothing_and_counts_no_silence) {
    open({.target = "/", .silence_timeout = 60s});
    send(kHead);
    take();
    stream_->pause();
    send("1\r\nx\r\n");
    world_.advance(500s);
    EXPECT_EQ(take(), "");
    stream_->resume();
    world_.run();
    EXPECT_EQ(take(), "x|");
}

TEST_F(ClientStreamTest, may_be_given_up_at_any_point) {
    open();
    stream_.reset();
    send(kHead);
    EXPECT_TRUE(peer().closed);
    EXPECT_EQ(take(), "");

    for (bool* flag : {&give_up_at_head_, &give_up_at_piece_}) {
        *flag = true;
        world_.network.connected.clear();
        open();
        send(std::string(kHead) + "3\r\nabc\r\n0\r\n\r\n");
        EXPECT_EQ(take(), flag == &give_up_at_head_ ? "200 text/event-stream|" : "200 text/event-stream|abc|");
        *flag = false;
    }
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);

    stream_ = client_.stream({.target = "/"}, *this);
    stream_.reset();  // before the connection is there
    world_.run();
    EXPECT_EQ(take(), "");
}

}  // namespace
}  // namespace leftfold::http
