// SPDX-License-Identifier: Apache-2.0
#include "ca/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/temporary_directory.hpp"

namespace {

using Kind = ca::Actor::Kind;
using testing::HasSubstr;

base::Result<ca::Config> configured(const std::string& more) {
    const support::TemporaryDirectory directory;
    const auto file = directory / "ca.toml";
    EXPECT_TRUE(base::write_atomically(file, "root = \"r\"\n" + more, base::public_mode));
    return ca::read_config(file);
}

TEST(EstConfig, HasThreeLabelsWithoutAnyInTheFile) {
    const auto config = configured("");
    ASSERT_TRUE(config) << config.error().text();
    const auto& est = config->est;
    EXPECT_EQ(est.port, 9443);
    ASSERT_EQ(est.labels.size(), 3U);
    for (const std::string_view name : {"device", "edge-ca", "server"}) {
        const auto* label = est.label(name);
        ASSERT_NE(label, nullptr) << name;
        EXPECT_EQ(label->profiles.at(Kind::bootstrap), pki::Profile::est_identity);
    }
    EXPECT_EQ(est.label("edge-ca")->profiles.at(Kind::est_identity), pki::Profile::edge_ca);
    EXPECT_FALSE(est.label("edge-ca")->profiles.contains(Kind::user));
    EXPECT_TRUE(est.bootstraps.empty());
    EXPECT_TRUE(est.users.empty());
}

TEST(EstConfig, ReadsEveryKey) {
    const auto config = configured(R"(
[listen]
address = "127.0.0.1"
port = 0
names = ["est.plant.local", "10.0.0.5"]
[profile.device]
keys = ["P-256", "RSA-3072"]
approval = "manual"
serverkeygen = true
rekey = "require"
renew_after_expiry = "90d"
[profile.server]
wildcards = true
[est]
default = "line"
per_name_per_hour = 5
[est.label.line]
bootstrap = "est-identity"
est-id = "client"
user = "server"
subjects = ["{device}"]
sans = ["DNS:{cn}"]
[[bootstrap]]
name = "factory"
anchors = "factory.pem"
labels = ["line"]
[[bootstrap]]
name = "own"
own = true
subjects = ["x-{any}"]
[[user]]
name = "u"
password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"
subjects = ["line-{any}"]
)");
    ASSERT_TRUE(config) << config.error().text();
    const auto device = config->profile(pki::Profile::device);
    EXPECT_EQ(device.keys, (std::vector<std::string>{"EC P-256", "RSA 3072"}));
    EXPECT_TRUE(device.manual);
    EXPECT_TRUE(device.serverkeygen);
    EXPECT_EQ(device.rekey, ca::ProfileConfig::Rekey::require);
    EXPECT_EQ(device.renew_after_expiry, std::chrono::days(90));
    EXPECT_TRUE(config->profile(pki::Profile::server).wildcards);
    const auto& est = config->est;
    EXPECT_EQ(est.names, (std::vector<std::string>{"est.plant.local", "10.0.0.5"}));
    EXPECT_EQ(est.default_label, "line");
    EXPECT_EQ(est.per_name_per_hour, 5);
    ASSERT_EQ(est.labels.size(), 1U);
    EXPECT_EQ(est.labels.front().profiles.at(Kind::user), pki::Profile::server);
    ASSERT_EQ(est.bootstraps.size(), 2U);
    EXPECT_EQ(est.bootstraps[0].anchors.filename(), "factory.pem");
    EXPECT_TRUE(est.bootstraps[1].anchors.empty());
    ASSERT_NE(est.user("u"), nullptr);
    EXPECT_EQ(est.user("v"), nullptr);
}

TEST(EstConfig, EveryMistakeIsNamed) {
    struct Row {
        std::string text, told;
    };
    const std::string hash = "password_hash = \"$argon2id$x\"\n";
    for (const auto& row : std::vector<Row>{
             {"[est.label.cacerts]\nuser = \"device\"\n", "is no label"},
             {"[est.label.x]\nuser = \"root\"\n", "is no profile that EST issues"},
             {"[est.label.x]\nusr = \"device\"\n", "usr"},
             {"[est]\ndefault = \"x\"\n", "names a label that is not there"},
             {"[est.label.device]\nsubjects = [\"{host}\"]\n", "placeholder"},
             {"[[bootstrap]]\nname = \"b\"\n", "own = true"},
             {"[[bootstrap]]\nname = \"b\"\nown = true\nanchors = \"x\"\n", "not both"},
             {"[[bootstrap]]\nown = true\n", "is missing"},
             {"[[bootstrap]]\nname = \"b\"\nown = true\nlabels = [\"nosuch\"]\n", "nosuch"},
             {"[[user]]\nname = \"u\"\nsubjects = [\"x\"]\n", "hash-password"},
             {"[[user]]\nname = \"u:v\"\nsubjects = [\"x\"]\n" + hash, "colon"},
             {"[[user]]\nname = \"u\"\n" + hash, "which common names"},
             {"[profile.device]\nkeys = [\"P-192\"]\n", "P-192"},
             {"[profile.device]\napproval = \"never\"\n", "manual"},
             {"[profile.device]\nrekey = \"no\"\n", "forbid"},
             {"[profile.device]\nrenew_after_expiry = \"-1d\"\n", "renew_after_expiry"},
             {"[profile.device]\nwildcards = true\n", "wildcards"},
             {"[listen]\naddress = \"here\"\n", "is not an IP address"},
             {"[listen]\nnames = [\"a_b\"]\n", "names"},
         }) {
        const auto config = configured(row.text);
        ASSERT_FALSE(config) << row.text;
        EXPECT_THAT(config.error().text(), HasSubstr(row.told)) << row.text;
    }
}

}  // namespace
