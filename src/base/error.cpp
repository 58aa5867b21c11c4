#include "leftfold/base/error.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace leftfold {

std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument:
            return "invalid-argument";
        case ErrorCode::not_found:
            return "not-found";
        case ErrorCode::already_exists:
            return "already-exists";
        case ErrorCode::conflict:
            return "conflict";
        case ErrorCode::corrupt:
            return "corrupt";
        case ErrorCode::unsupported:
            return "unsupported";
        case ErrorCode::permission_denied:
            return "permission-denied";
        case ErrorCode::no_space:
            return "no-space";
        case ErrorCode::read_only:
            return "read-only";
        case ErrorCode::io:
            return "io";
        case ErrorCode::closed:
            return "closed";
        case ErrorCode::cancelled:
            return "cancelled";
        case ErrorCode::timed_out:
            return "timed-out";
        case ErrorCode::overloaded:
            return "overloaded";
        case ErrorCode::too_large:
            return "too-large";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::user_code:
            return "user-code";
    }
    return "unknown";
}

namespace {

ErrorCode code_of(int error_number) noexcept {
    switch (error_number) {
        case ENOENT:
            return ErrorCode::not_found;
        case EEXIST:
            return ErrorCode::already_exists;
        case EACCES:
        case EPERM:
            return ErrorCode::permission_denied;
        case ENOSPC:
        case EFBIG:  // a limit of the process or of the file system; like a quota, nothing was written
        case EDQUOT:
            return ErrorCode::no_space;
        case EROFS:
            return ErrorCode::read_only;
        case EINVAL:
        case ENAMETOOLONG:
            return ErrorCode::invalid_argument;
        case EPIPE:
        case ECONNRESET:
        case EBADF:
            return ErrorCode::closed;
        case ECANCELED:
            return ErrorCode::cancelled;
        case ETIMEDOUT:
            return ErrorCode::timed_out;
        case ECONNREFUSED:
        case EADDRINUSE:
        case EADDRNOTAVAIL:
            return ErrorCode::unavailable;
        default:
            return ErrorCode::io;
    }
}

}  // namespace

Error Error::from_errno(int error_number, std::string_view what, std::source_location where) {
    const ErrorCode code = code_of(error_number);
    const bool retry = code == ErrorCode::timed_out || code == ErrorCode::unavailable || code == ErrorCode::no_space;
    return Error(code, fmt::format("{}: {}", what, std::generic_category().message(error_number)),
                 retry ? Retry::yes : Retry::no, where);
}

Error Error::with_context(std::string_view context) && {
    message_.insert(0, fmt::format("{}: ", context));
    return std::move(*this);
}

}  // namespace leftfold
