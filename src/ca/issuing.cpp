// SPDX-License-Identifier: Apache-2.0
#include "ca/issuing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/layout.hpp"
#include "ca/rollover.hpp"
#include "ca/rollover_files.hpp"
#include "pki/permitted_names.hpp"
#include "pki/verify.hpp"

namespace ca {
namespace {

base::Result<pki::Certificate> load_certificate(const Path& file) {
    SP_TRY(return, const auto pem, base::read_file(file, "CA certificate"));
    return pki::Certificate::from_pem(pem, "CA certificate " + file.string());
}

pki::Purpose purpose_of(pki::Profile profile) {
    if (pki::rules(profile).ca || profile == pki::Profile::ocsp) return pki::Purpose::any;
    return profile == pki::Profile::server ? pki::Purpose::server : pki::Purpose::client;
}

/// Looks at what was issued as a peer will who trusts the root alone.
base::Status check_issued(const pki::Chain& chain, const pki::Certificate& root, pki::Profile profile,
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

base::Status check_time_left(const pki::Certificate& issuer, std::chrono::seconds wanted, base::Instant now) {
    if (issuer.not_after() - now >= wanted / 10) return {};
    return base::fail(
        base::Code::unavailable, fmt::format("issuer {}", issuer.subject()),
        fmt::format("ends at {}, too soon for what it would issue", base::format_rfc3339(issuer.not_after())),
        "renew the issuing CA");
}

void note_verified(const Issuing& issuing, base::Instant now) {
    auto until = issuing.root.not_after();
    if (pki::has_name_constraints(issuing.root)) return;
    for (const auto& issuer : issuing.issuers) {
        if (pki::has_name_constraints(issuer)) return;
        until = std::min(until, issuer.not_after());
    }
    issuing.verified->until = until.time_since_epoch().count();
    issuing.verified->since = now.time_since_epoch().count();
}

/// What a rollover that is under way changes: what is sent with each certificate, and what /cacerts has.
base::Status apply_rollover(const Path& data, const Rollover& rollover, base::Instant now, Issuing& issuing) {
    if (rollover.step == Rollover::Step::none) return {};
    SP_TRY(return, const auto certificates, load_rollover(data, rollover, now));
    const auto& chain = issuing.config.chain;
    if (rollover.step != Rollover::Step::prepared && !chain.empty()) {
        SP_TRY(return, issuing.issuers.back(),
                     load_certificate(switched_file(data, chain.front(), rollover.to)));
    }
    issuing.published = issuing.issuers;
    issuing.published.insert(issuing.published.end(), certificates.published.begin(),
                             certificates.published.end());
    if (certificates.above) issuing.issuers.push_back(*certificates.above);
    return {};
}

}  // namespace

base::Status check_is_ca(const std::filesystem::path& data) {
    std::error_code ignored;
    if (std::filesystem::exists(config_file(data), ignored)) return {};
    return base::fail(base::Code::not_found, fmt::format("data directory {}", data.string()),
                      "holds no certificate authority (ca.toml is missing)",
                      fmt::format("run sallyport ca init --data {} first", data.string()));
}

base::Result<Issuing> Issuing::load(const std::filesystem::path& data, base::Instant now) {
    if (auto fine = check_is_ca(data); !fine) return std::unexpected(fine.error());
    SP_TRY(return, auto config, read_config(config_file(data)));
    SP_TRY(return, const auto rollover, read_rollover(data));
    // The step that is written there counts, whether or not ca.toml has followed.
    if (rollover.step == Rollover::Step::switched || rollover.step == Rollover::Step::retired)
        config.root = rollover.to;
    SP_TRY(return, auto root, load_certificate(certificate_file(data, config.root)));
    pki::Chain issuers;
    for (auto name = config.chain.rbegin(); name != config.chain.rend(); ++name) {
        SP_TRY(return, auto certificate, load_certificate(certificate_file(data, *name)));
        issuers.push_back(std::move(certificate));
    }
    SP_TRY(return, auto key, pki::PrivateKey::load(key_file(data, config.issuing()).string(), "CA key"));
    auto published = issuers;
    published.push_back(root);
    Issuing issuing{std::move(config), std::move(root), std::move(issuers), std::move(published),
                    std::move(key)};
    if (auto done = apply_rollover(data, rollover, now, issuing); !done) return std::unexpected(done.error());
    return issuing;
}

base::Result<pki::Chain> Issuing::sign(const Order& order, base::Instant now) const {
    if (order.profile == pki::Profile::root)
        return base::fail(base::Code::invalid_argument, "profile root", "has no issuer",
                          "make a root with sallyport ca init");
    const auto own = config.profile(order.profile);
    pki::IssueInput body{.profile = order.profile,
                         .key = order.key,
                         .common_name = order.common_name,
                         .names = order.names,
                         .client_auth = order.client_auth || own.client_auth,
                         .path_length = order.path_length,
                         .subject_der = order.subject_der,
                         .permitted = order.permitted};
    add_pointers(body, config.http, config.issuing());
    if (order.lifetime)
        body.lifetime = order.lifetime;
    else if (own.lifetime)
        body.lifetime = *own.lifetime;
    if (!order.allow_short) {
        const std::chrono::seconds usual = pki::rules(order.profile).lifetime;
        if (auto fine = check_time_left(issuer(), body.lifetime.value_or(usual), now); !fine)
            return std::unexpected(fine.error());
    }
    SP_TRY(return, auto leaf, pki::issue(body, &issuer(), key, now));
    pki::Chain chain{std::move(leaf)};
    chain.insert(chain.end(), issuers.begin(), issuers.end());
    // Nothing leaves unchecked. The form of a leaf is its profile's: what a peer could still refuse about it
    // are the CAs above, and those stay as they were found until the first of them ends.
    const bool ca_certificate = pki::rules(order.profile).ca;
    const auto seconds = now.time_since_epoch().count();
    if (!ca_certificate && verified->since != 0 && seconds >= verified->since && seconds < verified->until)
        return chain;
    if (auto fine = check_issued(chain, root, order.profile, now); !fine)
        return std::unexpected(fine.error());
    if (!ca_certificate) note_verified(*this, now);
    return chain;
}

base::Status check_wishes(const pki::Csr& csr, pki::Profile profile) {
    if (pki::rules(profile).ca || (!csr.asks_ca && !csr.asks_cert_sign)) return {};
    return base::fail(base::Code::permission_denied, "certificate request",
                      fmt::format("asks to be a CA, which no {} certificate is", pki::to_string(profile)),
                      "make the request without basicConstraints CA:TRUE and keyCertSign");
}

}  // namespace ca
