// SPDX-License-Identifier: Apache-2.0
#include "edge/service_user.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.hpp"
#include "edge/supervisor.hpp"
#include "support/temporary_directory.hpp"

namespace {

using edge::Service;
using edge::ServiceUser;

const edge::Paths packaged("/");
const edge::Paths elsewhere("/home/somebody/edge");

std::optional<ServiceUser> nobody_there(const std::string&) {
    return std::nullopt;
}
std::optional<ServiceUser> everybody_there(const std::string& name) {
    return ServiceUser{name, 990, 991};
}
std::optional<ServiceUser> root_under_another_name(const std::string& name) {
    return ServiceUser{name, 0, 0};
}

TEST(ServiceUser, IsThePackagedOneForRootInThePackagedLayout) {
    const std::map<Service, std::string> names{{Service::keys, "aziotks"},
                                               {Service::certificates, "aziotcs"},
                                               {Service::identity, "aziotid"},
                                               {Service::workload, "iotedge"}};
    for (const auto& [service, name] : names) {
        const auto user = edge::user_to_become(service, packaged, 0, everybody_there);
        ASSERT_TRUE(user) << user.error().text();
        ASSERT_TRUE(*user);
        EXPECT_EQ((*user)->name, name);
        EXPECT_EQ((*user)->uid, 990U);
        EXPECT_EQ((*user)->gid, 991U);
    }
}

TEST(ServiceUser, ThatIsMissingEndsTheServiceInsteadOfLeavingItRoot) {
    const auto user = edge::user_to_become(Service::keys, packaged, 0, nobody_there);
    ASSERT_FALSE(user);
    EXPECT_EQ(user.error().code, base::Code::not_found);
    const auto text = user.error().text();
    for (const auto* part : {"aziotks", "keys service", "does not exist", "useradd --system", "--root"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(ServiceUser, ThatIsRootUnderAnotherNameIsRefusedToo) {
    const auto user = edge::user_to_become(Service::identity, packaged, 0, root_under_another_name);
    ASSERT_FALSE(user);
    EXPECT_EQ(user.error().code, base::Code::permission_denied);
    EXPECT_NE(user.error().text().find("aziotid"), std::string::npos);
}

TEST(ServiceUser, IsThePresentOneForOthersAndUnderARoot) {
    const std::vector<std::pair<edge::Paths, uid_t>> cases{
        {packaged, 1000}, {elsewhere, 0}, {elsewhere, 1000}};
    for (const auto& [paths, present] : cases) {
        const auto user = edge::user_to_become(Service::keys, paths, present, nobody_there);
        ASSERT_TRUE(user) << user.error().text();
        EXPECT_FALSE(*user);
    }
    const auto users = edge::users_of(elsewhere);
    ASSERT_TRUE(users) << users.error().text();
    for (const auto& [service, uid] : users->service) EXPECT_EQ(uid, ::geteuid());
}

// In a child: 0 where every id is the user's and there is no way back.
int become_and_look(const ServiceUser& user) {
    if (!edge::become(user)) return 1;
    uid_t real = 0, effective = 0, saved = 0;
    if (::getresuid(&real, &effective, &saved) != 0) return 2;
    if (real != user.uid || effective != user.uid || saved != user.uid) return 3;
    if (::getgid() != user.gid || ::getegid() != user.gid) return 4;
    gid_t groups[64];
    const int count = ::getgroups(64, groups);
    for (int i = 0; i < count; ++i)
        if (groups[i] == 0) return 5;
    if (::setuid(0) == 0 || ::setgid(0) == 0) return 6;
    return 0;
}

TEST(ServiceUser, IsBecomeForGood) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const auto user = edge::find_user("nobody");
    if (!user) GTEST_SKIP() << "this machine has no user nobody";
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(become_and_look(*user));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ServiceUser, IsAskedWhetherItCanReadAFile) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const auto user = edge::find_user("nobody");
    if (!user) GTEST_SKIP() << "this machine has no user nobody";
    support::TemporaryDirectory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
    const auto file = directory / "key";
    ASSERT_TRUE(base::write_atomically(file, "key", 0600));
    const auto refused = edge::check_readable(*user, file);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("cannot be read by nobody"), std::string::npos);
    ASSERT_EQ(::chown(file.c_str(), user->uid, user->gid), 0);
    EXPECT_TRUE(edge::check_readable(*user, file));
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0700));
    EXPECT_FALSE(edge::check_readable(*user, file)) << "a directory on the way is closed";
}

TEST(ServiceUser, OfNobodyIsNone) {
    EXPECT_FALSE(edge::find_user("no-such-user-here"));
    const auto root = edge::find_user("root");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->uid, 0U);
}

}  // namespace
