// SPDX-License-Identifier: Apache-2.0
#include "edge/command.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "edge/certificate_unit.hpp"
#include "edge/installed_pair.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

using Words = std::vector<std::string>;

TEST(Command, IsSplitIntoWordsAndNothingIsExpanded) {
    EXPECT_EQ(edge::split_command("nginx -s reload").value(), (Words{"nginx", "-s", "reload"}));
    EXPECT_EQ(edge::split_command("  a\t'b c' \"d \\\"e\\\"\" f\\ g '' $HOME;x ").value(),
              (Words{"a", "b c", "d \"e\"", "f g", "", "$HOME;x"}));
    for (const auto* bad : {"", "   ", "a 'b", "a \"b", "a\\"})
        EXPECT_EQ(edge::split_command(bad).error().code, base::Code::usage) << bad;
}

TEST(Command, RunsWithoutAShellAndItsExitIsTold) {
    const auto limit = std::chrono::seconds(30);
    EXPECT_TRUE(edge::run_command({"true"}, limit));
    EXPECT_TRUE(edge::run_command({"test", "$HOME;x", "=", "$HOME;x"}, limit));
    EXPECT_EQ(edge::run_command({"false"}, limit).error().reason, "exited with 1");
    EXPECT_EQ(edge::run_command({"sh", "-c", "kill -9 $$"}, limit).error().reason, "was ended by signal 9");
    EXPECT_EQ(edge::run_command({"/nowhere/x"}, limit).error().code, base::Code::not_found);
    EXPECT_EQ(edge::run_command({"sleep", "1000"}, std::chrono::seconds(0)).error().code,
              base::Code::timeout);
}

TEST(CertificateUnit, LeavesSystemdNothingToExpand) {
    const edge::CertificateUnit unit{
        "$weird/one", {"/usr/bin/sallyport", "edge", "certs", "follow", "--reload", "\"a b\" 100% $x\\"}};
    EXPECT_EQ(edge::unit_name(unit.module), "sallyport-certs-weird\\x2fone.service");
    const auto text = edge::unit_text(unit);
    EXPECT_NE(text.find("\nExecStart=\"/usr/bin/sallyport\" \"edge\" \"certs\" \"follow\" \"--reload\" "
                        "\"\\\"a b\\\" 100%% $$x\\\\\"\n"),
              std::string::npos)
        << text;
}

TEST(CertificateUnit, PassesSystemdsOwnVerification) {
    const auto there = support::run({"systemd-analyze", "--version"});
    if (there.exit_code != 0) GTEST_SKIP() << "no systemd-analyze";
    support::TemporaryDirectory directory;
    const edge::CertificateUnit unit{"mod1", {"/bin/true", "--reload", "\"nginx\" \"-s\" \"reload\""}};
    const auto file = directory / edge::unit_name(unit.module);
    ASSERT_TRUE(base::write_atomically(file, edge::unit_text(unit), 0644));
    const auto verified = support::run({"systemd-analyze", "verify", "--man=no", file.string()});
    EXPECT_EQ(verified.exit_code, 0) << verified.err;
    EXPECT_EQ(verified.err.find(file.filename().string()), std::string::npos) << verified.err;
}

TEST(CertificateUnit, ProgramIsFoundByThePathOrRefused) {
    EXPECT_TRUE(edge::find_program("true").value().ends_with("/true"));
    EXPECT_EQ(edge::find_program("/bin/sh").value(), "/bin/sh");
    EXPECT_EQ(edge::find_program("no-such-program-here").error().code, base::Code::not_found);
}

class Pair : public testing::Test {
  protected:
    std::string read(const std::string& name) const {
        return base::read_file(directory_ / name, "file").value_or("(none)");
    }
    support::TemporaryDirectory directory_;
    std::filesystem::path certificate_ = directory_ / "c.pem", key_ = directory_ / "c.key";
};

TEST_F(Pair, IsReplacedWithItsModes) {
    ASSERT_TRUE(edge::write_pair(certificate_, "cert 1", key_, "key 1"));
    ASSERT_TRUE(edge::write_pair(certificate_, "cert 2", key_, "key 2"));
    EXPECT_EQ(read("c.pem"), "cert 2");
    EXPECT_EQ(read("c.key"), "key 2");
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(key_).permissions(), perms(0600));
    EXPECT_EQ(std::filesystem::status(certificate_).permissions(), perms(0644));
    EXPECT_FALSE(std::filesystem::exists(directory_ / "c.key.next"));
}

TEST_F(Pair, StaysWholeWhereTheNewOneCannotBeWritten) {
    ASSERT_TRUE(edge::write_pair(certificate_, "cert 1", key_, "key 1"));
    ASSERT_TRUE(std::filesystem::create_directories(directory_ / "c.pem.next" / "in-the-way"));
    EXPECT_FALSE(edge::write_pair(certificate_, "cert 2", key_, "key 2"));
    EXPECT_EQ(read("c.key"), "key 1");
    EXPECT_EQ(read("c.pem"), "cert 1");
}

TEST_F(Pair, IsFinishedAfterAPowerCut) {
    ASSERT_TRUE(edge::write_pair(certificate_, "cert 1", key_, "key 1"));
    // Cut between the two renames.
    ASSERT_TRUE(base::write_atomically(key_, "key 2", 0600));
    ASSERT_TRUE(base::write_atomically(directory_ / "c.pem.next", "cert 2", 0644));
    ASSERT_TRUE(edge::finish_pair(certificate_, key_));
    EXPECT_EQ(read("c.pem"), "cert 2");
    EXPECT_EQ(read("c.key"), "key 2");
    // Cut before the certificate lay beside: the old pair stays.
    ASSERT_TRUE(base::write_atomically(directory_ / "c.key.next", "key 3", 0600));
    ASSERT_TRUE(edge::finish_pair(certificate_, key_));
    EXPECT_EQ(read("c.key"), "key 2");
    EXPECT_FALSE(std::filesystem::exists(directory_ / "c.key.next"));
}

}  // namespace
