// SPDX-License-Identifier: Apache-2.0
#include "azure/documents.hpp"

#include <gtest/gtest.h>

namespace {

using trust::AuthType;
using trust::Enablement;

const std::string sha256(64, 'A');
const std::string sha1(40, 'B');
constexpr auto key = "MDEyMzQ1Njc4OWFiY2RlZg==";  // 16 octets

azure::Device edge_gateway() {
    azure::Device device;
    device.record.identity = {"EdgeGateway", ""};
    device.record.generation = "639001234567890123";
    device.record.authentication.type = AuthType::self_signed;
    device.record.authentication.primary_thumbprint = *trust::Thumbprint::parse(sha256);
    device.record.edge_enabled = true;
    device.record.device_scope = azure::make_scope("EdgeGateway", device.record.generation);
    device.etag = "MTIzNDU2Nzg5";
    return device;
}

azure::Module module_of_edge() {
    azure::Module module;
    module.record.identity = {"EdgeGateway", "mod1"};
    module.record.generation = "639001234567890124";
    module.record.authentication = {AuthType::sas, key, key, {}, {}};
    module.managed_by = "IotEdge";
    module.etag = "MTI3";
    return module;
}

TEST(DeviceJson, HasTheMembersOfTheServiceInTheirOrder) {
    EXPECT_EQ(
        azure::to_json(edge_gateway()),
        R"({"deviceId":"EdgeGateway","generationId":"639001234567890123","etag":"MTIzNDU2Nzg5",)"
        R"("connectionState":"Disconnected","status":"enabled","statusReason":null,)"
        R"("connectionStateUpdatedTime":"0001-01-01T00:00:00Z","statusUpdatedTime":"0001-01-01T00:00:00Z",)"
        R"("lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,)"
        R"("authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},)"
        R"("x509Thumbprint":{"primaryThumbprint":")" +
            sha256 +
            R"(","secondaryThumbprint":null},"type":"selfSigned"},"capabilities":{"iotEdge":true},)"
            R"("deviceScope":"ms-azure-iot-edge://EdgeGateway-639001234567890123","parentScopes":[]})");
}

TEST(DeviceJson, ShowsStateAndTimes) {
    auto device = edge_gateway();
    device.connected = true;
    device.record.status = Enablement::disabled;
    device.status_reason = "lost \"it\"";
    device.last_activity = *base::parse_rfc3339("2026-11-25T10:00:00Z");
    device.cloud_to_device_messages = 3;
    device.record.parent_scopes = {"ms-azure-iot-edge://a-1"};
    const auto json = azure::to_json(device);
    for (const auto* part :
         {R"("connectionState":"Connected")", R"("status":"disabled")", R"("statusReason":"lost \"it\"")",
          R"("lastActivityTime":"2026-11-25T10:00:00Z")", R"("cloudToDeviceMessageCount":3)",
          R"("parentScopes":["ms-azure-iot-edge://a-1"])"})
        EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
}

TEST(ModuleJson, HasTheMembersOfTheServiceInTheirOrder) {
    EXPECT_EQ(
        azure::to_json(module_of_edge()),
        R"({"moduleId":"mod1","managedBy":"IotEdge","deviceId":"EdgeGateway","generationId":"639001234567890124",)"
        R"("etag":"MTI3","connectionState":"Disconnected","connectionStateUpdatedTime":"0001-01-01T00:00:00Z",)"
        R"("lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,)"
        R"("authentication":{"symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==","secondaryKey":"MDEyMzQ1Njc4OWFiY2RlZg=="},)"
        R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"}})");
}

TEST(ModuleJson, CallsSelfSignedByIdentitydsWordInItsDialectOnly) {
    auto module = module_of_edge();
    module.record.authentication = {AuthType::self_signed, {}, {}, *trust::Thumbprint::parse(sha256), {}};
    EXPECT_NE(azure::to_json(module).find(R"("type":"selfSigned"})"), std::string::npos);
    EXPECT_NE(azure::to_json(module, azure::Dialect::identityd).find(R"("type":"x509"})"), std::string::npos);
    EXPECT_NE(azure::to_json(std::vector{module}, azure::Dialect::identityd).find(R"("type":"x509"})"),
              std::string::npos);
    module.record.authentication.type = AuthType::none;
    EXPECT_NE(azure::to_json(module, azure::Dialect::identityd).find(R"("type":"none"})"), std::string::npos);
}

TEST(DeviceJson, ComesBackAsItWasWritten) {
    auto device = edge_gateway();
    device.status_reason = "why";
    device.connected = true;
    device.last_activity = *base::parse_rfc3339("2026-11-25T10:00:00Z");
    device.cloud_to_device_messages = 7;
    device.record.parent_scopes = {"ms-azure-iot-edge://a-1"};
    device.record.status = device.record.device_status = Enablement::disabled;
    const auto json = azure::to_json(device);
    const auto read = azure::read_device(json);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(azure::to_json(*read), json);
    EXPECT_EQ(read->record.device_status, Enablement::disabled);
    EXPECT_EQ(azure::to_json(*azure::read_devices(azure::to_json(std::vector{device, edge_gateway()}))),
              azure::to_json(std::vector{device, edge_gateway()}));
    EXPECT_EQ(azure::to_json(*azure::read_modules(azure::to_json(std::vector{module_of_edge()}))),
              azure::to_json(std::vector{module_of_edge()}));
}

TEST(DeviceJson, ReadsTheScopeOfALeafAsItsParent) {
    const auto read = azure::read_device(
        R"({"deviceId":"leaf","generationId":"1","authentication":{"type":"none"},"deviceScope":"ms-azure-iot-edge://e-1"})");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->record.parent_scopes, std::vector<std::string>{"ms-azure-iot-edge://e-1"});
    const auto edge = azure::read_device(
        R"({"deviceId":"e","generationId":"1","authentication":{"type":"none"},"deviceScope":"ms-azure-iot-edge://e-1","capabilities":{"iotEdge":true}})");
    EXPECT_TRUE(edge->record.parent_scopes.empty());
}

TEST(DeviceWish, ReadsWhatTheNodeSdkSends) {
    const auto wish = azure::parse_device(
        R"({"deviceId":"TempSensor","status":"enabled","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}}})");
    ASSERT_TRUE(wish) << wish.error().text();
    EXPECT_EQ(wish->device_id, "TempSensor");
    EXPECT_EQ(wish->status, Enablement::enabled);
    ASSERT_TRUE(wish->authentication);
    EXPECT_EQ(wish->authentication->type, AuthType::sas);
    EXPECT_TRUE(wish->authentication->primary_key.empty());
    EXPECT_FALSE(wish->edge_enabled);
    EXPECT_FALSE(wish->device_scope);
}

TEST(DeviceWish, ReadsEveryMemberAndIgnoresReadOnlyOnes) {
    const auto wish = azure::parse_device(
        R"({"deviceId":"E","generationId":17,"connectionState":5,"unknown":{},"etag":"\"MTI=\"","status":"Disabled",)"
        R"("statusReason":"moved","capabilities":{"iotEdge":true},"deviceScope":"s","parentScopes":["p"],)"
        R"("authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd","secondaryThumbprint":null}}})");
    ASSERT_TRUE(wish) << wish.error().text();
    EXPECT_EQ(wish->etag, "MTI=");
    EXPECT_EQ(wish->status, Enablement::disabled);
    EXPECT_EQ(wish->status_reason, "moved");
    EXPECT_EQ(wish->edge_enabled, true);
    EXPECT_EQ(wish->device_scope, "s");
    EXPECT_EQ(wish->parent_scopes, std::vector<std::string>{"p"});
    EXPECT_EQ(wish->authentication->primary_thumbprint->text(), "AABBCCDDEEFF00112233445566778899AABBCCDD");
    EXPECT_FALSE(wish->authentication->secondary_thumbprint);
}

TEST(DeviceWish, InfersAMissingType) {
    EXPECT_EQ(azure::parse_device(R"({"authentication":{}})")->authentication->type, AuthType::sas);
    EXPECT_EQ(azure::parse_device(R"({"authentication":{"x509Thumbprint":{"secondaryThumbprint":")" + sha1 +
                                  R"("}}})")
                  ->authentication->type,
              AuthType::self_signed);
    EXPECT_FALSE(azure::parse_device(R"({"authentication":null})")->authentication);
    EXPECT_EQ(
        azure::parse_device(R"({"authentication":{"type":"CertificateAuthority"}})")->authentication->type,
        AuthType::certificate_authority);
}

struct BadWish {
    std::string document, thing;
    base::Code code = base::Code::invalid_argument;
};

TEST(DeviceWish, NamesThePathInTheDocument) {
    const std::vector<BadWish> cases = {
        {"", "JSON document", base::Code::malformed},
        {"{", "JSON document", base::Code::malformed},
        {"{} x", "JSON document", base::Code::malformed},
        {"[]", "JSON document", base::Code::malformed},
        {"{\"deviceId\":\"\xff\"}", "JSON document", base::Code::malformed},
        {std::string(1000, '[') + std::string(1000, ']'), "JSON document", base::Code::malformed},
        {R"({"deviceId":1})", "deviceId"},
        {R"({"deviceId":"a b"})", "deviceId"},
        {R"({"status":"on"})", "status"},
        {R"({"status":true})", "status"},
        {R"({"statusReason":")" + std::string(129, 'x') + "\"}", "statusReason"},
        {R"({"capabilities":[]})", "capabilities"},
        {R"({"capabilities":{"iotEdge":"true"}})", "capabilities.iotEdge"},
        {R"({"deviceScope":{}})", "deviceScope"},
        {R"({"parentScopes":"x"})", "parentScopes"},
        {R"({"parentScopes":["x",null]})", "parentScopes[1]"},
        {R"({"authentication":"sas"})", "authentication"},
        {R"({"authentication":{"type":"password"}})", "authentication.type"},
        {R"({"authentication":{"symmetricKey":[]}})", "authentication.symmetricKey"},
        {R"({"authentication":{"symmetricKey":{"primaryKey":"not base64"}}})",
         "authentication.symmetricKey.primaryKey"},
        {R"({"authentication":{"symmetricKey":{"secondaryKey":"c2hvcnQ="}}})",
         "authentication.symmetricKey.secondaryKey"},
        {R"({"authentication":{"x509Thumbprint":{"primaryThumbprint":"AB"}}})",
         "authentication.x509Thumbprint.primaryThumbprint"},
        {R"({"authentication":{"x509Thumbprint":{"secondaryThumbprint":5}}})",
         "authentication.x509Thumbprint.secondaryThumbprint"},
        {R"({"authentication":{"type":"selfSigned"}})", "authentication.x509Thumbprint"},
    };
    for (const auto& [document, thing, code] : cases) {
        const auto wish = azure::parse_device(document);
        ASSERT_FALSE(wish) << document;
        EXPECT_EQ(wish.error().thing, thing) << document << ": " << wish.error().text();
        EXPECT_EQ(wish.error().code, code) << document;
    }
}

TEST(DeviceWish, TellsNoKeyInAnError) {
    const auto wish = azure::parse_device(R"({"authentication":{"symmetricKey":{"primaryKey":"c2VjcmV0"}}})");
    ASSERT_FALSE(wish);
    EXPECT_EQ(wish.error().text().find("c2VjcmV0"), std::string::npos);
}

TEST(DeviceWish, CountsTheReasonInCharacters) {
    std::string reason;
    for (int i = 0; i < 128; ++i) reason += "\xc3\xa9";
    EXPECT_TRUE(azure::parse_device(R"({"statusReason":")" + reason + "\"}"));
}

TEST(ModuleWish, ReadsIdentitydsDialect) {
    const auto wish = azure::parse_module(
        R"({"moduleId":"$edgeHub","managedBy":"iotedge","deviceId":"EdgeGateway","authentication":{"type":"x509","x509Thumbprint":{"primaryThumbprint":")" +
        sha256 + R"("}}})");
    ASSERT_TRUE(wish) << wish.error().text();
    EXPECT_EQ(wish->module_id, "$edgeHub");
    EXPECT_EQ(wish->device_id, "EdgeGateway");
    EXPECT_EQ(wish->managed_by, "iotedge");
    EXPECT_EQ(wish->authentication->type, AuthType::self_signed);
    const auto bare = azure::parse_module(R"({"moduleId":"m","deviceId":"EdgeGateway"})");
    ASSERT_TRUE(bare);
    EXPECT_FALSE(bare->managed_by);
    EXPECT_FALSE(bare->authentication);
}

TEST(ModuleWish, KeepsDerivedKeysVerbatim) {
    const auto wish = azure::parse_module(
        R"({"moduleId":"m","deviceId":"d","authentication":{"type":"sas","symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==","secondaryKey":"ZmVkY2JhOTg3NjU0MzIxMA=="}}})");
    ASSERT_TRUE(wish) << wish.error().text();
    EXPECT_EQ(wish->authentication->primary_key, "MDEyMzQ1Njc4OWFiY2RlZg==");
    EXPECT_EQ(wish->authentication->secondary_key, "ZmVkY2JhOTg3NjU0MzIxMA==");
}

TEST(ScopeResult, FillsTheMissingSlotsWhenWritten) {
    azure::ScopeResult result;
    result.devices.push_back(edge_gateway());
    result.modules.push_back(module_of_edge());
    result.modules[0].record.authentication.primary_key.clear();
    const auto json = azure::to_json(result);
    EXPECT_NE(json.find(R"("primaryThumbprint":")" + sha256 + R"(","secondaryThumbprint":")" + sha256),
              std::string::npos)
        << json;
    EXPECT_NE(
        json.find(R"("primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==","secondaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==")"),
        std::string::npos);
    EXPECT_TRUE(json.ends_with(R"(],"continuationLink":null})")) << json;
    result.continuation = "/devices/x?continuationToken=1";
    EXPECT_TRUE(azure::to_json(result).ends_with(R"("continuationLink":"/devices/x?continuationToken=1"})"));
    EXPECT_EQ(azure::to_json(azure::ScopeResult{}), R"({"devices":[],"modules":[],"continuationLink":null})");
}

TEST(ScopeResult, SkipsARecordThatCannotBeReadAndNamesIt) {
    std::vector<std::string> skipped{"from before"};
    const auto result = azure::read_scope_result(
        R"({"devices":[{"deviceId":"good","generationId":"1","authentication":{"type":"sas"}},)"
        R"({"deviceId":"bad","generationId":"1","authentication":{"type":"magic"}},7,)"
        R"({"deviceId":"older","generationId":"1"}],)"
        R"("modules":[{"deviceId":"good","generationId":"1","authentication":{"type":"sas"}}],"continuationLink":"next"})",
        &skipped);
    ASSERT_TRUE(result) << result.error().text();
    ASSERT_EQ(result->devices.size(), 1U);
    EXPECT_EQ(result->devices[0].record.identity.device, "good");
    EXPECT_TRUE(result->modules.empty());
    EXPECT_EQ(result->continuation, "next");
    ASSERT_EQ(skipped.size(), 4U);
    EXPECT_EQ(
        skipped[0],
        "devices[1].authentication.type is \"magic\": use sas, selfSigned, certificateAuthority or none");
    EXPECT_EQ(skipped[1], "devices[2] is not an object");
    EXPECT_EQ(skipped[2], "devices[3].authentication is missing");
    EXPECT_EQ(skipped[3], "modules[0].moduleId is missing");
}

TEST(ScopeResult, ToleratesNullListsButNoOtherShape) {
    const auto empty =
        azure::read_scope_result(R"({"devices":null,"modules":null,"continuationLink":null})", nullptr);
    ASSERT_TRUE(empty);
    EXPECT_TRUE(empty->devices.empty() && empty->modules.empty() && empty->continuation.empty());
    EXPECT_FALSE(azure::read_scope_result(R"({"devices":{}})", nullptr));
    EXPECT_FALSE(azure::read_scope_result("[]", nullptr));
}

TEST(Generation, IsTheTicksOfTheMoment) {
    const auto moment =
        std::chrono::sys_time<std::chrono::milliseconds>(*base::parse_rfc3339("2026-11-25T10:00:00Z"));
    EXPECT_EQ(azure::make_generation(moment, 0), "639311976000000000");
    EXPECT_EQ(azure::make_generation(moment + std::chrono::milliseconds(1), 23), "639311976000010023");
    EXPECT_EQ(azure::make_generation(moment, 10'000), azure::make_generation(moment, 0));
    EXPECT_EQ(azure::make_scope("EdgeGateway", "639001234567890123"),
              "ms-azure-iot-edge://EdgeGateway-639001234567890123");
}

}  // namespace
