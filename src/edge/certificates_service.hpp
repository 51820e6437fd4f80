// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "edge/certificate_store.hpp"
#include "edge/keys_client.hpp"
#include "edge/local_api.hpp"
#include "edge/service_config.hpp"
#include "pki/certificate.hpp"
#include "pki/profile.hpp"

namespace edge {

/// The certificates service (edge-runtime.md 2): keeps certificate chains and issues by local means; the
/// signing key stays in the keys service. On its own loop.
class CertificatesService {
  public:
    static base::Result<std::unique_ptr<CertificatesService>> make(CertificatesConfig config,
                                                                   const base::Clock& clock);
    const LocalApi& api() const { return *api_; }
    net::Serve serve() const { return serve_local(*api_, config_.max_requests, Keep::open); }

  private:
    CertificatesService(CertificatesConfig config, CertificateStore store, const base::Clock& clock);

    /// Who signs: the issuer's chain (empty where self-signed) and its key.
    struct Issuer {
        pki::Chain chain;
        std::string key_handle;
    };

    net::Task<Answer> create(Call call);
    Answer import(const Call& call);
    Answer read(const Call& call) const;
    Answer remove(const Call& call);

    net::Task<base::Result<Issuer>> issuer_for(std::string id, json::value body) const;
    base::Result<pki::Certificate> sign(const pki::IssueInput& input, const Issuer& issuer) const;
    base::Result<pki::Chain> issuer_chain(const std::string& id) const;
    base::Status may_write(const Call& call, std::string_view id) const;

    CertificatesConfig config_;
    CertificateStore store_;
    const base::Clock& clock_;
    KeysClient keys_;
    std::unique_ptr<LocalApi> api_;
};

}  // namespace edge
