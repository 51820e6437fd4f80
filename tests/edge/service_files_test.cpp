// SPDX-License-Identifier: Apache-2.0
#include "edge/service_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "edge/config_apply.hpp"
#include "edge/config_new.hpp"
#include "edge/service_config.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace {

using edge::Service;

class ServiceFiles : public testing::Test {
  protected:
    static edge::Configuration configuration(const std::string& host, const std::string& key = "a2V5") {
        const auto text = "hostname = \"" + host +
                          "\"\n[provisioning]\nconnection_string = "
                          "\"HostName=hub.local;DeviceId=EdgeGateway;SharedAccessKey=" +
                          key + "\"\n";
        return edge::read_configuration(*base::ConfigTable::parse(text, "config.toml")).value();
    }
    base::Status write(const std::string& host, const std::string& key = "a2V5") {
        return edge::write_service_files(configuration(host, key), paths_, users_, false);
    }
    std::filesystem::path mark() const { return paths_.configuration().parent_path() / ".settling"; }

    support::TemporaryDirectory directory_;
    edge::Paths paths_{directory_.path()};
    edge::Users users_{{{Service::keys, ::geteuid()},
                        {Service::certificates, ::geteuid()},
                        {Service::identity, ::geteuid()},
                        {Service::workload, ::geteuid()}},
                       ::geteuid()};
};

TEST_F(ServiceFiles, AreWrittenAllOrNone) {
    ASSERT_TRUE(write("one"));
    const auto before = edge::present_service_files(paths_);
    // The last one that is staged cannot be written.
    const auto blocked = edge::file_beside(paths_.service_file(Service::workload));
    ASSERT_TRUE(std::filesystem::create_directories(blocked / "in-the-way"));
    EXPECT_FALSE(write("two", "bmV3"));
    EXPECT_EQ(edge::present_service_files(paths_), before);
    EXPECT_EQ(base::read_file(paths_.device_key(), "key").value(), "key");
    EXPECT_FALSE(edge::is_settling(paths_));
    std::filesystem::remove_all(blocked);
    ASSERT_TRUE(write("two", "bmV3"));
    EXPECT_EQ(edge::read_workload_config(paths_)->hostname, "two");
    EXPECT_EQ(base::read_file(paths_.device_key(), "key").value(), "new");
}

TEST_F(ServiceFiles, CountTogetherAfterAPowerCutBetweenTheRenames) {
    ASSERT_TRUE(write("one"));
    const auto old = edge::present_service_files(paths_);
    ASSERT_TRUE(write("two"));
    const auto wanted = edge::present_service_files(paths_);
    // The moment after the mark and the first rename.
    for (const auto service : {Service::identity, Service::workload}) {
        const auto file = paths_.service_file(service);
        ASSERT_TRUE(base::write_atomically(edge::file_beside(file), wanted.at(service), 0600));
        ASSERT_TRUE(base::write_atomically(file, old.at(service), 0600));
    }
    ASSERT_TRUE(base::write_atomically(mark(), "", 0644));
    EXPECT_EQ(edge::present_service_files(paths_), wanted);
    EXPECT_EQ(edge::read_identity_config(paths_)->hostname, "two");
    EXPECT_EQ(edge::read_workload_config(paths_)->hostname, "two");
    // The next writer finishes it, and nothing is left beside.
    ASSERT_TRUE(write("three"));
    EXPECT_EQ(edge::read_workload_config(paths_)->hostname, "three");
    EXPECT_FALSE(edge::is_settling(paths_));
    EXPECT_FALSE(std::filesystem::exists(edge::file_beside(paths_.service_file(Service::identity))));
}

TEST_F(ServiceFiles, WithoutTheMarkWhatLiesBesideDoesNotCount) {
    ASSERT_TRUE(write("one"));
    ASSERT_TRUE(base::write_atomically(edge::file_beside(paths_.service_file(Service::workload)),
                                       "hostname = \"two\"\n", 0600));
    EXPECT_EQ(edge::read_workload_config(paths_)->hostname, "one");
    ASSERT_TRUE(write("one"));
    EXPECT_EQ(edge::read_workload_config(paths_)->hostname, "one");
    EXPECT_FALSE(std::filesystem::exists(edge::file_beside(paths_.service_file(Service::workload))));
}

TEST_F(ServiceFiles, WhatIsThereIsNotWrittenAgain) {
    ASSERT_TRUE(write("one"));
    const auto file = paths_.service_file(Service::workload);
    const auto inode = [&] {
        struct stat found{};
        return ::stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
    };
    const auto first = inode();
    ASSERT_TRUE(write("one"));
    EXPECT_EQ(inode(), first);
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    ASSERT_TRUE(write("one"));
    EXPECT_NE(inode(), first) << "a file with another mode was kept";
}

TEST_F(ServiceFiles, FingerprintsTellWhichServiceHasSomethingNew) {
    ASSERT_TRUE(write("one"));
    const auto first = edge::fingerprints(paths_);
    ASSERT_TRUE(write("one", "bmV3"));
    const auto second = edge::fingerprints(paths_);
    EXPECT_NE(first.at(Service::keys), second.at(Service::keys));
    EXPECT_NE(first.at(Service::identity), second.at(Service::identity));
    EXPECT_EQ(first.at(Service::workload), second.at(Service::workload));
    ASSERT_TRUE(write("two", "bmV3"));
    EXPECT_NE(edge::fingerprints(paths_).at(Service::workload), second.at(Service::workload));
}

class Apply : public ServiceFiles {
  protected:
    void put_config(const std::string& host, const std::string& more = "") {
        ASSERT_TRUE(base::make_private_directories(paths_.configuration().parent_path()));
        ASSERT_TRUE(base::write_atomically(
            paths_.configuration(),
            "hostname = \"" + host +
                "\"\n[provisioning]\nconnection_string = "
                "\"HostName=hub.local;DeviceId=EdgeGateway;SharedAccessKey=c2VjcmV0c2VjcmV0\"\n" +
                more,
            0600));
    }
    edge::Applied apply(bool dry_run = false) {
        auto applied = edge::apply_configuration({paths_, std::nullopt, dry_run}, support::test_time());
        EXPECT_TRUE(applied) << applied.error().text();
        return *std::move(applied);
    }
};

TEST_F(Apply, DryRunWritesNothing) {
    put_config("one");
    const auto applied = apply(true);
    EXPECT_TRUE(applied.is_good());
    EXPECT_FALSE(applied.written);
    EXPECT_FALSE(applied.differences.empty());
    EXPECT_TRUE(applied.device_key_differs);
    EXPECT_FALSE(std::filesystem::exists(paths_.service_file(Service::keys)));
}

TEST_F(Apply, TellsTheDifferenceAndThenThereIsNone) {
    put_config("one");
    EXPECT_TRUE(apply().written);
    auto again = apply();
    EXPECT_TRUE(again.differences.empty());
    EXPECT_FALSE(again.device_key_differs);
    put_config("two");
    again = apply();
    ASSERT_EQ(again.differences.size(), 2U);
    EXPECT_EQ(again.differences[0].key, "hostname");
    EXPECT_EQ(again.differences[0].before, "\"one\"");
    EXPECT_EQ(again.differences[1].after, "\"two\"");
    EXPECT_TRUE(again.concerns_gateway());
    EXPECT_EQ(edge::read_workload_config(paths_)->hostname, "two");
}

TEST_F(Apply, ProblemsKeepEverythingAsItIs) {
    put_config("one");
    apply();
    const auto before = edge::present_service_files(paths_);
    put_config("bad_name", "[[principal]]\nname = \"m\"\nuid = -1\n");
    const auto applied = apply();
    EXPECT_FALSE(applied.is_good());
    EXPECT_EQ(applied.findings.problems.size(), 2U);
    EXPECT_FALSE(applied.written);
    EXPECT_EQ(edge::present_service_files(paths_), before);
}

TEST_F(Apply, NoSecretIsInAnythingThatItTells) {
    put_config("one", "bad = 1\n");
    auto applied = apply();
    put_config("one");
    const auto good = apply();
    std::string told;
    for (const auto& each : applied.findings.problems) told += each.text();
    for (const auto& each : good.differences) told += each.before.value_or("") + each.after.value_or("");
    EXPECT_EQ(told.find("c2VjcmV0"), std::string::npos) << told;
    EXPECT_EQ(told.find("secretsecret"), std::string::npos) << told;
}

TEST_F(Apply, KeyThatOthersMayReadIsWarnedOf) {
    put_config("one");
    std::filesystem::permissions(paths_.configuration(), std::filesystem::perms(0644));
    const auto applied = apply();
    ASSERT_EQ(applied.findings.warnings.size(), 1U);
    EXPECT_NE(applied.findings.warnings[0].fix.find("chmod 600"), std::string::npos);
}

TEST_F(Apply, AnotherFileBecomesTheConfiguration) {
    put_config("one");
    apply();
    const auto other = directory_ / "other.toml";
    std::filesystem::copy_file(paths_.configuration(), other);
    auto text = base::read_file(other, "file").value();
    text.replace(text.find("one"), 3, "two");
    ASSERT_TRUE(base::write_atomically(other, text, 0644));
    const auto applied = edge::apply_configuration({paths_, other, false}, support::test_time());
    ASSERT_TRUE(applied) << applied.error().text();
    EXPECT_EQ(edge::read_configuration(paths_)->hostname, "two");
    EXPECT_EQ(std::filesystem::status(paths_.configuration()).permissions(), std::filesystem::perms(0600));
    EXPECT_FALSE(edge::apply_configuration({paths_, directory_ / "nowhere.toml", false}, support::test_time())
                     ->is_good());
}

TEST_F(Apply, WhatConfigMpWritesPassesIt) {
    edge::NewConfiguration wish;
    wish.hostname = "edgegateway.local";
    wish.connection_string = "HostName=hub.local:8443;DeviceId=EdgeGateway;SharedAccessKey=c2VjcmV0c2VjcmV0";
    const auto text = edge::new_configuration_text(wish);
    EXPECT_TRUE(edge::look_at_new_configuration(text, support::test_time()).problems.empty()) << text;
    ASSERT_TRUE(edge::write_new_configuration(paths_.configuration(), text, false));
    EXPECT_EQ(std::filesystem::status(paths_.configuration()).permissions(), std::filesystem::perms(0600));
    EXPECT_EQ(edge::write_new_configuration(paths_.configuration(), text, false).error().code,
              base::Code::already_exists);
    EXPECT_TRUE(edge::write_new_configuration(paths_.configuration(), text, true));
    EXPECT_TRUE(apply().written);
}

TEST_F(Apply, WhatConfigX509WritesNamesItsFilesWhateverTheirNames) {
    support::TestPki pki;
    const auto device = support::make_identity({.common_name = "EdgeGateway"}, &pki.intermediate);
    const auto odd = directory_ / "a b%41\"é";
    ASSERT_TRUE(base::make_private_directories(odd));
    ASSERT_TRUE(base::write_atomically(
        odd / "c.pem", pki::to_pem({device.certificate, pki.intermediate.certificate}), 0644));
    ASSERT_TRUE(base::write_atomically(odd / "c.key", device.key.pem()->bytes(), 0600));
    ASSERT_TRUE(base::write_atomically(odd / "root.pem", pki.root.certificate.pem(), 0644));
    edge::NewConfiguration wish;
    wish.hostname = "edgegateway.local";
    wish.hub_hostname = "hub.local";
    wish.hub_address = "127.0.0.1";
    wish.hub_mqtt_port = 18883;
    wish.device_id = "EdgeGateway";
    wish.identity_certificate = odd / "c.pem";
    wish.identity_key = odd / "c.key";
    wish.trust_bundle = wish.hub_ca = odd / "root.pem";
    ASSERT_TRUE(
        edge::write_new_configuration(paths_.configuration(), edge::new_configuration_text(wish), false));
    const auto applied = apply();
    ASSERT_TRUE(applied.is_good()) << applied.findings.problems.front().text();
    EXPECT_TRUE(applied.findings.warnings.empty());
    EXPECT_EQ(edge::read_identity_config(paths_)->hub.mqtt_port, 18883);
    wish.hostname = "under_score";
    const auto found =
        edge::look_at_new_configuration(edge::new_configuration_text(wish), support::test_time());
    ASSERT_EQ(found.problems.size(), 1U);
    EXPECT_NE(found.problems[0].reason.find("contains an underscore"), std::string::npos);
}

}  // namespace
