// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "edge/config.hpp"

namespace {

struct Case {
    const char* name;
    std::string text;
    std::string said;  ///< part of the message
};

std::string edge_with(const std::string& above, const std::string& below = "") {
    return above + R"(
[provisioning]
source = "manual"
iothub_hostname = "hub.local"
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
identity_cert = "file:///device.pem"
identity_pk = "file:///device.key"
)" + below;
}

std::string host(const std::string& name) {
    return edge_with("hostname = \"" + name + "\"\n");
}

std::string module(const std::string& line) {
    return edge_with("hostname = \"edge\"\n", "[[principal]]\nname = \"mod1\"\nuid = 1000\n" + line + "\n");
}

std::vector<Case> cases() {
    return {
        {"Underscore", host("edge_gateway"), "hostname is \"edge_gateway\", which contains an underscore"},
        {"EmptyHost", host(""), "hostname is \"\", which is empty"},
        {"LongHost", host(std::string(50, 'a') + "." + std::string(50, 'b')),
         "has 101 characters, 64 are allowed"},
        {"LongLabel", host(std::string(64, 'a')), "has a label of 64 characters, 63 are allowed"},
        {"Blank", host("edge gateway"), "contains the character"},
        {"Umlaut", host("gerät"), "contains a character outside ASCII: write it in its xn-- form"},
        {"Wildcard", host("*.contoso.local"), "is a wildcard"},
        {"TrailingDot", host("edge.local."), "has an empty label"},
        {"Port", host("edge:8883"), "contains the character ':'"},
        {"Hyphen", host("-edge"), "begins or ends with a hyphen"},
        {"Number", host("edge.42"), "ends in a number"},
        {"HostOfAnotherType", edge_with("hostname = 1\n"), "hostname is an integer and must be a string"},
        {"Parent", edge_with("hostname = \"edge\"\nparent_hostname = \"up_per\"\n"),
         "parent_hostname is \"up_per\", which contains an underscore"},
        {"Nearest", edge_with("hostnam = \"edge\"\n"), "hostnam is not a known key: did you mean hostname?"},
        {"NearestInATable", edge_with("hostname = \"edge\"\n", "[edge_ca]\ncertt = \"file:///x\"\n"),
         "edge_ca.certt is not a known key: did you mean cert?"},
        {"NoUri", edge_with("hostname = \"edge\"\ntrust_bundle_cert = \"/root.pem\"\n"),
         "trust_bundle_cert is not a file URI: write it as file:///absolute/path"},
        {"CaWithoutKey", edge_with("hostname = \"edge\"\n", "[edge_ca]\ncert = \"file:///ca.pem\"\n"),
         "edge_ca.cert and pk are both needed"},
        {"KeyType", edge_with("hostname = \"edge\"\n", "[module_certs]\nkey_type = \"rsa-512\"\n"),
         "module_certs.key_type is rsa-512: take ec-p256, rsa-2048 or rsa-4096"},
        {"Timeout", edge_with("hostname = \"edge\"\ncloud_timeout_sec = 0\n"),
         "cloud_timeout_sec is 0 and must be from 1 to 86400"},
        {"NoProvisioning", "hostname = \"edge\"\n", "provisioning is missing"},
        {"NoKeyInTheString",
         "hostname = \"edge\"\n[provisioning]\nconnection_string = \"HostName=h;DeviceId=d\"\n",
         "provisioning.connection_string is not one of a device"},
        {"Auth", module("idtype = [\"module\"]\nauth = \"password\""), "auth must be sas or x509"},
        {"IdType", module("idtype = [\"modul\"]"), "idtype may have device, module and local"},
        {"Uid", module("uid2 = 1"), "is not a known key: did you mean uid?"},
        {"NameOfAPrincipal", module("names = [\"a_b\"]"), "contains an underscore"},
        {"TwoOfOneName", module("[[principal]]\nname = \"mod1\"\n"), "mod1 is given to two principals"},
        {"GatewayByCertificate",
         edge_with("hostname = \"edge\"\n", "[[principal]]\nname = \"$edgeHub\"\nauth = \"x509\"\n"),
         "auth is x509, which the gateway does not do"},
    };
}

class Refusal : public testing::TestWithParam<Case> {};

TEST_P(Refusal, TellsTheReason) {
    auto table = base::ConfigTable::parse(GetParam().text, "config.toml");
    ASSERT_TRUE(table) << table.error().text();
    const auto read = edge::read_configuration(*std::move(table));
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().text().find(GetParam().said), std::string::npos) << read.error().text();
}

INSTANTIATE_TEST_SUITE_P(Of, Refusal, testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.name; });

// edge-runtime.md 8.2. What this version does not do is refused or noticed by its own words, never as
// unknown.
TEST(Configuration, KnowsEveryKeyOfTheOriginal) {
    const std::string text = R"(
hostname = "edge"
parent_hostname = "up"
local_gateway_hostname = "up"
trust_bundle_cert = "file:///b.pem"
allow_elevated_docker_permissions = true
auto_reprovisioning_mode = "Dynamic"
additional_info = "file:///i.toml"
imported_master_encryption_key = "/k"
cloud_timeout_sec = 70
cloud_retries = 1
prefer_module_identity_cache = false
[aziot_max_requests]
keyd = 10
certd = 10
tpmd = 10
identityd = 10
[iotedge_max_requests]
management = 50
workload = 10
[provisioning]
source = "dps"
global_endpoint = "https://g"
id_scope = "0ne"
payload = { uri = "file:///p.json" }
[provisioning.attestation]
method = "x509"
registration_id = "r"
symmetric_key = { value = "a2V5" }
identity_pk = "file:///k"
[provisioning.attestation.identity_cert]
method = "est"
url = "https://e"
common_name = "c"
expiry_days = 1
[provisioning.attestation.identity_cert.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"
[localid]
domain = "d"
[cert_issuance.est]
trusted_certs = ["file:///t.pem"]
[cert_issuance.est.auth]
username = "u"
password = "p"
identity_cert = "file:///c"
identity_pk = "file:///k"
bootstrap_identity_cert = "file:///c"
bootstrap_identity_pk = "file:///k"
[cert_issuance.est.identity_auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"
[cert_issuance.est.urls]
default = "https://e"
[cert_issuance.local_ca]
cert = "file:///c"
pk = "file:///k"
[preloaded_keys]
a = "file:///k"
[preloaded_certs]
a = "file:///c"
b = ["a"]
[aziot_keys]
pkcs11_lib_path = "/lib.so"
pkcs11_base_slot = "pkcs11:token=t"
[tpm]
tcti = "swtpm"
auth_key_index = 1
[tpm.hierarchy_authorization]
endorsement = "e"
[edge_ca]
cert = "file:///c"
pk = "file:///k"
method = "self_signed"
auto_generated_edge_ca_expiry_days = 90
common_name = "c"
[edge_ca.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"
[agent]
name = "edgeAgent"
[agent.config.auth]
username = "u"
[agent.env]
A = "b"
[connect]
workload_uri = "unix:///w"
management_uri = "unix:///m"
[listen]
workload_uri = "fd://w"
management_uri = "fd://m"
min_tls_version = "tls1.2"
[watchdog]
max_retries = "infinite"
[moby_runtime]
uri = "unix:///d"
network = "n"
content_trust = { ca_certs = { a = "b" } }
[image_garbage_collection]
enabled = true
cleanup_recurrence = "1d"
image_age_cleanup_threshold = "7d"
cleanup_time = "00:00"
)";
    const auto read = edge::read_configuration(*base::ConfigTable::parse(text, "config.toml"));
    ASSERT_FALSE(read);  // dps and pkcs11 are issues of their own
    EXPECT_EQ(read.error().text().find("is not a known key"), std::string::npos) << read.error().text();
}

}  // namespace
