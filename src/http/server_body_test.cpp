// Answers that are written piece by piece.
#include <map>

#include <gtest/gtest.h>

#include "leftfold/http/server.hpp"

#include "server_codec.hpp"
#include "testing/fake_world.hpp"

namespace leftfold::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHead = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGet10 = "GET / HTTP/1.0\r\n\r\n";
constexpr std::string_view kBegun =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/x\r\n";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";

Response head(std::string first_piece = "") {
    return {.status = 200, .content_type = "text/x", .body = std::move(first_piece)};
}
std::string begun(std::string_view more = kChunked) {
    return std::string(kBegun) + std::string(more) + "\r\n";
}
std::string whole(std::string_view body) {
    return std::string(kBegun) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// ---------------------------------------------------------------------------------------------------------------------
// The codec alone: what is written for which calls.

class CodecBody : public testing::Test {
  protected:
    std::uint64_t read(std::string_view bytes) {
        EXPECT_EQ(codec_.read(bytes), ServerCodec::Event::request);
        return codec_.ticket();
    }

    FakeClock clock_;
    CodecShared shared_{.limits = {.header_bytes_max = 1000, .header_count_max = 10, .body_bytes_max = 1000},
                        .scratch = {},
                        .writer = ResponseWriter(clock_)};
    ServerCodec codec_{shared_};
};

TEST_F(CodecBody, pieces_are_chunks) {
    const auto ticket = read(kGet);
    codec_.begin(ticket, head("abc"));
    EXPECT_EQ(codec_.take_output(), begun() + "3\r\nabc\r\n");
    codec_.write(ticket, "");
    EXPECT_EQ(codec_.take_output(), "") << "an empty chunk would be the last";
    codec_.write(ticket, std::string(26, 'x'));
    EXPECT_EQ(codec_.take_output(), "1a\r\n" + std::string(26, 'x') + "\r\n");
    EXPECT_EQ(codec_.unanswered(), 1U);
    codec_.end(ticket);
    EXPECT_EQ(codec_.take_output(), "0\r\n\r\n");
    EXPECT_EQ(codec_.unanswered(), 0U);
    codec_.reply(read(kGet), head("next"));
    EXPECT_EQ(codec_.take_output(), whole("next"));
}

TEST_F(CodecBody, to_http10_ends_with_the_connection) {
    const auto ticket = read(kGet10);
    codec_.begin(ticket, head());
    codec_.write(ticket, "abc");
    EXPECT_FALSE(codec_.finished());
    codec_.end(ticket);
    EXPECT_EQ(codec_.take_output(), begun("Connection: close\r\n") + "abc");
    EXPECT_TRUE(codec_.finished());
}

TEST_F(CodecBody, to_head_is_over_once_begun) {
    const auto ticket = read(kHead);
    codec_.begin(ticket, head("abc"));
    EXPECT_EQ(codec_.take_output(), begun());
    EXPECT_TRUE(codec_.is_answered(ticket));
}

TEST_F(CodecBody, last_one_says_close) {
    const auto ticket = read("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    codec_.begin(ticket, head());
    codec_.end(ticket);
    EXPECT_EQ(codec_.take_output(), begun("Transfer-Encoding: chunked\r\nConnection: close\r\n") + "0\r\n\r\n");
    EXPECT_TRUE(codec_.finished());
}

TEST_F(CodecBody, later_answers_wait_for_the_end) {
    const auto first = read(kGet);
    const auto second = read(kGet);
    const auto third = read(kGet);
    codec_.begin(first, head());
    codec_.reply(second, head("2"));
    codec_.begin(third, head("3"));
    codec_.write(first, "1");
    codec_.write(third, "33");
    EXPECT_EQ(codec_.take_output(), begun() + "1\r\n1\r\n");
    EXPECT_EQ(codec_.waiting_bytes(third), 3U);
    codec_.end(first);
    EXPECT_EQ(codec_.take_output(), "0\r\n\r\n" + whole("2") + begun() + "3\r\n333\r\n");
    EXPECT_EQ(codec_.waiting_bytes(third), 0U);
    EXPECT_TRUE(codec_.has_turn(third));
    codec_.end(third);
    EXPECT_EQ(codec_.take_output(), "0\r\n\r\n");
}

TEST_F(CodecBody, one_that_ended_before_its_turn_is_whole) {
    const auto first = read(kGet);
    const auto second = read(kGet);
    codec_.begin(second, head("2"));
    codec_.write(second, "2");
    codec_.end(second);
    EXPECT_EQ(codec_.output_bytes(), 0U);
    codec_.reply(first, head("1"));
    EXPECT_EQ(codec_.take_output(), whole("1") + begun() + "2\r\n22\r\n0\r\n\r\n");
    EXPECT_EQ(codec_.unanswered(), 0U);
}

TEST_F(CodecBody, one_taken_back_before_its_turn_is_500) {
    const auto first = read(kGet);
    const auto second = read(kGet);
    codec_.begin(second, head("secret"));
    EXPECT_TRUE(codec_.take_back(second));
    codec_.begin(first, head());
    EXPECT_FALSE(codec_.take_back(first)) << "the client has seen its head";
    codec_.end(first);
    const std::string output = codec_.take_output();
    EXPECT_TRUE(output.starts_with(begun() + "0\r\n\r\nHTTP/1.1 500 ")) << output;
    EXPECT_EQ(output.find("secret"), std::string::npos);
}

// ---------------------------------------------------------------------------------------------------------------------
// On a connection.

struct Writing final : BodyHandler {
    void on_room() override {
        ++rooms;
        if (when_room)
            when_room();
    }
    void on_stop() override {
        ++stops;
        if (finish_at_stop)
            writer.finish();
    }
    void on_gone() override {
        ++gone;
        writer = {};
    }

    BodyWriter writer;
    int rooms = 0;
    int stops = 0;
    int gone = 0;
    bool finish_at_stop = false;
    std::move_only_function<void()> when_room;
};

class ServerBody : public testing::Test, protected Handler {
  protected:
    ServerBody() {
        options_.body_unsent_bytes_max = 1000;
        options_.write_timeout = 30s;
    }
    ~ServerBody() override {
        server_.reset();
        world_.run();
    }

    void start() {
        auto server = Server::start(world_.env(), options_, *this);
        ASSERT_TRUE(server) << server.error().message();
        server_ = std::move(*server);
    }
    void handle(const Request&, Responder responder) override {
        responders_.push_back(std::move(responder));
        if (during_)
            during_();
    }
    std::shared_ptr<FakePeer> open(std::string_view bytes) {
        auto peer = world_.network.open();
        send(*peer, bytes);
        return peer;
    }
    void send(FakePeer& peer, std::string_view bytes) {
        peer.send(bytes);
        world_.run();
    }
    Writing& begin(std::size_t index, std::string first_piece = "") {
        Writing& writing = writings_[index];
        writing.writer = responders_[index].begin(head(std::move(first_piece)), writing);
        return writing;
    }
    void write(Writing& writing, std::string_view piece) {
        writing.writer.write(piece);
        world_.run();
    }
    void stop(Duration grace) {
        server_->stop(grace, [this] { ++stopped_; });
        world_.run();
    }

    FakeWorld world_;
    ServerOptions options_;
    std::map<std::size_t, Writing> writings_;  // outlive the responders and the server
    std::vector<Responder> responders_;
    std::move_only_function<void()> during_;
    std::unique_ptr<Server> server_;
    int stopped_ = 0;
};

TEST_F(ServerBody, pieces_arrive_as_they_are_written_and_the_connection_goes_on) {
    start();
    const auto peer = open(kGet);
    Writing& writing = begin(0);
    world_.run();
    EXPECT_EQ(peer->take(), begun());
    write(writing, "one");
    EXPECT_EQ(peer->take(), "3\r\none\r\n");
    world_.advance(1000s);
    write(writing, "two");
    EXPECT_EQ(peer->take(), "3\r\ntwo\r\n");
    EXPECT_EQ(server_->counters().bodies, 1U);
    writing.writer.finish();
    EXPECT_FALSE(writing.writer.is_open());
    send(*peer, kGet);
    EXPECT_EQ(peer->take(), "0\r\n\r\n");
    responders_[1].send(head("next"));
    world_.run();
    EXPECT_TRUE(peer->take().ends_with("Content-Length: 4\r\n\r\nnext"));
    EXPECT_EQ(server_->counters().bodies, 0U);
    EXPECT_EQ(writing.gone + writing.rooms + writing.stops, 0);
}

TEST_F(ServerBody, may_be_begun_and_ended_within_the_handler) {
    start();
    during_ = [this] {
        Writing& writing = begin(responders_.size() - 1, "a");
        writing.writer.write("b");
        writing.writer.finish();
    };
    EXPECT_EQ(open(std::string(kGet) + std::string(kGet))->take(),
              begun() + "1\r\na\r\n1\r\nb\r\n0\r\n\r\n" + begun() + "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
}

TEST_F(ServerBody, pipelined_answers_keep_their_order) {
    start();
    const auto peer = open(std::string(kGet) + std::string(kGet) + std::string(kGet));
    Writing& second = begin(1);
    write(second, "2");
    responders_[2].send(head("3"));
    Writing& first = begin(0);
    write(first, "1");
    EXPECT_EQ(peer->take(), begun() + "1\r\n1\r\n");
    EXPECT_EQ(second.writer.unsent_bytes(), 1U);
    first.writer.finish();
    write(second, "22");
    EXPECT_EQ(peer->take(), "0\r\n\r\n" + begun() + "1\r\n2\r\n2\r\n22\r\n");
    second.writer.finish();
    world_.run();
    EXPECT_EQ(peer->take(), "0\r\n\r\n" + whole("3"));
}

TEST_F(ServerBody, writer_learns_what_is_unsent_and_when_there_is_room) {
    start();
    const auto peer = open(kGet);
    peer->window = 0;
    Writing& writing = begin(0);
    write(writing, std::string(500, 'x'));
    EXPECT_GE(writing.writer.unsent_bytes(), 500U);
    EXPECT_TRUE(writing.writer.has_room());
    write(writing, std::string(500, 'x'));
    EXPECT_FALSE(writing.writer.has_room());
    EXPECT_EQ(writing.rooms, 0);
    peer->window = 900;
    world_.run();
    EXPECT_EQ(writing.rooms, 0) << "not while anything waits";
    writing.when_room = [&writing] {
        writing.writer.write("more");
        EXPECT_TRUE(writing.writer.has_room());
    };
    peer->window = std::numeric_limits<std::size_t>::max();
    world_.run();
    EXPECT_EQ(writing.rooms, 1);
    EXPECT_TRUE(peer->take().ends_with("4\r\nmore\r\n"));
    EXPECT_EQ(writing.writer.unsent_bytes(), 0U);
    write(writing, "and more");
    EXPECT_EQ(writing.rooms, 1) << "only who had none is told";
}

TEST_F(ServerBody, one_that_waits_for_its_turn_has_no_endless_room) {
    start();
    const auto peer = open(std::string(kGet) + std::string(kGet));
    Writing& second = begin(1);
    write(second, std::string(1001, 'x'));
    EXPECT_FALSE(second.writer.has_room());
    world_.advance(100s);
    EXPECT_EQ(second.gone, 0) << "it is not the client who keeps it waiting";
    responders_[0].send(head("1"));
    world_.run();
    EXPECT_EQ(second.rooms, 1);
}

TEST_F(ServerBody, client_that_makes_no_room_in_time_is_cut_off_and_others_go_on) {
    start();
    const auto slow = open(kGet);
    const auto fast = open(kGet);
    Writing& to_slow = begin(0);
    Writing& to_fast = begin(1);
    slow->window = 10;
    for (Writing* writing : {&to_slow, &to_fast}) {
        write(*writing, std::string(2000, 'x'));
        EXPECT_EQ(writing->writer.has_room(), writing == &to_fast);
    }
    for (int second = 0; second < 29; ++second) {
        world_.advance(1s);
        slow->window = 10;  // some progress, as a stuck client would not make
        world_.run();
    }
    EXPECT_EQ(to_slow.gone, 0);
    world_.advance(3s);
    EXPECT_EQ(to_slow.gone, 1);
    EXPECT_TRUE(slow->closed);
    EXPECT_EQ(server_->counters().bodies_cut, 1U);
    EXPECT_EQ(server_->counters().bodies, 1U);
    EXPECT_EQ(to_fast.gone, 0);
    fast->take();
    write(to_fast, "on");
    EXPECT_EQ(fast->take(), "2\r\non\r\n");
}

TEST_F(ServerBody, stuck_client_is_cut_off_also_when_little_is_unsent) {
    start();
    const auto peer = open(kGet);
    Writing& writing = begin(0);
    world_.run();
    peer->window = 0;
    write(writing, "keep-alive");
    world_.advance(29s);
    EXPECT_EQ(writing.gone, 0);
    world_.advance(3s);
    EXPECT_EQ(writing.gone, 1);
}

TEST_F(ServerBody, client_that_has_gone_is_told_of_once) {
    start();
    const auto reset = open(kGet);
    const auto ended = open(kGet);
    Writing& to_reset = begin(0);
    Writing& to_ended = begin(1);
    reset->reset();
    ended->finish_sending();
    world_.run();
    EXPECT_EQ(to_reset.gone, 1);
    EXPECT_EQ(to_ended.gone, 1);
    EXPECT_TRUE(ended->closed);
    EXPECT_EQ(server_->counters().connections, 0U);
    EXPECT_EQ(server_->counters().bodies, 0U);
}

TEST_F(ServerBody, nobody_to_read_gives_a_closed_writer) {
    start();
    const auto to_head = open(kHead);
    EXPECT_FALSE(begin(0, "abc").writer.is_open());
    world_.run();
    EXPECT_EQ(to_head->take(), begun());
    EXPECT_FALSE(to_head->closed);
    const auto gone = open(kGet);
    gone->reset();
    world_.run();
    EXPECT_FALSE(begin(1).writer.is_open());
    const auto ended = open(kGet);
    ended->finish_sending();
    world_.run();
    Writing& writing = begin(2);
    EXPECT_FALSE(writing.writer.is_open());
    writing.writer.write("x");  // dropped
    writing.writer.finish();
    world_.run();
    EXPECT_TRUE(ended->closed);
    EXPECT_EQ(ended->take(), "");
    EXPECT_EQ(server_->counters().bodies, 0U);
}

TEST_F(ServerBody, writer_destroyed_without_finish_leaves_no_whole_body) {
    start();
    const auto peer = open(kGet);
    Writing& writing = begin(0);
    write(writing, "half");
    writing.writer = {};
    world_.run();
    EXPECT_EQ(peer->take(), begun() + "4\r\nhalf\r\n");
    EXPECT_TRUE(peer->closed);
    EXPECT_EQ(writing.gone, 0) << "who ends it himself is not told";
    during_ = [this] { begin(1).writer = {}; };
    EXPECT_TRUE(open(kGet)->closed);
}

TEST_F(ServerBody, stop_lets_bodies_end_with_their_last_chunk) {
    start();
    const auto peer = open(kGet);
    Writing& writing = begin(0);
    writing.finish_at_stop = true;
    world_.run();
    peer->take();
    stop(5s);
    EXPECT_EQ(writing.stops, 1);
    EXPECT_EQ(peer->take(), "0\r\n\r\n");
    EXPECT_TRUE(peer->end_seen);
    EXPECT_EQ(stopped_, 0);
    peer->finish_sending();
    world_.run();
    EXPECT_EQ(stopped_, 1);
    EXPECT_EQ(writing.gone, 0);
}

TEST_F(ServerBody, stop_drops_what_does_not_end_in_the_grace) {
    start();
    const auto peer = open(kGet);
    Writing& writing = begin(0);
    stop(5s);
    write(writing, "still here");
    EXPECT_EQ(writing.stops, 1);
    world_.advance(5s);
    world_.run();
    EXPECT_EQ(writing.gone, 1);
    EXPECT_EQ(stopped_, 1);
}

TEST_F(ServerBody, one_that_begins_after_the_stop_is_told_too) {
    start();
    const auto peer = open(kGet);
    stop(5s);
    writings_[0].finish_at_stop = true;
    begin(0);
    world_.run();
    EXPECT_EQ(writings_[0].stops, 1);
    EXPECT_TRUE(peer->take().ends_with("Connection: close\r\n\r\n0\r\n\r\n"));
}

TEST_F(ServerBody, server_destroyed_tells_all) {
    start();
    for (const std::size_t index : {0U, 1U}) {
        open(kGet);
        begin(index);
    }
    server_.reset();
    EXPECT_EQ(writings_[0].gone, 1);
    EXPECT_EQ(writings_[1].gone, 1);
    EXPECT_EQ(world_.scheduler.timer_count(), 0U);
    responders_.clear();
}

// A client that goes may take another with it: both are closed in one round over all connections.
TEST_F(ServerBody, handler_that_ends_another_body_when_one_goes_is_fine) {
    struct Chain final : BodyHandler {
        void on_room() override {}
        void on_stop() override {}
        void on_gone() override {
            writer = {};
            other->writer.finish();
        }
        BodyWriter writer;
        Writing* other = nullptr;
    } chain;
    start();
    const auto other = open(kGet10);
    const auto peer = open(kGet);
    chain.other = &begin(0);
    chain.writer = responders_[1].begin(head(), chain);
    world_.run();
    peer->window = 0;
    chain.writer.write("x");
    world_.advance(35s);
    EXPECT_TRUE(peer->closed);
    EXPECT_TRUE(other->end_seen);
}

TEST(ResponderAlone, body_in_pieces_is_received_whole) {
    Response received;
    Writing writing;
    auto responder = Responder::to([&received](Response response) { received = std::move(response); });
    writing.writer = responder.begin(head("a"), writing);
    writing.writer.write("b");
    EXPECT_EQ(received.body, "");
    writing.writer.finish();
    EXPECT_EQ(received.body, "ab");
    EXPECT_EQ(received.content_type, "text/x");
}

}  // namespace
}  // namespace leftfold::http
