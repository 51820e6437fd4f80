// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "edge/config_split.hpp"
#include "edge/est_identities.hpp"

namespace {

base::Result<edge::Configuration> read_with_est(const std::string& text) {
    auto table = base::ConfigTable::parse(text, "config.toml");
    if (!table) return std::unexpected(table.error());
    return edge::read_configuration(*std::move(table));
}

// est-and-pki.md 7.1, as users of IoT Edge write it.
const std::string device = R"(
hostname = "edge"
[provisioning]
iothub_hostname = "hub.local"
device_id = "dev1"
[provisioning.authentication]
method = "x509"
[provisioning.authentication.identity_cert]
method = "est"
common_name = "dev1"
)";
const std::string edge_ca = R"(
[edge_ca]
method = "est"
common_name = "dev1 edge ca"
url = "https://est.example/.well-known/est/edge-ca"
)";
const std::string est = R"(
[cert_issuance.est]
trusted_certs = ["file:///est-root.pem"]
[cert_issuance.est.auth]
bootstrap_identity_cert = "file:///bootstrap.pem"
bootstrap_identity_pk = "file:///bootstrap.key"
)";
const std::string urls = R"(
[cert_issuance.est.urls]
default = "https://est.example/.well-known/est"
device-id = "https://est.example/.well-known/est/device"
)";

std::map<edge::Service, std::string> files(const edge::Configuration& configuration) {
    edge::Users users{{}, 1000};
    uid_t uid = 5555;
    for (const auto service : edge::all_services) users.service[service] = uid++;
    return edge::split_configuration(configuration, edge::Paths("/"), users);
}

void expect_lines(const std::string& text, std::initializer_list<const char*> lines) {
    for (const auto* line : lines) EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
}

TEST(EstConfiguration, OfIotEdgeIsReadAndGivenToTheServices) {
    const auto configuration = read_with_est(device + edge_ca + est + urls);
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto texts = files(*configuration);
    expect_lines(texts.at(edge::Service::certificates),
                 {"trusted_certs = [\"est-server-ca-1\"]", "bootstrap_identity_cert = \"est-bootstrap-id\"",
                  "identity_cert = \"est-id\"", "est-server-ca-1 = \"file:///est-root.pem\"",
                  "est-bootstrap-id = \"file:///bootstrap.pem\"", "[cert_issuance.est-id]",
                  "[cert_issuance.est-id-temp]", "common_name = \"dev1\"",
                  "url = \"https://est.example/.well-known/est/edge-ca\""});
    expect_lines(texts.at(edge::Service::keys),
                 {"est-bootstrap-id = \"file:///bootstrap.key\"", "\"est-id\", \"est-id-temp\""});
}

TEST(EstConfiguration, TemporaryIdsHaveTheUrlOfTheirId) {
    const auto configuration = read_with_est(device + edge_ca + est + urls);
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto text = files(*configuration).at(edge::Service::certificates);
    expect_lines(
        text,
        {"[cert_issuance.device-id-temp]\nmethod = \"est\"\nurl = "
         "\"https://est.example/.well-known/est/device\"",
         "[cert_issuance.aziot-edged-ca-temp]\nmethod = \"est\"\nurl = "
         "\"https://est.example/.well-known/est/edge-ca\"",
         "[cert_issuance.est-id-temp]\nmethod = \"est\"\nurl = \"https://est.example/.well-known/est\""});
}

TEST(EstConfiguration, IdentityAsksWhereItsFirstCertificateDoes) {
    const auto configuration = read_with_est(device + edge_ca + est +
                                             "[cert_issuance.est.urls]\ndevice-id = \"https://e/device\"\n");
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto identities = edge::est_identities(*configuration);
    ASSERT_EQ(identities.size(), 1U);
    EXPECT_EQ(identities[0].url, "https://e/device");
    EXPECT_EQ(identities[0].common_name, "dev1");
}

TEST(EstConfiguration, CredentialOfACertificatesOwnMakesAnIdentityOfItsOwn) {
    const auto configuration = read_with_est(device + edge_ca +
                                             "bootstrap_identity_cert = \"file:///ca-bootstrap.pem\"\n"
                                             "bootstrap_identity_pk = \"file:///ca-bootstrap.key\"\n" +
                                             est + urls);
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto identities = edge::est_identities(*configuration);
    ASSERT_EQ(identities.size(), 2U);
    EXPECT_EQ(identities[0].id, "est-id-aziot-edged-ca");
    EXPECT_EQ(identities[0].url, "https://est.example/.well-known/est/edge-ca");
    EXPECT_EQ(identities[0].common_name, "dev1 edge ca");
    EXPECT_EQ(identities[1].id, "est-id");
    expect_lines(files(*configuration).at(edge::Service::certificates),
                 {"est-bootstrap-id-aziot-edged-ca = \"file:///ca-bootstrap.pem\"",
                  "identity_cert = \"est-id-aziot-edged-ca\"", "[cert_issuance.est-id-aziot-edged-ca-temp]"});
}

TEST(EstConfiguration, ReadyIdentityWithoutBootstrapIsSupplied) {
    const auto configuration = read_with_est(
        device +
        "identity_cert = \"file:///own.pem\"\nidentity_pk = \"file:///own.key\"\nurl = \"https://e/d\"\n" +
        "[cert_issuance.est]\ntrusted_certs = [\"file:///r.pem\"]\n");
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto identities = edge::est_identities(*configuration);
    ASSERT_EQ(identities.size(), 1U);
    EXPECT_FALSE(identities[0].is_obtained());
    const auto texts = files(*configuration);
    expect_lines(texts.at(edge::Service::certificates), {"est-id-device-id = \"file:///own.pem\""});
    expect_lines(texts.at(edge::Service::keys), {"est-id-device-id = \"file:///own.key\""});
}

TEST(EstConfiguration, WithoutEffectIsSaid) {
    const auto configuration =
        read_with_est(device + "expiry_days = 30\n" + est +
                      "identity_cert = \"file:///own.pem\"\nidentity_pk = \"file:///own.key\"\n" + urls);
    ASSERT_TRUE(configuration) << configuration.error().text();
    ASSERT_EQ(configuration->notices.size(), 2U);
    EXPECT_NE(configuration->notices[0].find("expiry_days: without effect"), std::string::npos);
    EXPECT_NE(configuration->notices[1].find("identity_cert is without effect"), std::string::npos);
}

TEST(EstConfiguration, WhatIsMissingIsNamedWithItsRemedy) {
    const std::pair<std::string, const char*> rows[] = {
        {device,
         "cert_issuance.est is missing, and provisioning.authentication.identity_cert is to come from "
         "an EST server: add [cert_issuance.est]"},
        {device + est, "provisioning.authentication.identity_cert.url is missing: nothing says where"},
        {device + urls + "[cert_issuance.est]\n", "cert_issuance.est.trusted_certs is missing"},
        {device + urls + "[cert_issuance.est]\ntrusted_certs = [\"file:///r\"]\n",
         "cert_issuance.est.auth is missing: provisioning.authentication.identity_cert cannot be had"},
        {device + est + "[cert_issuance.est.urls]\ndefault = \"http://e/est\"\n",
         "cert_issuance.est.urls.default is http://e/est, which is not encrypted"},
        {device + "url = \"http://e\"\n" + est, "identity_cert.url is http://e, which is not encrypted"},
        {device + urls + "[cert_issuance.est]\ntrusted_certs = [\"/r.pem\"]\n", "which is not a file URI"},
        {device + urls + est + "username = \"u\"\n", "username and password are both needed"},
        {device + urls +
             "[cert_issuance.est]\ntrusted_certs = [\"file:///r\"]\n[cert_issuance.est.auth]\n"
             "bootstrap_identity_cert = \"file:///b\"\n",
         "bootstrap_identity_cert and bootstrap_identity_pk are both needed"},
        {device + urls + est + "usernam = \"u\"\n", "usernam is not a known key: did you mean username?"},
    };
    for (const auto& [text, said] : rows) {
        const auto configuration = read_with_est(text);
        ASSERT_FALSE(configuration) << said;
        EXPECT_NE(configuration.error().text().find(said), std::string::npos) << said << "\nin\n"
                                                                              << configuration.error().text();
    }
}

TEST(EstConfiguration, ModulesMayHaveTheirServerCertificatesFromThere) {
    const auto configuration =
        read_with_est(device + est + urls + "[module_certs]\nmethod = \"est\"\nurl = \"https://e/server\"\n");
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto texts = files(*configuration);
    expect_lines(texts.at(edge::Service::certificates),
                 {"[cert_issuance.\"aziot-edged/module/*:server\"]", "url = \"https://e/server\""});
    expect_lines(texts.at(edge::Service::workload), {"[module_certs]", "method = \"est\""});
}

TEST(EstConfiguration, WithoutACertificateFromThereIsKeptQuietly) {
    const auto configuration =
        read_with_est("hostname = \"edge\"\n[provisioning]\nsource = \"none\"\n" + est + urls);
    ASSERT_TRUE(configuration) << configuration.error().text();
    EXPECT_EQ(files(*configuration).at(edge::Service::certificates).find("est-"), std::string::npos);
}

}  // namespace
