#include "service.hpp"

#include "projections.hpp"

namespace bank {

leftfold::Service reporting_service() {
    leftfold::Service service("reporting");
    service.projection<Balances>("balances", "/balances/{account}", "/balances")
        .projection<Statements>("statements", "/statements/{account}")
        .projection<DailyTurnovers>("daily-turnover", "/daily-turnover/{day}", "/daily-turnover");
    return service;
}

}  // namespace bank
