// Generator: a history of the form that the importer reads, for who has none. The same seed gives the same history.
#pragma once

#include <cstdint>
#include <string>

namespace bank {

struct GeneratorOptions {
    std::uint64_t seed = 1;
    std::uint32_t accounts = 200;
    std::uint32_t transactions = 8000;
};

// CSV with a header line; dates from 1993 on, amounts exact, balances rounded to 10 minor units.
std::string generate_history(const GeneratorOptions& options);

}  // namespace bank
