#include "leftfold/process/dispatcher.hpp"

#include <gtest/gtest.h>

#include "testing/bank_machine.hpp"

namespace leftfold::testing {
namespace {

TEST(ProcessDispatcher, transfer_runs_to_its_end) {
    BankMachine bank(1);
    ASSERT_TRUE(bank.start());
    bank.tell(bank.accounts(), "a-1", "open", R"({"balance":10})");
    bank.tell(bank.accounts(), "a-2", "open", R"({"balance":0})");
    bank.tell(bank.transfers(), "t-1", "start", R"({"from":"a-1","to":"a-2","amount":4,"patience_ms":30000})");
    bank.run_until([&] { return bank.is_settled(); });
    EXPECT_EQ(bank.state(bank.accounts(), "a-1"), R"("open":true,"closed":false,"balance":6)");
    EXPECT_EQ(bank.state(bank.accounts(), "a-2"), R"("open":true,"closed":false,"balance":4)");
    EXPECT_EQ(bank.state(bank.transfers(), "t-1"),
              R"("state":"completed","expired":false,"from":"a-1","to":"a-2","amount":4)");
    EXPECT_EQ(bank.state(bank.tallies(), "a-1"), R"("count":1,"sum":-4)");
    ASSERT_TRUE(bank.stop());
}

}  // namespace
}  // namespace leftfold::testing
