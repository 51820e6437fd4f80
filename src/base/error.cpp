// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <cerrno>
#include <system_error>

namespace base {

std::string_view to_string(Code code) {
    switch (code) {
        case Code::invalid_argument:
            return "invalid_argument";
        case Code::malformed:
            return "malformed";
        case Code::unauthenticated:
            return "unauthenticated";
        case Code::permission_denied:
            return "permission_denied";
        case Code::not_found:
            return "not_found";
        case Code::already_exists:
            return "already_exists";
        case Code::precondition_failed:
            return "precondition_failed";
        case Code::too_large:
            return "too_large";
        case Code::rate_limited:
            return "rate_limited";
        case Code::unsupported:
            return "unsupported";
        case Code::unavailable:
            return "unavailable";
        case Code::timeout:
            return "timeout";
        case Code::closed:
            return "closed";
        case Code::cancelled:
            return "cancelled";
        case Code::io:
            return "io";
        case Code::disk_full:
            return "disk_full";
        case Code::address_in_use:
            return "address_in_use";
        case Code::usage:
            return "usage";
        case Code::internal:
            return "internal";
    }
    return "internal";
}

std::string Error::text() const {
    std::string line = thing;
    if (!reason.empty()) line += (line.empty() ? "" : " ") + reason;
    if (!fix.empty()) line += ": " + fix;
    return line;
}

std::unexpected<Error> fail_errno(int error_number, std::string thing, std::string_view doing,
                                  std::string fix) {
    Code code = Code::io;
    switch (error_number) {
        case ENOENT:
            code = Code::not_found;
            break;
        case EACCES:
        case EPERM:
            code = Code::permission_denied;
            break;
        case ENOSPC:
        case EDQUOT:
            code = Code::disk_full;
            if (fix.empty()) fix = "free some space on this disk";
            break;
        case EFBIG:
            code = Code::disk_full;
            if (fix.empty()) fix = "raise the limit of file sizes (LimitFSIZE=, ulimit -f)";
            break;
        case EADDRINUSE:
            code = Code::address_in_use;
            break;
        case EEXIST:
            code = Code::already_exists;
            break;
        default:
            break;
    }
    std::string reason = "could not be ";
    reason += doing;
    reason += ": " + std::generic_category().message(error_number);
    return fail(code, std::move(thing), std::move(reason), std::move(fix));
}

}  // namespace base
