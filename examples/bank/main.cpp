#include "leftfold/leftfold.hpp"

#include "accounts/service.hpp"
#include "import/import_command.hpp"
#include "page/page.hpp"
#include "reporting/service.hpp"
#include "risk/service.hpp"
#include "transfers/service.hpp"

int main(int argc, char** argv) {
    return leftfold::Application("bank")
        .host(bank::accounts_service())
        .host(bank::transfers_service())
        .host(bank::risk_service())
        .host(bank::reporting_service())
        .page("/", bank::page_html())
        .cli_command(bank::import_command())
        .cli_command(bank::generate_command())
        .run(argc, argv);
}
