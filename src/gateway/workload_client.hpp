// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/secret.hpp"
#include "gateway/config.hpp"
#include "http/message.hpp"
#include "net/task.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"

namespace gateway {

/// How long the workload API may take, unless somebody waits for less.
inline constexpr std::chrono::seconds workload_limit{20};

/// A server certificate with its key, as the workload API hands them out.
struct ServerCredential {
    pki::Chain chain;  ///< leaf, Edge CA, intermediates, perhaps the root
    pki::PrivateKey key;
};

/// The workload API of the edge device as the module `$edgeHub` sees it (edge-runtime.md 6.3): HTTP over the
/// module's Unix socket. Errors: `unavailable` where the socket does not answer (a retry may help),
/// `permission_denied`, `invalid_argument` (400, 404: asking again will not help), `malformed` for an answer
/// that we cannot read.
class WorkloadClient {
  public:
    /// Reads anew which generation of the module the edge device's services know.
    using ReadGeneration = std::function<base::Result<std::string>()>;

    WorkloadClient(Config::Module module, const base::Clock& clock, ReadGeneration read_generation = {})
        : module_(std::move(module)), clock_(clock), read_generation_(std::move(read_generation)) {}

    /// Called after the hub made this module anew, before the first request of the new generation: what was
    /// encrypted for the one before does not open any more.
    void on_new_generation(std::function<void()> observer) { observer_ = std::move(observer); }

    /// A fresh key and a certificate for `common_name`, issued by the Edge CA.
    net::Task<base::Result<ServerCredential>> server_certificate(std::string common_name);
    /// HMAC-SHA256 with the module's primary key, as base64.
    net::Task<base::Result<std::string>> sign(std::string data,
                                              std::chrono::milliseconds limit = workload_limit);
    /// AES-GCM under a key that stays in the keys service. vector: any length from 1 octet, never used twice.
    net::Task<base::Result<base::Bytes>> encrypt(base::SecretBytes plaintext, base::Bytes vector);
    net::Task<base::Result<base::SecretBytes>> decrypt(base::Bytes ciphertext, base::Bytes vector);

    /// What modules of this device trust: the Edge CA first, then the operator's certificates (PEM).
    net::Task<base::Result<std::string>> trust_bundle();

  private:
    net::Task<base::Result<std::string>> ask(http::Verb verb, std::string target, std::string body,
                                             int expected, std::chrono::milliseconds limit);
    /// Posts `body` to "/modules/{m}/genid/{g}/<what>"; the body of the answer where its status is
    /// `expected`. Where the generation is refused and there is another one by now, it is asked for as that.
    net::Task<base::Result<std::string>> post(std::string what, std::string body, int expected,
                                              std::chrono::milliseconds limit = workload_limit);

    bool take_new_generation();

    Config::Module module_;
    const base::Clock& clock_;
    ReadGeneration read_generation_;
    std::function<void()> observer_;
};

}  // namespace gateway
