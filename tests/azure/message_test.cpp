// SPDX-License-Identifier: Apache-2.0
#include "azure/message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

namespace {

using azure::Properties;
using azure::TopicKind;

struct TopicCase {
    std::string_view topic, device, module, bag;
};

TEST(Topic, ReadsTelemetryOfDevicesAndModules) {
    for (const auto& [topic, device, module, bag] : std::initializer_list<TopicCase>{
             {"devices/TempSensor/messages/events/", "TempSensor", "", ""},
             {"devices/TempSensor/messages/events", "TempSensor", "", ""},
             {"devices/TempSensor/messages/events/a=1&%24.mid=x", "TempSensor", "", "a=1&%24.mid=x"},
             {"devices/TempSensor/messages/events/a=1/", "TempSensor", "", "a=1"},
             {"devices/TempSensor/modules/mod1/messages/events/%24.on=out1/", "TempSensor", "mod1",
              "%24.on=out1"},
             {"devices/EdgeGateway/modules/$edgeHub/messages/events", "EdgeGateway", "$edgeHub", ""},
             // hostile ids are raw
             {"devices/a%2Fb/messages/events/", "a%2Fb", "", ""},
             {"devices/#+$?/messages/events/", "#+$?", "", ""},
             {"devices/modules/messages/events/", "modules", "", ""},
             {"devices/messages/messages/events/", "messages", "", ""},
             {"devices/modules/modules/modules/messages/events/", "modules", "modules", ""},
             // the C SDK sends values raw
             {"devices/d/messages/events/$.ct=application/json&k=v", "d", "", "$.ct=application/json&k=v"}}) {
        const auto read = azure::parse_topic(topic);
        EXPECT_EQ(read.kind, TopicKind::telemetry) << topic;
        EXPECT_EQ(read.identity.device, device) << topic;
        EXPECT_EQ(read.identity.module, module) << topic;
        EXPECT_EQ(read.bag, bag) << topic;
    }
}

TEST(Topic, KnowsNothingElse) {
    for (const auto* topic : {"",
                              "devices",
                              "devices/",
                              "devices//messages/events/",
                              "devices/d",
                              "devices/d/messages",
                              "devices/d/messages/",
                              "devices/d/messages/devicebound/",
                              "devices/d/messages/eventsx",
                              "devices/d/messages/Events/",
                              "Devices/d/messages/events/",
                              "/devices/d/messages/events/",
                              "devices/d/modules//messages/events/",
                              "devices/d/modules/m/inputs/in1",
                              "devices/d/modules/m",
                              "$iothub/",
                              "$iothub/twin/GET/",
                              "$iothub/twin/GET?$rid=1",
                              "$iothub/twin/GET/?rid=1",
                              "$iothub/twin/PUT/?$rid=1",
                              "$iothub/methods/res/?$rid=1",
                              "$iothub/methods/res/2x/?$rid=1",
                              "$iothub/methods/res/99999999999999999999/?$rid=1",
                              "x/devices/d/messages/events/"})
        EXPECT_EQ(azure::parse_topic(topic).kind, TopicKind::unknown) << topic;
}

TEST(Topic, ReadsTheRequestsOfTwinsAndMethods) {
    const auto get = azure::parse_topic("$iothub/twin/GET/?$rid=a%20b");
    EXPECT_EQ(get.kind, TopicKind::twin_get);
    EXPECT_EQ(get.request, "a%20b");
    const auto reported = azure::parse_topic("$iothub/twin/PATCH/properties/reported/?$rid=7&$version=3");
    EXPECT_EQ(reported.kind, TopicKind::twin_reported);
    EXPECT_EQ(reported.request, "7");
    const auto answer = azure::parse_topic("$iothub/methods/res/-2/?$rid=1f");
    EXPECT_EQ(answer.kind, TopicKind::method_answer);
    EXPECT_EQ(answer.status, -2);
    EXPECT_EQ(answer.request, "1f");
}

azure::Message read(std::string_view bag) {
    azure::Message message;
    const auto status = azure::read_property_bag(bag, message);
    if (!status) throw std::runtime_error(status.error().text());
    return message;
}

TEST(PropertyBag, ReadsTheCapturedExample) {
    const auto message =
        read("%24.mid=id%201&%24.ct=application%2Fjson&%24.ce=utf-8&alert=a%26b%3Dc%20d&%C3%A9=%C3%BC");
    EXPECT_EQ(message.system, (Properties{{"message-id", "id 1"},
                                          {"content-type", "application/json"},
                                          {"content-encoding", "utf-8"}}));
    EXPECT_EQ(message.application, (Properties{{"alert", "a&b=c d"}, {"\xc3\xa9", "\xc3\xbc"}}));
}

struct KeyCase {
    std::string_view key, name;
};

TEST(PropertyBag, KnowsEverySystemPropertyInBothSpellings) {
    for (const auto& [key, name] : std::initializer_list<KeyCase>{{"mid", "message-id"},
                                                                  {"cid", "correlation-id"},
                                                                  {"uid", "user-id"},
                                                                  {"to", "to"},
                                                                  {"ct", "content-type"},
                                                                  {"ce", "content-encoding"},
                                                                  {"exp", "expiry"},
                                                                  {"on", "output-name"},
                                                                  {"ifid", "interface-id"},
                                                                  {"sub", "dt-subject"},
                                                                  {"ctime", "creation-time"},
                                                                  {"schema", "schema"},
                                                                  {"diagid", "diagnostic-id"},
                                                                  {"diagctx", "diagnostic-context"},
                                                                  {"cdid", "connection-device-id"},
                                                                  {"cmid", "connection-module-id"}}) {
        for (const std::string prefix : {"$.", "%24.", "%24%2e"}) {
            const auto message = read(prefix + std::string(key) + "=v");
            EXPECT_EQ(message.system, (Properties{{std::string(name), "v"}})) << prefix << key;
            EXPECT_TRUE(message.application.empty());
        }
    }
    EXPECT_EQ(read("$.new=1").application, (Properties{{"$.new", "1"}}));
}

TEST(PropertyBag, TellsNullFromEmptyAndKeepsPlusAndEquals) {
    EXPECT_EQ(read("a&b=&c=1=2&d=x+y").application,
              (Properties{{"a", std::nullopt}, {"b", ""}, {"c", "1=2"}, {"d", "x+y"}}));
    EXPECT_EQ(read("").application, Properties{});
    EXPECT_EQ(read("&&a=1&").application, (Properties{{"a", "1"}}));
}

TEST(PropertyBag, TakesTheFirstOfEqualNames) {
    EXPECT_EQ(read("a=1&a=2&%61=3").application, (Properties{{"a", "1"}}));
    EXPECT_EQ(read("$.mid=1&%24.mid=2").system, (Properties{{"message-id", "1"}}));
}

TEST(PropertyBag, RefusesWhatIsNotEncodedText) {
    for (const auto* bag : {"a=%", "a=%2", "%zz=1", "a=%ff", "%c3=1", "=1", "a=1&=", "a=100%"}) {
        azure::Message message;
        const auto status = azure::read_property_bag(bag, message);
        ASSERT_FALSE(status) << bag;
        EXPECT_EQ(status.error().code, base::Code::malformed);
        EXPECT_TRUE(message.system.empty() && message.application.empty()) << "half a bag was kept: " << bag;
    }
}

TEST(PropertyBag, ReadsManyNamesInTimeLinearInTheirNumber) {
    std::string bag;
    for (int i = 0; i < 20'000; ++i) bag += std::to_string(i) + "&";
    EXPECT_EQ(read(bag).application.size(), 20'000U);
}

TEST(PropertyBag, IsWrittenInAzuresOrder) {
    azure::Message message;
    message.application = {{"zone", "a/b"}, {"none", std::nullopt}, {"empty", ""}, {"iothub-ack", "full"}};
    message.system = {{"content-encoding", "utf-8"},
                      {"message-id", "1"},
                      {"output-name", "out"},
                      {"correlation-id", "2"},
                      {"to", "/devices/d"},
                      {"expiry", "2026-11-24T10:00:00.0000000Z"},
                      {"user-id", "u"},
                      {"content-type", "application/json"}};
    EXPECT_EQ(
        azure::make_property_bag(message),
        "%24.to=%2Fdevices%2Fd&%24.exp=2026-11-24T10%3A00%3A00.0000000Z&%24.mid=1&%24.cid=2&%24.uid=u&%24.ct="
        "application%2Fjson&%24.ce=utf-8&%24.on=out&iothub-ack=full&zone=a%2Fb&none&empty=");
    EXPECT_EQ(azure::telemetry_topic({"TempSensor", ""}, {}), "devices/TempSensor/messages/events/");
    EXPECT_EQ(azure::telemetry_topic({"EdgeGateway", "mod1"}, {{}, {{"output-name", "o"}}, {}}),
              "devices/EdgeGateway/modules/mod1/messages/events/%24.on=o");
}

std::string shown(std::string_view body) {
    return azure::event_json({{"TempSensor", ""}, {base::bytes_of(body), {}, {}}, {}},
                             azure::ShowProperties::none, {});
}

TEST(EventJson, ShowsAJsonBodyAsAValueOnOneLine) {
    EXPECT_EQ(
        shown(
            "{\"temperature\": 21.50,\r\n\t\"big\": 123456789012345678901234567890, \"s\": \"a b\\\" c\" }"),
        R"({"event":{"origin":"TempSensor","module":"","payload":{"temperature":21.50,"big":123456789012345678901234567890,"s":"a b\" c"}}})");
    EXPECT_EQ(shown(" 17 "), R"({"event":{"origin":"TempSensor","module":"","payload":17}})");
    EXPECT_EQ(shown("null"), R"({"event":{"origin":"TempSensor","module":"","payload":null}})");
    EXPECT_EQ(shown("\"text\""), R"({"event":{"origin":"TempSensor","module":"","payload":"text"}})");
}

TEST(EventJson, ShowsOtherBodiesAsTextOrBase64) {
    EXPECT_EQ(shown(""), R"({"event":{"origin":"TempSensor","module":"","payload":""}})");
    EXPECT_EQ(shown("hello\n\"w\xc3\xb6rld\""),
              "{\"event\":{\"origin\":\"TempSensor\",\"module\":\"\",\"payload\":"
              "\"hello\\n\\\"w\xc3\xb6rld\\\"\"}}");
    EXPECT_EQ(shown("{\"a\":1} x"),
              R"({"event":{"origin":"TempSensor","module":"","payload":"{\"a\":1} x"}})");
    EXPECT_EQ(shown("\xff\xfe"), R"({"event":{"origin":"TempSensor","module":"","payload":"//4="}})");
    EXPECT_EQ(shown(std::string_view("\0\x01", 2)),
              R"({"event":{"origin":"TempSensor","module":"","payload":"\u0000\u0001"}})");
    // JSON but for its depth, or for text that is not UTF-8
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_EQ(boost::json::parse(shown(deep)).at("event").at("payload").as_string(), deep);
    EXPECT_EQ(shown("\"\xff\""), R"({"event":{"origin":"TempSensor","module":"","payload":"Iv8i"}})");
}

TEST(EventJson, ShowsPropertiesInOrderWhenAsked) {
    const azure::Event event{
        {"EdgeGateway", "mod1"},
        {base::bytes_of("1"), {{"message-id", "m\"1"}}, {{"z", std::nullopt}, {"a", ""}}},
        {{"iothub-connection-device-id", "EdgeGateway"}, {"iothub-message-source", "Telemetry"}}};
    EXPECT_EQ(
        azure::event_json(event, azure::ShowProperties::all, 42),
        R"({"event":{"origin":"EdgeGateway","module":"mod1","payload":1,"properties":{"system":{"message-id":"m\"1"},"annotations":{"iothub-connection-device-id":"EdgeGateway","iothub-message-source":"Telemetry"},"application":{"z":null,"a":""}}},"offset":42})");
    EXPECT_EQ(azure::event_json(event, azure::ShowProperties::none, 0),
              R"({"event":{"origin":"EdgeGateway","module":"mod1","payload":1},"offset":0})");
}

azure::Event stored_event() {
    return {{"EdgeGateway", "mod1"},
            {base::bytes_of("{}"), {{"message-id", "1"}}, {{"k", std::nullopt}, {"e", ""}}},
            {{"iothub-enqueuedtime", "2026-11-25T10:00:00Z"}}};
}

TEST(StoredEvent, ComesBackAsItWasWritten) {
    const auto event = stored_event();
    const auto read = azure::decode_event(azure::encode_event(event));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->origin, event.origin);
    EXPECT_EQ(read->message.body, event.message.body);
    EXPECT_EQ(read->message.system, event.message.system);
    EXPECT_EQ(read->message.application, event.message.application);
    EXPECT_EQ(read->annotations, event.annotations);
}

TEST(StoredEvent, IsMalformedWhereverItIsCutOrGrown) {
    auto bytes_of = azure::encode_event(stored_event());
    for (std::size_t size = 0; size < bytes_of.size(); ++size) {
        const auto read = azure::decode_event(std::span(bytes_of).first(size));
        ASSERT_FALSE(read) << size;
        EXPECT_EQ(read.error().code, base::Code::malformed);
    }
    bytes_of.push_back(std::byte{0});
    EXPECT_FALSE(azure::decode_event(bytes_of));
}

TEST(StoredEvent, RefusesAnotherVersionAndImpossibleCounts) {
    auto other = azure::encode_event(stored_event());
    other[0] = std::byte{2};
    EXPECT_FALSE(azure::decode_event(other));
    // version, two empty ids, then four thousand million properties
    EXPECT_FALSE(azure::decode_event(*base::from_hex("010000000000000000ffffffff")));
}

}  // namespace
