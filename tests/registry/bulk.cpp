// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>

#include "azure/bulk.hpp"
#include "fixture.hpp"

namespace registry_tests {
namespace {

class Bulk : public RegistryFile {
  protected:
    azure::BulkResult write(const std::string& items) {
        return take(registry->bulk(take(azure::parse_bulk(items, 0))));
    }
    /// "identity: code" of each failure.
    std::vector<std::string> failures(const std::string& items) {
        std::vector<std::string> out;
        for (const auto& failure : write(items).failures)
            out.push_back(failure.identity.text() + ": " + std::string(azure::name(failure.code)));
        return out;
    }
    using Texts = std::vector<std::string>;
};

TEST_F(Bulk, WritesDevicesAndModulesInOneGo) {
    EXPECT_EQ(failures(R"([{"id":"e1","capabilities":{"iotEdge":true}},{"id":"d1","status":"disabled"},
                           {"id":"d1","moduleId":"m1"}])"),
              Texts{});
    EXPECT_EQ(take(reader->device("d1"))->record.status, trust::Enablement::disabled);
    EXPECT_TRUE(take(reader->module({"d1", "m1"})));
    EXPECT_TRUE(take(reader->module({"e1", "$edgeHub"})));
}

TEST_F(Bulk, DoesTheOthersWhereOneIsRefused) {
    take(create(device("old")));
    EXPECT_EQ(failures(R"([{"id":"new"},{"id":"old"},{"id":"none","importMode":"update"},
                           {"id":"none2","importMode":"delete"},{"id":"none3","moduleId":"m"},
                           {"id":"bad","deviceScope":"nowhere"},{"id":"new2"},{"id":"new2","moduleId":"m"}])"),
              (Texts{"old: DeviceAlreadyExists", "none: DeviceNotFound", "none2: DeviceNotFound",
                     "none3/m: DeviceNotFound", "bad: InvalidDeviceScope"}));
    EXPECT_TRUE(take(reader->device("new")));
    EXPECT_TRUE(take(reader->module({"new2", "m"})));
    EXPECT_FALSE(take(reader->device("bad")));
}

TEST_F(Bulk, AsksForTheEtagWhereTheModeDoes) {
    const auto etag = take(create(device("d"))).etag;
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"updateIfMatchETag","eTag":"x"}])"),
              Texts{"d: EtagDoesNotMatch"});
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"deleteIfMatchETag"}])"), Texts{"d: EtagDoesNotMatch"});
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"updateIfMatchETag","status":"disabled","eTag":")" + etag +
                       "\"}]"),
              Texts{});
    EXPECT_EQ(take(reader->device("d"))->record.status, trust::Enablement::disabled);
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"update","status":"enabled"}])"), Texts{});
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"deleteIfMatchETag","eTag":"*"}])"), Texts{});
    EXPECT_FALSE(take(reader->device("d")));
}

TEST_F(Bulk, TellsOnlyOfChangesThatWereMade) {
    std::vector<std::string> seen;
    registry->on_change([&](const registry::Change& change) { seen.push_back(change.device); });
    EXPECT_EQ(failures(R"([{"id":"a"},{"id":"b","deviceScope":"nowhere"},{"id":"c"}])"),
              Texts{"b: InvalidDeviceScope"});
    EXPECT_EQ(seen, (Texts{"a", "c"}));
}

TEST_F(Bulk, WritesTwins) {
    EXPECT_EQ(failures(R"([{"id":"d","tags":{"a":1},"properties":{"desired":{"t":1}}},
                           {"id":"d","moduleId":"m","properties":{"desired":{"t":2}}}])"),
              Texts{});
    EXPECT_EQ(take(reader->twin({"d", ""}))->tags, (boost::json::object{{"a", 1}}));
    EXPECT_EQ(take(reader->twin({"d", "m"}))->desired.values, (boost::json::object{{"t", 2}}));
    const auto etag = take(reader->twin({"d", ""}))->etag();
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"updateTwin","tags":{"b":2}}])"), Texts{});
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"c":3},"twinETag":")" +
                       etag + "\"}]"),
              Texts{"d: EtagDoesNotMatch"});
    EXPECT_EQ(failures(R"([{"id":"d","importMode":"updateTwinIfMatchETag","tags":{"c":3}}])"),
              Texts{"d: EtagDoesNotMatch"});
    EXPECT_EQ(failures(R"([{"id":"none","importMode":"updateTwin","tags":{}}])"),
              Texts{"none: DeviceNotFound"});
    EXPECT_EQ(take(reader->twin({"d", ""}))->tags, (boost::json::object{{"a", 1}, {"b", 2}}));
}

TEST_F(Bulk, UndoesADeviceWhoseTwinIsRefused) {
    std::vector<std::string> told;
    registry->on_twin_change(
        [&](const registry::TwinChange& change) { told.push_back(change.identity.text()); });
    const std::string large(4000, 'x');
    EXPECT_EQ(failures(R"([{"id":"d","tags":{"a":")" + large + R"(","b":")" + large + R"(","c":")" + large +
                       R"("}},{"id":"e","tags":{"a":1}}])"),
              Texts{"d: ArgumentInvalid"});
    EXPECT_FALSE(take(reader->device("d")));
    EXPECT_EQ(take(reader->counts()).devices, 1U);
    EXPECT_EQ(told, Texts{"e"});
}

TEST_F(Bulk, KeepsTheCounts) {
    write(R"([{"id":"a"},{"id":"b","status":"disabled"},{"id":"c"},{"id":"c","moduleId":"m"}])");
    auto counts = take(reader->counts());
    EXPECT_EQ(counts.devices, 3U);
    EXPECT_EQ(counts.disabled_devices, 1U);
    EXPECT_EQ(counts.modules, 1U);
    write(R"([{"id":"a","importMode":"update","status":"disabled"},{"id":"b","importMode":"delete"},
              {"id":"c","importMode":"delete"},{"id":"a","moduleId":"m"}])");
    counts = take(reader->counts());
    EXPECT_EQ(counts.devices, 1U);
    EXPECT_EQ(counts.disabled_devices, 1U);
    EXPECT_EQ(counts.modules, 1U);
}

TEST_F(Bulk, IsReadBackInOrderAndInParts) {
    std::string items = "[";
    for (int i = 0; i < 250; ++i) {
        const auto id = std::to_string(1000 + i);
        items += (i == 0 ? "" : ",") + (R"({"id":"d)" + id + R"("},{"id":"d)" + id + R"(","moduleId":"m"})");
    }
    ASSERT_TRUE(write(items + "]").successful());
    const auto ids = [&](const std::string& first, const std::string& last, std::size_t most) {
        Texts out;
        for (const auto& one : take(reader->devices(first, last, most)))
            out.push_back(one.record.identity.device);
        return out;
    };
    EXPECT_EQ(ids("", "", 1000).size(), 250U);
    EXPECT_EQ(ids("d1010", "d1012", 10), (Texts{"d1010", "d1011", "d1012"}));
    EXPECT_EQ(ids("d1248", "", 10), (Texts{"d1248", "d1249"}));
    const auto modules = take(reader->modules_behind({"d1000", ""}, "d1001", 10));
    ASSERT_EQ(modules.size(), 2U);
    const auto rest = take(reader->modules_behind({"d1000", "m"}, "d1001", 10));
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].record.identity.device, "d1001");
}

}  // namespace
}  // namespace registry_tests
