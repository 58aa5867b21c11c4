// A server with one constant reply, to measure http and env alone: constant_server PORT
#include <cstdio>
#include <cstdlib>

#include "leftfold/env/real_env.hpp"
#include "leftfold/http/server.hpp"

namespace {

class ConstantReply final : public leftfold::http::Handler {
  public:
    void handle(const leftfold::http::Request&, leftfold::http::Responder responder) override {
        responder.send(leftfold::http::text_response(200, "hello\n"));
    }
};

}  // namespace

int main(int argc, char** argv) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
    leftfold::RealEnv env;
    ConstantReply handler;
    leftfold::http::ServerOptions options;
    options.endpoint = leftfold::TcpEndpoint{.host = "127.0.0.1", .port = port};
    auto server = leftfold::http::Server::start(env.env(), options, handler);
    if (!server) {
        std::fprintf(stderr, "%s\n", server.error().message().c_str());
        return 1;
    }
    std::printf("%s\n", leftfold::to_string((*server)->endpoint()).c_str());
    std::fflush(stdout);
    env.on_termination_signal([&](int) { (*server)->stop(std::chrono::seconds(1), [&] { env.stop(); }); });
    env.run();
    return 0;
}
