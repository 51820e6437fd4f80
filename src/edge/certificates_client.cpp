// SPDX-License-Identifier: Apache-2.0
#include "edge/certificates_client.hpp"

#include "base/result.hpp"

namespace edge {

net::Task<base::Result<std::string>> CertificatesClient::read(std::string id) const {
    auto answered = co_await call_local(service_, http::Verb::get, "/certificates/" + path_segment(id));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return text_member(*answered, "pem");
}

net::Task<base::Result<pki::Chain>> CertificatesClient::read_chain(std::string id) const {
    auto pem = co_await read(id);
    if (!pem) co_return std::unexpected(std::move(pem).error());
    co_return pki::certificates_from_pem(*pem, "certificate " + id);
}

base::Result<pki::Chain> CertificatesClient::parse(const std::string& pem, const std::string& id) const {
    constexpr std::string_view end = "-----END CERTIFICATE-----\n";
    const auto found = pem.find(end);
    const auto leaf_size = found == std::string::npos ? pem.size() : found + end.size();
    if (leaf_size == pem.size() || issuers_->text != std::string_view(pem).substr(leaf_size)) {
        SP_TRY(return, auto chain, pki::certificates_from_pem(pem, "certificate " + id));
        issuers_->text = pem.substr(leaf_size);
        issuers_->chain.assign(chain.begin() + 1, chain.end());
        return chain;
    }
    SP_TRY(return, auto chain, pki::certificates_from_pem(pem.substr(0, leaf_size), "certificate " + id));
    chain.insert(chain.end(), issuers_->chain.begin(), issuers_->chain.end());
    return chain;
}

net::Task<base::Result<pki::Chain>> CertificatesClient::create(std::string id, std::string csr_pem,
                                                               std::optional<Issuer> issuer) const {
    json::object body{{"certId", id}, {"csr", csr_pem}};
    if (issuer)
        body["issuer"] =
            json::object{{"certId", issuer->certificate_id}, {"privateKeyHandle", issuer->key_handle}};
    json::value request = std::move(body);
    // It may come from an EST server: longer, and not on a connection that others wait for.
    auto service = service_;
    if (!issuer) service.channel.reset();
    const auto limit = issuer ? std::chrono::seconds(30) : std::chrono::seconds(75);
    auto answered =
        co_await call_local(std::move(service), http::Verb::post, "/certificates", std::move(request), limit);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    auto pem = text_member(*answered, "pem");
    if (!pem) co_return std::unexpected(std::move(pem).error());
    co_return parse(*pem, id);
}

net::Task<base::Status> CertificatesClient::import(std::string id, std::string pem) const {
    json::value body{{"pem", pem}};
    auto answered =
        co_await call_local(service_, http::Verb::put, "/certificates/" + path_segment(id), std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base::Status{};
}

net::Task<base::Status> CertificatesClient::remove(std::string id) const {
    auto answered = co_await call_local(service_, http::Verb::delete_, "/certificates/" + path_segment(id));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base::Status{};
}

}  // namespace edge
