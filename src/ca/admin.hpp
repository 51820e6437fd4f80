// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "ca/approvals.hpp"
#include "ca/ledger.hpp"
#include "net/listener.hpp"

namespace ca {

/// What commands work on.
struct Books {
    Ledger& ledger;
    Approvals& approvals;
    const base::Clock& clock;
};

/// The requests about what waits for an operator, beside those of ca/request.hpp.
///
/// | "do" | members | answer |
/// | --- | --- | --- |
/// | pending | | pending: what waits, each with id, caller, label, profile, subject, names, count, asked_at |
/// | decide | id, deny | subject, caller |
/// | permit | caller, label, subject, count, seconds | |
base::Result<boost::json::object> perform_approval(const Books& books, const boost::json::object& request,
                                                   const Actor& actor);

/// The admin socket of `ca run`: one request as the body of a POST, for root and the user whom the server
/// runs as.
net::Serve serve_admin(Books books);

/// Asks the `ca run` that has the books of `data`. not_found where none listens.
base::Result<boost::json::object> ask_running(const std::filesystem::path& data,
                                              const boost::json::object& request);

/// For the command line: carries out a request of `perform_approval` on the books of `data` where they are
/// free, otherwise by asking the process that has them.
base::Result<boost::json::object> with_approvals(const std::filesystem::path& data,
                                                 const boost::json::object& request);

}  // namespace ca
