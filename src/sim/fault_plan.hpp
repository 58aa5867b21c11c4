// FaultPlan: which operations fail, in the order in which they come.
#pragma once

#include <cstdint>
#include <optional>

#include "leftfold/base/error.hpp"
#include "leftfold/env/random.hpp"
#include "leftfold/sim/random.hpp"

namespace leftfold::sim {

// What an operation asks of the disk: decides which errors it can meet.
enum class Access : std::uint8_t {
    reads,   // fails with io only
    syncs,   // with io or no_space, where space is given out late
    writes,  // with all
};

class FaultPlan {
  public:
    void fail(std::uint64_t operation, ErrorCode code, bool all_later) noexcept {
        ordered_ = Ordered{operation, code, all_later};
    }
    void fail_randomly(std::uint64_t count) noexcept { random_one_in_ = count; }
    void clear() noexcept { *this = FaultPlan{}; }

    // The error that this operation must fail with, if it must.
    std::optional<ErrorCode> fault_of(std::uint64_t operation, Access access, Random& random) const {
        if (ordered_ && (operation == ordered_->operation || (ordered_->all_later && operation > ordered_->operation)))
            return possible(ordered_->code, access);
        if (random_one_in_ != 0 && one_in(random, random_one_in_))
            return possible(one_in(random, 4) ? ErrorCode::no_space : ErrorCode::io, access);
        return std::nullopt;
    }

  private:
    struct Ordered {
        std::uint64_t operation;
        ErrorCode code;
        bool all_later;
    };

    static ErrorCode possible(ErrorCode code, Access access) noexcept {
        const bool is_possible = access == Access::writes || (access == Access::syncs && code == ErrorCode::no_space);
        return is_possible ? code : ErrorCode::io;
    }

    std::optional<Ordered> ordered_;
    std::uint64_t random_one_in_ = 0;
};

}  // namespace leftfold::sim
