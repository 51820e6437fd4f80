// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"

/// EST messages (RFC 7030, RFC 8951) without HTTP around them.
namespace est {

enum class Operation { cacerts, csrattrs, simpleenroll, simplereenroll, serverkeygen, fullcmc };
std::string_view to_string(Operation operation);

struct Path {
    std::string label;  ///< empty: none
    Operation operation;
};
/// Reads `/.well-known/est[/<label>]/<operation>` and its alias `/<label>/.well-known/est/<operation>`
/// (est-and-pki.md 1.2) out of the raw path, without query. not_found for anything else, malformed for a path
/// that does not decode.
base::Result<Path> read_path(std::string_view raw);
/// A label: 1 to 64 of a-z, 0-9 and hyphen, and no operation's name.
bool is_label(std::string_view text);

/// The base64 of a body (1.4): white space anywhere, strict otherwise; a PEM request is taken too, and told
/// by `pem`. Fails with malformed and a reason that names what is wrong.
base::Result<base::Bytes> read_body(std::string_view body, bool* pem = nullptr);
/// One line and LF; lines of 64 for `user_agent`s that begin with "libest".
std::string write_body(std::span<const std::byte> der, std::string_view user_agent = {});

}  // namespace est
