// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

/// A CA whose root key never meets the network (est-and-pki.md 9.1): files travel on a stick between the
/// machine of the root and the machine that issues. Whatever is on the stick is taken as written by an enemy:
/// read up to a small size, parsed, and shown before it counts.
namespace ca {

struct IntermediateRequest {
    std::filesystem::path data;      ///< of the issuing machine; holds no CA yet
    std::vector<std::string> chain;  ///< from below the root downwards; the first one is asked for
    pki::KeyType key_type = pki::KeyType::ec_p256;
    std::filesystem::path stick;
};
/// Makes the key of the first intermediate and writes `request.csr.pem` and `request.json` to the stick.
base::Status request_intermediate(const IntermediateRequest& input, base::Instant now);

/// What is about to happen, in lines for a person; false: it shall not.
using Confirm = std::function<bool(const std::string& question)>;

struct RootSigning {
    std::filesystem::path data;  ///< of the root's machine
    std::filesystem::path stick;
    std::optional<std::chrono::days> lifetime{};
    Confirm confirm{};
};
/// Signs the stick's request with the root and adds `certificate.pem`, `root.pem` and `audit-head.json`.
/// permission_denied where it was not confirmed; invalid_argument for a request that is too old, asks for
/// another kind or does not fit its own description.
base::Status sign_intermediate(const RootSigning& input, const base::Clock& clock);

struct IntermediateInstall {
    std::filesystem::path data;
    std::filesystem::path stick;
    std::optional<std::string> root_sha256{};  ///< what the root's thumbprint must be; hex, colons allowed
    Confirm confirm{};                         ///< asked where that is not given
};
/// Checks what came back (key, name, chain, room for the CAs below), makes the intermediates below it, and
/// then the CA with its books.
base::Status install_intermediate(const IntermediateInstall& input, const base::Clock& clock);

}  // namespace ca
