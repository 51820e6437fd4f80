// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace base {

/// What kind of failure this is, for programs. Choose by what the caller can do about it.
enum class Code {
    invalid_argument,     ///< a value that the caller gave is not acceptable (HTTP 400)
    malformed,            ///< outside bytes do not parse (HTTP 400, connection closed)
    unauthenticated,      ///< who calls is not proven (HTTP 401)
    permission_denied,    ///< known caller, not allowed (HTTP 403)
    not_found,            ///< the named thing does not exist (HTTP 404)
    already_exists,       ///< the named thing exists already (HTTP 409)
    precondition_failed,  ///< an etag or state does not match (HTTP 412)
    too_large,            ///< over a stated limit (HTTP 413)
    rate_limited,         ///< come back later, nothing is wrong (HTTP 429)
    unsupported,          ///< a known thing that this program does not do
    unavailable,          ///< a peer or a resource is not there now; a retry may help (HTTP 503)
    timeout,              ///< no answer in time
    closed,               ///< the peer ended the connection
    cancelled,            ///< we ended it ourselves; a normal end, never retried
    io,                   ///< the file system or the network said no
    disk_full,            ///< no space left to keep what would have been acknowledged
    address_in_use,       ///< the port or socket is taken by another process
    usage,                ///< wrong command line (exit code 2)
    internal              ///< a bug of ours
};

/// The stable word of a code, as logs and JSON show it: "not_found".
std::string_view to_string(Code code);

/// A failure that a person can act on. No secret enters any member.
struct Error {
    Code code = Code::internal;
    std::string thing;   ///< "key /var/lib/aziot/keyd/keys/deviceid-1f3a.key"
    std::string reason;  ///< "is readable by group (mode 0640)"
    std::string fix;     ///< "run chmod 600 on it"; empty when we do not know

    /// One line for logs: "<thing> <reason>: <fix>".
    std::string text() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// Builds the failed arm of a Result: `return base::fail(Code::not_found, "device TempSensor", "is not
/// registered");`
inline std::unexpected<Error> fail(Code code, std::string thing, std::string reason, std::string fix = {}) {
    return std::unexpected<Error>(Error{code, std::move(thing), std::move(reason), std::move(fix)});
}

/// The failure of errno after a call on `thing` ("file X", "socket Y"): "could not be opened: No such
/// file...". ENOENT becomes not_found, EACCES permission_denied, ENOSPC, EDQUOT and EFBIG disk_full,
/// EADDRINUSE address_in_use.
std::unexpected<Error> fail_errno(int error_number, std::string thing, std::string_view doing,
                                  std::string fix = {});

}  // namespace base
