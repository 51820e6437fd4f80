// SPDX-License-Identifier: Apache-2.0
#include "trust/record.hpp"

#include <gtest/gtest.h>

namespace {

using trust::Thumbprint;

const std::string sha1_digits = "97388663832D0393C9246CAB4FBA2C8677185A25";
const std::string sha256_digits = "1EF3E1F2B0D56D4B8A9C0D1E2F30415263748596A7B8C9DAEBFC0D1E2F304152";

std::string with_separator(const std::string& digits, char separator) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2)
        out += (i ? std::string(1, separator) : "") + digits.substr(i, 2);
    return out;
}

TEST(Thumbprint, ReadsEverySpelling) {
    for (const auto& digits : {sha1_digits, sha256_digits})
        for (const auto& text : {digits, base::to_lower(digits), with_separator(digits, ':'),
                                 with_separator(digits, ' '), with_separator(digits, '-')}) {
            const auto thumbprint = Thumbprint::parse(text);
            ASSERT_TRUE(thumbprint) << text;
            EXPECT_EQ(thumbprint->text(), digits);
        }
}

TEST(Thumbprint, RefusesOtherLengthsAndOtherCharacters) {
    for (const auto& text : {std::string{}, std::string("12"), sha1_digits + "00", sha256_digits.substr(2),
                             "G" + sha1_digits.substr(1), sha1_digits.substr(1), sha256_digits + ";"}) {
        const auto thumbprint = Thumbprint::parse(text);
        ASSERT_FALSE(thumbprint) << text;
        EXPECT_EQ(thumbprint.error().code, base::Code::invalid_argument);
    }
}

TEST(AuthType, IsSpelledAsAzureSpellsIt) {
    for (const auto* name : {"none", "sas", "selfSigned", "certificateAuthority"})
        EXPECT_EQ(trust::to_string(trust::parse_auth_type(name).value()), name);
    EXPECT_EQ(trust::parse_auth_type("SelfSigned"), std::nullopt);
}

TEST(Identity, IdsAreOneTo128CharactersOfTheSet) {
    for (const std::string& id : {std::string("a"), std::string(128, 'a'),
                                  std::string("aZ0-:.+%_#*?!(),=@;$'"), std::string("$edgeHub")})
        EXPECT_TRUE(trust::check_id(id, "device id")) << id;
    for (const std::string& id :
         {std::string(""), std::string(129, 'a'), std::string("a/b"), std::string("a b"),
          std::string("\xc3\xa9"), std::string("a\0b", 3), std::string("a\"b"), std::string("a&b")}) {
        const auto checked = trust::check_id(id, "device id");
        ASSERT_FALSE(checked) << id;
        EXPECT_EQ(checked.error().thing, "device id");
    }
}

}  // namespace
