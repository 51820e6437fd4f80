// SPDX-License-Identifier: Apache-2.0
#include "edge/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "base/file.hpp"
#include "edge/service_config.hpp"
#include "edge/service_files.hpp"
#include "support/temporary_directory.hpp"

namespace {

constexpr std::string_view article = R"(
hostname = "edgegateway.local"
trust_bundle_cert = "file:///root-ca.pem"
[provisioning]
source = "manual"
iothub_hostname = "ContosoIotHub:8443"
iothub_address = "127.0.0.2"
iothub_mqtt_port = 18883
trusted_certs = ["file:///root-ca.pem"]
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
identity_cert = "file:///device.pem"
identity_pk = "file:///device.key"
[edge_ca]
cert = "file:///edge-ca.pem"
pk = "file:///edge-ca.key"
[gateway]
address = "127.0.0.3"
[gateway.listen]
mqtt_port = 0
[[principal]]
name = "mod1"
uid = 1000
idtype = ["module"]
keys = ["mine"]
certs = ["mine*"]
names = ["mod1.local"]
)";

base::Result<edge::Configuration> read(std::string_view text) {
    auto table = base::ConfigTable::parse(text, "config.toml");
    if (!table) return std::unexpected(table.error());
    return edge::read_configuration(*std::move(table));
}

std::string refusal(std::string_view text) {
    const auto read_one = read(text);
    return read_one ? "accepted" : read_one.error().text();
}

TEST(Configuration, OfTheArticleIsRead) {
    const auto configuration = read(article);
    ASSERT_TRUE(configuration) << configuration.error().text();
    EXPECT_EQ(configuration->hostname, "edgegateway.local");
    const auto& hub = configuration->device->hub;
    EXPECT_EQ(hub.name, "ContosoIotHub");
    EXPECT_EQ(hub.address, "127.0.0.2");
    EXPECT_EQ(hub.https_port, 8443);
    EXPECT_EQ(hub.mqtt_port, 18883);
    EXPECT_EQ(configuration->edge_ca.certificate, "file:///edge-ca.pem");
    EXPECT_EQ(configuration->gateway_listen.address, "127.0.0.3");
    EXPECT_EQ(configuration->gateway_listen.mqtt_port, 0);
    ASSERT_EQ(configuration->principals.size(), 1U);
    EXPECT_EQ(configuration->principals[0].uid, 1000U);
}

TEST(Configuration, UnknownKeyNamesTheNearestKnownOne) {
    EXPECT_NE(refusal(std::string("hostnam = \"x\"\n") + std::string(article)).find("did you mean hostname?"),
              std::string::npos);
    EXPECT_NE(refusal(std::string(article) + "passwort = 1\n").find("passwort"), std::string::npos);
}

TEST(Configuration, AllProblemsAreToldAtOnce) {
    const auto said = refusal(R"(
hostname = "not a name"
[provisioning]
iothub_hostname = "h:99999"
device_id = "a b"
[provisioning.authentication]
method = "x509"
identity_cert = "/device.pem"
)");
    for (const auto* part : {"hostname", "iothub_hostname", "device_id", "identity_cert", "identity_pk"})
        EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
}

TEST(Configuration, ContainerKeysGiveOneNotice) {
    const auto configuration = read(std::string(article) + R"(
[agent]
name = "edgeAgent"
type = "docker"
[agent.config]
image = "x"
[agent.env]
RuntimeLogLevel = "debug"
[moby_runtime]
uri = "unix:///var/run/docker.sock"
[connect]
workload_uri = "unix:///var/run/iotedge/workload.sock"
)");
    ASSERT_TRUE(configuration) << configuration.error().text();
    ASSERT_EQ(configuration->notices.size(), 1U);
    EXPECT_EQ(configuration->notices[0],
              "agent, moby_runtime, connect: known, without effect: this program manages no containers");
}

TEST(Configuration, WhatThisVersionDoesNotDoIsRefusedByName) {
    EXPECT_NE(refusal("[provisioning]\nsource = \"dps\"\nid_scope = \"0ne\"\n").find("dps"),
              std::string::npos);
    EXPECT_NE(
        refusal("[provisioning]\nsource = \"none\"\n[edge_ca]\ncert = \"file:///x\"\n").find("both needed"),
        std::string::npos);
}

TEST(Configuration, ConnectionStringIsASasDevice) {
    const auto configuration = read(R"(
hostname = "edge"
[provisioning]
source = "manual"
connection_string = "HostName=hub.local;DeviceId=EdgeGateway;SharedAccessKey=a2V5a2V5a2V5a2V5a2V5a2V5"
)");
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto* key = std::get_if<edge::SymmetricCredential>(&configuration->device->credential);
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->value->text(), "keykeykeykeykeykey");
}

base::Result<edge::Configuration> read_files(const std::map<std::string, std::string>& files) {
    support::TemporaryDirectory root;
    const edge::Paths paths(root.path());
    for (const auto& [name, text] : files) {
        const auto file = paths.configuration().parent_path() / name;
        EXPECT_TRUE(base::make_private_directories(file.parent_path()));
        EXPECT_TRUE(base::write_atomically(file, text, 0600));
    }
    return edge::read_configuration(paths);
}

TEST(ConfigurationDirectory, FilesFollowInByteOrderOfTheirNames) {
    std::map<std::string, std::string> files{{"config.toml", std::string(article)}};
    // Digits before capitals before small letters, and "10" before "2".
    for (const auto* name : {"10", "2", "B", "a"})
        files[std::string("config.d/") + name + ".toml"] = std::string("hostname = \"") + name + ".local\"\n";
    files["config.d/z.toml.off"] = "hostname = \"off.local\"\n";
    auto read_one = read_files(files);
    ASSERT_TRUE(read_one) << read_one.error().text();
    EXPECT_EQ(read_one->hostname, "a.local");
    // Without the last one, the one before it counts.
    const std::vector<std::string> names{"10", "2", "B", "a"};
    for (auto last = names.size() - 1; last > 0; --last) {
        files.erase("config.d/" + names[last] + ".toml");
        read_one = read_files(files);
        ASSERT_TRUE(read_one) << read_one.error().text();
        EXPECT_EQ(read_one->hostname, names[last - 1] + ".local");
    }
}

TEST(ConfigurationDirectory, TablesMergeAndArraysJoin) {
    const auto configuration = read_files({{"config.toml", std::string(article)},
                                           {"config.d/10.toml", R"(
[provisioning]
iothub_https_port = 18443
[gateway]
address = "127.0.0.9"
[[principal]]
name = "mod2"
uid = 1001
idtype = ["module"]
)"},
                                           {"config.d/20.toml", R"(
[[principal]]
name = "mod3"
uid = 1002
idtype = ["module"]
)"}});
    ASSERT_TRUE(configuration) << configuration.error().text();
    const auto& hub = configuration->device->hub;
    EXPECT_EQ(hub.https_port, 18443);
    EXPECT_EQ(hub.mqtt_port, 18883);  // from the first file, in the same table
    EXPECT_EQ(configuration->gateway_listen.address, "127.0.0.9");
    EXPECT_EQ(configuration->gateway_listen.mqtt_port, 0);
    std::vector<std::string> names;
    for (const auto& principal : configuration->principals) names.push_back(principal.name);
    EXPECT_EQ(names, (std::vector<std::string>{"mod1", "mod2", "mod3"}));
}

TEST(ConfigurationDirectory, ProblemOfALaterFileIsAnError) {
    const auto configuration =
        read_files({{"config.toml", std::string(article)}, {"config.d/10.toml", "hostnam = \"x\"\n"}});
    ASSERT_FALSE(configuration);
    EXPECT_NE(configuration.error().text().find("hostname"), std::string::npos)
        << configuration.error().text();
}

class Split : public testing::Test {
  protected:
    support::TemporaryDirectory directory_;
    edge::Paths paths_{directory_.path()};
    edge::Users users_{{{edge::Service::keys, 5554},
                        {edge::Service::certificates, 5555},
                        {edge::Service::identity, 5556},
                        {edge::Service::workload, 5558}},
                       ::geteuid()};
};

TEST_F(Split, RenewalReachesTheServicesThatRenew) {
    const auto configuration = read(R"(
hostname = "edgegateway.local"
[provisioning]
iothub_hostname = "contosoiothub.local"
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
[provisioning.authentication.identity_cert]
method = "self_signed"
auto_renew = { rotate_key = false, threshold = "30day", retry = "90min" }
[edge_ca]
method = "self_signed"
[edge_ca.auto_renew]
rotate_key = true
threshold = "50%"
retry = "2%"
)");
    ASSERT_TRUE(configuration) << configuration.error().text();
    ASSERT_TRUE(edge::write_service_files(*configuration, paths_, users_, false));
    using Unit = edge::RenewalAmount::Unit;
    const auto identity = edge::read_identity_config(paths_);
    ASSERT_TRUE(identity) << identity.error().text();
    EXPECT_EQ(identity->renewal,
              (edge::RenewalPolicy{false, {Unit::minutes, 30 * 1440}, {Unit::minutes, 90}}));
    const auto workload = edge::read_workload_config(paths_);
    ASSERT_TRUE(workload) << workload.error().text();
    EXPECT_EQ(workload->edge_ca_renewal,
              (edge::RenewalPolicy{true, {Unit::percent, 50}, {Unit::percent, 2}}));
    const auto certificates = edge::read_certificates_config(paths_);
    const auto keys = edge::read_keys_config(paths_);
    for (const auto* id : {"device-id", "device-id-temp", "aziot-edged-ca", "aziot-edged-ca-temp"}) {
        const uid_t user = std::string_view(id).starts_with("device") ? 5556 : 5558;
        EXPECT_TRUE(certificates->issuance.contains(id)) << id;
        EXPECT_TRUE(edge::is_allowed(certificates->rules, user, id)) << id;
        EXPECT_TRUE(edge::is_allowed(keys->rules, user, id)) << id;
        EXPECT_TRUE(edge::is_allowed(keys->rules, 5555, id)) << id << ": signs itself";
    }
}

TEST_F(Split, EachServiceReadsItsOwnPart) {
    ASSERT_TRUE(edge::write_service_files(*read(article), paths_, users_, false));
    const auto keys = edge::read_keys_config(paths_);
    ASSERT_TRUE(keys) << keys.error().text();
    EXPECT_EQ(keys->preloaded.at("device-id"), "file:///device.key");
    EXPECT_EQ(keys->preloaded.at("aziot-edged-ca"), "file:///edge-ca.key");
    EXPECT_TRUE(edge::is_allowed(keys->rules, 5556, "aziot_identityd_master_id"));
    EXPECT_FALSE(edge::is_allowed(keys->rules, 5558, "device-id"));
    EXPECT_TRUE(edge::is_allowed(keys->rules, 5558, "iotedge_master_encryption_id"));
    EXPECT_FALSE(edge::is_allowed(keys->rules, 5555, "aziot-edged-ca"));
    EXPECT_TRUE(edge::is_allowed(keys->rules, 1000, "mine"));
    const auto certificates = edge::read_certificates_config(paths_);
    ASSERT_TRUE(certificates) << certificates.error().text();
    EXPECT_EQ(std::get<std::vector<std::string>>(certificates->preloaded.at("aziot-edged-trust-bundle")),
              (std::vector<std::string>{"aziot-edged-ca", "trust-bundle-user"}));
    EXPECT_TRUE(certificates->issuance.empty());
    EXPECT_TRUE(edge::is_allowed(certificates->rules, 5558, "aziot-edged/module/edgeHub:1:server"));
    const auto identity = edge::read_identity_config(paths_);
    ASSERT_TRUE(identity) << identity.error().text();
    EXPECT_EQ(identity->modules, (std::vector<std::string>{"mod1", "$edgeHub"}));
    EXPECT_EQ(identity->hub.https_port, 8443);
    const auto workload = edge::read_workload_config(paths_);
    ASSERT_TRUE(workload) << workload.error().text();
    EXPECT_TRUE(workload->edge_ca_supplied);
    EXPECT_EQ(workload->modules.size(), 2U);
}

TEST_F(Split, QuickstartLetsTheCertificatesServiceUseTheEdgeCaKey) {
    const auto text = std::string(article.substr(0, article.find("[edge_ca]")));
    ASSERT_TRUE(edge::write_service_files(*read(text), paths_, users_, false));
    const auto keys = edge::read_keys_config(paths_);
    EXPECT_TRUE(edge::is_allowed(keys->rules, 5555, "aziot-edged-ca"));
    const auto certificates = edge::read_certificates_config(paths_);
    EXPECT_TRUE(certificates->issuance.contains("aziot-edged-ca"));
}

TEST_F(Split, FilesArePrivateAndHoldNoKey) {
    const auto configuration = read(R"(
hostname = "edge"
[provisioning]
connection_string = "HostName=hub.local;DeviceId=EdgeGateway;SharedAccessKey=a2V5a2V5a2V5a2V5a2V5a2V5"
)");
    ASSERT_TRUE(edge::write_service_files(*configuration, paths_, users_, false));
    for (const auto service : edge::all_services) {
        struct stat info{};
        ASSERT_EQ(::stat(paths_.service_file(service).c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0600U);
        const auto text = base::read_file(paths_.service_file(service), "file").value();
        EXPECT_EQ(text.find("a2V5"), std::string::npos);
        EXPECT_EQ(text.find("keykey"), std::string::npos);
    }
    struct stat info{};
    ASSERT_EQ(::stat(paths_.device_key().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(edge::read_keys_config(paths_)->preloaded.at("device-id"),
              "file://" + paths_.device_key().string());
}

}  // namespace
