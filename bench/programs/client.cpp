// One client, one request after the other, over one connection: exact percentiles of the round trip.
//
//   bench_client PORT get PATH COUNT            the same GET
//   bench_client PORT deposit ACCOUNT COUNT     deposits of 0.01, each with an Idempotency-Key of its own
//   bench_client PORT open ACCOUNTS COUNT       opens accounts bench-0 … bench-(ACCOUNTS-1); COUNT is not used
//
// Prints latencies as JSON; exit code 1 at the first answer that is not 2xx (`open` takes 409 too).

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "statistics.hpp"

namespace {

class Connection {
  public:
    explicit Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int one = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            give_up("connect");
    }
    ~Connection() { ::close(fd_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The status of the answer, whose body is read to its end.
    int exchange(std::string_view request) {
        for (std::string_view rest = request; !rest.empty();) {
            const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent <= 0)
                give_up("send");
            rest.remove_prefix(static_cast<std::size_t>(sent));
        }
        std::size_t head_end = std::string::npos;
        answer_.clear();
        while ((head_end = answer_.find("\r\n\r\n")) == std::string::npos)
            receive();
        const std::size_t length_at = answer_.find("Content-Length: ");
        const std::size_t length =
            length_at < head_end ? std::strtoul(answer_.c_str() + length_at + 16, nullptr, 10) : 0;
        while (answer_.size() < head_end + 4 + length)
            receive();
        return std::atoi(answer_.c_str() + std::strlen("HTTP/1.1 "));
    }

    const std::string& answer() const noexcept { return answer_; }

  private:
    [[noreturn]] static void give_up(const char* what) {
        std::perror(what);
        std::exit(1);
    }

    void receive() {
        char buffer[16 * 1024];
        const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
        if (count <= 0)
            give_up("recv");
        answer_.append(buffer, static_cast<std::size_t>(count));
    }

    int fd_;
    std::string answer_;
};

std::string post(std::string_view account, std::string_view command, std::string_view id, std::string_view body) {
    std::string text = "POST /accounts/";
    text.append(account).append("/").append(command).append(" HTTP/1.1\r\nHost: localhost\r\n");
    text.append("Content-Type: application/json\r\nIdempotency-Key: ").append(id);
    text.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return text;
}

int run(std::uint16_t port, std::string_view kind, const std::string& subject, std::size_t count) {
    Connection connection(port);
    // Unlike any other run against the same data.
    const std::string run_id =
        std::to_string(std::chrono::system_clock::now().time_since_epoch().count()) + std::to_string(::getpid());
    const bool opens = kind == "open";
    if (opens)
        count = std::strtoul(subject.c_str(), nullptr, 10);
    std::string request = "GET " + subject + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    std::vector<double> took;
    for (std::size_t i = 0; i < count; ++i) {
        if (opens)
            request =
                post("bench-" + std::to_string(i), "open", run_id + "-" + std::to_string(i),
                     R"({"owner": "bench", "currency": "CZK", "overdraft_limit": "0.00", "opening_deposit": "1.00"})");
        else if (kind == "deposit")
            request = post(subject, "deposit", run_id + "-" + std::to_string(i), R"({"amount": "0.01"})");
        const auto begun = std::chrono::steady_clock::now();
        const int status = connection.exchange(request);
        const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - begun;
        took.push_back(passed.count());
        if (status / 100 != 2 && !(opens && status == 409)) {
            std::fprintf(stderr, "bench_client: answered\n%s\n", connection.answer().c_str());
            return 1;
        }
    }
    leftfold::bench::print_latencies(took);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: bench_client PORT get|deposit|open SUBJECT COUNT\n");
        return 2;
    }
    return run(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2], argv[3], std::strtoul(argv[4], nullptr, 10));
}
