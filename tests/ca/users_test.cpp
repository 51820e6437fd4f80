// SPDX-License-Identifier: Apache-2.0
#include "ca/users.hpp"

#include <gtest/gtest.h>

#include "ca/password.hpp"
#include "support/certificates.hpp"

namespace {

ca::Credentials credentials(std::string user, std::string_view password) {
    return {std::move(user), base::SecretBytes(password)};
}

std::string basic(std::string_view text) {
    return "Basic " + base::to_base64(base::as_bytes(text));
}

TEST(Password, FitsItsHashAlone) {
    const auto hash = ca::hash_password("secret");
    ASSERT_TRUE(hash);
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    EXPECT_TRUE(ca::password_fits(*hash, "secret"));
    EXPECT_FALSE(ca::password_fits(*hash, "Secret"));
    EXPECT_FALSE(ca::password_fits("$argon2id$nonsense", "secret"));
    EXPECT_NE(*hash, *ca::hash_password("secret"));
    EXPECT_FALSE(ca::hash_password(""));
}

TEST(BasicCredentials, AreReadOrRefused) {
    const auto read = ca::read_basic(basic("line-3:a:b"));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->user, "line-3");
    EXPECT_EQ(read->password.text(), "a:b");
    EXPECT_TRUE(ca::read_basic("basic " + base::to_base64(base::as_bytes("u:"))));
    for (const std::string& bad :
         {std::string("Basic !!!"), std::string("Bearer x"), std::string(""), std::string("Basic"),
          basic("nocolon"), basic("a:b\n"), "Basic " + std::string(8192, 'A')}) {
        const auto refused = ca::read_basic(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().id, "auth.header");
        EXPECT_EQ(ca::rule_of(refused.error().id).status, 401);
    }
}

class UsersTest : public testing::Test {
  protected:
    static ca::EstConfig config() {
        ca::EstConfig made;
        made.users.push_back({"line-3", *ca::hash_password("secret"), {}, {}});
        return made;
    }
    ca::EstConfig config_ = config();
    ca::Users users_{config_};
    base::Instant now_ = support::test_time();
};

TEST_F(UsersTest, AGoodPasswordIsRememberedForTenMinutes) {
    EXPECT_EQ(users_.remembered(credentials("line-3", "secret"), now_), nullptr);
    ASSERT_NE(users_.verify(credentials("line-3", "secret"), "192.0.2.1", now_), nullptr);
    EXPECT_NE(users_.remembered(credentials("line-3", "secret"), now_), nullptr);
    EXPECT_EQ(users_.remembered(credentials("line-3", "secreT"), now_), nullptr);
    EXPECT_EQ(users_.remembered(credentials("line-3", "secret"), now_ + std::chrono::minutes(10)), nullptr);
}

TEST_F(UsersTest, TenFailuresOfAUserWithinAMinuteAreEnough) {
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(users_.may_try("line-3", "192.0.2.1", now_));
        EXPECT_EQ(users_.verify(credentials("line-3", "wrong"), "192.0.2.1", now_), nullptr);
    }
    const auto refused = users_.may_try("line-3", "192.0.2.2", now_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().id, "rate.limit");
    EXPECT_TRUE(refused.error().retry_after.has_value());
    EXPECT_TRUE(users_.may_try("line-4", "192.0.2.1", now_));
    EXPECT_TRUE(users_.may_try("line-3", "192.0.2.1", now_ + std::chrono::seconds(60)));
}

TEST_F(UsersTest, AnUnknownUserIsNobody) {
    EXPECT_EQ(users_.verify(credentials("nobody", "secret"), "192.0.2.1", now_), nullptr);
}

}  // namespace
