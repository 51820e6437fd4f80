// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "azure/json_text.hpp"
#include "fixture.hpp"
#include "registry/schema.hpp"

namespace registry_tests {
namespace {

using azure::TwinWrite;

class Twins : public RegistryFile {
  protected:
    static azure::TwinWish wish(std::string_view text) { return take(azure::parse_twin(text)); }

    base::Result<azure::Twin> update(const trust::Identity& id, std::string_view text,
                                     TwinWrite how = TwinWrite::patch, registry::IfMatch match = {}) {
        return wait<azure::Twin>([&](auto done) { registry->update_twin(id, wish(text), how, match, done); });
    }
    base::Result<std::int64_t> report(const trust::Identity& id, const std::string& generation,
                                      std::string_view text) {
        return wait<std::int64_t>(
            [&](auto done) { registry->report(id, generation, boost::json::parse(text).as_object(), done); });
    }
    base::Result<bool> note_model(const trust::Identity& id, const std::string& generation,
                                  const std::string& model) {
        return wait<bool>([&](auto done) { registry->note_model(id, generation, model, done); });
    }
};

TEST_F(Twins, LiveAndDieWithTheirIdentities) {
    const auto made = take(create(edge("EdgeGateway")));
    take(create(module("EdgeGateway", "mod1")));
    for (const auto* id : {"", "$edgeAgent", "$edgeHub", "mod1"}) {
        const auto twin = take(reader->twin({"EdgeGateway", id}));
        ASSERT_TRUE(twin) << id;
        EXPECT_EQ(*twin, azure::make_twin(twin->generation, clock.when)) << id;
    }
    EXPECT_EQ(take(reader->twin({"EdgeGateway", {}}))->generation, made.record.generation);

    take(update({"EdgeGateway", "mod1"}, R"({"tags":{"a":1}})"));
    take(remove(trust::Identity{"EdgeGateway", "mod1"}));
    EXPECT_EQ(take(reader->twin({"EdgeGateway", "mod1"})), std::nullopt);
    take(create(module("EdgeGateway", "mod1")));
    EXPECT_TRUE(take(reader->twin({"EdgeGateway", "mod1"}))->tags.empty());

    take(remove("EdgeGateway"));
    for (const auto* id : {"", "$edgeAgent", "$edgeHub", "mod1"})
        EXPECT_EQ(take(reader->twin({"EdgeGateway", id})), std::nullopt) << id;
}

TEST_F(Twins, KeepWhatWasWrittenOverAnUpdateOfTheIdentityAndARestart) {
    const auto made = take(create(device("TempSensor")));
    const trust::Identity id{"TempSensor", {}};
    const auto written = take(
        update(id, R"({"tags":{"place":"hall"},"properties":{"desired":{"a":{"b":20.1},"c":[1,"x"]}}})"));
    EXPECT_EQ(written.etag(), "AAAAAAAAAAI=");
    clock.when += std::chrono::seconds(5);
    EXPECT_EQ(take(report(id, made.record.generation, R"({"t":0.3,"u":null})")), 2);
    EXPECT_EQ(take(report(id, made.record.generation, R"({"u":1})")), 3);
    take(replace(device("TempSensor")));
    open();
    const auto twin = take(reader->twin(id)).value();
    EXPECT_EQ(azure::json_text(twin.tags), R"({"place":"hall"})");
    EXPECT_EQ(
        azure::device_twin_json(twin),
        R"({"desired":{"a":{"b":20.1},"c":[1,"x"],"$version":2},"reported":{"t":0.3,"u":1,"$version":3}})");
    EXPECT_EQ(twin.desired, written.desired);
    EXPECT_EQ(azure::json_text(twin.reported.metadata.at("u")),
              R"({"$lastUpdated":"2026-11-25T09:46:45.1230000Z"})");
    EXPECT_EQ(twin.version, 3);
}

TEST_F(Twins, AreRefusedWithTheCodeOfTheReason) {
    const auto made = take(create(device("TempSensor")));
    const trust::Identity id{"TempSensor", {}};
    const auto exact = [](std::string etag) {
        return registry::IfMatch{registry::IfMatch::Kind::exact, std::move(etag)};
    };
    constexpr auto tags = R"({"tags":{"a":1}})";
    EXPECT_EQ(refusal(update({"nobody", {}}, tags)), "DeviceNotFound");
    EXPECT_EQ(refusal(update({"nobody", "mod1"}, tags)), "DeviceNotFound");
    EXPECT_EQ(refusal(update({"TempSensor", "mod1"}, tags)), "ModuleNotFound");
    EXPECT_EQ(refusal(update(id, tags, TwinWrite::patch, exact("AAAAAAAAAAI="))), "PreconditionFailed");
    EXPECT_EQ(refusal(update(id, tags, TwinWrite::patch, exact("AAAAAAAAAAE="))), "none");
    EXPECT_EQ(refusal(update(id, tags, TwinWrite::patch, exact("AAAAAAAAAAE="))), "PreconditionFailed");
    EXPECT_EQ(refusal(update(id, tags, TwinWrite::patch, any)), "none");
    EXPECT_EQ(refusal(update(id, R"({"properties":{"desired":{"a":1,"$version":2}}})")),
              "PreconditionFailed");
    EXPECT_EQ(refusal(update(id, R"({"properties":{"desired":{"a":1,"$version":1}}})")), "none");
    std::string large =
        R"({"tags":{"a":")" + std::string(4096, 'v') + R"(","b":")" + std::string(4096, 'v') + R"("}})";
    EXPECT_EQ(refusal(update(id, large)), "ArgumentInvalid");

    EXPECT_EQ(refusal(report({"nobody", {}}, "1", "{}")), "DeviceNotFound");
    // A session of an identity that was deleted meanwhile must not write into the new one's twin.
    EXPECT_EQ(refusal(report(id, "1", R"({"a":1})")), "DeviceNotFound");
    EXPECT_EQ(refusal(report(id, made.record.generation, R"({"a":1})")), "none");
}

TEST_F(Twins, RememberTheModelOfTheDevice) {
    const auto made = take(create(device("TempSensor")));
    const trust::Identity id{"TempSensor", {}};
    constexpr auto model = "dtmi:example:Thermostat;1";
    EXPECT_TRUE(take(note_model(id, made.record.generation, model)));
    EXPECT_FALSE(take(note_model(id, made.record.generation, model)));
    EXPECT_FALSE(take(note_model(id, "1", "dtmi:example:Other;1")));
    EXPECT_EQ(take(reader->model_id(id)), model);
    EXPECT_EQ(take(reader->twin(id))->model_id, model);
    EXPECT_EQ(take(reader->twin(id))->version, 2);
    EXPECT_EQ(take(reader->model_id({"nobody", {}})), std::nullopt);
}

TEST_F(Twins, TellTheirOwnObserversAndNobodyElse) {
    const auto made = take(create(device("TempSensor")));
    const trust::Identity id{"TempSensor", {}};
    const auto last = take(reader->last_change());
    std::vector<registry::TwinChange> seen;
    registry->on_change([](const registry::Change&) { ADD_FAILURE() << "a gateway would fetch its scope"; });
    registry->on_twin_change([&](const registry::TwinChange& change) { seen.push_back(change); });
    take(update(id, R"({"tags":{"a":1},"properties":{"desired":{"b":{"c":null}}}})"));
    take(update(id, R"({"properties":{"desired":{}}})"));
    take(update(id, R"({"properties":{"desired":{"d":1}}})", TwinWrite::replace));
    EXPECT_EQ(refusal(update(id, R"({"properties":{"desired":{"$version":1}}})")), "PreconditionFailed");
    take(report(id, made.record.generation, R"({"e":1})"));
    // Each was told before its `done`.
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(azure::json_text(*seen[0].tags), R"({"a":1})");
    EXPECT_EQ(azure::json_text(*seen[0].desired), R"({"b":{"c":null}})");
    EXPECT_EQ(seen[0].reported, std::nullopt);
    EXPECT_EQ(seen[0].after.desired.version, 2);
    EXPECT_EQ(seen[1].how, TwinWrite::replace);
    EXPECT_EQ(seen[1].tags, std::nullopt);
    EXPECT_EQ(seen[1].after.desired.version, 3);
    EXPECT_EQ(seen[2].desired, std::nullopt);
    EXPECT_EQ(azure::json_text(*seen[2].reported), R"({"e":1})");
    EXPECT_EQ(seen[2].after.reported.version, 2);
    EXPECT_EQ(seen[2].identity, id);
    EXPECT_EQ(take(reader->last_change()), last);
}

TEST(TwinsOfAnOlderRegistry, BeginWithTheGenerationOfTheirIdentity) {
    const support::TemporaryDirectory directory;
    const auto file = directory / "hub.db";
    const auto all = registry::migrations();
    {
        auto old = store::Database::open(file, store::Database::Access::read_write, all.first(4)).value();
        auto device = old->statement(
            "INSERT INTO devices VALUES('TempSensor', '639001234567890123', 'e', 1, '', 0, 'sas', 'a', 'b', "
            "NULL,"
            " NULL, 0, '', '')");
        ASSERT_TRUE(device.run());
        auto module = old->statement(
            "INSERT INTO modules VALUES('TempSensor', 'mod1', '639001234567890124', 'e', '', 'sas', 'a', 'b',"
            " NULL, NULL)");
        ASSERT_TRUE(module.run());
    }
    StillClock clock;
    const auto registry = registry::Registry::open(file, clock).value();
    const auto reader = registry->reader().value();
    const auto twin = reader->twin({"TempSensor", {}}).value().value();
    // 639001234567890123 ticks are 2025-11-30T18:17:36 UTC.
    EXPECT_EQ(twin, azure::make_twin("639001234567890123", azure::Moment(std::chrono::seconds(1764526656))));
    EXPECT_EQ(reader->twin({"TempSensor", "mod1"}).value()->generation, "639001234567890124");
}

}  // namespace
}  // namespace registry_tests
