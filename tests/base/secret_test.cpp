// SPDX-License-Identifier: Apache-2.0
#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <array>
#include <type_traits>

namespace {

static_assert(!std::is_copy_constructible_v<base::SecretBytes> &&
              !std::is_copy_assignable_v<base::SecretBytes>);

TEST(Secret, MovesAndLeavesNothingBehind) {
    base::SecretBytes first(std::string_view("secret"));
    base::SecretBytes second(std::move(first));
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is asked
    EXPECT_EQ(second.text(), "secret");
    base::SecretBytes third(std::string_view("older"));
    third = std::move(second);
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(third.text(), "secret");
    const auto copy = third.clone();
    third.wipe();
    EXPECT_TRUE(third.empty());
    EXPECT_EQ(copy.text(), "secret");
}

TEST(Secret, ComparesByContent) {
    EXPECT_TRUE(base::equal_constant_time("abc", "abc"));
    EXPECT_TRUE(base::equal_constant_time("", ""));
    for (const auto* other : {"abd", "bbc", "ab", "abcd", ""})
        EXPECT_FALSE(base::equal_constant_time("abc", other)) << other;
    EXPECT_TRUE(base::SecretBytes(std::string_view("x")) == base::SecretBytes(std::string_view("x")));
    EXPECT_FALSE(base::SecretBytes(std::string_view("x")) == base::SecretBytes(std::string_view("y")));
}

TEST(Secret, WipesMemory) {
    std::array<char, 8> memory{"secret!"};
    base::wipe(memory.data(), memory.size());
    for (const char c : memory) EXPECT_EQ(c, 0);
    base::wipe(nullptr, 0);
}

}  // namespace
