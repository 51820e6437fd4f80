// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "pki/checks.hpp"
#include "pki/verdict.hpp"

namespace pki {
namespace {

using Advice = std::pair<std::string_view, std::string_view>;

// The ids of trust/checks.hpp stand here as text: one table serves log, command line, console and reference
// page, and pki may not include trust.
constexpr std::array table{
    Advice{checks::leaf_present,
           "the peer sent no certificate: configure its certificate and key, leaf first"},
    Advice{checks::leaf_form,
           "the certificate breaks a rule of RFC 5280: have it issued again by a CA that keeps them"},
    Advice{checks::leaf_critical_extensions,
           "the certificate demands an extension that we do not process: have it issued without it, or not "
           "critical"},
    Advice{checks::leaf_validity,
           "renew the certificate; if its dates look right, set the clock of this machine"},
    Advice{checks::leaf_key_strength,
           "make a new key (EC P-256, or RSA of 2048 bits or more) and a certificate for it"},
    Advice{checks::leaf_key_usage, "have the certificate issued with keyUsage digitalSignature"},
    Advice{checks::leaf_extended_key_usage,
           "have it issued for this purpose: serverAuth for a server, clientAuth for a device"},
    Advice{checks::leaf_san,
           "connect by a name that the certificate holds, or have it issued with that name among its SANs "
           "(for an edge "
           "device: hostname in config.toml)"},
    Advice{checks::path_issuer,
           "a certificate of the chain is missing: let the peer send its intermediates after the leaf, and "
           "put the "
           "root into the trust bundle"},
    Advice{checks::path_form,
           "an issuer's certificate breaks a rule of RFC 5280: have the CA certificate issued again"},
    Advice{checks::path_critical_extensions,
           "an issuer's certificate demands an extension that we do not process: use a CA without it"},
    Advice{checks::path_validity,
           "renew the CA certificate and what it issued; check the clock of this machine"},
    Advice{checks::path_key_strength, "make the CA anew with EC P-256, or RSA of 2048 bits or more"},
    Advice{checks::path_basic_constraints,
           "the issuer is no CA: sign with a certificate that has basicConstraints CA:TRUE"},
    Advice{checks::path_length,
           "the CA may not issue so many CAs below it: issue from it directly, or renew it with a greater "
           "path length"},
    Advice{checks::path_key_usage, "renew the CA certificate with keyUsage keyCertSign"},
    Advice{checks::path_extended_key_usage,
           "the CA is restricted to other purposes: issue from a CA whose extended key usage allows this "
           "one, or has none"},
    Advice{checks::path_name_constraints,
           "the CA may not certify this name: use a name within its constraints, or another CA"},
    Advice{checks::path_signature_algorithm, "have the certificate signed again with SHA-256 or better"},
    Advice{checks::path_signature,
           "this issuer has the right name but did not sign the certificate: after a CA was made anew, issue "
           "again what it "
           "had signed, and give the peer the CA certificate that goes with it"},
    Advice{checks::path_anchor,
           "add the root (or the CA that you trust) to the trust bundle: trust_bundle_cert in config.toml, "
           "--trust here"},
    Advice{checks::path_revocation,
           "the certificate, or a CA above it, was revoked: have a new one issued with a new key; where the "
           "CRL is "
           "too old or missing, let this machine reach crl_urls"},
    Advice{
        checks::path_budget,
        "the chain holds too many certificates or names to search: send only the certificates of the path"},

    Advice{"identity.registered", "register it at the hub: sallyport hub device create"},
    Advice{"identity.client_id", "let the client id be the device id, or device/module"},
    Advice{"identity.enabled", "enable it at the hub: sallyport hub device update --status enabled"},
    Advice{"identity.method",
           "register a type that can authenticate here (an edge device: SAS or thumbprint)"},
    Advice{"credential.present", "send the kind of credential that the registered type asks for"},
    Advice{"token.form", "make the token as SharedAccessSignature sr=...&sig=...&se=..."},
    Advice{"token.expiry", "make a new token; check the clock of the device"},
    Advice{"token.resource", "make the token for this hub and this device: HOST/devices/ID"},
    Advice{"token.policy",
           "use a policy that exists at the hub and has DeviceConnect, or the device's own key"},
    Advice{"token.signature", "the key is not the registered one: take it again from the hub"},
    Advice{
        "policy.right",
        "use a policy that has the right: sallyport hub connection-string show --policy-name iothubowner, or "
        "a narrower one"},
    Advice{"leaf.thumbprint",
           "register this certificate's thumbprint: sallyport hub device update with --primary-thumbprint"},
    Advice{"leaf.common_name", "have the certificate issued with the device id as its common name"},
    Advice{"leaf.end_entity", "let the device have a certificate of its own, not one of a CA"},
    Advice{"chain.form",
           "send the auth chain as ids from the device up to the gateway, with semicolons between"},
    Advice{"chain.links", "make each device the child of the next: sallyport hub device update --parent"},
    Advice{"chain.actor", "only the gateway at the end of the chain may speak for the device"},
};

}  // namespace

std::string_view advice(std::string_view check) {
    const auto at = std::ranges::find(table, check, &Advice::first);
    return at == table.end() ? std::string_view() : at->second;
}

}  // namespace pki
