// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "edge/local_client.hpp"
#include "pki/certificate.hpp"

namespace edge {

/// The certificates service as the other services see it. Cheap to copy.
class CertificatesClient {
  public:
    /// kept: so many connections at most, which stay open and belong to the loop of whoever calls; 0: each
    /// call opens its own.
    CertificatesClient(std::string socket, const base::Clock& clock, std::size_t kept = 0)
        : service_(local_service("certificates service", std::move(socket), "2020-09-01", clock, kept)) {}

    /// not_found where there is none.
    net::Task<base::Result<std::string>> read(std::string id) const;
    net::Task<base::Result<pki::Chain>> read_chain(std::string id) const;

    struct Issuer {
        std::string certificate_id;
        std::string key_handle;
    };
    /// The new chain, leaf first. issuer: none where the id has an issuance of its own; rate_limited where
    /// that is by an EST server that gives it later.
    net::Task<base::Result<pki::Chain>> create(std::string id, std::string csr_pem,
                                               std::optional<Issuer> issuer) const;

    /// Puts a chain that was made elsewhere, or under another id, under this one.
    net::Task<base::Status> import(std::string id, std::string pem) const;
    /// Done also where there is none.
    net::Task<base::Status> remove(std::string id) const;

  private:
    base::Result<pki::Chain> parse(const std::string& pem, const std::string& id) const;

    /// What stood behind the leaf last time: the issuers of certificates that follow each other are the same.
    struct Issuers {
        std::string text;
        pki::Chain chain;
    };
    LocalService service_;
    std::shared_ptr<Issuers> issuers_ = std::make_shared<Issuers>();
};

}  // namespace edge
