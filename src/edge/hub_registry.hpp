// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "edge/certificates_client.hpp"
#include "edge/clock_floor.hpp"
#include "edge/keys_client.hpp"
#include "edge/service_config.hpp"
#include "net/server_judgement.hpp"
#include "net/tls.hpp"

namespace edge {

/// A module as the hub tells it to its device.
struct HubModule {
    std::string id;
    std::string managed_by;
    std::string generation;
    base::SecretBytes primary_key;  ///< base64; empty where the hub has none
    base::SecretBytes secondary_key;
    std::string primary_thumbprint;  ///< hexadecimal; empty where the hub has none
};

/// The registry calls of a device about its own modules (edge-runtime.md 4.2), with the device's credential:
/// TLS client certificate whose key stays in the keys service, or a token of 30 s signed there. Errors:
/// unavailable or timeout (no network), unauthenticated (the hub's certificate is refused), not_found,
/// already_exists, permission_denied (any other refusal, with the hub's text).
class HubRegistry {
  public:
    /// Gathers trust and credential. floor: hears the time that the hub tells; outlives it.
    static net::Task<base::Result<std::shared_ptr<const HubRegistry>>> open(IdentityConfig config,
                                                                            KeysClient keys,
                                                                            CertificatesClient certificates,
                                                                            const base::Clock& clock,
                                                                            ClockFloor* floor = nullptr);

    net::Task<base::Result<std::vector<HubModule>>> list() const;
    net::Task<base::Result<HubModule>> get(std::string module) const;
    net::Task<base::Result<HubModule>> create(std::string module) const;
    net::Task<base::Result<HubModule>> set_keys(std::string module, base::SecretBytes primary,
                                                base::SecretBytes secondary) const;
    /// secondary: may be empty.
    net::Task<base::Result<HubModule>> set_thumbprints(std::string module, std::string primary,
                                                       std::string secondary) const;
    net::Task<base::Status> remove(std::string module) const;

  private:
    HubRegistry(IdentityConfig config, KeysClient keys, const base::Clock& clock, ClockFloor* floor)
        : config_(std::move(config)), keys_(std::move(keys)), clock_(clock), floor_(floor) {}

    net::Task<base::Result<json::value>> call(http::Verb verb, std::string path,
                                              std::optional<json::value> body, bool if_match,
                                              int expected) const;
    net::Task<base::Result<std::string>> authorization() const;
    std::string path(std::string_view module) const;
    base::Error explained(base::Error refused) const;

    IdentityConfig config_;
    KeysClient keys_;
    const base::Clock& clock_;
    ClockFloor* floor_;
    std::shared_ptr<const net::ClientTls> tls_;
    std::string key_handle_;                       ///< SAS devices
    std::optional<pki::Certificate> certificate_;  ///< X.509 devices
    mutable net::ServerJudgement judgement_;
};

}  // namespace edge
