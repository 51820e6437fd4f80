// SPDX-License-Identifier: Apache-2.0
#include "azure/connection_string.hpp"

#include <gtest/gtest.h>

namespace {

TEST(ConnectionString, ReadsTheServicesForm) {
    const auto read = azure::parse_connection_string(
        "HostName=127.0.0.2:8443;SharedAccessKeyName=iothubowner;SharedAccessKey=MDEyMzQ1Njc4OWFiY2RlZg==\n");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->host, "127.0.0.2");
    EXPECT_EQ(read->port, 8443);
    EXPECT_EQ(read->policy, "iothubowner");
    EXPECT_EQ(read->key, "MDEyMzQ1Njc4OWFiY2RlZg==");
}

TEST(ConnectionString, ReadsADevicesFormInAnyOrderAndCase) {
    const auto read = azure::parse_connection_string(
        "deviceid=TempSensor;SHAREDACCESSKEY=MDEyMzQ1Njc4OWFiY2RlZg;hostname=ContosoIotHub;GatewayHostName="
        "edgegateway.local;"
        "ModuleId=mod1;Future=1;");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->host, "contosoiothub");
    EXPECT_EQ(read->port, 443);
    EXPECT_EQ(read->device_id, "TempSensor");
    EXPECT_EQ(read->module_id, "mod1");
    EXPECT_EQ(read->gateway_host, "edgegateway.local");
    EXPECT_EQ(read->key, "MDEyMzQ1Njc4OWFiY2RlZg==") << "missing padding is added";
}

TEST(ConnectionString, NeedsNoKeyWithACertificate) {
    const auto read = azure::parse_connection_string("HostName=h;DeviceId=d;x509=true");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(read->x509);
}

TEST(ConnectionString, ReadsAddressesOfVersionSix) {
    const auto read = azure::parse_connection_string("HostName=[::1]:8443;DeviceId=d;x509=true");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->host, "::1");
    EXPECT_EQ(read->port, 8443);
    EXPECT_EQ(azure::parse_connection_string("HostName=[::1];DeviceId=d;x509=true")->port, 443);
}

struct BadConnectionString {
    std::string_view text, reason;
};

TEST(ConnectionString, SaysWhatIsMissingAndTellsNoKey) {
    for (const auto& [text, reason] : std::initializer_list<BadConnectionString>{
             {"", "has no HostName"},
             {"HostName", "has a part without '='"},
             {"SharedAccessKeyName=p;SharedAccessKey=a2V5", "has no HostName"},
             {"HostName=h;SharedAccessKey=a2V5", "has neither SharedAccessKeyName nor DeviceId"},
             {"HostName=h;SharedAccessKeyName=p", "has no SharedAccessKey"},
             {"HostName=h;ModuleId=m;SharedAccessKeyName=p;SharedAccessKey=a2V5",
              "has a ModuleId without a DeviceId"},
             {"HostName=h;HostName=i;DeviceId=d;x509=true", "has HostName twice"},
             {"HostName=h:0;DeviceId=d;x509=true", "has the port \"0\" in HostName"},
             {"HostName=h:65536;DeviceId=d;x509=true", "has the port \"65536\" in HostName"},
             {"HostName=h:8x;DeviceId=d;x509=true", "has the port \"8x\" in HostName"},
             {"HostName=h:;DeviceId=d;x509=true", "has the port \"\" in HostName"},
             {"HostName=:443;DeviceId=d;x509=true", "has no name in HostName"},
             {"HostName=h;DeviceId=d;SharedAccessKey=top secret",
              "has a SharedAccessKey that is not base64"}}) {
        const auto read = azure::parse_connection_string(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().reason, reason);
        EXPECT_EQ(read.error().text().find("secret"), std::string::npos);
        EXPECT_EQ(read.error().code, base::Code::invalid_argument);
    }
}

}  // namespace
