#include "leftfold/event/json.hpp"

struct Deposit {
#ifdef LEFTFOLD_COMPILES
    std::string currency;
#else
    char currency[4];
#endif
    leftfold::Money amount;
};

void deposit(std::string& out) {
    leftfold::json::write(out, Deposit{});
}
