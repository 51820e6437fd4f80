// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "edge/local_client.hpp"
#include "pki/key.hpp"

namespace edge {

/// The keys service as the other services see it. Cheap to copy. Strings that are returned are key handles.
class KeysClient {
  public:
    KeysClient(std::string socket, const base::Clock& clock)
        : service_{"keys service", std::move(socket), "2021-05-01", &clock} {}

    /// Makes it where it is missing. usage: "derive,sign" or "encrypt".
    net::Task<base::Result<std::string>> create_key(std::string id, std::string usage) const;
    net::Task<base::Result<std::string>> load_key(std::string id) const;
    /// Makes it where it is missing. algorithms: "ec-p256:*".
    net::Task<base::Result<std::string>> create_pair(std::string id, std::string algorithms) const;
    net::Task<base::Result<std::string>> load_pair(std::string id) const;
    /// Moves a pair to another id, replacing what is there.
    net::Task<base::Status> move_pair(std::string from, std::string to) const;
    net::Task<base::Status> remove_pair(std::string handle) const;
    net::Task<base::Result<std::string>> derive(std::string base_handle, base::Bytes data) const;
    net::Task<base::Result<base::SecretBytes>> export_derived(std::string handle) const;
    net::Task<base::Result<base::Bytes>> hmac(std::string handle, base::Bytes message) const;
    net::Task<base::Result<base::Bytes>> seal(std::string handle, base::Bytes iv, base::Bytes additional,
                                              base::Bytes plaintext) const;
    net::Task<base::Result<base::Bytes>> open(std::string handle, base::Bytes iv, base::Bytes additional,
                                              base::Bytes ciphertext) const;

    /// A key that signs by asking the keys service, and so blocks the thread that signs for the time of one
    /// call over the Unix socket (at most 5 s where that service hangs).
    net::Task<base::Result<pki::PrivateKey>> private_key(std::string handle) const;

  private:
    net::Task<base::Result<std::string>> handle_from(http::Verb verb, std::string target,
                                                     std::optional<json::value> body) const;
    net::Task<base::Result<base::Bytes>> bytes_from(std::string target, json::value body,
                                                    std::string member) const;
    net::Task<base::Result<std::string>> parameter(std::string name, std::string handle) const;

    LocalService service_;
};

}  // namespace edge
