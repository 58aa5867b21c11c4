#include "service.hpp"

#include "account.hpp"

namespace bank {

leftfold::Service accounts_service() {
    leftfold::Service service("accounts");
    service.aggregate<Account>("account", "/accounts/{id}");
    return service;
}

}  // namespace bank
