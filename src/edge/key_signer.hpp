// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "edge/local_client.hpp"
#include "http/blocking_client.hpp"
#include "pki/callback_key.hpp"

namespace edge {

/// A private key of the keys service. `failure` gets the reason of the last signature that was not made,
/// which OpenSSL does not hand on.
struct RemoteKey {
    pki::PrivateKey key;
    std::shared_ptr<std::optional<base::Error>> failure;
};

/// Signs by asking the keys service. OpenSSL wants its signature before it returns, in the middle of a
/// handshake or of X509_sign, so the thread waits for the time of one call over the Unix socket: some 50 us,
/// at most 5 s where that service hangs. The keys service never calls back. From any thread.
class KeySigner {
  public:
    explicit KeySigner(LocalService service);
    base::Result<base::Bytes> sign(const std::string& handle, pki::KeyOperation operation,
                                   std::span<const std::byte> input);

  private:
    LocalService service_;
    std::mutex mutex_;
    http::BlockingClient client_;
};

/// known: the public half. That the handle is that of its private half is for the caller to check, by the
/// signature.
base::Result<RemoteKey> remote_key(std::shared_ptr<KeySigner> signer, std::string handle,
                                   const pki::PublicKey& known);

}  // namespace edge
