// SPDX-License-Identifier: Apache-2.0
#include "azure/cloud_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "azure/feedback.hpp"
#include "azure/message_headers.hpp"
#include "base/clock.hpp"

namespace {

using azure::Ack;
using azure::Outcome;
using testing::ElementsAre;
using testing::Pair;

azure::Millis at(std::string_view text, int millis = 0) {
    return azure::Millis(*base::parse_rfc3339(text)) + std::chrono::milliseconds(millis);
}

azure::Message message_of(azure::Properties system, azure::Properties application,
                          std::string_view body = "x") {
    return {base::bytes_of(body), std::move(system), std::move(application)};
}

TEST(CloudMessage, StandsInItsTopicInAzuresOrderAndSpelling) {
    auto made = azure::make_cloud_message(
        message_of(
            {{"content-encoding", "utf-8"},
             {"content-type", "application/json"},
             {"user-id", "u"},
             {"correlation-id", "c 1"},
             {"message-id", "m/1"},
             {"expiry", "2026-11-24T10:00:00Z"},
             {"to", "/devices/Other/messages/devicebound"}},
            {{"b", "2"}, {"iothub-ack", "full"}, {"a", "\xc3\xa9&"}, {"null", std::nullopt}, {"empty", ""}}),
        "TempSensor");
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(azure::devicebound_topic("TempSensor", *made),
              "devices/TempSensor/messages/devicebound/"
              "%24.to=%2Fdevices%2FTempSensor%2Fmessages%2Fdevicebound"
              "&%24.exp=2026-11-24T10%3A00%3A00.0000000Z"
              "&%24.mid=m%2F1&%24.cid=c%201&%24.uid=u&%24.ct=application%2Fjson&%24.ce=utf-8"
              "&iothub-ack=full&b=2&a=%C3%A9%26&null&empty=");
}

TEST(CloudMessage, ExpiryHasSevenFractionDigitsAndIsReadInBothForms) {
    for (const auto* text : {"1795600800123", "2026-11-25T10:00:00+00:00"}) {
        auto made = azure::make_cloud_message(message_of({{"expiry", text}}, {}), "d");
        ASSERT_TRUE(made) << made.error().text();
        EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(*made->expiry),
                  *base::parse_rfc3339("2026-11-25T10:00:00Z"));
    }
    azure::CloudMessage message;
    message.expiry = at("2026-11-25T10:00:00Z", 120);
    EXPECT_THAT(azure::devicebound_topic("d", message),
                testing::EndsWith("&%24.exp=2026-11-25T10%3A00%3A00.1200000Z"));
}

TEST(CloudMessage, RefusesWhatNoDeviceCouldBeGiven) {
    const std::string long_id(129, 'i');
    const std::vector<std::pair<azure::Message, base::Code>> cases{
        {message_of({}, {{"iothub-ack", "maybe"}}), base::Code::invalid_argument},
        {message_of({{"expiry", "tomorrow"}}, {}), base::Code::invalid_argument},
        {message_of({{"expiry", "-5"}}, {}), base::Code::invalid_argument},
        {message_of({{"message-id", long_id}}, {}), base::Code::invalid_argument},
        {message_of({{"correlation-id", "\xff"}}, {}), base::Code::invalid_argument},
        {message_of({}, {{"$.exp", "x"}}), base::Code::invalid_argument},
        {message_of({}, {{"", "x"}}), base::Code::invalid_argument},
        {message_of({}, {{"k", "\xff"}}), base::Code::invalid_argument},
        {message_of({}, {}, std::string(64 * 1024 + 1, 'x')), base::Code::too_large},
        {message_of({}, {{"k", "v"}}, std::string(64 * 1024 - 1, 'x')), base::Code::too_large},
        // its percent-encoded bag would be longer than an MQTT topic may be
        {message_of({}, {{"k", std::string(22 * 1024, ' ')}}), base::Code::too_large}};
    for (const auto& [message, code] : cases) {
        const auto made = azure::make_cloud_message(message, "TempSensor");
        ASSERT_FALSE(made.has_value()) << message.body.size();
        EXPECT_EQ(made.error().code, code) << made.error().text();
    }
    EXPECT_TRUE(azure::make_cloud_message(message_of({}, {}, std::string(64 * 1024, 'x')), "TempSensor"));
    EXPECT_TRUE(azure::make_cloud_message(message_of({}, {}, ""), "TempSensor"));
}

TEST(CloudMessage, LivesAnHourOrAsLongAsIsAskedUpToTwoDays) {
    const auto now = at("2026-11-25T10:00:00Z");
    azure::CloudMessage message;
    EXPECT_EQ(azure::expiry_of(message, now), now + std::chrono::hours(1));
    for (const auto& [after, allowed] : std::initializer_list<std::pair<std::chrono::seconds, bool>>{
             {std::chrono::seconds(1), true},
             {std::chrono::hours(48), true},
             {std::chrono::hours(48) + std::chrono::seconds(1), false},
             {std::chrono::seconds(0), false},
             {std::chrono::seconds(-1), false}}) {
        message.expiry = now + after;
        EXPECT_EQ(azure::expiry_of(message, now).has_value(), allowed) << after.count();
    }
}

TEST(CloudMessage, HeadersGoBothWays) {
    azure::Message message;
    for (const auto& [name, value] :
         std::initializer_list<std::pair<std::string, std::string>>{{"IoTHub-App-Alert", "a b"},
                                                                    {"iothub-messageid", "m1"},
                                                                    {"iothub-correlationid", "c1"},
                                                                    {"iothub-userid", "u1"},
                                                                    {"iothub-contenttype", "text/plain"},
                                                                    {"iothub-contentencoding", "utf-8"},
                                                                    {"iothub-interface-id", "if"},
                                                                    {"dt-subject", "comp"},
                                                                    {"iothub-expiry", "2026-11-25T10:00:00Z"},
                                                                    {"iothub-ack", "Full"},
                                                                    {"authorization", "secret"},
                                                                    {"content-length", "5"}})
        EXPECT_TRUE(azure::add_message_header(message, name, value));
    const auto made = azure::make_cloud_message(message, "TempSensor");
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(made->ack, Ack::full);
    EXPECT_EQ(made->id(), "m1");

    azure::Delivery delivery{*made, 7, at("2026-11-25T09:00:00Z", 5), 2};
    EXPECT_THAT(azure::devicebound_headers("TempSensor", delivery),
                ElementsAre(Pair("iothub-messageid", "m1"), Pair("iothub-correlationid", "c1"),
                            Pair("iothub-userid", "u1"),
                            Pair("iothub-to", "/devices/TempSensor/messages/devicebound"),
                            Pair("iothub-expiry", "2026-11-25T10:00:00.0000000Z"),
                            Pair("iothub-contenttype", "text/plain"), Pair("iothub-contentencoding", "utf-8"),
                            Pair("iothub-interface-id", "if"), Pair("dt-subject", "comp"),
                            Pair("iothub-ack", "full"), Pair("iothub-app-Alert", "a b"),
                            Pair("iothub-enqueuedtime", "2026-11-25T09:00:00.0050000Z"),
                            Pair("iothub-sequencenumber", "7"), Pair("iothub-deliverycount", "2")));
}

// Whoever chose a property cannot write a header of his own.
RC_GTEST_PROP(CloudMessage, HeadersHoldNothingThatEndsALine, (std::string name, std::string value)) {
    azure::Message message;
    message.application.emplace_back(name, value);
    for (const auto& [header, text] : azure::message_headers(message)) {
        RC_ASSERT(std::ranges::all_of(header, [](char c) { return c > ' ' && c <= '~' && c != ':'; }));
        RC_ASSERT(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
    }
}

TEST(Feedback, IsWantedAsTheSenderAsked) {
    struct Case {
        Ack ack;
        bool success, failure;
    };
    for (const auto& [ack, success, failure] :
         {Case{Ack::none, false, false}, Case{Ack::positive, true, false}, Case{Ack::negative, false, true},
          Case{Ack::full, true, true}}) {
        EXPECT_EQ(azure::is_wanted(ack, Outcome::success), success) << azure::to_string(ack);
        for (const auto outcome :
             {Outcome::expired, Outcome::delivery_count_exceeded, Outcome::rejected, Outcome::purged})
            EXPECT_EQ(azure::is_wanted(ack, outcome), failure) << azure::to_string(outcome);
    }
}

TEST(Feedback, RecordIsAsServicesReadIt) {
    const auto moment = at("2026-11-25T10:00:00Z", 7);
    EXPECT_EQ(azure::to_json({"m\"1", moment, Outcome::delivery_count_exceeded, "TempSensor", "639"}),
              R"({"originalMessageId":"m\"1","enqueuedTimeUtc":"2026-11-25T10:00:00.007Z",)"
              R"("statusCode":"DeliveryCountExceeded","description":"DeliveryCountExceeded",)"
              R"("deviceId":"TempSensor","deviceGenerationId":"639"})");
    const auto json = boost::json::parse(azure::to_json({"", moment, Outcome::purged, "d", "1"})).as_object();
    EXPECT_TRUE(json.at("originalMessageId").is_null());
    EXPECT_EQ(json.at("statusCode"), "Purged");
}

}  // namespace
