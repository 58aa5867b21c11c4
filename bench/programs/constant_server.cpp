// The cheapest service there can be on leftfold::http: one answer to everything. What a request costs before any of
// Leftfold's own work; nginx's `return 200` is the yardstick.
//
//   bench_constant [PORT]     prints its endpoint, serves until SIGTERM

#include <cstdio>
#include <cstdlib>

#include "leftfold/env/real_env.hpp"
#include "leftfold/http/server.hpp"

namespace {

class Constant final : public leftfold::http::Handler {
  public:
    void handle(const leftfold::http::Request&, leftfold::http::Responder responder) override {
        responder.send(leftfold::http::text_response(200, "ok\n"));
    }
};

}  // namespace

int main(int argc, char** argv) {
    const int port = argc > 1 ? std::atoi(argv[1]) : 0;
    leftfold::RealEnv real;
    Constant handler;
    auto server = leftfold::http::Server::start(
        real.env(), {.endpoint = leftfold::TcpEndpoint{"127.0.0.1", static_cast<std::uint16_t>(port)}}, handler);
    if (!server) {
        std::fprintf(stderr, "bench_constant: %s\n", server.error().message().c_str());
        return 1;
    }
    std::printf("bench_constant serves http://%s\n", leftfold::to_string((*server)->endpoint()).c_str());
    std::fflush(stdout);
    real.on_termination_signal([&real](int) { real.stop(); });
    real.run();
    return 0;
}
