// SPDX-License-Identifier: Apache-2.0
// Edge CAs of other kinds than the quickstart one with its EC key.
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "pki/verify.hpp"
#include "running_device.hpp"
#include "support/certificates.hpp"

namespace {

using namespace edge_test;
using http::Verb;

support::Identity make(pki::Profile profile, std::string name, const support::Identity* issuer,
                       pki::KeyType key_type = pki::KeyType::ec_p256) {
    support::IdentityWish wish;
    wish.profile = profile;
    wish.common_name = std::move(name);
    wish.key_type = key_type;
    wish.now = base::system_clock().now();
    return support::make_identity(wish, issuer);
}

std::string write_pair(const std::filesystem::path& directory, const std::string& name,
                       const support::Identity& identity, const pki::Chain& chain) {
    const auto stem = directory / name;
    EXPECT_TRUE(base::write_atomically(stem.string() + ".pem", pki::to_pem(chain), 0644));
    EXPECT_TRUE(base::write_atomically(stem.string() + ".key", identity.key.pem()->bytes(), 0600));
    return "file://" + stem.string();
}

struct Issued {
    pki::Chain chain;
    pki::PrivateKey key;
};

/// What the gateway gets of this device for its host name, with its key.
Issued server_certificate(RunningDevice& device) {
    const auto identity =
        ask(device.socket(edge::Service::identity), Verb::get, "/identities/modules/$edgeHub?type=aziot");
    const auto generation = edge::text_member(json_of(identity).at("spec"), "genId").value();
    const auto answer = ask(device.module_socket("$edgeHub"), Verb::post,
                            "/modules/%24edgeHub/genid/" + generation + "/certificate/server",
                            R"({"commonName":"edgegateway.local"})", "2020-07-07");
    if (answer.status != 201) throw std::runtime_error(answer.body);
    const auto key = edge::text_member(json_of(answer).at("privateKey"), "bytes").value();
    return {pki::certificates_from_pem(member(answer, "certificate"), "answer").value(),
            pki::PrivateKey::from_pem(base::SecretBytes(std::string_view(key)), "key").value()};
}

void expect_good(const pki::Chain& chain, const pki::TrustBundle& trust) {
    const std::optional<pki::PeerName> name = pki::PeerName::parse("edgegateway.local");
    const auto verdict = pki::verify({.chain = chain,
                                      .trust = trust,
                                      .purpose = pki::Purpose::server,
                                      .name = &name,
                                      .now = base::system_clock().now()});
    EXPECT_TRUE(verdict.verdict.accepted()) << pki::to_text(verdict.verdict);
}

pki::TrustBundle bundle_of(RunningDevice& device) {
    const auto answer = ask(device.module_socket("$edgeHub"), Verb::get, "/trust-bundle", {}, "2020-07-07");
    return pki::TrustBundle::from_pem(member(answer, "certificate"), "bundle").value();
}

bool is_rsa(const pki::PrivateKey& key) {
    return key.description().starts_with("RSA ");
}

TEST(RsaEdgeCa, QuickstartOneSignsRsaKeysOfModules) {
    FakeHub hub;
    RunningDevice device({hub.port(), hub.ca_file(),
                          "[edge_ca]\nkey_type = \"rsa-2048\"\n[module_certs]\nkey_type = \"rsa-2048\"\n"});
    device.wait_until_ready();
    const auto issued = server_certificate(device);
    EXPECT_TRUE(is_rsa(issued.key)) << issued.key.description();
    EXPECT_TRUE(issued.key.matches(issued.chain.front()));
    const auto ca_key =
        device.paths().home(edge::Service::keys) / "keys" / (edge::file_stem("aziot-edged-ca") + ".key");
    const auto pem = base::read_secret_file(ca_key, "key");
    ASSERT_TRUE(pem) << pem.error().text();
    EXPECT_TRUE(is_rsa(pki::PrivateKey::from_pem(*pem, "key").value()));
    expect_good(issued.chain, bundle_of(device));
}

TEST(RsaEdgeCa, SuppliedOneSigns) {
    support::TemporaryDirectory given;
    const auto root = make(pki::Profile::root, "my_private_root_CA", nullptr, pki::KeyType::rsa_2048);
    const auto ca =
        make(pki::Profile::edge_ca, "iotedged workload ca edgegateway", &root, pki::KeyType::rsa_2048);
    const auto uri = write_pair(given.path(), "ca", ca, {ca.certificate});
    FakeHub hub;
    RunningDevice device(
        {hub.port(), hub.ca_file(), "[edge_ca]\ncert = \"" + uri + ".pem\"\npk = \"" + uri + ".key\"\n"});
    device.wait_until_ready();
    const auto issued = server_certificate(device);
    EXPECT_FALSE(is_rsa(issued.key));
    expect_good(issued.chain, pki::TrustBundle(std::vector{root.certificate}));
}

std::string supplied(const std::string& uri) {
    return "[edge_ca]\ncert = \"" + uri + ".pem\"\npk = \"" + uri + ".key\"\n";
}

support::Identity edge_ca_made_at(base::Instant when, std::chrono::seconds lifetime) {
    support::IdentityWish wish;
    wish.profile = pki::Profile::edge_ca;
    wish.common_name = "iotedged workload ca edgegateway";
    wish.lifetime = lifetime;
    wish.now = when;
    return support::make_identity(wish);
}

TEST(SuppliedEdgeCa, ModuleCertificateNeverOutlivesIt) {
    support::TemporaryDirectory given;
    const auto ca = edge_ca_made_at(base::system_clock().now(), std::chrono::days(5));
    FakeHub hub;
    RunningDevice device(
        {hub.port(), hub.ca_file(), supplied(write_pair(given.path(), "ca", ca, {ca.certificate}))});
    device.wait_until_ready();
    EXPECT_EQ(server_certificate(device).chain.front().not_after(), ca.certificate.not_after());
}

TEST(SuppliedEdgeCa, ExpiredOneKeepsNothingFromStartingAndIssuesNothing) {
    support::TemporaryDirectory given;
    const auto ca =
        edge_ca_made_at(base::system_clock().now() - std::chrono::days(91), std::chrono::days(90));
    FakeHub hub;
    RunningDevice device(
        {hub.port(), hub.ca_file(), supplied(write_pair(given.path(), "ca", ca, {ca.certificate}))});
    device.wait_until_ready();
    const auto base = "/modules/%24edgeHub/genid/" + hub.generation("$edgeHub");
    const auto socket = device.module_socket("$edgeHub");
    EXPECT_EQ(ask(socket, Verb::post, base + "/sign", R"({"data":"AAAA"})", "2020-07-07").status, 200);
    const auto refused = ask(socket, Verb::post, base + "/certificate/server",
                             R"({"commonName":"edgegateway.local"})", "2020-07-07");
    EXPECT_EQ(refused.status, 500);
    EXPECT_NE(message(refused).find("has expired at"), std::string::npos) << refused.body;
}

TEST(LocalCa, IssuesTheEdgeCaAndTheIdentityOfTheDevice) {
    support::TemporaryDirectory given;
    const auto root = make(pki::Profile::root, "my_private_root_CA", nullptr);
    const auto local = make(pki::Profile::intermediate, "my_local_CA", &root);
    const auto uri = write_pair(given.path(), "local", local, {local.certificate});
    FakeHub hub;
    RunningDevice::Options options{hub.port(), hub.ca_file(),
                                   "[cert_issuance.local_ca]\ncert = \"" + uri + ".pem\"\npk = \"" + uri +
                                       ".key\"\n[edge_ca]\nmethod = \"local_ca\"\n"};
    options.authentication = "method = \"x509\"\nidentity_cert = { method = \"local_ca\", common_name = \"" +
                             std::string(test_device) + "\" }";
    RunningDevice device(options);
    device.wait_until_ready();
    EXPECT_EQ(hub.client(), test_device);
    const auto issued = server_certificate(device);
    ASSERT_EQ(issued.chain.size(), 3U);
    EXPECT_EQ(issued.chain[1].common_name(), "iotedged workload ca edgegateway");
    EXPECT_EQ(issued.chain[1].issuer(), local.certificate.subject());
    EXPECT_EQ(issued.chain[2].common_name(), "my_local_CA");
    expect_good(issued.chain, pki::TrustBundle(std::vector{root.certificate}));
    const auto identity =
        member(ask(device.socket(edge::Service::certificates), Verb::get, "/certificates/device-id"), "pem");
    EXPECT_EQ(pki::Certificate::from_pem(identity).value().issuer(), local.certificate.subject());
}

}  // namespace
