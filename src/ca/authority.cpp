// SPDX-License-Identifier: Apache-2.0
#include "ca/authority.hpp"

#include <fmt/format.h>

#include "base/result.hpp"
#include "ca/layout.hpp"
#include "pki/verify.hpp"

namespace ca {
namespace {

base::Result<pki::Certificate> load_certificate(const Path& file) {
    SP_TRY(return, const auto pem, base::read_file(file, "CA certificate"));
    return pki::Certificate::from_pem(pem, "CA certificate " + file.string());
}

pki::Purpose purpose_of(pki::Profile profile) {
    if (pki::rules(profile).ca) return pki::Purpose::any;
    return profile == pki::Profile::server ? pki::Purpose::server : pki::Purpose::client;
}

/// Looks at what was issued as a peer will who trusts the root alone.
base::Status check(const pki::Chain& chain, const pki::Certificate& root, pki::Profile profile,
                   base::Instant now) {
    const pki::TrustBundle trust({root});
    const auto judged =
        pki::verify({.chain = chain, .trust = trust, .purpose = purpose_of(profile), .now = now});
    if (judged.verdict.accepted()) return {};
    return base::fail(
        base::Code::invalid_argument, fmt::format("certificate for {}", chain.front().subject()),
        fmt::format("would not be accepted below {}: {}", root.subject(), pki::summary(judged.verdict)),
        "look at the certificates of this CA with sallyport verify");
}

}  // namespace

base::Result<Authority> Authority::open(const std::filesystem::path& data) {
    std::error_code ignored;
    if (!std::filesystem::exists(config_file(data), ignored))
        return base::fail(base::Code::not_found, fmt::format("data directory {}", data.string()),
                          "holds no certificate authority (ca.toml is missing)",
                          fmt::format("run sallyport ca init --data {} first", data.string()));
    SP_TRY(return, auto lock, base::DirectoryLock::take(data));
    SP_TRY(return, auto config, read_config(config_file(data)));
    SP_TRY(return, auto root, load_certificate(certificate_file(data, config.root)));
    pki::Chain issuers;
    for (auto name = config.chain.rbegin(); name != config.chain.rend(); ++name) {
        SP_TRY(return, auto certificate, load_certificate(certificate_file(data, *name)));
        issuers.push_back(std::move(certificate));
    }
    SP_TRY(return, auto key, pki::PrivateKey::load(key_file(data, config.issuing()).string(), "CA key"));
    return Authority(std::move(lock), std::move(config), std::move(root), std::move(issuers), std::move(key));
}

base::Result<pki::Chain> Authority::issue(const Request& request, base::Instant now) {
    if (request.profile == pki::Profile::root)
        return base::fail(base::Code::invalid_argument, "profile root", "has no issuer",
                          "make a root with sallyport ca init");
    const auto own = config_.profile(request.profile);
    pki::IssueInput body{.profile = request.profile,
                         .key = request.key,
                         .common_name = request.common_name,
                         .names = request.names,
                         .client_auth = request.client_auth || own.client_auth};
    if (const auto lifetime = request.lifetime ? request.lifetime : own.lifetime) body.lifetime = *lifetime;
    SP_TRY(return, auto leaf, pki::issue(body, issuers_.empty() ? &root_ : &issuers_.front(), key_, now));
    pki::Chain chain{std::move(leaf)};
    chain.insert(chain.end(), issuers_.begin(), issuers_.end());
    // Nothing leaves unchecked; between this check and the answer is the place of the inventory's record.
    if (auto fine = check(chain, root_, request.profile, now); !fine) return std::unexpected(fine.error());
    return chain;
}

base::Status check_wishes(const pki::Csr& csr, pki::Profile profile) {
    if (pki::rules(profile).ca || (!csr.asks_ca && !csr.asks_cert_sign)) return {};
    return base::fail(base::Code::permission_denied, "certificate request",
                      fmt::format("asks to be a CA, which no {} certificate is", pki::to_string(profile)),
                      "make the request without basicConstraints CA:TRUE and keyCertSign");
}

}  // namespace ca
