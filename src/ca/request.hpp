// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ca/ledger.hpp"

/// What commands ask of a CA's books, as JSON, so that it is the same whether the command opens the books
/// itself or asks the process that has them.
///
/// | "do" | members | answer |
/// | --- | --- | --- |
/// | issue | profile, subject, key (base64 SubjectPublicKeyInfo), names, seconds, client_auth, permitted |
/// | | | chain (base64 DER, leaf first, without the root) |
/// | revoke | serial, reason | subject, profile, device |
/// | unrevoke | serial | subject, profile, device |
/// | block | device, blocked | changed |
/// | head | | head |
namespace ca {

/// Carries out one request on open books. invalid_argument: a request that is not as above.
base::Result<boost::json::object> perform(Ledger& ledger, const boost::json::object& request,
                                          const Actor& actor);

/// The same in texts, for a socket: the answer is {"ok": {...}} or {"error": {"code", "thing", "reason",
/// "fix"}}, and `read_answer` its other side.
std::string perform_text(Ledger& ledger, std::string_view request, const Actor& actor);
base::Result<boost::json::object> read_answer(std::string_view text);

/// For the command line: opens the books of `data` where they are free, otherwise asks the process that has
/// them.
base::Result<boost::json::object> with_books(const std::filesystem::path& data,
                                             const boost::json::object& request);

/// Who runs this command: "command:<uid>".
Actor command_actor();

}  // namespace ca
