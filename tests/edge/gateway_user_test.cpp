// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/module_environment.hpp"
#include "edge/service_config.hpp"
#include "edge/service_files.hpp"
#include "support/temporary_directory.hpp"

namespace {

using edge::Service;

/// The gateway as a user of its own, as the package makes it; everything else as the present user.
class GatewayUser : public testing::Test {
  protected:
    void write(const std::string& more = "") {
        const auto text =
            "hostname = \"edgegateway.local\"\n[provisioning]\nconnection_string = "
            "\"HostName=hub.local;DeviceId=EdgeGateway;SharedAccessKey=a2V5\"\n" +
            more;
        const auto configuration = edge::read_configuration(*base::ConfigTable::parse(text, "config.toml"));
        ASSERT_TRUE(configuration) << configuration.error().text();
        const auto written = edge::write_service_files(*configuration, paths_, users_, false);
        ASSERT_TRUE(written) << written.error().text();
    }
    static mode_t mode_of(const std::filesystem::path& path) {
        struct stat found{};
        return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
    }
    mode_t gateway_file_mode() {
        const auto config = edge::read_workload_config(paths_);
        EXPECT_TRUE(config);
        const edge::ModuleIdentity identity{
            {"hub.local", "hub.local", "EdgeGateway"}, "$edgeHub", "1", "handle"};
        EXPECT_TRUE(edge::write_module_files(*config, identity));
        return mode_of(paths_.gateway_file());
    }
    uid_t gateway_of(const edge::WorkloadConfig& config) {
        for (const auto& module : config.modules)
            if (module.id == "$edgeHub") return module.user;
        return 0;
    }

    support::TemporaryDirectory directory_;
    edge::Paths paths_{directory_.path()};
    edge::Users users_{.service = {{Service::keys, ::geteuid()},
                                   {Service::certificates, ::geteuid()},
                                   {Service::identity, ::geteuid()},
                                   {Service::workload, ::geteuid()}},
                       .module_default = 4711,
                       .gateway = {},
                       .gateway_group = {}};
};

TEST_F(GatewayUser, IsTheModulesWhereNoPrincipalSaysOtherwise) {
    users_.gateway = 13623;
    write("[[principal]]\nname = \"nginx\"\nidtype = [\"module\"]\n");
    const auto config = edge::read_workload_config(paths_);
    ASSERT_TRUE(config);
    EXPECT_EQ(gateway_of(*config), 13623U);
    for (const auto& module : config->modules) {
        if (module.id == "nginx") {
            EXPECT_EQ(module.user, 4711U);
        }
    }
    write("[[principal]]\nname = \"$edgeHub\"\nuid = 99\n");
    EXPECT_EQ(gateway_of(*edge::read_workload_config(paths_)), 99U);
}

TEST_F(GatewayUser, ReadsItsFileByTheGroupOfItsDirectory) {
    users_.gateway_group = ::getegid();
    write();
    EXPECT_EQ(mode_of(paths_.gateway_file().parent_path()), 02750U);
    EXPECT_EQ(gateway_file_mode(), 0640U);
}

TEST_F(GatewayUser, WithoutOneNobodyElseReadsTheFile) {
    write();
    EXPECT_EQ(mode_of(paths_.gateway_file().parent_path()), 0700U);
    EXPECT_EQ(gateway_file_mode(), 0600U);
}

TEST_F(GatewayUser, FindsTheModulesEnvironmentUnderAnyUmask) {
    const mode_t before = ::umask(0077);
    write();
    gateway_file_mode();
    ::umask(before);
    EXPECT_EQ(mode_of(paths_.home(Service::workload) / "env"), 0755U);
    EXPECT_EQ(mode_of(paths_.home(Service::workload) / "env/edgeHub.env"), 0644U);
}

}  // namespace
