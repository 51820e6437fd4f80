// SPDX-License-Identifier: Apache-2.0
#include "azure/bulk.hpp"

#include <gtest/gtest.h>

namespace azure {
namespace {

BulkItem only(const char* item) {
    auto items = parse_bulk("[" + std::string(item) + "]", 100);
    if (!items) throw std::runtime_error(items.error().text());
    return items->front();
}

TEST(Bulk, ReadsTheModesInEveryCase) {
    const std::vector<std::pair<const char*, ImportMode>> modes{
        {"create", ImportMode::create},
        {"Create", ImportMode::create},
        {"Update", ImportMode::update},
        {"UpdateIfMatchETag", ImportMode::update_if_match},
        {"updateIfMatchETag", ImportMode::update_if_match},
        {"Delete", ImportMode::remove},
        {"DELETEIFMATCHETAG", ImportMode::remove_if_match},
        {"updateTwin", ImportMode::update_twin},
        {"UpdateTwinIfMatchETag", ImportMode::update_twin_if_match},
    };
    for (const auto& [text, mode] : modes) {
        const auto item = only((R"({"id":"d","importMode":")" + std::string(text) + "\"}").c_str());
        EXPECT_FALSE(item.refused) << text;
        EXPECT_EQ(item.mode, mode) << text;
    }
    EXPECT_EQ(only(R"({"id":"d"})").mode, ImportMode::create);
}

TEST(Bulk, ReadsADeviceAsNodeSendsIt) {
    const auto item = only(
        R"({"id":"b1","status":"disabled","etag":"\"AAA=\"","capabilities":{"iotEdge":true},"importMode":"Update",
            "authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}},
            "tags":{"a":1},"properties":{"desired":{"b":2}},"twinETag":"TTT="})");
    ASSERT_FALSE(item.refused);
    EXPECT_EQ(item.identity, (trust::Identity{"b1", ""}));
    EXPECT_EQ(item.device.device_id, "b1");
    EXPECT_EQ(item.device.status, trust::Enablement::disabled);
    EXPECT_EQ(item.device.edge_enabled, true);
    EXPECT_EQ(item.etag, "AAA=");
    EXPECT_EQ(item.twin_etag, "TTT=");
    ASSERT_TRUE(item.twin);
    EXPECT_EQ(item.twin->tags, (boost::json::object{{"a", 1}}));
    EXPECT_EQ(item.twin->desired, (boost::json::object{{"b", 2}}));
}

TEST(Bulk, ReadsModulesToo) {
    const auto item = only(R"({"id":"d","moduleId":"m","managedBy":"me","eTag":"x"})");
    ASSERT_FALSE(item.refused);
    EXPECT_EQ(item.identity, (trust::Identity{"d", "m"}));
    EXPECT_EQ(item.module.device_id, "d");
    EXPECT_EQ(item.module.module_id, "m");
    EXPECT_EQ(item.module.managed_by, "me");
    EXPECT_EQ(item.etag, "x");
}

TEST(Bulk, RefusesABadItemAlone) {
    const auto items = parse_bulk(
        R"(["x",{},{"id":"a/b"},{"id":"c","importMode":"upsert"},{"id":"d","status":"on"},
            {"id":"e","authentication":{"symmetricKey":{"primaryKey":"!"}}},{"id":"f","moduleId":"a/b"},
            {"id":"g","tags":[]},{"id":"good"}])",
        100);
    ASSERT_TRUE(items);
    ASSERT_EQ(items->size(), 9U);
    for (std::size_t i = 0; i < 8; ++i) {
        ASSERT_TRUE((*items)[i].refused) << i;
        EXPECT_EQ((*items)[i].refused->code, ErrorCode::argument_invalid) << i;
    }
    EXPECT_EQ((*items)[3].identity.device, "c") << "the error can name it";
    EXPECT_FALSE((*items)[8].refused);
}

TEST(Bulk, RefusesEveryItemOfAnIdentityThatComesTwice) {
    const auto items =
        parse_bulk(R"([{"id":"a"},{"id":"b"},{"id":"a"},{"id":"a","moduleId":"m"},{"id":"A"}])", 100);
    ASSERT_TRUE(items);
    EXPECT_EQ((*items)[0].refused->code, ErrorCode::device_defined_multiple_times);
    EXPECT_FALSE((*items)[1].refused);
    EXPECT_EQ((*items)[2].refused->code, ErrorCode::device_defined_multiple_times);
    EXPECT_FALSE((*items)[3].refused) << "a module is another identity";
    EXPECT_FALSE((*items)[4].refused) << "ids are case-sensitive";
}

TEST(Bulk, HasBoundsOfItsOwn) {
    EXPECT_EQ(parse_bulk("[", 100).error().code, base::Code::malformed);
    EXPECT_EQ(parse_bulk("{}", 100).error().code, base::Code::malformed);
    EXPECT_EQ(parse_bulk("[]", 100).error().code, base::Code::invalid_argument);
    std::string many = "[";
    for (int i = 0; i < 101; ++i) many += (i == 0 ? "" : ",") + (R"({"id":"d)" + std::to_string(i) + "\"}");
    many += "]";
    EXPECT_EQ(parse_bulk(many, 100).error().code, base::Code::too_large);
    EXPECT_EQ(parse_bulk(many, 0)->size(), 101U);
}

TEST(Bulk, WritesTheResultOfTheService) {
    BulkResult result;
    EXPECT_EQ(to_json(result), R"({"isSuccessful":true,"errors":[],"warnings":[]})");
    result.failures.push_back(
        {{"b1", ""}, ErrorCode::device_already_exists, "it exists", ImportMode::create});
    result.failures.push_back(
        {{"b1", "m"}, ErrorCode::module_not_found, "it does not", ImportMode::update_if_match});
    EXPECT_EQ(
        to_json(result),
        R"({"isSuccessful":false,"errors":[{"deviceId":"b1","moduleId":null,"errorCode":"DeviceAlreadyExists",)"
        R"("errorStatus":"it exists","operation":"create"},{"deviceId":"b1","moduleId":"m",)"
        R"("errorCode":"ModuleNotFound","errorStatus":"it does not","operation":"updateIfMatchETag"}],)"
        R"("warnings":[]})");
}

}  // namespace
}  // namespace azure
