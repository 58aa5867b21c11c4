#include "leftfold/event/json.hpp"

struct Deposit {
#ifdef LEFTFOLD_COMPILES
    leftfold::Money amount;
#else
    double amount;
#endif
};

void deposit(std::string& out) {
    leftfold::json::write(out, Deposit{});
}
