// SPDX-License-Identifier: Apache-2.0
#include "azure/username.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace {

struct Good {
    std::string_view text, device, module, version, client, model, chain;
};

TEST(Username, ReadsWhatClientsSend) {
    const std::initializer_list<Good> cases = {
        // captured from Node, Python (hub.md 2.2), a gateway (9.6)
        {"contosoiothub.local/TempSensor/"
         "?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20"
         "v20.20.2%3B%20Debian%2012%3B%20x64)",
         "TempSensor", "", "2021-04-12", "azure-iot-device/1.18.4 (node v20.20.2; Debian 12; x64)", "", ""},
        {"contosoiothub.local/EdgeGateway/mod1/?api-version=2020-09-30&model-id=dtmi%3Acom%3Bx",
         "EdgeGateway", "mod1", "2020-09-30", "", "dtmi:com;x", ""},
        {"h/TempSensor/?api-version=1&auth-chain=TempSensor%3BEdgeGateway", "TempSensor", "", "1", "", "",
         "TempSensor;EdgeGateway"},
        {"h/EdgeGateway/$edgeHub/?api-version=1", "EdgeGateway", "$edgeHub", "1", "", "", ""},
        // forms without a question mark, without parameters, without a version
        {"h/d/api-version=2017-06-30", "d", "", "2017-06-30", "", "", ""},
        {"h/d/", "d", "", "", "", "", ""},
        {"h/d/?", "d", "", "", "", "", ""},
        {"h/d/m/", "d", "m", "", "", "", ""},
        {"h/d/?DeviceClientType=x", "d", "", "", "x", "", ""},
        {"h/d/?api-version", "d", "", "", "", "", ""},
        // ids are raw: a question mark or a percent sign belongs to them
        {"h/d?api-version=9/?api-version=1", "d?api-version=9", "", "1", "", "", ""},
        {"h/a%20b/?api-version=1", "a%20b", "", "1", "", "", ""},
        {"h/?x/m#1+2/?api-version=1", "?x", "m#1+2", "1", "", "", ""},
        // only the first question mark of the last segment is syntax
        {"h/d/??api-version=1", "d", "", "", "", "", ""},
        // the first of two equal names counts, also where it is empty; unknown ones are ignored, badly
        // encoded too
        {"h/d/?api-version=1&api-version=2&foo=%zz&bar", "d", "", "1", "", "", ""},
        {"h/d/?api-version=&api-version=2", "d", "", "", "", "", ""},
        {"h/d/?API-VERSION=1&&=x", "d", "", "", "", "", ""},
        {"h/d/?api-version=a+b%2Bc=d", "d", "", "a+b+c=d", "", "", ""},
        // one old .NET client
        {"h/d/m/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/1.5.1-preview-003",
         "d", "m", "2017-06-30", "Microsoft.Azure.Devices.Client/1.5.1-preview-003", "", ""},
    };
    for (const auto& one : cases) {
        const auto claim = azure::parse_username(one.text);
        ASSERT_TRUE(claim) << one.text << ": " << claim.error().text();
        EXPECT_EQ(claim->identity.device, one.device) << one.text;
        EXPECT_EQ(claim->identity.module, one.module) << one.text;
        EXPECT_EQ(claim->api_version, one.version) << one.text;
        EXPECT_EQ(claim->client_type, one.client) << one.text;
        EXPECT_EQ(claim->model_id, one.model) << one.text;
        EXPECT_EQ(claim->auth_chain, one.chain) << one.text;
    }
}

TEST(Username, KeepsTheHostAsItStands) {
    EXPECT_EQ(azure::parse_username("ContosoIotHub.local:8443/d/")->host, "ContosoIotHub.local:8443");
    EXPECT_EQ(azure::host_without_port("ContosoIotHub.local:8443"), "contosoiothub.local");
    EXPECT_EQ(azure::host_without_port("LOCALHOST"), "localhost");
    EXPECT_EQ(azure::host_without_port("[FE80::1]:443"), "fe80::1");
    EXPECT_EQ(azure::host_without_port("::1"), "::1");
    EXPECT_EQ(azure::host_without_port(""), "");
}

struct BadUsername {
    std::string_view text, segment;
};

TEST(Username, NamesTheSegmentThatIsWrong) {
    const std::string long_id(129, 'a');
    const std::string long_name = "h/" + long_id + "/";
    const std::initializer_list<BadUsername> cases = {
        {"", "number of segments"},
        {"h", "number of segments"},
        {"h/d", "number of segments"},
        {"h/d/m/?a=1/x", "number of segments"},
        {"h/d/m/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/1.5.2",
         "number of segments"},
        {"/d/?api-version=1", "host"},
        {"h//?api-version=1", "device id"},
        {"h/a b/?api-version=1", "device id"},
        {"h/\xc3\xa9/?api-version=1", "device id"},
        {"h/d//?api-version=1", "module id"},
        {"h/d/m\"/?api-version=1", "module id"},
        {long_name, "device id"},
        {"h/d/?api-version=%2", "api-version"},
        {"h/d/?api-version=%zz", "api-version"},
        {"h/d/?auth-chain=%ff", "auth-chain"},
        {"h/d/?model-id=%00", "model-id"},
    };
    for (const auto& [text, segment] : cases) {
        const auto claim = azure::parse_username(text);
        ASSERT_FALSE(claim) << text;
        EXPECT_EQ(claim.error().code, base::Code::malformed);
        EXPECT_NE(claim.error().text().find("bad " + std::string(segment)), std::string::npos)
            << claim.error().text();
    }
}

TEST(Username, WritesWhatOurClientsSend) {
    azure::Claim claim;
    claim.identity = {"TempSensor", ""};
    claim.host = "ContosoIotHub";
    claim.client_type = "sallyport/0.1";
    EXPECT_EQ(azure::make_username(claim),
              "ContosoIotHub/TempSensor/?api-version=2021-04-12&DeviceClientType=sallyport%2F0.1");
    claim.identity.module = "mod1";
    claim.auth_chain = "TempSensor/mod1;EdgeGateway";
    EXPECT_EQ(
        azure::make_username(claim),
        "ContosoIotHub/TempSensor/mod1/?api-version=2021-04-12&DeviceClientType=sallyport%2F0.1&auth-chain="
        "TempSensor%2Fmod1%3BEdgeGateway");
}

RC_GTEST_PROP(Username, ComesBackAsItWasWritten, ()) {
    static const std::string letters = "abcxyzABCXYZ0189-:.+%_#*?!(),=@;$'";
    const auto id = [] {
        const auto picks =
            *rc::gen::resize(20, rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(
                                     rc::gen::inRange<std::size_t>(0, letters.size()))));
        std::string made;
        for (const auto pick : picks) made += letters[pick];
        return made;
    };
    azure::Claim claim;
    claim.host = "h";
    claim.identity.device = id();
    if (*rc::gen::arbitrary<bool>()) claim.identity.module = id();
    claim.client_type = id();
    claim.auth_chain = id() + ";" + id();
    claim.api_version = "2021-04-12";
    const auto read = azure::parse_username(azure::make_username(claim));
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->identity == claim.identity);
    RC_ASSERT(read->client_type == claim.client_type);
    RC_ASSERT(read->auth_chain == claim.auth_chain);
}

}  // namespace
