// RealEnv's network: the same promises over IPv4, IPv6, "localhost" and Unix sockets.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "leftfold/env/real_env.hpp"

#include "temporary_folder.hpp"

namespace leftfold {
namespace {

// A handler whose behaviour each test fills in; it owns its stream, as the users of the port do.
struct Peer final : StreamHandler {
    std::unique_ptr<Stream> stream;
    std::string received;
    int sent_count = 0;
    int end_count = 0;
    std::vector<Error> failures;
    std::move_only_function<void(ByteSpan)> data = [](ByteSpan) {};
    std::move_only_function<void()> sent = [] {};
    std::move_only_function<void()> end = [] {};
    std::move_only_function<void()> failed = [] {};

    void take(std::unique_ptr<Stream> taken) {
        stream = std::move(taken);
        stream->start(*this);
    }
    void on_data(ByteSpan bytes) override {
        received += text_of(bytes);
        data(bytes);
    }
    void on_sent() override {
        ++sent_count;
        sent();
    }
    void on_end() override {
        ++end_count;
        end();
    }
    void on_failed(Error error) override {
        failures.push_back(std::move(error));
        failed();
    }
};

// A loop with a server and a client that are connected by connect(). Tests end by real.stop(); a guard ends those that
// hang.
struct World {
    TemporaryFolder folder;
    RealEnv real;
    std::unique_ptr<Listener> listener;
    Peer server;
    Peer client;
    bool hung = false;

    Scheduler& scheduler() { return real.env().scheduler; }
    void run() {
        const TimerId guard = scheduler().call_after(std::chrono::seconds(20), [this] {
            hung = true;
            real.stop();
        });
        real.run();
        scheduler().cancel(guard);
        ASSERT_FALSE(hung) << "nothing happened for 20 seconds";
    }
    // Runs what is under way, and some more turns for what must not come.
    void run_turns(int count) {
        std::move_only_function<void()> next;
        next = [&] {
            if (count-- == 0)
                real.stop();
            else
                scheduler().call_after(std::chrono::milliseconds(1), [&] { next(); });
        };
        next();
        run();
    }
    Result<> listen(const Endpoint& endpoint) {
        LEFTFOLD_TRY(opened, real.env().network.listen(
                                 endpoint, [this](std::unique_ptr<Stream> stream) { server.take(std::move(stream)); }));
        listener = std::move(opened);
        return {};
    }
    void connect_client(const Endpoint& endpoint) {
        real.env().network.connect(endpoint, [this](Result<std::unique_ptr<Stream>> stream) {
            ASSERT_TRUE(stream.has_value()) << stream.error().message();
            client.take(std::move(*stream));
            real.stop();
        });
        run();
    }
};

class NetworkKinds : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        Endpoint endpoint = TcpEndpoint{GetParam(), 0};
        if (GetParam() == "unix")
            endpoint = UnixEndpoint{world.folder.path() + "/socket"};
        const auto listening = world.listen(endpoint);
        if (!listening && GetParam() == "::1" && std::getenv("CI") == nullptr)
            GTEST_SKIP() << "no IPv6 here: " << listening.error().message();
        ASSERT_TRUE(listening.has_value()) << listening.error().message();
        Endpoint target = world.listener->endpoint();
        if (GetParam() == "localhost")
            std::get<TcpEndpoint>(target).host = "localhost";
        world.connect_client(target);
    }

    World world;
};

INSTANTIATE_TEST_SUITE_P(Network, NetworkKinds, testing::Values("127.0.0.1", "::1", "localhost", "unix"),
                         [](const auto& test) {
                             std::string name = test.param;
                             std::ranges::replace_if(name, [](char c) { return c == '.' || c == ':'; }, '_');
                             return name;
                         });

TEST_P(NetworkKinds, bytes_come_back_from_an_echo) {
    world.server.data = [&](ByteSpan bytes) { world.server.stream->send(std::string(text_of(bytes))); };
    world.client.data = [&](ByteSpan) {
        if (world.client.received.size() == 5)
            world.real.stop();
    };
    world.client.stream->send("he");
    world.client.stream->send("llo");
    EXPECT_EQ(world.client.stream->unsent_bytes(), 5U);
    world.run();
    EXPECT_EQ(world.client.received, "hello");
    EXPECT_EQ(world.client.sent_count, 1);
    EXPECT_EQ(world.client.stream->unsent_bytes(), 0U);
    EXPECT_TRUE(is_loopback(world.server.stream->peer())) << to_string(world.server.stream->peer());
}

TEST_P(NetworkKinds, half_closed_peer_still_receives) {
    world.server.end = [&] {
        world.server.stream->send("answer to " + world.server.received);
        world.server.stream->finish_sending();
    };
    world.client.end = [&] { world.real.stop(); };
    world.client.stream->send("question");
    world.client.stream->finish_sending();
    world.run();
    EXPECT_EQ(world.client.received, "answer to question");
    EXPECT_TRUE(world.client.failures.empty());
    EXPECT_TRUE(world.server.failures.empty());
}

TEST_P(NetworkKinds, closing_tells_the_peer_once_and_oneself_never) {
    world.server.end = [&] { world.real.stop(); };
    world.client.stream->send("dropped");
    world.client.stream->close();
    world.client.stream->close();
    world.run();
    world.run_turns(3);
    EXPECT_EQ(world.server.received, "");
    EXPECT_EQ(world.server.end_count, 1);
    EXPECT_EQ(world.client.end_count + world.client.sent_count, 0);
    EXPECT_TRUE(world.client.failures.empty());
}

// 32 MiB against a reader that pauses after every piece: all of it arrives, and the sender is held back meanwhile.
TEST_P(NetworkKinds, large_transfer_is_whole_and_held_back_by_a_paused_reader) {
    constexpr std::size_t kBytes = 32U << 20;
    std::string sent_bytes(kBytes, '\0');
    for (std::size_t index = 0; index < kBytes; ++index)
        sent_bytes[index] = static_cast<char>(index * 2654435761U >> 13);
    world.server.stream->pause_reading();
    for (std::size_t offset = 0; offset < kBytes; offset += kBytes / 128)
        world.client.stream->send(sent_bytes.substr(offset, kBytes / 128));
    world.run_turns(20);
    EXPECT_EQ(world.server.received, "");
    EXPECT_EQ(world.client.sent_count, 0);
    EXPECT_GT(world.client.stream->unsent_bytes(), kBytes / 2);

    world.server.data = [&](ByteSpan) {
        world.server.stream->pause_reading();
        world.scheduler().post([&] { world.server.stream->resume_reading(); });
    };
    world.server.end = [&] { world.real.stop(); };
    world.server.stream->resume_reading();
    world.client.stream->finish_sending();
    world.run();
    EXPECT_TRUE(world.server.received == sent_bytes) << world.server.received.size();
    EXPECT_EQ(world.client.sent_count, 1);
}

TEST_P(NetworkKinds, sending_to_a_peer_that_is_gone_fails_once) {
    world.server.end = [&] {
        world.server.stream->send("into the void");
        world.scheduler().call_after(std::chrono::milliseconds(5), [&] { world.server.stream->send("again"); });
    };
    world.server.failed = [&] { world.real.stop(); };
    world.client.stream->close();
    world.run();
    world.run_turns(3);
    ASSERT_EQ(world.server.failures.size(), 1U);
    EXPECT_EQ(world.server.failures[0].code(), ErrorCode::closed) << world.server.failures[0].message();
}

TEST_P(NetworkKinds, stream_may_be_destroyed_in_any_callback) {
    world.client.data = [&](ByteSpan) { world.client.stream.reset(); };
    world.server.sent = [&] { world.server.stream.reset(); };
    world.server.stream->send("x");
    world.run_turns(5);
    EXPECT_EQ(world.client.received, "x");
    EXPECT_EQ(world.server.sent_count, 1);
    EXPECT_EQ(world.client.end_count, 0);

    world.connect_client(world.listener->endpoint());
    world.run_turns(2);
    world.server.end = [&] { world.server.stream.reset(); };
    world.client.stream.reset();
    world.run_turns(5);
    EXPECT_EQ(world.server.end_count, 1);
    EXPECT_EQ(world.server.stream, nullptr);
}

// Many streams end in one turn, and the first to hear of it destroys all: none of the others may be called.
TEST_P(NetworkKinds, stream_may_be_destroyed_in_the_callback_of_another) {
    constexpr int kPeers = 50;
    std::vector<std::unique_ptr<Peer>> clients;
    std::vector<std::unique_ptr<Stream>> accepted;
    int calls = 0;
    world.listener.reset();
    Endpoint endpoint = TcpEndpoint{GetParam(), 0};
    if (GetParam() == "unix")
        endpoint = UnixEndpoint{world.folder.path() + "/other"};
    auto listener = world.real.env().network.listen(
        endpoint, [&](std::unique_ptr<Stream> stream) { accepted.push_back(std::move(stream)); });
    ASSERT_TRUE(listener.has_value()) << listener.error().message();
    for (int index = 0; index < kPeers; ++index)
        world.real.env().network.connect((*listener)->endpoint(), [&](Result<std::unique_ptr<Stream>> stream) {
            ASSERT_TRUE(stream.has_value()) << stream.error().message();
            clients.push_back(std::make_unique<Peer>());
            clients.back()->end = [&] {
                ++calls;
                for (const auto& client : clients)
                    client->stream.reset();
            };
            clients.back()->take(std::move(*stream));
        });
    while (accepted.size() < kPeers || clients.size() < kPeers)
        world.run_turns(1);
    accepted.clear();
    world.run_turns(5);
    EXPECT_EQ(calls, 1);
}

// Both streams have data in one turn, and the first to be told stops the loop.
TEST_P(NetworkKinds, what_a_stop_leaves_untold_comes_with_the_next_run) {
    world.client.data = [&](ByteSpan) { world.real.stop(); };
    world.server.data = [&](ByteSpan) { world.real.stop(); };
    world.client.stream->send("x");
    world.server.stream->send("y");
    world.run();
    world.run();
    EXPECT_EQ(world.server.received, "x");
    EXPECT_EQ(world.client.received, "y");
}

TEST(Network, reset_by_the_peer_is_a_failure) {
    World world;
    ASSERT_TRUE(world.listen(TcpEndpoint{"127.0.0.1", 0}).has_value());
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::get<TcpEndpoint>(world.listener->endpoint()).port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    world.run_turns(2);
    world.server.failed = [&] {
        world.server.stream.reset();
        world.real.stop();
    };
    const linger reset{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::close(fd);
    world.run();
    ASSERT_EQ(world.server.failures.size(), 1U);
    EXPECT_EQ(world.server.failures[0].code(), ErrorCode::closed);
    EXPECT_EQ(world.server.end_count, 0);
}

ErrorCode code_of_connecting(World& world, const Endpoint& endpoint) {
    std::optional<ErrorCode> code;
    bool within_call = true;
    world.real.env().network.connect(endpoint, [&](Result<std::unique_ptr<Stream>> stream) {
        EXPECT_FALSE(within_call);
        EXPECT_FALSE(stream.has_value());
        if (!stream)
            code = stream.error().code();
        world.real.stop();
    });
    within_call = false;
    world.run();
    return code.value_or(ErrorCode::io);
}

TEST(Network, refused_connections_answer_with_an_error) {
    World world;
    ASSERT_TRUE(world.listen(TcpEndpoint{"127.0.0.1", 0}).has_value());
    Endpoint dead = world.listener->endpoint();
    world.listener.reset();
    EXPECT_EQ(code_of_connecting(world, dead), ErrorCode::unavailable);
    std::get<TcpEndpoint>(dead).host = "localhost";
    EXPECT_EQ(code_of_connecting(world, dead), ErrorCode::unavailable);
    EXPECT_EQ(code_of_connecting(world, UnixEndpoint{world.folder.path() + "/nobody"}), ErrorCode::not_found);
    EXPECT_EQ(code_of_connecting(world, TcpEndpoint{"example.com", 80}), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of_connecting(world, UnixEndpoint{std::string(200, 'x')}), ErrorCode::invalid_argument);
}

TEST(Network, port_in_use_is_refused) {
    World world;
    ASSERT_TRUE(world.listen(TcpEndpoint{"127.0.0.1", 0}).has_value());
    EXPECT_NE(std::get<TcpEndpoint>(world.listener->endpoint()).port, 0);
    const auto second = world.real.env().network.listen(world.listener->endpoint(), [](std::unique_ptr<Stream>) {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
}

TEST(Network, unix_listener_is_private_replaces_a_stale_file_and_leaves_others_alone) {
    World world;
    const std::string path = world.folder.path() + "/socket";
    // A socket file that nobody listens to any more, as a killed process leaves it.
    const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(stale);

    ASSERT_TRUE(world.listen(UnixEndpoint{path}).has_value());
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);

    const auto second = world.real.env().network.listen(UnixEndpoint{path}, [](std::unique_ptr<Stream>) {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
    world.listener.reset();
    EXPECT_FALSE(std::filesystem::exists(path));

    ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const auto over_a_file = world.listen(UnixEndpoint{path});
    ASSERT_FALSE(over_a_file.has_value());
    EXPECT_EQ(over_a_file.error().code(), ErrorCode::already_exists);
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(Network, listener_may_be_destroyed_in_its_callback) {
    World world;
    std::unique_ptr<Listener> listener;
    int accepted = 0;
    listener = *world.real.env().network.listen(TcpEndpoint{"127.0.0.1", 0}, [&](std::unique_ptr<Stream>) {
        ++accepted;
        listener.reset();
        ++accepted;
    });
    world.connect_client(listener->endpoint());
    world.run_turns(2);
    EXPECT_EQ(accepted, 2);
    EXPECT_EQ(listener, nullptr);
}

Duration thread_cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The undefined-behaviour sanitizer takes a descriptor itself when it checks an object of a type for the first time.
void let_sanitizer_see_every_type() {
    World world;
    ASSERT_TRUE(world.listen(TcpEndpoint{"127.0.0.1", 0}).has_value());
    world.connect_client(world.listener->endpoint());
    world.server.data = [&](ByteSpan) { world.real.stop(); };
    world.client.stream->send("x");
    world.run();
    EXPECT_EQ(world.server.received, "x");
}

TEST(Network, listener_waits_while_descriptors_are_used_up_and_then_goes_on) {
    let_sanitizer_see_every_type();
    World world;
    ASSERT_TRUE(world.listen(TcpEndpoint{"127.0.0.1", 0}).has_value());
    rlimit old_limit{};
    ::getrlimit(RLIMIT_NOFILE, &old_limit);
    const rlimit low_limit{64, old_limit.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low_limit);
    std::vector<int> fillers;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
        fillers.push_back(fd);
    ASSERT_FALSE(fillers.empty());
    // One descriptor for the client, none for the server's end.
    ::close(fillers.back());
    fillers.pop_back();
    world.connect_client(world.listener->endpoint());
    const Duration busy_before = thread_cpu_time();
    world.run_turns(50);
    EXPECT_LT(thread_cpu_time() - busy_before, std::chrono::milliseconds(25)) << "50 ms of waiting were spent spinning";
    EXPECT_EQ(world.server.stream, nullptr);

    for (const int fd : fillers)
        ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &old_limit);
    world.server.data = [&](ByteSpan) { world.real.stop(); };
    world.client.stream->send("x");
    world.run();
    EXPECT_EQ(world.server.received, "x");
}

TEST(Network, env_may_be_destroyed_with_connections_and_answers_under_way) {
    World world;
    ASSERT_TRUE(world.listen(TcpEndpoint{"127.0.0.1", 0}).has_value());
    bool answered = false;
    {
        RealEnv other;
        std::unique_ptr<Stream> owned_by_step;
        other.env().network.connect(world.listener->endpoint(), [&](Result<std::unique_ptr<Stream>> stream) {
            other.env().scheduler.post([kept = std::move(*stream)] {});
            other.stop();
        });
        other.run();
        other.env().network.connect(world.listener->endpoint(), [&](auto) { answered = true; });
    }
    EXPECT_FALSE(answered);
}

TEST(Endpoint, text_has_the_form_of_urls) {
    EXPECT_EQ(to_string(TcpEndpoint{"127.0.0.1", 8080}), "127.0.0.1:8080");
    EXPECT_EQ(to_string(TcpEndpoint{"::1", 8080}), "[::1]:8080");
    EXPECT_EQ(to_string(UnixEndpoint{"/run/x"}), "unix:/run/x");
}

TEST(Endpoint, loopback_is_told_from_the_rest) {
    for (const char* host : {"127.0.0.1", "127.200.3.4", "::1", "localhost", "::ffff:127.0.0.1"})
        EXPECT_TRUE(is_loopback(TcpEndpoint{host, 1})) << host;
    for (const char* host : {"0.0.0.0", "128.0.0.1", "::", "::2", "::ffff:10.0.0.1", "127.0.0.1.example.com", ""})
        EXPECT_FALSE(is_loopback(TcpEndpoint{host, 1})) << host;
    EXPECT_TRUE(is_loopback(UnixEndpoint{"/x"}));
}

}  // namespace
}  // namespace leftfold
