// SPDX-License-Identifier: Apache-2.0
#include "check/judge_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>

#include "support/temporary_directory.hpp"

namespace check {
namespace {

using testing::HasSubstr;

Entry file(mode_t mode, uid_t owner = 500, gid_t group = 600) {
    return {"/keys/device.key", S_IFREG | mode, owner, group};
}

TEST(JudgeFile, AKeyIsItsOwnersAlone) {
    EXPECT_EQ(judge_key_mode(file(0600), 500).outcome, Outcome::ok);
    EXPECT_EQ(judge_key_mode(file(0400), 500).outcome, Outcome::ok);
    EXPECT_EQ(judge_key_mode(file(0600, 0), 500).outcome, Outcome::ok);
    for (const mode_t mode : {0640, 0604, 0644, 0660, 0610}) {
        const auto found = judge_key_mode(file(mode), 500);
        EXPECT_EQ(found.outcome, Outcome::error) << mode;
        EXPECT_THAT(found.fix, HasSubstr("chmod 600 /keys/device.key"));
    }
    EXPECT_EQ(judge_key_mode(file(0600), 501).outcome, Outcome::error);
}

TEST(JudgeFile, ASocketHasItsModeAndOwner) {
    EXPECT_EQ(judge_mode("socket", file(0660), 0660, 500, "aziotks").outcome, Outcome::ok);
    EXPECT_EQ(judge_mode("socket", file(0660), 0660, std::nullopt, "aziotks").outcome, Outcome::ok);
    const auto open = judge_mode("socket", file(0666), 0660, 500, "aziotks");
    EXPECT_EQ(open.outcome, Outcome::error);
    EXPECT_THAT(open.fix, HasSubstr("chmod 660"));
    const auto foreign = judge_mode("socket", file(0660), 0660, 501, "aziotks");
    EXPECT_EQ(foreign.outcome, Outcome::error);
    EXPECT_THAT(foreign.fix, HasSubstr("chown aziotks:aziotks"));
}

TEST(JudgeFile, OwnerGroupAndOthersEachHaveTheirOwnBits) {
    const Reader owner{"owner", 500, {}};
    const Reader member{"member", 501, {600}};
    const Reader other{"other", 502, {}};
    const Reader root{"root", 0, {}};
    EXPECT_TRUE(may(owner, file(0400), 4));
    EXPECT_FALSE(may(owner, file(0044), 4));  // the owner's bits count for the owner, and no others
    EXPECT_TRUE(may(member, file(0040), 4));
    EXPECT_FALSE(may(member, file(0604), 4));
    EXPECT_TRUE(may(other, file(0004), 4));
    EXPECT_FALSE(may(other, file(0660), 4));
    EXPECT_TRUE(may(root, file(0000), 4));
}

TEST(JudgeFile, AFileIsReadableWhereEveryDirectoryAboveLetsPass) {
    const support::TemporaryDirectory directory;
    const auto inner = directory / "inner";
    const auto path = inner / "device.pem";
    std::filesystem::create_directory(inner);
    std::ofstream(path) << "x";
    ::chmod(directory.path().c_str(), 0755);
    ::chmod(inner.c_str(), 0755);
    ::chmod(path.c_str(), 0644);
    const Reader stranger{"aziotcs", ::geteuid() + 4711, {}};
    EXPECT_EQ(judge_readable("certificate", path, stranger).outcome, Outcome::ok);
    ::chmod(inner.c_str(), 0700);
    const auto closed = judge_readable("certificate", path, stranger);
    EXPECT_EQ(closed.outcome, Outcome::error);
    EXPECT_THAT(closed.fix, HasSubstr(inner.string()));
    ::chmod(inner.c_str(), 0755);
    ::chmod(path.c_str(), 0600);
    EXPECT_THAT(judge_readable("certificate", path, stranger).fix, HasSubstr("chown aziotcs"));
    EXPECT_EQ(judge_readable("certificate", inner / "none.pem", stranger).outcome, Outcome::error);
}

}  // namespace
}  // namespace check
