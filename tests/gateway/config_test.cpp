// SPDX-License-Identifier: Apache-2.0
#include "gateway/config.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/temporary_directory.hpp"

namespace {

constexpr std::string_view whole = R"(
hostname = "edgegateway.local"
[hub]
name = "ContosoIotHub"
address = "127.0.0.2"
mqtt_port = 18883
https_port = 10443
trusted_certs = ["file:///etc/root.pem"]
[listen]
address = "127.0.0.3"
mqtt_port = 0
[environment]
IOTEDGE_WORKLOADURI = "unix:///run/aziot/edgeHub.sock"
IOTEDGE_APIVERSION = "2022-08-03"
IOTEDGE_DEVICEID = "EdgeGateway"
IOTEDGE_MODULEID = "$edgeHub"
IOTEDGE_MODULEGENERATIONID = "639"
IOTEDGE_IOTHUBHOSTNAME = "ContosoIotHub:10443"
EdgeDeviceHostName = "edgegateway.local"
IOTEDGE_AUTHSCHEME = "sasToken"
)";

class GatewayConfig : public testing::Test {
  protected:
    base::Result<gateway::Config> read(std::string_view text) const {
        const auto file = directory_ / "00-super.toml";
        EXPECT_TRUE(base::write_atomically(file, text, base::secret_mode));
        return gateway::read_config(file);
    }
    support::TemporaryDirectory directory_;
};

TEST_F(GatewayConfig, IsReadWhole) {
    const auto config = read(whole);
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->hostname, "edgegateway.local");
    EXPECT_EQ(config->hub.name, "ContosoIotHub");
    EXPECT_EQ(config->hub.address, "127.0.0.2");
    EXPECT_EQ(config->hub.mqtt_port, 18883);
    EXPECT_EQ(config->hub.https_port, 10443);
    EXPECT_EQ(config->hub.trusted_certs, std::vector<std::string>{"/etc/root.pem"});
    EXPECT_EQ(config->listen.address, "127.0.0.3");
    EXPECT_EQ(config->listen.mqtt_port, 0);
    EXPECT_EQ(config->module.workload_socket, "/run/aziot/edgeHub.sock");
    EXPECT_EQ(config->module.device_id, "EdgeGateway");
    EXPECT_EQ(config->module.generation_id, "639");
}

TEST_F(GatewayConfig, MissingFileSaysWhatRunsFirst) {
    const auto config = gateway::read_config(directory_ / "nothing.toml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, base::Code::not_found);
    EXPECT_NE(config.error().fix.find("sallyport edge run"), std::string::npos);
}

TEST_F(GatewayConfig, MissingEnvironmentIsNamed) {
    const auto config =
        read("hostname = \"x.local\"\n[hub]\nname = \"h\"\n[environment]\nIOTEDGE_DEVICEID = \"d\"\n");
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().text().find("IOTEDGE_WORKLOADURI"), std::string::npos);
    EXPECT_NE(config.error().text().find("IOTEDGE_MODULEGENERATIONID"), std::string::npos);
}

TEST_F(GatewayConfig, MisspeltKeyIsAnErrorThatNamesTheNearest) {
    const auto config = read("hostnam = \"x.local\"\n" + std::string(whole));
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().text().find("hostname"), std::string::npos);
}

}  // namespace
