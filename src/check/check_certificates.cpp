// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/check.hpp"
#include "check/judge_certificate.hpp"
#include "edge/edge_ca.hpp"
#include "edge/est_identities.hpp"

namespace check {
namespace {

constexpr const char* put_there = "put the file there, or name another in config.toml";

std::string how_to_renew(const Held& held) {
    if (held.made && !held.renewal)
        return "add auto_renew to [provisioning.authentication.identity_cert], and remove the file once it "
               "has "
               "expired";
    if (held.made)
        return "see that sallyport edge run is up and can reach what issues it; its log says why it is not "
               "renewed";
    return fmt::format("have it issued anew and replace {}", held.uri);
}

Finding validity(const Device& device, const Held& held) {
    if (held.not_made_yet()) return ok(fmt::format("{} has not been issued yet", held.thing));
    if (!held.chain) return failed(held.chain.error(), put_there);
    return judge_validity(held.thing, *held.chain, device.clock.now(), how_to_renew(held));
}

Finding readable_by_service(const Device& device, const Held& held) {
    const auto reader = device.user_of(edge::Service::certificates);
    const auto file = edge::file_of_uri(held.uri);
    if (!reader || !file || held.not_made_yet()) return ok("");
    return judge_readable(held.thing, *file, *reader);
}

Finding validity_and_access(const Device& device, const Held& held) {
    const auto valid = validity(device, held);
    return worst({readable_by_service(device, held), valid}, held.chain ? valid.reason : held.thing);
}

Finding identity_expiry(const Device& device) {
    const auto* held = device.certificate("device-id");
    if (!held) return ignored("this device has no certificate");
    return validity_and_access(device, *held);
}

constexpr const char* no_est = "no certificate of this device comes from an EST server";

/// An identity that is obtained may end: the bootstrap certificate makes another one, and has to last.
Finding est_expiry(const Device& device) {
    if (edge::est_issuances(*device.configuration).empty()) return ignored(no_est);
    std::vector<Finding> all;
    for (const auto& held : device.certificates)
        if (held.id.starts_with("est-id") || held.id.starts_with("est-bootstrap-id"))
            all.push_back(validity_and_access(device, held));
    if (all.empty()) return ignored("the EST server is asked with a password");
    return worst(all,
                 fmt::format("{} certificates towards the EST server are there and valid, or will be made",
                             all.size()));
}

/// config.toml with another kind of URL does not get here.
Finding est_https(const Device& device) {
    const auto wanted = edge::est_issuances(*device.configuration);
    if (wanted.empty()) return ignored(no_est);
    std::string urls;
    for (const auto& each : wanted)
        urls += (urls.empty() ? "" : ", ") + edge::est_url(*device.configuration, each);
    return ok(urls);
}

Finding local_ca_expiry(const Device& device) {
    const auto* held = device.certificate("local-ca");
    if (!held) return ignored("there is no [cert_issuance.local_ca]");
    return validity_and_access(device, *held);
}

Finding preloaded(const Device& device) {
    std::vector<Finding> all;
    for (const auto& [id, source] : device.configuration->preloaded_certificates)
        if (const auto* held = device.certificate(id)) all.push_back(validity_and_access(device, *held));
    if (all.empty()) return ignored("there are no [preloaded_certs]");
    return worst(all, fmt::format("{} preloaded certificates are there and valid", all.size()));
}

Finding chain_order(const Device& device) {
    std::vector<Finding> all;
    for (const auto& held : device.certificates)
        if (held.id != "trust-bundle-user" && held.chain) all.push_back(judge_order(held.thing, *held.chain));
    return worst(all, fmt::format("{} chains are in order, leaf first", all.size()));
}

/// Late is who has missed its time and two more attempts (edge-runtime.md 2.7).
Schedule schedule_of(const edge::RenewalPolicy& policy, const pki::Certificate& leaf) {
    const auto validity = edge::validity_of(leaf);
    const auto& retry = policy.retry;
    const std::chrono::seconds pause = retry.unit == edge::RenewalAmount::Unit::percent
                                           ? (validity.not_after - validity.not_before) * retry.value / 100
                                           : std::chrono::minutes(retry.value);
    const auto due = edge::renewal_due(policy, validity);
    return {due, due + 2 * pause};
}

Finding renewal(const Device& device) {
    std::vector<Finding> all;
    std::string good;
    for (const auto& held : device.certificates) {
        if (!held.renewal || !held.chain) continue;
        const auto& leaf = held.chain->front();
        all.push_back(judge_schedule(held.thing, leaf, schedule_of(*held.renewal, leaf), device.clock.now()));
        good += (good.empty() ? "" : "; ") + all.back().reason;
    }
    if (all.empty()) return ignored("no certificate here is renewed by the services");
    return worst(all, good);
}

Finding pair(const Held& held) {
    const auto file = held.key->file();
    // What lies in a token is compared through the keys service, by key-pairs-read.
    if (!file || held.not_made_yet() || !held.chain) return ok("");
    const auto key = read_pair(*held.key);
    if (!key) return failed(key.error(), put_there);
    return judge_pair(held.thing, held.chain->front(), key->public_key());
}

Finding match_keys(const Device& device) {
    std::vector<Finding> all;
    for (const auto& held : device.certificates)
        if (held.key) all.push_back(pair(held));
    if (all.empty()) return ignored("there is no certificate with a key");
    return worst(all, fmt::format("{} certificates and their keys are pairs", all.size()));
}

Finding trust_bundle(const Device& device) {
    const auto* held = device.certificate("trust-bundle-user");
    if (!held) return ignored("there is no trust_bundle_cert");
    if (!held->chain) return failed(held->chain.error(), put_there);
    std::vector<Finding> all{readable_by_service(device, *held), validity(device, *held)};
    for (const auto& anchor : *held->chain)
        if (!anchor.is_ca())
            all.push_back(warning(fmt::format("trust bundle: {} is no CA", anchor.subject()),
                                  "put root certificates there, and none of a device or server"));
    return worst(all, fmt::format("{} anchors, all CAs and valid", held->chain->size()));
}

}  // namespace

std::span<const Check> certificate_checks() {
    constexpr const char* group = "certificates";
    static constexpr std::array table{
        Check{"identity-certificate-expiry", group, "the device certificate is there and valid",
              Check::Needs::configuration, identity_expiry},
        Check{"est-identity-and-bootstrap-certificate-expiry", group,
              "the certificates towards the EST server are valid", Check::Needs::configuration, est_expiry},
        Check{"local-ca-certificate-expiry", group, "the local CA's certificate is valid",
              Check::Needs::configuration, local_ca_expiry},
        Check{"certs-preloaded", group, "preloaded certificates are there and valid",
              Check::Needs::configuration, preloaded},
        Check{"certs-chain-order", group, "each certificate is followed by its issuer",
              Check::Needs::configuration, chain_order},
        Check{"certs-renewal-schedule", group, "renewal keeps up with its schedule",
              Check::Needs::configuration, renewal},
        Check{"est-server-https", group, "EST servers are asked over HTTPS alone",
              Check::Needs::configuration, est_https},
        Check{"certs-match-private-keys", group, "certificates belong to their private keys",
              Check::Needs::configuration, match_keys},
        Check{"trust-bundle", group, "the trust bundle holds valid CA certificates",
              Check::Needs::configuration, trust_bundle},
    };
    return table;
}

}  // namespace check
