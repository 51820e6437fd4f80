// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
  protected:
    void TearDown() override { ::umask(umask_); }
    fs::path path(const std::string& name) const { return directory / name; }
    static mode_t mode_of(const fs::path& file) {
        struct stat info{};
        EXPECT_EQ(::lstat(file.c_str(), &info), 0) << file;
        return info.st_mode & 07777;
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()));
    }

    support::TemporaryDirectory directory;
    mode_t umask_ = ::umask(022);
};

TEST_F(Files, HaveTheirModeWhateverTheUmask) {
    for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
        ::umask(mask);
        ASSERT_TRUE(base::write_atomically(path("secret"), std::string_view("s"), base::secret_mode));
        ASSERT_TRUE(base::write_atomically(path("public"), std::string_view("p"), base::public_mode));
        EXPECT_EQ(mode_of(path("secret")), 0600U);
        EXPECT_EQ(mode_of(path("public")), 0644U);
        const auto below = path("d" + std::to_string(mask)) / "e" / "f";
        ASSERT_TRUE(base::make_private_directories(below));
        for (const auto& each : {below, below.parent_path(), below.parent_path().parent_path()})
            EXPECT_EQ(mode_of(each), 0700U) << each << " under umask " << mask;
    }
}

TEST_F(Files, AreReplacedWholeAndLeaveNothingBeside) {
    ASSERT_TRUE(base::write_atomically(path("x"), std::string(100'000, 'a'), base::public_mode));
    ASSERT_TRUE(base::write_atomically(path("x"), std::string_view("b"), base::secret_mode));
    EXPECT_EQ(base::read_file(path("x"), "file").value(), "b");
    EXPECT_EQ(mode_of(path("x")), 0600U);
    EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, ReplaceALinkAndNotWhatItPointsTo) {
    ASSERT_TRUE(base::write_atomically(path("target"), std::string_view("old"), base::public_mode));
    fs::create_symlink(path("target"), path("link"));
    ASSERT_TRUE(base::write_atomically(path("link"), std::string_view("new"), base::secret_mode));
    EXPECT_EQ(base::read_file(path("target"), "file").value(), "old");
    EXPECT_FALSE(fs::is_symlink(path("link")));
}

TEST_F(Files, KeepTheOldContentWhenWritingFails) {
    fs::create_directory(path("x"));
    const auto failed = base::write_atomically(path("x"), std::string_view("new"), base::public_mode);
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().text(), HasSubstr(path("x").string() + " could not be put in place"));
    EXPECT_TRUE(fs::is_directory(path("x")));
    EXPECT_EQ(entries(), 1U);
    EXPECT_EQ(base::write_atomically(path("no/x"), std::string_view("a"), 0644).error().code,
              base::Code::not_found);
}

TEST_F(Files, AreReadWhole) {
    std::string content;
    for (int i = 0; i < 100'000; ++i) content += static_cast<char>(i * 7);
    ASSERT_TRUE(base::write_atomically(path("x"), content, base::public_mode));
    EXPECT_EQ(base::read_file(path("x"), "file").value(), content);
    ASSERT_TRUE(base::write_atomically(path("empty"), std::string_view(), base::public_mode));
    EXPECT_EQ(base::read_file(path("empty"), "file").value(), "");
    // The kernel tells no size for these.
    EXPECT_THAT(base::read_file("/proc/self/status", "file").value(), HasSubstr("VmPeak"));
}

TEST_F(Files, HaveALimit) {
    ASSERT_TRUE(base::write_atomically(path("x"), std::string(11, 'a'), base::public_mode));
    EXPECT_TRUE(base::read_file(path("x"), "file", 11));
    EXPECT_EQ(base::read_file(path("x"), "file", 10).error().code, base::Code::too_large);
    EXPECT_EQ(base::read_file("/dev/zero", "file", 1000).error().code, base::Code::too_large);
}

TEST_F(Files, SayWhyTheyCannotBeRead) {
    const auto missing = base::read_file(path("x"), "certificate");
    EXPECT_EQ(missing.error().code, base::Code::not_found);
    EXPECT_THAT(missing.error().text(),
                HasSubstr("certificate " + path("x").string() + " could not be opened: No such file"));
    EXPECT_THAT(base::read_file(directory.path(), "certificate").error().text(), HasSubstr("is a directory"));
    if (::geteuid() == 0) return;
    ASSERT_TRUE(base::write_atomically(path("x"), std::string_view("a"), 0000));
    EXPECT_EQ(base::read_file(path("x"), "certificate").error().code, base::Code::permission_denied);
}

TEST_F(Files, SecretsOfOtherModesAreRefusedWithTheRemedy) {
    for (const mode_t mode : {0600U, 0400U, 0700U}) {
        ASSERT_TRUE(base::write_atomically(path("key"), std::string_view("secret"), mode));
        EXPECT_EQ(base::read_secret_file(path("key"), "key").value().text(), "secret");
    }
    for (const mode_t mode : {0640U, 0604U, 0644U, 0660U, 0610U, 0601U}) {
        ASSERT_TRUE(base::write_atomically(path("key"), std::string_view("secret"), mode));
        const auto refused = base::read_secret_file(path("key"), "key");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::permission_denied);
        EXPECT_THAT(refused.error().fix, HasSubstr("chmod 600 " + path("key").string()));
        EXPECT_THAT(refused.error().text(), testing::Not(HasSubstr("secret")));
    }
}

TEST_F(Files, DirectoriesInTheWayAreSaid) {
    ASSERT_TRUE(base::write_atomically(path("x"), std::string_view("a"), 0644));
    EXPECT_THAT(base::make_private_directories(path("x")).error().text(), HasSubstr("a file has that name"));
    EXPECT_FALSE(base::make_private_directories(path("x/y")));
    ::chmod(directory.path().c_str(), 0755);
    EXPECT_TRUE(base::make_private_directories(directory.path()));
    EXPECT_EQ(mode_of(directory.path()), 0755U);
}

TEST_F(Files, ALockedDirectoryNamesItsHolder) {
    {
        const auto lock = base::DirectoryLock::take(directory.path());
        ASSERT_TRUE(lock) << lock.error().text();
        const auto second = base::DirectoryLock::take(directory.path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, base::Code::address_in_use);
        EXPECT_THAT(second.error().text(), HasSubstr("is in use by process " + std::to_string(::getpid())));
        EXPECT_FALSE(second.error().fix.empty());
    }
    EXPECT_TRUE(base::DirectoryLock::take(directory.path()));
}

TEST_F(Files, ALockMovesAndDoesNotReachAChild) {
    auto lock = base::DirectoryLock::take(directory.path());
    ASSERT_TRUE(lock);
    {
        const base::DirectoryLock moved = *std::move(lock);
        EXPECT_FALSE(base::DirectoryLock::take(directory.path()));
        const support::Background child({"sleep", "60"});
        EXPECT_GT(child.pid(), 0);
    }
    EXPECT_TRUE(base::DirectoryLock::take(directory.path()));
}

TEST_F(Files, ALockNeedsItsDirectory) {
    EXPECT_EQ(base::DirectoryLock::take(path("none")).error().code, base::Code::not_found);
}

}  // namespace
