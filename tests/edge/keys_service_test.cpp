// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "edge/keys_operations.hpp"
#include "edge/paths.hpp"
#include "pki/digest.hpp"
#include "running_device.hpp"

namespace {

using namespace edge_test;
using http::Verb;

constexpr uid_t stranger = 4242;

/// The keys service alone, without a socket; the caller is root unless said otherwise.
class Keys : public testing::Test {
  protected:
    Keys() {
        edge::KeysConfig config;
        config.home = directory_ / "keyd";
        config.preloaded = {{"given", "file://" + (directory_ / "given.key").string()},
                            {"token", "pkcs11:token=T"}};
        config.rules = {{1000, {"mine", "prefix*"}}};
        service_ = std::move(*edge::KeysService::make(config));
    }
    http::Response call(Verb verb, std::string target, std::string body = {}, uid_t user = 0) {
        return ask_as(service_->api(), user, verb, std::move(target), std::move(body), "2021-05-01");
    }
    std::string create(const std::string& id) {
        return member(call(Verb::post, "/key", R"({"keyId":")" + id + R"(","usage":"derive,sign"})"),
                      "keyHandle");
    }
    std::string create_pair(const std::string& id, const std::string& algorithms) {
        return member(call(Verb::post, "/keypair",
                           R"({"keyId":")" + id + R"(","preferredAlgorithms":")" + algorithms + R"("})"),
                      "keyHandle");
    }
    static std::string with_handle(const std::string& handle, const std::string& more = {}) {
        return R"({"keyHandle":")" + handle + "\"" + more + "}";
    }
    std::filesystem::path file(std::string_view id) const {
        return directory_ / "keyd/keys" / (edge::file_stem(id) + ".key");
    }

    support::TemporaryDirectory directory_;
    std::unique_ptr<edge::KeysService> service_;
};

TEST_F(Keys, MakesASymmetricKeyOnceAsAFileOfItsOwner) {
    create("aziot_identityd_master_id");
    const auto path = directory_ /
                      "keyd/keys/aziotidentitydmasterid-"
                      "91b92c2c06a5a5dda5fbc9c48b4d428d930b9c1b8b2956a1044ccbc7a266afc9.key";
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(info.st_size, 32);
    const auto before = base::read_file(path, "key").value();
    create("aziot_identityd_master_id");
    EXPECT_EQ(base::read_file(path, "key").value(), before);
    ASSERT_EQ(::stat((directory_ / "keyd").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(Keys, ImportReplacesAndNeedsAUsage) {
    const std::string body = R"({"keyId":"k","usage":"sign","keyBytes":"a2V5"})";
    EXPECT_EQ(call(Verb::post, "/key", body).status, 200);
    EXPECT_EQ(base::read_file(file("k"), "key").value(), "key");
    EXPECT_EQ(call(Verb::post, "/key", R"({"keyId":"k","keyBytes":"a2V5"})").status, 422);
    EXPECT_EQ(call(Verb::post, "/key", R"({"keyId":"k","usage":"sing"})").status, 422);
    EXPECT_EQ(call(Verb::post, "/key", R"({"keyId":"k","usage":"sign,encrypt"})").status, 400);
    EXPECT_EQ(call(Verb::post, "/key", R"({"keyId":"k","usage":"sign","keyBytes":"!"})").status, 422);
}

TEST_F(Keys, AnAbsentKeyIs400) {
    const auto answer = call(Verb::get, "/key/none");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(message(answer), "parameter \"id\" has an invalid value\ncaused by: not found");
    EXPECT_EQ(call(Verb::get, "/keypair/none").status, 400);
}

TEST_F(Keys, ForgedAndDamagedHandlesAreRefused) {
    const auto handle = create("k");
    const auto sign = [&](const std::string& with) {
        return call(Verb::post, "/sign",
                    with_handle(with, R"(,"algorithm":"HMAC-SHA256","parameters":{"message":""})"));
    };
    EXPECT_EQ(sign(handle).status, 200);
    auto forged = handle;
    forged[5] = forged[5] == 'A' ? 'B' : 'A';
    // The same claim under another key of the right form.
    const auto text = handle.substr(3, handle.find("&sig=") - 3);
    const auto other = pki::hmac_sha256(base::as_bytes("guessed"), *base::from_base64(text));
    const auto resigned = "sr=" + text + "&sig=" + base::to_base64(other);
    for (const std::string& bad :
         {std::string(), std::string("sr=&sig="), forged, resigned, handle.substr(0, handle.size() - 4)}) {
        const auto answer = sign(bad);
        EXPECT_EQ(answer.status, 400) << bad;
        EXPECT_EQ(message(answer), "parameter \"handle\" has an invalid value\ncaused by: invalid handle");
    }
    EXPECT_NE(create("k"), handle);
}

TEST_F(Keys, HandlesSurviveARestart) {
    const auto handle = create("k");
    edge::KeysConfig config;
    config.home = directory_ / "keyd";
    service_ = std::move(*edge::KeysService::make(config));
    EXPECT_EQ(call(Verb::post, "/sign",
                   with_handle(handle, R"(,"algorithm":"HMAC-SHA256","parameters":{"message":""})"))
                  .status,
              200);
}

TEST_F(Keys, DerivedKeysAreHmacOfTheirDataAndAreNotDerivedFrom) {
    call(Verb::post, "/key", R"({"keyId":"k","usage":"derive","keyBytes":"a2V5"})");
    const auto base_handle = member(call(Verb::get, "/key/k"), "keyHandle");
    const auto derive = [&](const std::string& from) {
        return call(Verb::post, "/derivedkey",
                    R"({"baseKeyHandle":")" + from + R"(","derivationData":"ZGF0YQ=="})");
    };
    const auto derived = member(derive(base_handle), "keyHandle");
    const auto exported = member(call(Verb::post, "/derivedkey/export", with_handle(derived)), "key");
    // HMAC-SHA256("key", "data")
    EXPECT_EQ(base::to_hex(*base::from_base64(exported)),
              "5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0");
    const auto signature =
        member(call(Verb::post, "/sign",
                    with_handle(derived, R"(,"algorithm":"HMAC-SHA256","parameters":{"message":"bQ=="})")),
               "signature");
    const auto expected = pki::hmac_sha256(*base::from_base64(exported), base::as_bytes("m"));
    EXPECT_EQ(signature, base::to_base64(expected));
    EXPECT_EQ(derive(derived).status, 400);
    EXPECT_EQ(call(Verb::post, "/derivedkey/export", with_handle(base_handle)).status, 400);
}

TEST_F(Keys, EcPairTellsItsParametersAndSigns) {
    const auto handle = create_pair("pair", "nonsense:ec-p256:*");
    const auto parameter = [&](const std::string& name) {
        return call(Verb::post, "/parameters/" + name, with_handle(handle));
    };
    EXPECT_EQ(member(parameter("algorithm"), "value"), "ECDSA");
    EXPECT_EQ(base::to_hex(*base::from_base64(member(parameter("ec-curve-oid"), "value"))),
              "06082a8648ce3d030107");
    EXPECT_EQ(base::from_base64(member(parameter("ec-point"), "value"))->size(), 33U);
    EXPECT_EQ(parameter("rsa-modulus").status, 400);
    EXPECT_EQ(message(parameter("nonsense")), "a parameter has an invalid value");
    const std::string digest = base::to_base64(pki::sha256(base::as_bytes("m")));
    EXPECT_EQ(call(Verb::post, "/sign",
                   with_handle(handle, R"(,"algorithm":"ECDSA","parameters":{"digest":")" + digest + "\"}"))
                  .status,
              200);
    EXPECT_EQ(
        call(Verb::post, "/encrypt", with_handle(handle, R"(,"algorithm":"RSA-PKCS1","plaintext":"bQ==")"))
            .status,
        400);
    EXPECT_EQ(call(Verb::post, "/sign",
                   with_handle(handle, R"(,"algorithm":"HMAC-SHA256","parameters":{"message":""})"))
                  .status,
              400);
}

TEST_F(Keys, RsaPairSignsByEncrypting) {
    const auto handle = create_pair("rsa", "rsa-2048");
    EXPECT_EQ(member(call(Verb::post, "/parameters/algorithm", with_handle(handle)), "value"), "RSA");
    const auto answer =
        call(Verb::post, "/encrypt", with_handle(handle, R"(,"algorithm":"RSA-PKCS1","plaintext":"bQ==")"));
    EXPECT_EQ(base::from_base64(member(answer, "ciphertext"))->size(), 256U);
    EXPECT_EQ(call(Verb::post, "/keypair", R"({"keyId":"x","preferredAlgorithms":"nonsense"})").status, 400);
}

TEST_F(Keys, AeadCiphertextBeginsWithTwoAndOlderOnesAreRead) {
    const auto handle = create("k");
    const std::string nonces = R"(,"algorithm":"AEAD","parameters":{"iv":"aXY=","aad":"YWFk"})";
    const auto sealed = *base::from_base64(
        member(call(Verb::post, "/encrypt", with_handle(handle, nonces + R"(,"plaintext":"c2VjcmV0")")),
               "ciphertext"));
    ASSERT_EQ(sealed.size(), 1U + 6U + 16U);
    EXPECT_EQ(sealed[0], std::byte{2});
    const auto open = [&](const base::Bytes& bytes, const std::string& with) {
        return call(Verb::post, "/decrypt",
                    with_handle(handle, with + R"(,"ciphertext":")" + base::to_base64(bytes) + "\""));
    };
    EXPECT_EQ(member(open(sealed, nonces), "plaintext"), "c2VjcmV0");
    base::Bytes older{std::byte{1}};
    older.insert(older.end(), sealed.end() - 16, sealed.end());
    older.insert(older.end(), sealed.begin() + 1, sealed.end() - 16);
    EXPECT_EQ(member(open(older, nonces), "plaintext"), "c2VjcmV0");
    auto damaged = sealed;
    damaged[3] ^= std::byte{1};
    EXPECT_EQ(open(damaged, nonces).status, 400);
    damaged = sealed;
    damaged[0] = std::byte{3};
    EXPECT_EQ(open(damaged, nonces).status, 400);
    EXPECT_EQ(open(sealed, R"(,"algorithm":"AEAD","parameters":{"iv":"aXY=","aad":""})").status, 400);
}

TEST_F(Keys, MovesAndDeletesPairs) {
    create_pair("new", "ec-p256");
    EXPECT_EQ(call(Verb::post, "/keypair/old", R"({"from":"new"})").status, 204);
    EXPECT_EQ(call(Verb::get, "/keypair/new").status, 400);
    const auto handle = member(call(Verb::get, "/keypair/old"), "keyHandle");
    EXPECT_EQ(
        message(call(Verb::post, "/keypair/old", R"({"from":"old"})")),
        "parameter \"from\" has an invalid value\ncaused by: source and destination for move are identical");
    EXPECT_EQ(call(Verb::post, "/key/old", R"({"from":"new"})").status, 400);
    EXPECT_EQ(call(Verb::delete_, "/key", with_handle(handle)).status, 400);
    EXPECT_EQ(call(Verb::delete_, "/keypair", with_handle(handle)).status, 204);
    EXPECT_EQ(call(Verb::delete_, "/keypair", with_handle(handle)).status, 204);
    EXPECT_FALSE(std::filesystem::exists(file("old")));
}

TEST_F(Keys, AKeyFileThatOthersMayReadIsRefusedWithTheRemedy) {
    ASSERT_TRUE(base::write_atomically(directory_ / "given.key", "secret", 0640));
    const auto answer = call(Verb::get, "/key/given");
    EXPECT_EQ(answer.status, 500);
    EXPECT_NE(message(answer).find("chmod 600"), std::string::npos);
    ASSERT_EQ(::chmod((directory_ / "given.key").c_str(), 0600), 0);
    EXPECT_EQ(call(Verb::get, "/key/given").status, 200);
    EXPECT_EQ(call(Verb::get, "/key/token").status, 400);
}

TEST_F(Keys, OnlyPrincipalsMayUseAnId) {
    const std::string body = R"({"keyId":"prefix-1","usage":"sign"})";
    EXPECT_EQ(call(Verb::post, "/key", body, 1000).status, 200);
    const auto answer = call(Verb::post, "/key", body, stranger);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(message(answer), "user 4242 is not authorized to access the key prefix-1");
    EXPECT_EQ(call(Verb::get, "/key/prefix-1", {}, stranger).status, 401);
    EXPECT_EQ(call(Verb::get, "/key/other", {}, 1000).status, 401);
    // Not even root: with this key every handle could be forged.
    EXPECT_EQ(call(Verb::get, "/key/handle-validation-key").status, 401);
}

TEST_F(Keys, CommonRulesOfLocalApisHold) {
    const auto versioned = [&](const std::string& target, const std::string& version) {
        return ask_as(service_->api(), 0, Verb::get, target, {}, version);
    };
    EXPECT_EQ(message(versioned("/key/k", "")), "api-version not specified");
    EXPECT_EQ(message(versioned("/key/k", "2019-01-01")), "invalid api-version \"2019-01-01\"");
    EXPECT_EQ(versioned("/key/k?api-version=x", "2020-09-01").status,
              400);  // absent; the last version counts
    EXPECT_EQ(call(Verb::get, "/nonsense").status, 404);
    EXPECT_EQ(message(call(Verb::get, "/nonsense")), "not found");
    EXPECT_EQ(call(Verb::put, "/key", "{}").status, 400);
    EXPECT_EQ(message(call(Verb::put, "/key", "{}")), "method not allowed");
    EXPECT_EQ(message(call(Verb::post, "/key")), "missing request body");
    EXPECT_EQ(call(Verb::post, "/key", "{").status, 422);
    EXPECT_EQ(call(Verb::post, "/key", R"({"keyId":7,"usage":"sign"})").status, 422);
}

TEST(UidRules, StarIsAnyTextAndQuestionMarkOneCharacter) {
    const std::vector<edge::UidRule> rules{{7, {"a*c", "x?"}}};
    EXPECT_TRUE(edge::is_allowed(rules, 7, "abbc"));
    EXPECT_TRUE(edge::is_allowed(rules, 7, "ac"));
    EXPECT_TRUE(edge::is_allowed(rules, 7, "xy"));
    EXPECT_FALSE(edge::is_allowed(rules, 7, "x"));
    EXPECT_FALSE(edge::is_allowed(rules, 7, "abcd"));
    EXPECT_FALSE(edge::is_allowed(rules, 8, "ac"));
    EXPECT_FALSE(edge::is_allowed(rules, std::nullopt, "ac"));
    EXPECT_TRUE(edge::is_allowed({}, 0, "anything"));
}

}  // namespace
