// SPDX-License-Identifier: Apache-2.0
#include "trust/sas_token.hpp"

#include <gtest/gtest.h>

#include <array>

namespace {

using trust::SasToken;

// 32 octets 00 01 02 .. 1f. The signatures below were made with Python's hmac module.
constexpr std::string_view key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view other_key = "IAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const std::array<std::string, 2> hosts{"ContosoIotHub.local", "edgegateway.local"};

struct Variant {
    std::string_view name;
    std::string_view resource;   ///< as the client writes it
    std::string_view signature;  ///< percent-encoded
    std::string_view opens;      ///< a path that it must open
};

const Variant variants[] = {
    {"NodeDevice", "contosoiothub.local%2Fdevices%2FTempSensor",
     "s23ahX8sJp3qX%2FJqBVrVGSh%2F4eU%2F81Z22%2BMOcFlMgTI%3D", "devices/TempSensor"},
    {"LowerCaseHex", "contosoiothub.local%2fdevices%2fTempSensor",
     "TEvwDnqNKCn%2bnXCVqqBpwmsK54NhsuM6pJMbp73PBLc%3d", "devices/TempSensor"},
    {"NotEncodedAtAll", "contosoiothub.local/devices/TempSensor",
     "PC1OABizpqZkQKKu6f5xyQkNWeO3MAQYdoJQskzrn6s=", "devices/TempSensor"},
    {"EncodedTwice", "contosoiothub.local%2Fdevices%2FEdgeGateway%2Fmodules%2F%2524edgeHub",
     "IN9af7bjc1P7QMi%2BJufZvvPY4y3PaeXR0%2FuxWmBAjFk%3D", "devices/EdgeGateway/modules/$edgeHub"},
    {"LowerCaseAudience", "contosoiothub.local%2Fdevices%2Fedgegateway",
     "cziOpwGX9Akz5An3un47StQOyhhSwjZpa2j8v6YHG0s%3D", "devices/EdgeGateway"},
    {"HostAlone", "contosoiothub.local", "xZHjDgy8L%2Fl3nkMLGK7wuDnm2ZjC%2FlMUr7z0xEfXKs0%3D",
     "devices/TempSensor"},
};

std::string text_of(const Variant& one) {
    return "SharedAccessSignature sr=" + std::string(one.resource) + "&sig=" + std::string(one.signature) +
           "&se=1795600000";
}

class SasTokenVariant : public testing::TestWithParam<Variant> {};

TEST_P(SasTokenVariant, VerifiesOverTheCharactersAsTheyStand) {
    const auto token = SasToken::parse(text_of(GetParam()));
    ASSERT_TRUE(token) << token.error().text();
    EXPECT_EQ(token->resource, GetParam().resource);
    EXPECT_TRUE(token->signed_by(key));
    EXPECT_FALSE(token->signed_by(other_key));
    EXPECT_TRUE(token->covers(GetParam().opens, hosts));
    EXPECT_FALSE(token->covers("devices/TempSensor", std::array<std::string, 1>{"other.local"}));
}

INSTANTIATE_TEST_SUITE_P(Clients, SasTokenVariant, testing::ValuesIn(variants),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(SasToken, ReadsFieldsInAnyOrderAndIgnoresUnknownOnes) {
    const auto token = SasToken::parse("SharedAccessSignature skn=device&x=1&se=1795600000&sig=ab%3D&sr=h");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->policy, "device");
    EXPECT_EQ(token->signature, "ab=");
    EXPECT_EQ(token->expires(), base::Instant(std::chrono::seconds(1795600000)));
}

TEST(SasToken, KeepsAPlusInTheSignature) {
    const auto token = SasToken::parse("SharedAccessSignature sr=h&sig=a+b=&se=1");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->signature, "a+b=");
}

TEST(SasToken, RefusesWhatIsMalformedAndNamesNoPartOfIt) {
    for (const std::string_view text :
         {"", "SharedAccessSignature", "SharedAccessSignature  sr=h&sig=s&se=1",
          "sharedaccesssignature sr=h&sig=s&se=1", "Bearer sr=h&sig=s&se=1",
          "SharedAccessSignature sig=secret&se=1", "SharedAccessSignature sr=h&se=1",
          "SharedAccessSignature sr=h&sig=secret", "SharedAccessSignature sr=h&sr=h&sig=secret&se=1",
          "SharedAccessSignature sr=h&sig=secret&sig=secret&se=1",
          "SharedAccessSignature sr=h&sig=secret&se=1&se=1",
          "SharedAccessSignature sr=h&sig=secret&se=1&skn=a&skn=a",
          "SharedAccessSignature sr=h&sig=secret%2&se=1", "SharedAccessSignature sr=h%zz&sig=secret&se=1",
          "SharedAccessSignature sr=h&sig=secret&se=1&skn=%", "SharedAccessSignature sr=h&sig=secret&se=1&",
          "SharedAccessSignature sr=&sig=secret&se=1"}) {
        const auto token = SasToken::parse(text);
        ASSERT_FALSE(token) << text;
        EXPECT_EQ(token.error().code, base::Code::malformed);
        EXPECT_EQ(token.error().text().find("secret"), std::string::npos);
    }
    EXPECT_FALSE(SasToken::parse("SharedAccessSignature sr=" + std::string(10000, 'a') + "&sig=s&se=1"));
}

TEST(SasToken, HasNoExpiryWhereSeIsNoNumberThatFits) {
    for (const std::string se :
         {"x", "1795600000x", "1.5", "-1", "+1", " 1", "99999999999999999999", "253402300800"}) {
        const auto token = SasToken::parse("SharedAccessSignature sr=h&sig=s&se=" + se);
        ASSERT_TRUE(token) << se;
        EXPECT_EQ(token->expires(), std::nullopt) << se;
    }
}

SasToken with_resource(std::string_view resource) {
    return {.resource = std::string(resource), .signature = "s", .expiry = "1", .policy = std::nullopt};
}

TEST(SasToken, CoversByWholeSegmentsFromTheFront) {
    const std::string module = "devices/d/modules/m";
    for (const auto* wider :
         {"contosoiothub.local", "contosoiothub.local/devices", "contosoiothub.local/devices/d",
          "contosoiothub.local/devices/d/modules", "contosoiothub.local/devices/d/modules/m"})
        EXPECT_TRUE(with_resource(wider).covers(module, hosts)) << wider;
    for (const auto* other : {"contosoiothub", "contosoiothub.localx", "contosoiothub.local/device",
                              "contosoiothub.local/devices/dd", "contosoiothub.local/devices/d/modules/m/x",
                              "contosoiothub.local/", "/devices/d", ""})
        EXPECT_FALSE(with_resource(other).covers(module, hosts)) << other;
    EXPECT_FALSE(with_resource("contosoiothub.local/devices/d/modules/m").covers("devices/d", hosts));
}

TEST(SasToken, NamesOnlyTheResourceItself) {
    EXPECT_TRUE(with_resource("contosoiothub.local/devices/d").names("devices/d", hosts));
    EXPECT_FALSE(with_resource("contosoiothub.local/devices").names("devices/d", hosts));
    EXPECT_FALSE(with_resource("contosoiothub.local/devices/d").names("devices/d/modules/m", hosts));
    EXPECT_TRUE(with_resource("contosoiothub.local").names("", hosts));
}

TEST(SasToken, ToleratesAPortBehindTheHostAndTheOldEditorsQuery) {
    EXPECT_TRUE(with_resource("contosoiothub.local:8883/devices/d").covers("devices/d", hosts));
    EXPECT_TRUE(with_resource("edgegateway.local%3A443%2Fdevices%2Fd").covers("devices/d", hosts));
    EXPECT_FALSE(with_resource("contosoiothub.local:/devices/d").covers("devices/d", hosts));
    EXPECT_FALSE(with_resource("contosoiothub.local:x/devices/d").covers("devices/d", hosts));
    EXPECT_TRUE(
        with_resource("contosoiothub.local/devices/d/api-version=2016-11-14").names("devices/d", hosts));
}

TEST(SasToken, TakesTheWantedPathWithTheHostInFrontToo) {
    EXPECT_TRUE(with_resource("contosoiothub.local/devices/d").names("contosoiothub.local/devices/d", hosts));
    EXPECT_TRUE(with_resource("contosoiothub.local").names("contosoiothub.local", hosts));
}

TEST(SasToken, MatchesHostileButLegalIds) {
    const std::string id = "a%20b+c;(d)";
    const auto token =
        trust::make_sas_token("contosoiothub.local/" + trust::resource_path({id, ""}), key, base::Instant{});
    ASSERT_TRUE(token);
    EXPECT_TRUE(SasToken::parse(*token)->names(trust::resource_path({id, ""}), hosts));
}

TEST(SasToken, IsMadeAsTheNodeSdkMakesIt) {
    const auto token = trust::make_sas_token("contosoiothub.local/devices/TempSensor", key,
                                             base::Instant(std::chrono::seconds(1795600000)));
    ASSERT_TRUE(token);
    EXPECT_EQ(*token, text_of(variants[0]));
    const auto with_policy = trust::make_sas_token("h", key, base::Instant{}, "my policy");
    EXPECT_TRUE(with_policy->ends_with("&se=0&skn=my%20policy"));
}

TEST(SasToken, IsNotMadeWithAKeyThatIsNotBase64) {
    EXPECT_FALSE(trust::make_sas_token("h", "not base64!", base::Instant{}));
    EXPECT_FALSE(trust::make_sas_token("h", "", base::Instant{}));
}

TEST(SasToken, IsNeverSignedByAnEmptyOrBrokenKey) {
    const auto token = SasToken::parse(text_of(variants[0]));
    EXPECT_FALSE(token->signed_by(""));
    EXPECT_FALSE(token->signed_by("%%%"));
}

}  // namespace
