#include "service.hpp"

#include "alerts.hpp"
#include "watch.hpp"

namespace bank {

leftfold::Service risk_service() {
    leftfold::Service service("risk");
    service.process<risk::Watch>("risk", "/risk/{id}").projection<risk::Alerts>("alerts", "/alerts");
    return service;
}

}  // namespace bank
