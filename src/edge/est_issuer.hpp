// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "edge/certificate_store.hpp"
#include "edge/certificates_client.hpp"
#include "edge/est_pace.hpp"
#include "edge/keys_client.hpp"
#include "edge/renewal.hpp"
#include "edge/service_config.hpp"
#include "est/client.hpp"

namespace edge {

/// Certificates from an EST server, for the certificates service (edge-runtime.md 9, est-and-pki.md 1.14 and
/// 7). An EST identity is obtained with the bootstrap certificate, kept and renewed like any certificate of
/// a service, and everything else asked for with it; once it has expired, the bootstrap certificate is used
/// again. Waits for a server on the loop of the service, which meanwhile serves everything else.
class EstIssuer {
  public:
    /// config and store outlive it.
    EstIssuer(const CertificatesConfig& config, const CertificateStore& store, KeysClient keys,
              const base::Clock& clock);

    /// A certificate for the request, which `csr` is parsed: leaf, then its issuers without the root. Fails
    /// with rate_limited where it may be had later; the reason is the server's, or why it was not asked.
    net::Task<base::Result<pki::Chain>> issue(std::string id, std::string csr_pem, pki::Csr csr,
                                              Issuance wish);

    /// Begins to keep the EST identities, until `stop`; what they need is asked for over the service's own
    /// socket.
    net::Task<> keep_identities();
    void stop();

  private:
    struct Pair {
        pki::Chain chain;
        pki::PrivateKey key;
    };
    base::Result<est::Url> url_of(const std::string& id, const Issuance& wish) const;
    base::Result<std::shared_ptr<const pki::TrustBundle>> trust() const;
    RenewalSubject identity_subject(const std::string& id, bool obtained) const;
    void add_identity(const EstAuth& auth);
    net::Task<base::Result<Pair>> usable(std::string what, std::string certificate_id,
                                         std::string key_id) const;
    net::Task<base::Result<Pair>> pair_for(std::string id, EstAuth auth);
    net::Task<base::Result<est::Caller>> caller_for(std::string id, EstAuth auth);
    std::string request_for(const std::string& id, const std::string& csr_pem, const pki::Csr& csr) const;

    const CertificatesConfig& config_;
    const CertificateStore& store_;
    KeysClient keys_;
    CertificatesClient own_;
    const base::Clock& clock_;
    EstPace pace_;
    std::map<std::string, std::unique_ptr<Renewal>> identities_;
    /// Ids that are being asked for; a request that is cut off at the end outlives this.
    std::shared_ptr<std::set<std::string>> asking_ = std::make_shared<std::set<std::string>>();
};

}  // namespace edge
