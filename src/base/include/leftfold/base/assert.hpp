// LEFTFOLD_ASSERT: invariants that stay checked in release builds.
//
// For bugs only: it prints the condition with its place and aborts. Never use it on bytes from outside (requests,
// files, other processes); those get a Result.
#pragma once

namespace leftfold {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace leftfold

#define LEFTFOLD_ASSERT(condition) \
    (static_cast<bool>(condition) ? static_cast<void>(0) : ::leftfold::assertion_failed(#condition, __FILE__, __LINE__))
