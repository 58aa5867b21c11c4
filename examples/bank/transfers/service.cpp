#include "service.hpp"

#include "transfer.hpp"

namespace bank {

leftfold::Service transfers_service() {
    leftfold::Service service("transfers");
    service.process<transfers::Transfer>("transfer", "/transfers/{id}");
    return service;
}

}  // namespace bank
