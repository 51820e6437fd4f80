// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "pki/csr.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using support::Finished;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Arguments = std::vector<std::string>;

Finished sallyport(Arguments arguments, const support::RunOptions& options = {}) {
    arguments.insert(arguments.begin(), SALLYPORT_BINARY);
    return support::run(arguments, options);
}

mode_t mode_of(const fs::path& file) {
    struct stat info{};
    EXPECT_EQ(::lstat(file.c_str(), &info), 0) << file;
    return info.st_mode & 07777;
}

std::string read(const fs::path& file) {
    auto text = base::read_file(file, "file");
    EXPECT_TRUE(text) << text.error().text();
    return text.value_or("");
}

/// A CA made by the command line, and a place for what it issues.
class CaCommands : public testing::Test {
  protected:
    void SetUp() override {
        const auto made = sallyport({"ca", "init", "--data", data()});
        ASSERT_EQ(made.exit_code, 0) << made.err;
        ASSERT_EQ(made.out + made.err, "");
    }

    std::string data() const { return (directory / "ca").string(); }
    std::string file(const std::string& name) const { return (directory / name).string(); }
    std::string root_file() const { return data() + "/certs/my_private_root_CA.pem"; }

    Finished issue(const Arguments& more, const support::RunOptions& options = {}) const {
        Arguments arguments{"ca", "issue", "--data", data()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return sallyport(arguments, options);
    }
    Finished issue_device(const Arguments& more = {}) const {
        Arguments arguments{"--profile", "device",      "--subject", "TempSensor",
                            "--key-out", file("d.key"), "--out",     file("d.pem")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return issue(arguments);
    }
    /// One line that says what, one that says what to do, and nothing on standard output.
    static void expect_complaint(const Finished& done, int exit_code, const std::string& what,
                                 const std::string& hint = "") {
        EXPECT_EQ(done.exit_code, exit_code) << done.err;
        EXPECT_EQ(done.out, "");
        EXPECT_THAT(done.err, AllOf(HasSubstr("sallyport: error: "), HasSubstr(what)));
        EXPECT_THAT(done.err, HasSubstr(hint.empty() ? "" : "sallyport: hint: "));
        EXPECT_THAT(done.err, HasSubstr(hint));
    }

    support::TemporaryDirectory directory;
};

TEST_F(CaCommands, InitMakesRootAndIntermediateWithTheirModes) {
    EXPECT_EQ(mode_of(data()), 0700U);
    EXPECT_EQ(mode_of(data() + "/private"), 0700U);
    for (const std::string name : {"my_private_root_CA", "my_optional_intermediate_CA"}) {
        EXPECT_EQ(mode_of(data() + "/private/" + name + ".key.pem"), 0600U);
        EXPECT_EQ(mode_of(data() + "/certs/" + name + ".pem"), 0644U);
    }
    const auto chain = pki::certificates_from_pem(read(data() + "/full-chain.pem"), "chain").value();
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_EQ(chain[0].common_name(), "my_optional_intermediate_CA");
    EXPECT_EQ(chain[1].common_name(), "my_private_root_CA");
    EXPECT_EQ(chain[0].key_description(), "EC P-256");
}

TEST_F(CaCommands, InitReplacesNothingAndNamesWhatExists) {
    const auto before = read(root_file());
    expect_complaint(sallyport({"ca", "init", "--data", data()}), 1, data() + "/ca.toml exists already",
                     "--data");
    fs::remove(data() + "/ca.toml");
    fs::remove(data() + "/full-chain.pem");
    expect_complaint(sallyport({"ca", "init", "--data", data()}), 1, "my_private_root_CA.pem exists already");
    EXPECT_EQ(read(root_file()), before);
}

TEST_F(CaCommands, InitTakesOtherNamesKeysAndNoIntermediate) {
    const auto longer = sallyport(
        {"ca", "init", "--data", file("long"), "--root", "R", "--chain", "A,B", "--key", "ec-p384"});
    ASSERT_EQ(longer.exit_code, 0) << longer.err;
    const auto chain = pki::certificates_from_pem(read(file("long/full-chain.pem")), "chain").value();
    ASSERT_EQ(chain.size(), 3U);
    EXPECT_EQ(chain[0].common_name() + chain[1].common_name() + chain[2].common_name(), "BAR");
    EXPECT_EQ(chain[0].key_description(), "EC P-384");

    const auto alone = sallyport({"ca", "init", "--data", file("alone"), "--chain", ""});
    ASSERT_EQ(alone.exit_code, 0) << alone.err;
    const auto leaf = sallyport({"ca", "issue", "--data", file("alone"), "--profile", "device", "--subject",
                                 "d", "--key-out", file("a.key"), "--out", file("a.pem")});
    ASSERT_EQ(leaf.exit_code, 0) << leaf.err;
    const auto issued = pki::certificates_from_pem(read(file("a.pem")), "chain").value();
    ASSERT_EQ(issued.size(), 1U);
    EXPECT_EQ(issued[0].issuer(), "CN=my_private_root_CA");
}

TEST_F(CaCommands, InitRefusesNamesThatAreNone) {
    for (const std::string name : {"a/b", "../x", ".x", "a\nb", ""})
        expect_complaint(sallyport({"ca", "init", "--data", file("bad"), "--root", name}), 2, "name");
    expect_complaint(sallyport({"ca", "init", "--data", file("bad"), "--root", "x", "--chain", "y,X"}), 1,
                     "is given twice");
    expect_complaint(sallyport({"ca", "init", "--data", file("bad"), "--key", "rsa-1024"}), 2,
                     "key type rsa-1024", "rsa-2048");
    EXPECT_FALSE(fs::exists(file("bad/ca.toml")));
}

TEST_F(CaCommands, IssueWritesLeafThenIssuersWithoutTheRoot) {
    const auto done = issue({"--profile", "server", "--subject", "ContosoIotHub", "--san",
                             "DNS:ContosoIotHub", "--san", "DNS:contosoiothub.local", "--san", "IP:127.0.0.2",
                             "--key-out", file("hub.key"), "--out", file("hub.pem")},
                            {.umask = 0});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(done.out + done.err, "");
    EXPECT_EQ(mode_of(file("hub.key")), 0600U);
    EXPECT_EQ(mode_of(file("hub.pem")), 0644U);
    EXPECT_THAT(read(file("hub.pem")), Not(HasSubstr("PRIVATE")));
    const auto chain = pki::certificates_from_pem(read(file("hub.pem")), "chain").value();
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_EQ(chain[0].subject_alternative_names(),
              (std::vector<std::string>{"DNS:ContosoIotHub", "DNS:contosoiothub.local", "IP:127.0.0.2"}));
    EXPECT_EQ(chain[1].common_name(), "my_optional_intermediate_CA");
    EXPECT_TRUE(pki::PrivateKey::load(file("hub.key"), "key")->matches(chain[0]));
    const auto verified =
        support::run({"openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.2",
                      "-CAfile", root_file(), "-untrusted", file("hub.pem"), file("hub.pem")});
    EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
}

TEST_F(CaCommands, IssuedEdgeCaIssuesForModulesInOpensslsEyes) {
    const auto done = issue({"--profile", "edge-ca", "--subject", "iotedged workload ca edgegateway",
                             "--key-out", file("e.key"), "--out", file("e.pem"), "--days", "10"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    const auto shown =
        support::run({"openssl", "x509", "-in", file("e.pem"), "-noout", "-ext", "basicConstraints"});
    EXPECT_THAT(shown.out, HasSubstr("CA:TRUE, pathlen:0"));
    const auto ten_days =
        support::run({"openssl", "x509", "-in", file("e.pem"), "-noout", "-checkend", "864001"});
    EXPECT_EQ(ten_days.exit_code, 1);
}

TEST_F(CaCommands, IssueCertifiesTheKeyOfARequest) {
    const auto key = *pki::PrivateKey::generate(pki::KeyType::rsa_2048);
    const auto csr = pki::make_csr_pem({.common_name = "other", .names = {"DNS:evil.example"}}, key).value();
    ASSERT_TRUE(base::write_atomically(file("x.csr"), csr, 0644));
    const auto done = issue(
        {"--profile", "client", "--subject", "TempSensor", "--csr", file("x.csr"), "--out", file("x.pem")});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("asks for DNS:evil.example"));
    const auto leaf = pki::Certificate::from_pem(read(file("x.pem"))).value();
    EXPECT_TRUE(key.matches(leaf));
    EXPECT_EQ(leaf.subject(), "CN=TempSensor");
    EXPECT_TRUE(leaf.subject_alternative_names().empty());

    const auto der =
        support::run({"openssl", "req", "-in", file("x.csr"), "-outform", "DER", "-out", file("x.der")});
    ASSERT_EQ(der.exit_code, 0) << der.err;
    EXPECT_EQ(issue({"--profile", "client", "--subject", "TempSensor", "--csr", file("x.der"), "--out",
                     file("x.pem")})
                  .exit_code,
              0);
}

TEST_F(CaCommands, IssueRefusesARequestForPowerOrAHostileOne) {
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    ASSERT_TRUE(base::write_atomically(
        file("ca.csr"), pki::make_csr_pem({.common_name = "x", .ca = true}, key).value(), 0644));
    ASSERT_TRUE(base::write_atomically(
        file("bad.csr"), std::string_view("-----BEGIN CERTIFICATE REQUEST-----\nnonsense"), 0644));
    const auto with_csr = [&](const std::string& csr) {
        return issue({"--profile", "device", "--subject", "x", "--csr", file(csr), "--out", file("x.pem")});
    };
    expect_complaint(with_csr("ca.csr"), 1, "asks to be a CA");
    expect_complaint(with_csr("bad.csr"), 1, file("bad.csr") + " is not a PEM certificate request");
    expect_complaint(with_csr("none.csr"), 1, file("none.csr") + " could not be opened");
    EXPECT_FALSE(fs::exists(file("x.pem")));
}

TEST_F(CaCommands, IssueNeverReplacesAKeyUnasked) {
    ASSERT_EQ(issue_device().exit_code, 0);
    const auto key = read(file("d.key"));
    expect_complaint(issue_device(), 1, file("d.key") + " exists already", "--force");
    EXPECT_EQ(read(file("d.key")), key);
    EXPECT_EQ(issue_device({"--force"}).exit_code, 0);
    EXPECT_NE(read(file("d.key")), key);
    EXPECT_EQ(mode_of(file("d.key")), 0600U);
}

TEST_F(CaCommands, IssueLeavesNoKeyWhereTheCertificateCannotBeWritten) {
    const auto done = issue({"--profile", "device", "--subject", "x", "--key-out", file("x.key"), "--out",
                             file("missing/x.pem")});
    expect_complaint(done, 1, file("missing/x.pem") + " could not be created");
    EXPECT_FALSE(fs::exists(file("x.key")));
}

TEST_F(CaCommands, IssueWorksWithoutTheRootsKey) {
    fs::remove(data() + "/private/my_private_root_CA.key.pem");
    EXPECT_EQ(issue_device().exit_code, 0);
}

TEST_F(CaCommands, IssueComplainsAboutItsOwnFiles) {
    const auto key = data() + "/private/my_optional_intermediate_CA.key.pem";
    fs::permissions(key, fs::perms(0640));
    expect_complaint(issue_device(), 1, key + " may be used by others than its owner (mode 0640)",
                     "chmod 600 " + key);
    fs::permissions(key, fs::perms(0600));
    ASSERT_TRUE(base::write_atomically(key, std::string_view("nonsense"), 0600));
    expect_complaint(issue_device(), 1, key + " is not a PEM private key");
    fs::remove(key);
    expect_complaint(issue_device(), 1, key + " could not be opened: No such file");
    ASSERT_TRUE(base::write_atomically(root_file(), std::string_view("nonsense"), 0644));
    expect_complaint(issue_device(), 1, root_file() + " is not a PEM certificate");
}

TEST_F(CaCommands, IssueKeepsBackWhatWouldNotVerify) {
    const auto other = sallyport({"ca", "init", "--data", file("other")});
    ASSERT_EQ(other.exit_code, 0) << other.err;
    fs::copy_file(file("other/certs/my_private_root_CA.pem"), root_file(),
                  fs::copy_options::overwrite_existing);
    expect_complaint(issue_device(), 1, "would not be accepted below CN=my_private_root_CA",
                     "sallyport verify");
    EXPECT_FALSE(fs::exists(file("d.key")));
    EXPECT_FALSE(fs::exists(file("d.pem")));
}

TEST_F(CaCommands, IssueNamesAMisspeltKeyOfTheConfiguration) {
    const auto text = read(data() + "/ca.toml");
    ASSERT_TRUE(base::write_atomically(data() + "/ca.toml", text + "\n[profile.server]\nday = 3\n", 0644));
    expect_complaint(issue_device(), 1, "profile.server.day is not a known key: did you mean days?");
    ASSERT_TRUE(base::write_atomically(
        data() + "/ca.toml", text + "\n[profile.device]\ndays = 3\nkey_type = \"rsa-2048\"\n", 0644));
    ASSERT_EQ(issue_device().exit_code, 0);
    const auto leaf = pki::Certificate::from_pem(read(file("d.pem"))).value();
    EXPECT_EQ(leaf.key_description(), "RSA 2048");
    const auto left = leaf.not_after() - base::system_clock().now();
    EXPECT_LE(left, std::chrono::days{3});
    EXPECT_GT(left, std::chrono::days{3} - std::chrono::minutes{2});
}

TEST_F(CaCommands, IssueNeedsACaAndItsLock) {
    expect_complaint(sallyport({"ca", "issue", "--data", file("none"), "--profile", "device", "--subject",
                                "x", "--key-out", file("x.key"), "--out", file("x.pem")}),
                     1, "holds no certificate authority", "sallyport ca init --data " + file("none"));
    const auto lock = base::DirectoryLock::take(data());
    ASSERT_TRUE(lock);
    expect_complaint(issue_device(), 1, "is in use by process " + std::to_string(::getpid()));
    EXPECT_FALSE(fs::exists(file("d.key")));
}

TEST_F(CaCommands, WrongUsageIsExitCodeTwo) {
    const auto wrong = [&](Arguments more) {
        more.insert(more.end(), {"--out", file("x.pem")});
        return issue(more);
    };
    expect_complaint(wrong({"--profile", "devise", "--subject", "x", "--key-out", file("k")}), 2, "devise",
                     "did you mean device?");
    expect_complaint(wrong({"--profile", "root", "--subject", "x", "--key-out", file("k")}), 2, "root",
                     "ca init");
    expect_complaint(wrong({"--profile", "device", "--subject", "x"}), 2, "needs --csr or --key-out");
    expect_complaint(
        wrong({"--profile", "device", "--subject", "x", "--key-out", file("k"), "--csr", file("c")}), 2,
        "not both");
    expect_complaint(wrong({"--profile", "device", "--subject", "CN=x", "--key-out", file("k")}), 2,
                     "common name alone", "--subject x");
    expect_complaint(
        wrong({"--profile", "device", "--subject", std::string(65, 'x'), "--key-out", file("k")}), 2,
        "65 characters");
    expect_complaint(wrong({"--profile", "server", "--subject", "x", "--key-out", file("k")}), 2,
                     "needs a name", "--san DNS:");
    expect_complaint(
        wrong({"--profile", "server", "--subject", "x", "--san", "DNS:a_b", "--key-out", file("k")}), 2,
        "underscore");
    expect_complaint(
        wrong({"--profile", "device", "--subject", "x", "--client-auth", "--key-out", file("k")}), 2,
        "--client-auth");
    expect_complaint(wrong({"--profile", "device", "--subject", "x", "--key-out", file("x.pem")}), 2,
                     "same file");
    for (const std::string days : {"0", "-1", "1000000", "x"})
        EXPECT_EQ(wrong({"--profile", "device", "--subject", "x", "--key-out", file("k"), "--days", days})
                      .exit_code,
                  2);
    EXPECT_EQ(sallyport({"ca"}).exit_code, 2);
    EXPECT_EQ(sallyport({"ca", "issue"}).exit_code, 2);
    EXPECT_FALSE(fs::exists(file("k")));
    EXPECT_FALSE(fs::exists(file("x.pem")));
}

TEST_F(CaCommands, ThumbprintPrintsWhatOpensslPrints) {
    const auto shown = sallyport({"thumbprint", root_file()});
    ASSERT_EQ(shown.exit_code, 0) << shown.err;
    for (const std::string digest : {"sha256", "sha1"}) {
        auto theirs =
            support::run({"openssl", "x509", "-in", root_file(), "-noout", "-fingerprint", "-" + digest}).out;
        theirs = std::string(base::trim(theirs.substr(theirs.find('=') + 1)));
        EXPECT_THAT(shown.out, HasSubstr(theirs));
        std::erase(theirs, ':');
        EXPECT_THAT(shown.out, HasSubstr(theirs));
        EXPECT_THAT(sallyport({"thumbprint", root_file(), "--output", "json"}).out,
                    HasSubstr("\"" + digest + "\":\"" + theirs + "\""));
    }
    const auto der =
        support::run({"openssl", "x509", "-in", root_file(), "-outform", "DER", "-out", file("root.der")});
    ASSERT_EQ(der.exit_code, 0);
    EXPECT_EQ(sallyport({"thumbprint", file("root.der")}).out, shown.out);
}

TEST_F(CaCommands, ThumbprintTellsUnreadableFromUnparsable) {
    expect_complaint(sallyport({"thumbprint", file("none")}), 3, "could not be opened");
    expect_complaint(sallyport({"thumbprint", data()}), 3, "is a directory");
    expect_complaint(sallyport({"thumbprint", data() + "/ca.toml"}), 1, "is not a PEM certificate");
    EXPECT_EQ(sallyport({"thumbprint"}).exit_code, 2);
}

TEST(CaInit, SaysThatADirectoryIsReadOnly) {
    if (::geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
    const support::TemporaryDirectory directory;
    fs::permissions(directory.path(), fs::perms(0500));
    const auto done = sallyport({"ca", "init", "--data", (directory / "ca").string()});
    fs::permissions(directory.path(), fs::perms(0700));
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_THAT(done.err, HasSubstr("Permission denied"));
}

}  // namespace
