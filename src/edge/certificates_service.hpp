// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "edge/certificate_store.hpp"
#include "edge/clock_floor.hpp"
#include "edge/est_issuer.hpp"
#include "edge/keys_client.hpp"
#include "edge/local_api.hpp"
#include "edge/service_config.hpp"
#include "pki/certificate.hpp"
#include "pki/profile.hpp"

namespace edge {

/// The certificates service (edge-runtime.md 2): keeps certificate chains and issues by local means, where
/// the signing key stays in the keys service, or has them issued by an EST server. On its own loop.
class CertificatesService {
  public:
    /// floor: where given, nothing is issued and nothing removed while the clock is wrong. Outlives it.
    static base::Result<std::unique_ptr<CertificatesService>> make(CertificatesConfig config,
                                                                   const base::Clock& clock,
                                                                   ClockFloor* floor = nullptr);
    const LocalApi& api() const { return *api_; }
    net::Serve serve() const { return serve_local(*api_, config_.max_requests, Keep::open); }
    /// Begins to keep the EST identity, until `stop`; nothing where there is none.
    net::Task<> keep_identity();
    void stop();

  private:
    CertificatesService(CertificatesConfig config, CertificateStore store, const base::Clock& clock,
                        ClockFloor* floor);

    /// Who signs: the issuer's chain (empty where self-signed) and its key.
    struct Issuer {
        pki::Chain chain;
        std::string key_handle;
    };

    net::Task<Answer> create(Call call);
    net::Task<base::Result<pki::Chain>> issue_here(std::string id, json::value body, pki::Csr csr,
                                                   std::optional<Issuance> wish);
    std::optional<Issuance> issuance_of(const std::string& id) const;
    Answer import(const Call& call);
    Answer read(const Call& call) const;
    Answer remove(const Call& call);

    /// wanted: the key that is to be certified.
    net::Task<base::Result<Issuer>> issuer_for(std::string id, json::value body, pki::PublicKey wanted) const;
    net::Task<base::Result<std::string>> self_signing_key(std::string id, pki::PublicKey wanted) const;
    base::Result<pki::Certificate> sign(const pki::IssueInput& input, const Issuer& issuer) const;
    base::Result<pki::Chain> issuer_chain(const std::string& id) const;
    base::Status may_write(const Call& call, std::string_view id) const;
    base::Status check_clock() const;

    CertificatesConfig config_;
    CertificateStore store_;
    const base::Clock& clock_;
    ClockFloor* floor_;
    KeysClient keys_;
    std::unique_ptr<EstIssuer> est_;  ///< where something comes from an EST server
    std::unique_ptr<LocalApi> api_;
};

}  // namespace edge
