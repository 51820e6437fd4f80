// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "edge/key_signer.hpp"
#include "edge/local_client.hpp"
#include "pki/key.hpp"

namespace edge {

/// The keys service as the other services see it. Cheap to copy. Strings that are returned are key handles.
class KeysClient {
  public:
    /// kept: so many connections at most, which stay open and belong to the loop of whoever calls; 0: each
    /// call opens its own.
    KeysClient(std::string socket, const base::Clock& clock, std::size_t kept = 0)
        : service_(local_service("keys service", std::move(socket), "2021-05-01", clock, kept)),
          signer_(std::make_shared<KeySigner>(service_)) {}

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

    /// A key that signs by asking the keys service (key_signer.hpp).
    net::Task<base::Result<pki::PrivateKey>> private_key(std::string handle) const;
    /// The same without asking for the public half, which the caller knows.
    base::Result<RemoteKey> private_key_of(std::string handle, const pki::PublicKey& known) const {
        return remote_key(signer_, std::move(handle), known);
    }

  private:
    net::Task<base::Result<std::string>> handle_from(http::Verb verb, std::string target,
                                                     std::optional<json::value> body) const;
    net::Task<base::Result<base::Bytes>> bytes_from(std::string target, json::value body,
                                                    std::string member) const;
    net::Task<base::Result<std::string>> parameter(std::string name, std::string handle) const;

    LocalService service_;
    std::shared_ptr<KeySigner> signer_;
};

}  // namespace edge
