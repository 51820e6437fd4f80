// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

namespace scene {
namespace {

using std::chrono::seconds;

trust::Authentication& registered(Scene& s) {
    return s.record.authentication;
}

const pki::Certificate& own() {
    return certificates().own.certificate;
}

trust::Thumbprint other() {
    return sha256_of(certificates().pki.root.certificate);
}

void present(Scene& s, const pki::Certificate& certificate) {
    s.certificates = {certificate};
    registered(s).primary_thumbprint = sha256_of(certificate);
}

const Case thumbprint_cases[] = {
    {"PrimaryBySha256", by_thumbprint, nothing, ""},
    {"SecondaryBySha256", by_thumbprint,
     [](Scene& s) { std::swap(registered(s).primary_thumbprint, registered(s).secondary_thumbprint); }, ""},
    {"PrimaryBySha1", by_thumbprint, [](Scene& s) { registered(s).primary_thumbprint = sha1_of(own()); }, ""},
    {"SecondaryBySha1", by_thumbprint,
     [](Scene& s) {
         registered(s).primary_thumbprint = other();
         registered(s).secondary_thumbprint = sha1_of(own());
     },
     ""},
    {"ColonsAndLowerCaseAtRegistration", by_thumbprint,
     [](Scene& s) {
         registered(s).primary_thumbprint =
             trust::Thumbprint::parse(base::to_lower(pki::with_colons(own().sha256()))).value();
     },
     ""},
    {"IssuerIsNotLookedAt", by_thumbprint, [](Scene& s) { present(s, certificates().from_root.certificate); },
     ""},
    {"FurtherCertificatesAreNotLookedAt", by_thumbprint,
     [](Scene& s) { s.certificates.push_back(certificates().pki.root.certificate); }, ""},
    {"CommonNameIsNotLookedAt", by_thumbprint,
     [](Scene& s) { present(s, support::make_identity({.common_name = "another"}).certificate); }, ""},
    {"ServerAuthAloneIsNotLookedAt", by_thumbprint,
     [](Scene& s) {
         present(s, support::make_identity({.profile = pki::Profile::server, .names = {"DNS:TempSensor"}})
                        .certificate);
     },
     ""},
    {"CaCertificateIsNotLookedAt", by_thumbprint,
     [](Scene& s) { present(s, certificates().pki.root.certificate); }, ""},
    {"EdgeDeviceMayUseIt", by_thumbprint, [](Scene& s) { s.record.edge_enabled = true; }, ""},
    {"TokenBesideItIsNotLookedAt", by_thumbprint,
     [](Scene& s) { s.token = "SharedAccessSignature nonsense"; }, ""},
    {"ClientIdOfHttpIsNotThere", by_thumbprint, [](Scene& s) { s.client_id = ""; }, ""},
    {"LastSecondIsValid", by_thumbprint, [](Scene& s) { s.when = own().not_after(); }, ""},
    {"FirstSecondIsValid", by_thumbprint, [](Scene& s) { s.when = own().not_before(); }, ""},
    {"Expired", by_thumbprint, [](Scene& s) { s.when = own().not_after() + seconds(1); }, "leaf.validity"},
    {"NotYetValid", by_thumbprint, [](Scene& s) { s.when = own().not_before() - seconds(1); },
     "leaf.validity"},
    {"AnotherCertificate", by_thumbprint,
     [](Scene& s) { s.certificates = {certificates().from_root.certificate}; }, "leaf.thumbprint"},
    {"LeafIsNotTheFirstThatIsShown", by_thumbprint,
     [](Scene& s) { s.certificates.insert(s.certificates.begin(), certificates().pki.root.certificate); },
     "leaf.thumbprint"},
    {"NoThumbprintRegistered", by_thumbprint, [](Scene& s) { registered(s).primary_thumbprint.reset(); },
     "leaf.thumbprint"},
    {"Disabled", by_thumbprint, [](Scene& s) { s.record.status = trust::Enablement::disabled; },
     "identity.enabled"},
    {"NoCertificate", by_thumbprint, [](Scene& s) { s.certificates.clear(); }, "credential.present"},
    {"TokenInItsPlace", by_thumbprint,
     [](Scene& s) {
         s.certificates.clear();
         s.show_token("devices/TempSensor", key('A'));
     },
     "credential.present"},
    {"ClientIdOfAnother", by_thumbprint, [](Scene& s) { s.client_id = "TempSensor2"; }, "identity.client_id"},
    {"ClientIdInAnotherCase", by_thumbprint, [](Scene& s) { s.client_id = "tempsensor"; },
     "identity.client_id"},
    {"NotRegistered", by_thumbprint, [](Scene& s) { s.registered = false; }, "identity.registered"},
    {"RegisteredByCaInstead", by_thumbprint,
     [](Scene& s) { registered(s).type = trust::AuthType::certificate_authority; }, "path.anchor"},
    {"RegisteredBySasInstead", by_thumbprint, [](Scene& s) { registered(s).type = trust::AuthType::sas; },
     "credential.present"},
};

INSTANTIATE_TEST_SUITE_P(Thumbprint, Authenticate, testing::ValuesIn(thumbprint_cases), name_of);

}  // namespace
}  // namespace scene
