// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <boost/json.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace app {

/// The options of `az iot hub device-identity create` and `update` that say how an identity proves itself.
struct AuthOptions {
    std::string method;  ///< x509_thumbprint, x509_ca, shared_private_key; empty: not given
    std::optional<std::string> primary_thumbprint;
    std::optional<std::string> secondary_thumbprint;
    std::optional<std::string> primary_key;
    std::optional<std::string> secondary_key;
};
void add_auth_options(CLI::App& command, AuthOptions& options);
/// The same, with the default of a new identity: shared_private_key.
/// Fails with `usage` where method and credentials contradict each other.
base::Status check_auth_options(const AuthOptions& options);
/// Writes what was given into the `authentication` of an identity's document; `type` comes last (hub.md 5.3).
void apply_auth(const AuthOptions& options, boost::json::object& document);

/// Text for people: one fact a line, thumbprints with colons as openssl prints them, no key.
std::string describe_identity(const boost::json::object& document);
/// One line a device or module.
std::string list_line(const boost::json::object& document);

std::string text_member(const boost::json::object& object, std::string_view name);

}  // namespace app
