// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

namespace scene {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const support::TestPki& ca() {
    return certificates().pki;
}
const pki::Certificate& root() {
    return ca().root.certificate;
}
const pki::Certificate& intermediate() {
    return ca().intermediate.certificate;
}

void show(Scene& s, pki::Chain chain) {
    s.certificates = std::move(chain);
}

pki::Certificate named(std::string common_name, std::vector<std::string> names = {}) {
    return support::make_identity({.common_name = std::move(common_name), .names = std::move(names)},
                                  &ca().root)
        .certificate;
}

/// A leaf from the intermediate, which is shown, too.
Scene by_intermediate() {
    auto s = by_ca();
    show(s, {certificates().from_intermediate.certificate, intermediate()});
    return s;
}

Scene by_short_lived_ca() {
    auto s = by_ca();
    s.device_cas = {certificate_file("short_lived_root.pem")};
    show(s, {certificate_file("outlives_its_issuer.pem")});
    return s;
}

Scene module_by_ca() {
    auto s = by_ca();
    s.record.identity.module = "mod1";
    s.client_id = "TempSensor/mod1";
    show(s, {named("TempSensor/mod1")});
    return s;
}

void claim(Scene& s, const std::string& id) {
    s.record.identity.device = id;
    s.client_id = id;
}

const Case ca_cases[] = {
    {"IssuedByAVerifiedRoot", by_ca, nothing, ""},
    {"IntermediateIsShown", by_intermediate, nothing, ""},
    {"RootIsShownToo", by_intermediate, [](Scene& s) { s.certificates.push_back(root()); }, ""},
    {"IntermediateIsTheAnchor", by_intermediate, [](Scene& s) { s.device_cas = {intermediate()}; }, ""},
    {"IntermediateIsTheAnchorAndNotShown", by_intermediate,
     [](Scene& s) {
         s.device_cas = {intermediate()};
         s.certificates.pop_back();
     },
     ""},
    {"IntermediateIsMissing", by_intermediate, [](Scene& s) { s.certificates.pop_back(); }, "path.issuer"},
    {"NoCaIsVerified", by_ca, [](Scene& s) { s.device_cas.clear(); }, "path.issuer"},
    {"AnotherCaIsVerified", by_ca,
     [](Scene& s) {
         s.device_cas = {support::make_identity({.profile = pki::Profile::root, .common_name = "another_CA"})
                             .certificate};
     },
     "path.issuer"},
    {"AnotherCaOfTheSameName", by_ca,
     [](Scene& s) {
         s.device_cas = {
             support::make_identity({.profile = pki::Profile::root, .common_name = "my_private_root_CA"})
                 .certificate};
     },
     "path.signature"},
    {"SelfSignedLeaf", by_ca, [](Scene& s) { show(s, {certificates().own.certificate}); }, "path.anchor"},
    {"LastSecondOfTheLeaf", by_ca,
     [](Scene& s) { s.when = certificates().from_root.certificate.not_after(); }, ""},
    {"ExpiredLeaf", by_ca,
     [](Scene& s) { s.when = certificates().from_root.certificate.not_after() + seconds(1); },
     "leaf.validity"},
    {"LeafNotYetValid", by_ca,
     [](Scene& s) { s.when = certificates().from_root.certificate.not_before() - seconds(1); },
     "leaf.validity"},
    {"ExpiredAnchor", by_short_lived_ca, [](Scene& s) { s.when += hours(365 * 24); }, "path.validity"},
    {"ServerAuthAlone", by_ca,
     [](Scene& s) {
         const auto leaf = support::make_identity({.profile = pki::Profile::server,
                                                   .common_name = "TempSensor",
                                                   .names = {"DNS:tempsensor.local"}},
                                                  &ca().root);
         show(s, {leaf.certificate});
     },
     "leaf.extended_key_usage"},
    {"ServerAuthAndClientAuth", by_ca,
     [](Scene& s) {
         const auto leaf = support::make_identity({.profile = pki::Profile::server,
                                                   .common_name = "TempSensor",
                                                   .names = {"DNS:tempsensor.local"},
                                                   .client_auth = true},
                                                  &ca().root);
         show(s, {leaf.certificate});
     },
     ""},
    {"NoExtendedKeyUsage", by_ca,
     [](Scene& s) {
         s.device_cas = {certificate_file("root.pem")};
         show(s, {certificate_file("no_extended_key_usage.pem")});
     },
     ""},
    {"CaCertificateOfThisName", by_ca,
     [](Scene& s) {
         const auto leaf = support::make_identity(
             {.profile = pki::Profile::edge_ca, .common_name = "TempSensor"}, &ca().root);
         show(s, {leaf.certificate});
     },
     "leaf.end_entity"},
    {"AnotherCommonName", by_ca, [](Scene& s) { show(s, {named("TempSensor2")}); }, "leaf.common_name"},
    {"CommonNameInAnotherCase", by_ca, [](Scene& s) { show(s, {named("tempsensor")}); }, "leaf.common_name"},
    {"NameInTheSanAlone", by_ca, [](Scene& s) { show(s, {named("another", {"DNS:TempSensor"})}); },
     "leaf.common_name"},
    {"TwoEqualCommonNames", by_ca,
     [](Scene& s) {
         s.device_cas = {certificate_file("root.pem")};
         show(s, {certificate_file("two_equal_common_names.pem")});
     },
     ""},
    {"TwoCommonNamesOfWhichTheLastFits", by_ca,
     [](Scene& s) {
         s.device_cas = {certificate_file("root.pem")};
         show(s, {certificate_file("two_common_names.pem")});
     },
     "leaf.common_name"},
    {"NoCommonName", by_ca,
     [](Scene& s) {
         s.device_cas = {certificate_file("root.pem")};
         show(s, {certificate_file("no_common_name.pem")});
     },
     "leaf.common_name"},
    {"AnotherDeviceIsClaimed", by_ca, [](Scene& s) { claim(s, "EdgeGateway"); }, "leaf.common_name"},
    {"EdgeDevice", by_ca, [](Scene& s) { s.record.edge_enabled = true; }, "identity.method"},
    {"Disabled", by_ca, [](Scene& s) { s.record.status = trust::Enablement::disabled; }, "identity.enabled"},
    {"NoCertificate", by_ca, [](Scene& s) { s.certificates.clear(); }, "credential.present"},
    {"TokenInItsPlace", by_ca,
     [](Scene& s) {
         s.certificates.clear();
         s.show_token("devices/TempSensor", key('A'));
     },
     "credential.present"},
    {"TokenBesideItIsNotLookedAt", by_ca, [](Scene& s) { s.token = "SharedAccessSignature nonsense"; }, ""},
    {"NotRegistered", by_ca, [](Scene& s) { s.registered = false; }, "identity.registered"},
    {"RegisteredByThumbprintInstead", by_ca,
     [](Scene& s) { s.record.authentication.type = trust::AuthType::self_signed; }, "leaf.thumbprint"},
    {"ModuleIsNamedWithItsDevice", module_by_ca, nothing, ""},
    {"ModuleIsNotNamedByItsDeviceAlone", module_by_ca, [](Scene& s) { show(s, {named("TempSensor")}); },
     "leaf.common_name"},
    {"ModuleIsNotNamedAlone", module_by_ca, [](Scene& s) { show(s, {named("mod1")}); }, "leaf.common_name"},
    {"ModuleOfADisabledDevice", module_by_ca,
     [](Scene& s) { s.record.device_status = trust::Enablement::disabled; }, "identity.enabled"},
};

INSTANTIATE_TEST_SUITE_P(CertificateAuthority, Authenticate, testing::ValuesIn(ca_cases), name_of);

}  // namespace
}  // namespace scene
