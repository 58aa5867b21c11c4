#include "leftfold/event/event_codec.hpp"

struct Deposited {
    leftfold::Money amount;
    static constexpr std::uint32_t event_version = 2;
#ifdef LEFTFOLD_COMPILES
    static void upcast(leftfold::json::Value&, std::uint32_t) {}
#endif
};

leftfold::EventCodec<std::variant<Deposited>> codec() {
    return leftfold::EventCodec<std::variant<Deposited>>("bank.account");
}
