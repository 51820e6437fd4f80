// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace registry_tests {
namespace {

class Modules : public RegistryFile {
  protected:
    Modules() { take(create(edge("EdgeGateway"))); }
};

TEST_F(Modules, AreMadeWithKeysAndKeepTheirGenerationOverUpdates) {
    const auto made = take(create(module("EdgeGateway", "mod1")));
    EXPECT_EQ(made.record.authentication.type, trust::AuthType::sas);
    EXPECT_EQ(base::from_base64(made.record.authentication.primary_key)->size(), 32U);
    EXPECT_EQ(azure::to_json(take(reader->module({"EdgeGateway", "mod1"})).value()), azure::to_json(made));

    auto wish = module("EdgeGateway", "mod1");
    wish.managed_by = "iotedge";
    wish.authentication.emplace();
    wish.authentication->primary_key = base::to_base64(base::Bytes(32));
    const auto updated = take(replace(wish));
    EXPECT_EQ(updated.record.generation, made.record.generation);
    EXPECT_EQ(updated.record.authentication.primary_key, base::to_base64(base::Bytes(32)));
    EXPECT_EQ(updated.record.authentication.secondary_key, made.record.authentication.secondary_key);
    EXPECT_EQ(updated.managed_by, "iotedge");
    EXPECT_NE(updated.etag, made.etag);
}

TEST_F(Modules, TakeAKeyFromTheEdgeRuntimeWhereTheyHadNone) {
    auto wish = module("EdgeGateway", "$edgeHub");
    wish.authentication.emplace();
    wish.authentication->primary_key = wish.authentication->secondary_key = base::to_base64(base::Bytes(32));
    EXPECT_EQ(take(replace(wish)).record.authentication.type, trust::AuthType::sas);
}

TEST_F(Modules, AreRefusedWithTheCodeOfTheReason) {
    take(create(module("EdgeGateway", "mod1")));
    EXPECT_EQ(refusal(create(module("EdgeGateway", "mod1"))), "ModuleAlreadyExistsOnDevice");
    EXPECT_EQ(refusal(create(module("nobody", "mod1"))), "DeviceNotFound");
    EXPECT_EQ(refusal(create(module("EdgeGateway", "a b"))), "ArgumentInvalid");
    EXPECT_EQ(refusal(replace(module("EdgeGateway", "mod2"))), "ModuleNotFound");
    EXPECT_EQ(refusal(replace(module("EdgeGateway", "mod1"), {})), "PreconditionFailed");
    EXPECT_EQ(refusal(remove(trust::Identity{"EdgeGateway", "mod2"})), "ModuleNotFound");
    EXPECT_EQ(refusal(remove(trust::Identity{"EdgeGateway", "mod1"}, {})), "PreconditionFailed");
    EXPECT_EQ(refusal(remove(trust::Identity{"EdgeGateway", "mod1"})), "none");
    EXPECT_EQ(take(reader->module({"EdgeGateway", "mod1"})), std::nullopt);
}

TEST_F(Modules, OfTheSystemCannotBeDeleted) {
    for (const auto* id : {"$edgeAgent", "$edgeHub"})
        EXPECT_EQ(refusal(remove(trust::Identity{"EdgeGateway", id})), "SystemModuleModifyUnauthorizedAccess")
            << id;
    EXPECT_EQ(take(reader->modules("EdgeGateway")).size(), 2U);
    take(create(device("leaf")));
    take(create(module("leaf", "$edgeHub")));
    EXPECT_EQ(refusal(remove(trust::Identity{"leaf", "$edgeHub"})), "none");
}

TEST_F(Modules, AreFiftyAtMost) {
    for (int i = 0; i < 48; ++i) take(create(module("EdgeGateway", "m" + std::to_string(i))));
    EXPECT_EQ(refusal(create(module("EdgeGateway", "one more"))), "ArgumentInvalid");
    EXPECT_EQ(refusal(create(module("EdgeGateway", "one_more"))), "TooManyModulesOnDevice");
}

}  // namespace
}  // namespace registry_tests
