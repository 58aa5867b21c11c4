#include "accounts/service.hpp"
#include "import/import_command.hpp"
#include "leftfold/leftfold.hpp"

int main(int argc, char** argv) {
    return leftfold::Application("bank")
        .host(bank::accounts_service())
        .command(bank::import_command())
        .command(bank::generate_command())
        .run(argc, argv);
}
