// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "pki/profile.hpp"

namespace ca {

/// `[http]`: the plain listener for CRLs, OCSP and issuer certificates.
struct HttpConfig {
    bool serves = false;  ///< the table is there: without it everything is beside EST alone
    std::string address = "::";
    std::uint16_t port = 9080;
    std::string public_url{};  ///< "http://ca.local:9080", without a slash at its end; empty: not told

    /// Where the CRL of a CA is for everybody; empty without public_url.
    std::string crl_url(std::string_view ca) const;
    std::string ca_issuers_url(std::string_view ca) const;
    std::string ocsp_url() const;
};

HttpConfig read_http_config(base::ConfigTable& document);

/// Lets a certificate tell where its issuer `ca` publishes (RFC 5280 4.2.1.13, 4.2.2.1); nothing without
/// public_url.
void add_pointers(pki::IssueInput& body, const HttpConfig& http, std::string_view ca);

}  // namespace ca
