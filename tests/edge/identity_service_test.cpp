// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "pki/digest.hpp"
#include "running_device.hpp"
#include "trust/sas_token.hpp"

namespace {

using namespace edge_test;
using edge::json::value;
using http::Verb;

value spec_of(const http::Response& answer) {
    return edge::object_member(json_of(answer), "spec").value();
}

std::string text(const value& from, std::string_view name) {
    return edge::text_member(from, name).value();
}

http::Response call(RunningDevice& device, Verb verb, const std::string& target, std::string body = {},
                    uid_t user = 0) {
    return ask_as(device.identity().api(), user, verb, target, std::move(body), "2021-12-01");
}

RunningDevice::Options with(const FakeHub& hub, std::string more = {}) {
    return {hub.port(), hub.ca_file(), std::move(more), true};
}

TEST(Identity, DeviceIsKnownWithoutANetwork) {
    RunningDevice device({});
    const auto answer =
        ask(device.socket(edge::Service::identity), Verb::post, "/identities/device", R"({"type":"aziot"})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto spec = spec_of(answer);
    EXPECT_EQ(text(spec, "hubName"), test_hub);
    EXPECT_EQ(text(spec, "gatewayHost"), test_hub);
    EXPECT_EQ(text(spec, "deviceId"), test_device);
    const auto auth = edge::object_member(spec, "auth").value();
    EXPECT_EQ(text(auth, "type"), "x509");
    EXPECT_EQ(text(auth, "certId"), "device-id");
    EXPECT_FALSE(text(auth, "keyHandle").empty());
}

TEST(Identity, RegistersTheGatewayModuleWithDerivedKeys) {
    FakeHub hub;
    RunningDevice device(with(hub));
    device.wait_until_ready();
    EXPECT_EQ(hub.calls(), (std::vector<std::string>{"GET $edgeHub", "PUT $edgeHub", "PUT $edgeHub"}));
    EXPECT_EQ(hub.client(), test_device);
    const auto answer =
        ask(device.socket(edge::Service::identity), Verb::get, "/identities/modules/$edgeHub?type=aziot");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto spec = spec_of(answer);
    EXPECT_EQ(text(spec, "moduleId"), "$edgeHub");
    const auto master = base::read_secret_file(device.paths().home(edge::Service::keys) / "keys" /
                                                   (edge::file_stem("aziot_identityd_master_id") + ".key"),
                                               "key");
    ASSERT_TRUE(master);
    const auto data = "$edgeHub:" + text(spec, "genId") + ":primary";
    const auto expected = pki::hmac_sha256(master->bytes(), base::as_bytes(data));
    EXPECT_EQ(hub.primary_key("$edgeHub"), base::to_base64(expected));
}

TEST(Identity, ServesWhatItRemembersAfterAStartWithoutTheHub) {
    std::string generation;
    std::unique_ptr<FakeHub> hub = std::make_unique<FakeHub>();
    RunningDevice device(with(*hub));
    device.wait_until_ready();
    generation = text(spec_of(call(device, Verb::get, "/identities/modules/$edgeHub?type=aziot")), "genId");
    device.stop();
    hub.reset();
    device.start();
    device.wait_until_ready();
    const auto answer = call(device, Verb::get, "/identities/modules/$edgeHub?type=aziot");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(text(spec_of(answer), "genId"), generation);
    const auto list = call(device, Verb::get, "/identities/modules?type=aziot");
    ASSERT_EQ(list.status, 200);
    EXPECT_EQ(json_of(list).at("identities").as_array().size(), 1U);
}

TEST(Identity, WithoutHubAndMemoryAModuleIs404) {
    RunningDevice device({});
    device.wait_until_ready();
    const auto answer = call(device, Verb::get, "/identities/modules/$edgeHub?type=aziot");
    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(message(answer).find("Hub client error"), std::string::npos);
}

TEST(Identity, TheHubsWordsReachTheCaller) {
    FakeHub hub;
    hub.refuse("ErrorCode:IotHubUnauthorizedAccess;device is disabled");
    RunningDevice device(with(hub));
    device.wait_until_ready();
    const auto answer = call(device, Verb::put, "/identities/modules/$edgeHub?type=aziot", "{}");
    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(message(answer).find("device is disabled"), std::string::npos);
    EXPECT_EQ(call(device, Verb::post, "/identities/device", R"({"type":"aziot"})").status, 200);
}

TEST(Identity, AHubWithAnotherCertificateIsNotTalkedTo) {
    FakeHub hub, other;
    RunningDevice device({hub.port(), other.ca_file(), "", true});
    device.wait_until_ready();
    EXPECT_TRUE(hub.calls().empty());
}

TEST(Identity, ModulesAreCreatedListedAndDeleted) {
    FakeHub hub;
    RunningDevice device(with(hub));
    device.wait_until_ready();
    const auto created =
        call(device, Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":"mod1"})");
    ASSERT_EQ(created.status, 200) << created.body;
    EXPECT_EQ(text(edge::object_member(spec_of(created), "auth").value(), "type"), "sas");
    EXPECT_FALSE(hub.primary_key("mod1").empty());
    EXPECT_EQ(call(device, Verb::put, "/identities/modules/mod1?type=aziot", "{}").status, 200);
    const auto again =
        call(device, Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":"mod1"})");
    ASSERT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(text(spec_of(again), "genId"), text(spec_of(created), "genId"));
    const auto list = json_of(call(device, Verb::get, "/identities/modules?type=aziot")).at("identities");
    ASSERT_EQ(list.as_array().size(), 2U);
    EXPECT_FALSE(list.at(0).at("spec").as_object().contains("auth"));
    EXPECT_EQ(call(device, Verb::delete_, "/identities/modules/mod1?type=aziot").status, 204);
    EXPECT_EQ(call(device, Verb::get, "/identities/modules/mod1?type=aziot").status, 404);
    EXPECT_EQ(call(device, Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":""})").status,
              400);
}

std::string derived_key(RunningDevice& device, const std::string& module, const std::string& generation,
                        const std::string& slot) {
    const auto master = base::read_secret_file(device.paths().home(edge::Service::keys) / "keys" /
                                                   (edge::file_stem("aziot_identityd_master_id") + ".key"),
                                               "key");
    const auto data = module + ":" + generation + ":" + slot;
    return base::to_base64(pki::hmac_sha256(master.value().bytes(), base::as_bytes(data)));
}

TEST(Identity, ModuleThatWasMadeAtTheHubGetsTheKeysOfThisDevice) {
    FakeHub hub;
    hub.add_module("$edgeHub", "Zm9yZWlnbjE=", "Zm9yZWlnbjI=");
    const auto generation = hub.generation("$edgeHub");
    RunningDevice device(with(hub));
    device.wait_until_ready();
    EXPECT_EQ(hub.calls(), (std::vector<std::string>{"GET $edgeHub", "PUT $edgeHub"}));
    EXPECT_EQ(hub.generation("$edgeHub"), generation);
    EXPECT_EQ(hub.primary_key("$edgeHub"), derived_key(device, "$edgeHub", generation, "primary"));
    const auto answer = call(device, Verb::get, "/identities/modules/$edgeHub?type=aziot");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(text(spec_of(answer), "genId"), generation);
}

TEST(Identity, ForeignKeysAreReplacedByAnUpdateAndNotByAQuestion) {
    FakeHub hub;
    RunningDevice device(with(hub));
    device.wait_until_ready();
    hub.add_module("mod1", "Zm9yZWlnbjE=", "Zm9yZWlnbjI=");
    const auto asked = call(device, Verb::get, "/identities/modules/mod1?type=aziot");
    EXPECT_EQ(asked.status, 400);
    EXPECT_NE(message(asked).find("has not the keys of this device"), std::string::npos) << asked.body;
    EXPECT_EQ(hub.primary_key("mod1"), "Zm9yZWlnbjE=");
    EXPECT_EQ(call(device, Verb::put, "/identities/modules/mod1?type=aziot", "{}").status, 200);
    EXPECT_EQ(hub.primary_key("mod1"), derived_key(device, "mod1", hub.generation("mod1"), "primary"));
    EXPECT_EQ(call(device, Verb::get, "/identities/modules/mod1?type=aziot").status, 200);
}

TEST(Identity, DeviceWithASymmetricKeySignsATokenWithIt) {
    FakeHub hub;
    const auto key = base::to_base64(pki::random_bytes(32));
    auto options = with(hub);
    options.authentication = "method = \"sas\"\ndevice_id_pk = { value = \"" + key + "\" }";
    RunningDevice device(options);
    device.wait_until_ready();
    EXPECT_EQ(hub.client(), "");
    const auto authorization = hub.authorization();
    const auto token = trust::SasToken::parse(authorization);
    ASSERT_TRUE(token) << token.error().text();
    EXPECT_TRUE(token->signed_by(key));
    const std::vector<std::string> hosts{test_hub};
    EXPECT_TRUE(token->covers("devices/EdgeGateway", hosts)) << authorization;
    EXPECT_FALSE(hub.primary_key("$edgeHub").empty());
    const auto answer = call(device, Verb::post, "/identities/device", R"({"type":"aziot"})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto auth = edge::object_member(spec_of(answer), "auth").value();
    EXPECT_EQ(text(auth, "type"), "sas");
    EXPECT_FALSE(text(auth, "keyHandle").empty());
    EXPECT_FALSE(auth.as_object().contains("certId"));
}

TEST(Identity, RsaKeyOfTheDeviceOpensTheHub) {
    FakeHub hub;
    auto options = with(hub);
    options.device_key = pki::KeyType::rsa_2048;
    RunningDevice device(options);
    device.wait_until_ready();
    EXPECT_EQ(hub.client(), test_device);
    EXPECT_FALSE(hub.primary_key("$edgeHub").empty());
}

TEST(Identity, WhoMayDoWhat) {
    FakeHub hub;
    RunningDevice device(with(hub, R"(
[[principal]]
name = "mod1"
uid = 4001
idtype = ["module"]
[[principal]]
name = "agent"
uid = 4002
idtype = ["device"]
)"));
    device.wait_until_ready();
    const auto status = [&](uid_t user, Verb verb, const std::string& target, std::string body = {}) {
        return call(device, verb, target, std::move(body), user).status;
    };
    EXPECT_EQ(status(4001, Verb::get, "/identities/modules/mod1?type=aziot"), 200);
    EXPECT_EQ(status(4001, Verb::get, "/identities/modules/$edgeHub?type=aziot"), 401);
    const std::string device_body = R"({"type":"anything"})";
    EXPECT_EQ(status(4001, Verb::post, "/identities/device", device_body), 401);
    EXPECT_EQ(status(4001, Verb::post, "/identities/device/reprovision"), 401);
    EXPECT_EQ(status(4001, Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":"mod1"})"), 401);
    EXPECT_EQ(status(4001, Verb::put, "/identities/modules/mod1?type=aziot", "{}"), 401);
    EXPECT_EQ(status(4001, Verb::get, "/identities/modules?type=aziot"), 401);
    EXPECT_EQ(status(4001, Verb::delete_, "/identities/modules/mod1?type=aziot"), 401);
    EXPECT_EQ(status(4002, Verb::post, "/identities/device", device_body), 200);
    EXPECT_EQ(status(4002, Verb::get, "/identities/modules/mod1?type=aziot"), 401);
    EXPECT_EQ(status(9999, Verb::post, "/identities/device", device_body), 401);
    EXPECT_EQ(status(9999, Verb::get, "/identities/provisioning"), 200);
    EXPECT_EQ(status(9999, Verb::get, "/identities/identity"), 401);
    EXPECT_EQ(status(9999, Verb::get, "/trust-bundle"), 200);
    const auto own = call(device, Verb::get, "/identities/identity", {}, 4001);
    EXPECT_EQ(text(spec_of(own), "moduleId"), "mod1");
    EXPECT_FALSE(
        spec_of(call(device, Verb::get, "/identities/identity", {}, 4002)).as_object().contains("moduleId"));
}

TEST(Identity, TheTrustBundleIsWhatModulesTrust) {
    RunningDevice device({});
    device.wait_until_ready();
    const auto ours = call(device, Verb::get, "/trust-bundle", {}, 9999);
    ASSERT_EQ(ours.status, 200) << ours.body;
    const auto bundle = member(ours, "certificate");
    EXPECT_EQ(pki::certificates_from_pem(bundle, "bundle").value().size(), 1U);
    EXPECT_EQ(bundle, member(ask(device.socket(edge::Service::certificates), Verb::get,
                                 "/certificates/aziot-edged-trust-bundle"),
                             "pem"));
}

TEST(Identity, WithoutProvisioningEveryQuestionSaysSo) {
    RunningDevice::Options options;
    options.provisioned = false;
    RunningDevice device(options);
    EXPECT_EQ(member(call(device, Verb::get, "/identities/provisioning"), "source"), "none");
    const std::string module = R"({"type":"aziot","moduleId":"m"})";
    for (const auto& answer : {call(device, Verb::get, "/identities/identity"),
                               call(device, Verb::post, "/identities/device", R"({"type":"aziot"})"),
                               call(device, Verb::post, "/identities/device/reprovision"),
                               call(device, Verb::get, "/identities/modules?type=aziot"),
                               call(device, Verb::post, "/identities/modules", module),
                               call(device, Verb::get, "/identities/modules/m?type=aziot"),
                               call(device, Verb::put, "/identities/modules/m?type=aziot", "{}"),
                               call(device, Verb::delete_, "/identities/modules/m?type=aziot")}) {
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(message(answer), "device identity not found");
    }
    EXPECT_EQ(call(device, Verb::get, "/trust-bundle").status, 200);
}

TEST(Identity, ReprovisionAsksTheHubAgain) {
    FakeHub hub;
    RunningDevice device(with(hub));
    device.wait_until_ready();
    const auto before = hub.calls().size();
    EXPECT_EQ(call(device, Verb::post, "/identities/device/reprovision").status, 204);
    EXPECT_EQ(call(device, Verb::post, "/identities/device/reprovision", R"({"type":"aziot"})").status, 204);
    EXPECT_EQ(hub.calls().size(), before + 2);
    hub.refuse("ErrorCode:IotHubUnauthorizedAccess;disabled");
    const auto answer = call(device, Verb::post, "/identities/device/reprovision");
    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(message(answer).find("disabled"), std::string::npos);
    EXPECT_EQ(call(device, Verb::get, "/identities/modules/$edgeHub?type=aziot").status, 200)
        << "a refusal has unprovisioned the device";
}

/// One request of each endpoint that the service cannot follow.
TEST(Identity, EveryEndpointRefusesWhatItCannotFollow) {
    RunningDevice device({});
    struct Case {
        Verb verb;
        std::string target, body;
        int status;
        std::string words;
    };
    const std::string type = "parameter \"type\" has an invalid value";
    const std::vector<Case> cases{
        {Verb::post, "/identities/device", "", 400, "missing request body"},
        {Verb::post, "/identities/device", "{}", 422, "type"},
        {Verb::post, "/identities/device", "{", 422, "not JSON"},
        {Verb::get, "/identities/device", "", 400, "method not allowed"},
        {Verb::get, "/identities/modules", "", 400, type},
        {Verb::get, "/identities/modules?type=other", "", 400, type},
        {Verb::get, "/identities/modules/$edgeHub", "", 400, type},
        {Verb::post, "/identities/modules", "", 400, "missing request body"},
        {Verb::post, "/identities/modules", R"({"moduleId":"m"})", 400, type},
        {Verb::post, "/identities/modules", R"({"type":"x","moduleId":"m"})", 400, type},
        {Verb::post, "/identities/modules", R"({"type":7,"moduleId":"m"})", 422, "type"},
        {Verb::post, "/identities/modules", R"({"type":"aziot"})", 422, "moduleId"},
        {Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":""})", 400, "moduleId"},
        {Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":"a/b"})", 400, "moduleId"},
        {Verb::put, "/identities/modules/m?type=aziot", "", 422, "not JSON"},
        {Verb::put, "/identities/modules/m?type=other", "{}", 400, type},
        {Verb::put, "/identities/modules/m", "{}", 400, type},
        {Verb::delete_, "/identities/modules/m", "", 400, type},
        {Verb::delete_, "/identities/modules/m?type=aziot", "", 404, "Hub client error"},
        {Verb::put, "/identities/modules/m?type=aziot", "{}", 404, "Hub client error"},
        {Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":"m"})", 404, "Hub client error"},
        {Verb::get, "/identities/modules/", "", 404, "not found"},
        {Verb::get, "/identities", "", 404, "not found"},
        {Verb::post, "/trust-bundle", "{}", 400, "method not allowed"},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.target + " " + each.body);
        const auto answer = call(device, each.verb, each.target, each.body);
        EXPECT_EQ(answer.status, each.status) << answer.body;
        EXPECT_NE(message(answer).find(each.words), std::string::npos) << answer.body;
    }
}

TEST(Identity, ProvisioningIsToldSince2021) {
    RunningDevice device({});
    EXPECT_EQ(
        ask_as(device.identity().api(), 0, Verb::get, "/identities/provisioning", {}, "2020-09-01").status,
        404);
    const auto answer = call(device, Verb::get, "/identities/provisioning");
    EXPECT_EQ(member(answer, "source"), "manual");
    EXPECT_EQ(member(answer, "auth"), "x509");
}

TEST(IdentityState, AnotherDeviceDropsWhatWasRemembered) {
    support::TemporaryDirectory directory;
    auto state = edge::IdentityState::open(directory.path(), "hub", "hub", "d");
    ASSERT_TRUE(state);
    ASSERT_TRUE(state->save({"$edgeHub", "", "1"}));
    ASSERT_TRUE(edge::IdentityState::open(directory.path(), "hub", "hub", "d")->find("$edgeHub"));
    EXPECT_FALSE(edge::IdentityState::open(directory.path(), "hub", "hub", "e")->find("$edgeHub"));
    EXPECT_FALSE(edge::IdentityState::open(directory.path(), "hub", "hub", "d")->find("$edgeHub"));
}

TEST(IdentityState, ADamagedBackupCostsNobodyElse) {
    support::TemporaryDirectory directory;
    auto state = edge::IdentityState::open(directory.path(), "hub", "hub", "d");
    ASSERT_TRUE(state->save({"a", "", "1"}));
    ASSERT_TRUE(state->save({"b", "", "2"}));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path() / "modules"))
        if (entry.path().filename() == edge::file_stem("a")) {
            ASSERT_TRUE(base::write_atomically(entry.path(), "{", 0600));
        }
    const auto again = edge::IdentityState::open(directory.path(), "hub", "hub", "d");
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->find("a"));
    EXPECT_EQ(again->find("b")->generation, "2");
}

}  // namespace
