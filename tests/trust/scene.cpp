// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

#include <stdexcept>

#include "base/file.hpp"

namespace scene {
namespace {

const std::vector<std::string> hosts{std::string(hub), "edgegateway.local"};

void show_chain(Scene& scene, const pki::Certificate& leaf) {
    scene.certificates = {leaf};
}

}  // namespace

std::string key(char letter) {
    return base::to_base64(base::Bytes(32, static_cast<std::byte>(letter)));
}

void Scene::show_token(std::string_view path, const std::string& signing_key, std::string_view skn) {
    const auto resource = std::string(hub) + (path.empty() ? "" : "/") + std::string(path);
    token = trust::make_sas_token(resource, signing_key, now() + std::chrono::hours(1), skn).value();
}

void Scene::show_token_at(base::Instant expires, std::string_view path, const std::string& signing_key) {
    token = trust::make_sas_token(std::string(hub) + "/" + std::string(path), signing_key, expires).value();
}

trust::Decision Scene::decide() const {
    const trust::Presented presented{record.identity, client_id, token, &certificates};
    const pki::TrustBundle cas(device_cas);
    trust::OnBehalf behalf{
        .claimed_chain = chain, .actor = actor.empty() ? nullptr : &actor.front(), .links = {}};
    for (std::size_t i = 0; i < links.size(); ++i)
        behalf.links.push_back(i < unknown_links.size() && unknown_links[i] ? nullptr : &links[i]);
    const trust::Context context{.hosts = hosts,
                                 .device_cas = device_cas.empty() ? nullptr : &cas,
                                 .policy = policy.empty() ? nullptr : &policy.front(),
                                 .on_behalf = on_behalf ? &behalf : nullptr,
                                 .now = when};
    return trust::authenticate(presented, registered ? &record : nullptr, context);
}

trust::Record device(std::string id, trust::AuthType type) {
    trust::Record record;
    record.identity.device = std::move(id);
    record.authentication.type = type;
    return record;
}

trust::Record edge(std::string id, const std::string& parent) {
    auto record = device(std::move(id));
    record.edge_enabled = true;
    record.device_scope = "scope of " + record.identity.device;
    if (!parent.empty()) record.parent_scopes = {"scope of " + parent};
    return record;
}

trust::Record child(std::string id, const std::string& parent) {
    auto record = device(std::move(id));
    record.device_scope = "scope of " + parent;
    record.parent_scopes = {record.device_scope};
    return record;
}

trust::Record module(std::string device_id, std::string id, char key_letter) {
    auto record = device(std::move(device_id));
    record.identity.module = std::move(id);
    record.authentication.primary_key = key(key_letter);
    record.authentication.secondary_key = key(key_letter);
    return record;
}

trust::Thumbprint sha256_of(const pki::Certificate& certificate) {
    return trust::Thumbprint::from_bytes(certificate.sha256());
}
trust::Thumbprint sha1_of(const pki::Certificate& certificate) {
    return trust::Thumbprint::from_bytes(certificate.sha1());
}

pki::Certificate certificate_file(const std::string& name) {
    const auto pem = base::read_file(std::filesystem::path(TEST_DATA) / "certificates" / name, "certificate");
    if (!pem) throw std::runtime_error(pem.error().text());
    return pki::Certificate::from_pem(*pem).value();
}

const Certificates& certificates() {
    static const Certificates made;
    return made;
}

Scene by_thumbprint() {
    Scene out;
    out.record = device("TempSensor", trust::AuthType::self_signed);
    out.record.authentication.primary_thumbprint = sha256_of(certificates().own.certificate);
    out.client_id = "TempSensor";
    show_chain(out, certificates().own.certificate);
    return out;
}

Scene by_ca() {
    Scene out;
    out.record = device("TempSensor", trust::AuthType::certificate_authority);
    out.client_id = "TempSensor";
    out.device_cas = {certificates().pki.root.certificate};
    show_chain(out, certificates().from_root.certificate);
    return out;
}

Scene by_sas() {
    Scene out;
    out.record = device("TempSensor");
    out.record.authentication.primary_key = key('A');
    out.record.authentication.secondary_key = key('B');
    out.client_id = "TempSensor";
    out.show_token("devices/TempSensor", key('A'));
    return out;
}

Scene module_by_sas() {
    Scene out;
    out.record = module("EdgeGateway", "mod1", 'M');
    out.client_id = "EdgeGateway/mod1";
    out.show_token("devices/EdgeGateway/modules/mod1", key('M'));
    return out;
}

Scene on_behalf() {
    Scene out;
    out.record = child("TempSensor", "EdgeGateway");
    out.record.authentication.primary_key = key('A');
    out.record.authentication.secondary_key = key('B');
    out.client_id = "TempSensor";
    out.on_behalf = true;
    out.chain = "TempSensor;EdgeGateway";
    out.links = {out.record, edge("EdgeGateway")};
    out.actor = {module("EdgeGateway", "$edgeHub", 'H')};
    out.show_token("devices/EdgeGateway/modules/$edgeHub", key('H'));
    return out;
}

TEST_P(Authenticate, Decides) {
    auto attempt = GetParam().start();
    ASSERT_TRUE(attempt.decide().verdict.accepted()) << pki::to_text(attempt.decide().verdict);
    GetParam().change(attempt);
    const auto decision = attempt.decide();
    const auto* failure = decision.verdict.first_failure();
    EXPECT_EQ(failure == nullptr ? "" : failure->check, GetParam().fails_at)
        << pki::to_text(decision.verdict);
    EXPECT_EQ(decision.verdict.accepted(), GetParam().fails_at.empty());
    if (decision.verdict.accepted()) {
        EXPECT_TRUE(decision.valid_until);
        EXPECT_FALSE(decision.method.empty());
    }
}

}  // namespace scene
