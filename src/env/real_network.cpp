#include "real_network.hpp"

namespace leftfold {

Result<std::unique_ptr<Listener>> RealNetwork::listen(const Endpoint&, Accept) {
    return fail(ErrorCode::unsupported, "listening is not built yet");
}

void RealNetwork::connect(const Endpoint&, Connected connected) {
    loop_.post([connected = std::move(connected)]() mutable {
        connected(fail(ErrorCode::unsupported, "connecting is not built yet"));
    });
}

}  // namespace leftfold
