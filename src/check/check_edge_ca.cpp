// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/check.hpp"
#include "check/judge_certificate.hpp"
#include "edge/edge_ca.hpp"

namespace check {
namespace {

constexpr const char* thing = "Edge CA certificate";

const Held& edge_ca(const Device& device) {
    return *device.certificate(edge::edge_ca_id);  // always listed, there or not
}

std::string how_to_replace(const Held& ca) {
    return ca.made ? "see that sallyport edge run is up: it renews the Edge CA that it made"
                   : fmt::format("have it issued anew (sallyport ca issue --profile edge-ca) and replace {}",
                                 ca.uri);
}

Finding present(const Device& device) {
    const auto& ca = edge_ca(device);
    if (ca.not_made_yet())
        return error("the Edge CA has not been made, and nothing here can get a certificate",
                     "start sallyport edge run, which makes it once the device is provisioned");
    if (!ca.chain) return failed(ca.chain.error(), "put [edge_ca] cert there, or take [edge_ca] out");
    if (const auto file = ca.key ? ca.key->file() : std::nullopt)
        if (const auto key = look_at(*file); !key)
            return failed(key.error(),
                          "put the key back; an Edge CA that was made here is made anew, as a pair, once its "
                          "certificate is removed too");
    return ok(fmt::format("{} ({}) and its key are there", thing, ca.chain->front().subject()));
}

// The finding of `judge` about the chain, where there is one.
template <class Judge>
Finding of_chain(const Device& device, Judge judge) {
    const auto& ca = edge_ca(device);
    if (!ca.chain) return skipped("there is no Edge CA: see edge-ca-present");
    return judge(ca);
}

Finding expiry(const Device& device) {
    return of_chain(device, [&](const Held& ca) {
        return judge_validity(thing, *ca.chain, device.clock.now(), how_to_replace(ca));
    });
}

Finding is_ca(const Device& device) {
    return of_chain(device, [](const Held& ca) { return judge_is_ca(thing, ca.chain->front()); });
}

Finding belongs_together(const Device& device) {
    return of_chain(device, [](const Held& ca) {
        if (!ca.key || !ca.key->file()) return ignored("its key is in a token: see key-pairs-read");
        const auto key = read_pair(*ca.key);
        if (!key) return failed(key.error(), "put the key of the Edge CA back");
        return judge_pair(thing, ca.chain->front(), key->public_key());
    });
}

Finding chain(const Device& device) {
    return of_chain(device, [&](const Held& ca) {
        const auto bundle = device.trust_bundle();
        return judge_trust(
            thing, {.chain = *ca.chain, .trust = bundle, .now = device.clock.now()},
            "put the intermediates behind the Edge CA's certificate, and its root into trust_bundle_cert");
    });
}

Finding own_root(const Device& device) {
    return of_chain(device, [&](const Held& ca) {
        return judge_own_root(*ca.chain, device.trust_bundle(), device.clock.now());
    });
}

Finding quickstart(const Device& device) {
    return of_chain(device, [](const Held& ca) {
        if (!ca.made || !ca.chain->front().is_self_issued())
            return ok("the Edge CA was issued by a CA of yours");
        return warning(
            "the Edge CA is a quickstart one, made here and signed by itself: downstream devices must "
            "be given it anew whenever it is renewed",
            "for production set [edge_ca] cert and pk to one that your CA issued "
            "(sallyport ca issue --profile edge-ca)");
    });
}

}  // namespace

std::span<const Check> edge_ca_checks() {
    constexpr const char* group = "edge CA";
    static constexpr std::array table{
        Check{"edge-ca-present", group, "the Edge CA and its key are there", Check::Needs::configuration,
              present},
        Check{"edge-ca-expiry", group, "the Edge CA is valid", Check::Needs::configuration, expiry},
        Check{"edge-ca-basic-constraints", group, "the Edge CA may issue certificates",
              Check::Needs::configuration, is_ca},
        Check{"edge-ca-key", group, "the Edge CA belongs to its private key", Check::Needs::configuration,
              belongs_together},
        Check{"edge-ca-chain", group, "the Edge CA's chain leads to the trust bundle",
              Check::Needs::configuration, chain},
        Check{"trust-bundle-own-root", group, "the trust bundle contains the gateway's own root",
              Check::Needs::configuration, own_root},
        Check{"edge-ca-production", group, "the Edge CA is one for production", Check::Needs::configuration,
              quickstart},
    };
    return table;
}

}  // namespace check
