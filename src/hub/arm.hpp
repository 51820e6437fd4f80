// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "hub/call.hpp"

/// The shapes of Azure's resource manager, which keeps the CA certificates there (hub.md 8).
namespace hub::arm {

/// An error in both of its spellings, with our headers.
http::Response refuse(const Call& call, const Refusal& refusal);
http::Response refuse(const Call& call, azure::ErrorCode code, std::string text);

/// A CA certificate as its clients read it; without the verification code.
boost::json::object document(const Call& call, const registry::CaCertificate& entry);

/// Where the path names another hub.
std::optional<Refusal> wrong_hub(const Call& call);
/// The same for a call that needs an If-Match.
std::optional<Refusal> out_of_place(const Call& call);

/// Whoever plants a verified CA opens every device of that type, so every write is logged (interfaces.md 5).
void log_write(const Call& call, std::string_view name, std::string_view what, std::string thumbprint,
               std::string_view verified);

}  // namespace hub::arm

namespace hub {

enum class OnlyOne { yes, first_of_chain };

/// A certificate out of PEM text, base64 of PEM text, or base64 of DER. `thing`: where it stood in the body.
/// Refuses a private key beside it.
base::Result<pki::Certificate> read_uploaded(std::string_view text, std::string_view thing, OnlyOne only);

}  // namespace hub
