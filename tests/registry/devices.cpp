// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace registry_tests {
namespace {

class Devices : public RegistryFile {};

TEST_F(Devices, GetTwoKeysOf32OctetsWhereNoneAreGiven) {
    const auto made = take(create(device("TempSensor")));
    const auto& authentication = made.record.authentication;
    EXPECT_EQ(authentication.type, trust::AuthType::sas);
    EXPECT_EQ(base::from_base64(authentication.primary_key)->size(), 32U);
    EXPECT_EQ(base::from_base64(authentication.secondary_key)->size(), 32U);
    EXPECT_NE(authentication.primary_key, authentication.secondary_key);
    EXPECT_EQ(made.record.status, trust::Enablement::enabled);
    EXPECT_EQ(made.record.generation.size(), 18U);
    EXPECT_FALSE(made.etag.empty());
    const auto read = take(reader->device("TempSensor")).value();
    EXPECT_EQ(azure::to_json(read), azure::to_json(made));
}

TEST_F(Devices, KeepGivenKeysVerbatim) {
    auto wish = device("TempSensor");
    wish.authentication.emplace();
    wish.authentication->primary_key = "AAECAwQFBgcICQoLDA0ODw==";
    const auto made = take(create(wish));
    EXPECT_EQ(made.record.authentication.primary_key, "AAECAwQFBgcICQoLDA0ODw==");
    EXPECT_EQ(base::from_base64(made.record.authentication.secondary_key)->size(), 32U);
}

TEST_F(Devices, RefuseKeysThatAreNoBase64OrOfTheWrongLength) {
    for (const auto& key :
         {std::string("not base64"), std::string("AAEC"), base::to_base64(base::Bytes(65))}) {
        auto wish = device("TempSensor");
        wish.authentication.emplace();
        wish.authentication->secondary_key = key;
        EXPECT_EQ(refusal(create(wish)), "ArgumentInvalid") << key;
    }
    EXPECT_EQ(take(reader->device("TempSensor")), std::nullopt);
}

TEST_F(Devices, AreCreatedOnce) {
    take(create(device("TempSensor")));
    EXPECT_EQ(refusal(create(device("TempSensor"))), "DeviceAlreadyExists");
    EXPECT_EQ(refusal(create(device("tempsensor"))), "none");  // ids are case-sensitive
}

TEST_F(Devices, HaveAnIdOfTheSet) {
    EXPECT_EQ(refusal(create(device(""))), "ArgumentInvalid");
    EXPECT_EQ(refusal(create(device("a/b"))), "ArgumentInvalid");
    EXPECT_EQ(refusal(create(device("a:.+%_#*?!(),=@;$'-"))), "none");
}

TEST_F(Devices, GetANewGenerationWhenTheyAreMadeAgain) {
    const auto first = take(create(device("TempSensor"))).record.generation;
    take(remove("TempSensor"));
    const auto second = take(create(device("TempSensor"))).record.generation;  // the clock stands still
    EXPECT_LT(first, second);
    clock.when -= std::chrono::hours(24 * 365);
    take(remove("TempSensor"));
    open();
    EXPECT_LT(second, take(create(device("TempSensor"))).record.generation);
}

TEST_F(Devices, AreReplacedOnlyWithTheEtagThatIsThere) {
    const auto made = take(create(device("TempSensor")));
    EXPECT_EQ(refusal(replace(device("TempSensor"), {})), "PreconditionFailed");
    EXPECT_EQ(refusal(replace(device("TempSensor"), {registry::IfMatch::Kind::exact, "x"})),
              "PreconditionFailed");
    const auto again = take(replace(device("TempSensor"), {registry::IfMatch::Kind::exact, made.etag}));
    EXPECT_NE(again.etag, made.etag);
    EXPECT_EQ(refusal(replace(device("TempSensor"), {registry::IfMatch::Kind::exact, made.etag})),
              "PreconditionFailed");
    EXPECT_EQ(refusal(replace(device("TempSensor"), any)), "none");
    EXPECT_EQ(refusal(replace(device("other"), any)), "DeviceNotFound");
}

TEST_F(Devices, KeepWhatAnUpdateDoesNotName) {
    const auto made = take(create(device("TempSensor")));
    clock.when += std::chrono::hours(1);
    auto wish = device("TempSensor");
    wish.status = trust::Enablement::disabled;
    wish.status_reason = "stolen";
    wish.authentication.emplace();  // sas with empty keys
    const auto changed = take(replace(wish));
    EXPECT_EQ(changed.record.authentication.primary_key, made.record.authentication.primary_key);
    EXPECT_EQ(changed.record.authentication.secondary_key, made.record.authentication.secondary_key);
    EXPECT_EQ(changed.record.generation, made.record.generation);
    EXPECT_EQ(changed.record.status, trust::Enablement::disabled);
    EXPECT_EQ(changed.status_updated, clock.now());
    EXPECT_EQ(take(replace(device("TempSensor"))).status_reason, "stolen");
}

TEST_F(Devices, HoldOnlyWhatTheirTypeUses) {
    auto wish = device("TempSensor");
    wish.authentication = thumbprints('a');
    wish.authentication->primary_key = base::to_base64(base::Bytes(32));
    const auto made = take(create(wish));
    EXPECT_EQ(made.record.authentication.primary_key, "");
    EXPECT_EQ(made.record.authentication.primary_thumbprint->text(), std::string(64, 'A'));
    EXPECT_FALSE(made.record.authentication.secondary_thumbprint);

    wish.authentication = trust::Authentication{};
    const auto again = take(replace(wish)).record.authentication;
    EXPECT_FALSE(again.primary_thumbprint);
    EXPECT_EQ(base::from_base64(again.primary_key)->size(), 32U);
}

TEST_F(Devices, OfTypeSelfSignedNeedAThumbprint) {
    auto wish = device("TempSensor");
    wish.authentication.emplace();
    wish.authentication->type = trust::AuthType::self_signed;
    EXPECT_EQ(refusal(create(wish)), "ArgumentInvalid");
}

TEST_F(Devices, OfIotEdgeRefuseCertificateAuthorityAndSayBoth) {
    auto wish = edge("EdgeGateway");
    wish.authentication.emplace();
    wish.authentication->type = trust::AuthType::certificate_authority;
    const auto refused = create(wish);
    EXPECT_EQ(refusal(refused), "ArgumentInvalid");
    EXPECT_NE(refused.error().text().find("iotEdge"), std::string::npos);
    EXPECT_NE(refused.error().text().find("certificateAuthority"), std::string::npos);
    take(create(edge("EdgeGateway")));
    EXPECT_EQ(refusal(replace(wish)), "ArgumentInvalid");
    wish.device_id = "leaf";
    wish.edge_enabled = false;
    EXPECT_EQ(refusal(create(wish)), "none");
    wish.edge_enabled = true;
    EXPECT_EQ(refusal(replace(wish)), "ArgumentInvalid");
}

TEST_F(Devices, OfIotEdgeGetAScopeAndTheSystemModules) {
    const auto made = take(create(edge("EdgeGateway")));
    EXPECT_EQ(made.record.device_scope, "ms-azure-iot-edge://EdgeGateway-" + made.record.generation);
    EXPECT_TRUE(made.record.parent_scopes.empty());
    const auto modules = take(reader->modules("EdgeGateway"));
    ASSERT_EQ(modules.size(), 2U);
    EXPECT_EQ(modules[0].record.identity.module, "$edgeAgent");
    EXPECT_EQ(modules[1].record.identity.module, "$edgeHub");
    for (const auto& one : modules) {
        EXPECT_EQ(one.managed_by, "iotEdge");
        EXPECT_EQ(one.record.authentication.type, trust::AuthType::none);
    }
}

TEST_F(Devices, MayBecomeIotEdgeDevicesButNotStopBeingOne) {
    take(create(device("EdgeGateway")));
    const auto grown = take(replace(edge("EdgeGateway")));
    EXPECT_TRUE(grown.record.edge_enabled);
    EXPECT_EQ(take(reader->modules("EdgeGateway")).size(), 2U);
    auto wish = device("EdgeGateway");
    wish.edge_enabled = false;
    EXPECT_EQ(refusal(replace(wish)), "ArgumentInvalid");
}

TEST_F(Devices, AreDeletedWithTheirModules) {
    take(create(edge("EdgeGateway")));
    EXPECT_EQ(refusal(remove("EdgeGateway", {})), "PreconditionFailed");
    EXPECT_EQ(refusal(remove("EdgeGateway", {registry::IfMatch::Kind::exact, "x"})), "PreconditionFailed");
    EXPECT_EQ(refusal(remove("EdgeGateway")), "none");
    EXPECT_EQ(refusal(remove("EdgeGateway")), "DeviceNotFound");
    EXPECT_EQ(take(reader->device("EdgeGateway")), std::nullopt);
    EXPECT_EQ(take(reader->module({"EdgeGateway", "$edgeHub"})), std::nullopt);
}

TEST_F(Devices, AreListedByIdUpToTheNumberAskedFor) {
    for (const auto* id : {"c", "a", "b"}) take(create(device(id)));
    const auto two = take(reader->devices(2));
    ASSERT_EQ(two.size(), 2U);
    EXPECT_EQ(two[0].record.identity.device + two[1].record.identity.device, "ab");
    EXPECT_EQ(take(reader->devices(1000)).size(), 3U);
}

TEST_F(Devices, AreThereAfterReopening) {
    const auto made = take(create(edge("EdgeGateway")));
    open();
    EXPECT_EQ(azure::to_json(take(reader->device("EdgeGateway")).value()), azure::to_json(made));
}

TEST_F(Devices, ArePresentedAsRecordsWithTheStatusOfTheDevice) {
    take(create(edge("EdgeGateway")));
    auto wish = device("EdgeGateway");
    wish.status = trust::Enablement::disabled;
    take(replace(wish));
    const auto module = take(reader->record({"EdgeGateway", "$edgeHub"})).value();
    EXPECT_EQ(module.device_status, trust::Enablement::disabled);
    EXPECT_EQ(take(reader->record({"EdgeGateway", ""}))->status, trust::Enablement::disabled);
    EXPECT_EQ(take(reader->record({"EdgeGateway", "none"})), std::nullopt);
    EXPECT_EQ(take(reader->record({"nobody", ""})), std::nullopt);
}

TEST(IfMatch, IsReadInEverySpelling) {
    using registry::IfMatch;
    EXPECT_EQ(IfMatch::parse(std::nullopt).kind, IfMatch::Kind::absent);
    for (const auto* text : {"*", "\"*\"", " * "})
        EXPECT_EQ(IfMatch::parse(text).kind, IfMatch::Kind::any) << text;
    for (const auto* text : {"MTIz", "\"MTIz\"", "W/\"MTIz\"", " \"MTIz\" "}) {
        EXPECT_EQ(IfMatch::parse(text).kind, IfMatch::Kind::exact) << text;
        EXPECT_EQ(IfMatch::parse(text).etag, "MTIz") << text;
    }
}

}  // namespace
}  // namespace registry_tests
