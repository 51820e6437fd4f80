// SPDX-License-Identifier: Apache-2.0
#include "ca/http_config.hpp"

#include "base/encoding.hpp"
#include "pki/name.hpp"
#include "pki/peer_name.hpp"

namespace ca {

std::string HttpConfig::crl_url(std::string_view ca) const {
    return public_url.empty() ? "" : public_url + "/crl/" + base::percent_encode(ca) + ".crl";
}
std::string HttpConfig::ca_issuers_url(std::string_view ca) const {
    return public_url.empty() ? "" : public_url + "/ca/" + base::percent_encode(ca) + ".crt";
}
std::string HttpConfig::ocsp_url() const {
    return public_url.empty() ? "" : public_url + "/ocsp";
}

HttpConfig read_http_config(base::ConfigTable& document) {
    HttpConfig http;
    auto table = document.table("http");
    if (!table) return http;
    http.serves = true;
    if (const auto address = table->string("listen")) {
        http.address = *address;
        if (*address != "localhost" && !pki::PeerName::parse(*address).is_address())
            table->complain("listen", "is not an IP address",
                            "use \"::\" for every address of this machine, \"localhost\" for itself alone");
    }
    if (const auto port = table->integer("port", 0, 65535)) http.port = static_cast<std::uint16_t>(*port);
    if (auto url = table->string("public_url")) {
        while (url->ends_with('/')) url->pop_back();
        // https would need a certificate whose revocation is asked for there (RFC 5280 8).
        if (!url->starts_with("http://") || !pki::check_name("URI:" + *url))
            table->complain("public_url", "is not a plain http URL",
                            "write where everybody reaches the plain listener, http://ca.example.com:9080");
        http.public_url = *std::move(url);
    }
    return http;
}

void add_pointers(pki::IssueInput& body, const HttpConfig& http, std::string_view ca) {
    if (http.public_url.empty()) return;
    body.crl_urls = {http.crl_url(ca)};
    body.ocsp_url = http.ocsp_url();
    body.ca_issuers_url = http.ca_issuers_url(ca);
}

}  // namespace ca
