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
    Keys() { start(); }
    void start() {
        edge::KeysConfig config;
        config.home = directory_ / "keyd";
        config.preloaded = {{"given", "file://" + (directory_ / "given.key").string()},
                            {"token", "pkcs11:token=T?pin-value=1234"},
                            {"chip", "tpm2:0x81000001"}};
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
    EXPECT_EQ(call(Verb::post, "/keypair/other", R"({"from":"none"})").status, 400);
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
    start();
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
    const auto signature = member(answer, "ciphertext");
    EXPECT_EQ(base::from_base64(signature)->size(), 256U);
    // The same padded by the caller: 00 01, FF..., 00, then the octets.
    base::Bytes block(256, std::byte{0xff});
    block[0] = std::byte{0};
    block[1] = std::byte{1};
    block[254] = std::byte{0};
    block[255] = std::byte{'m'};
    const auto raw = [&](const base::Bytes& plaintext) {
        return call(Verb::post, "/encrypt",
                    with_handle(handle, R"(,"algorithm":"RSA-NO-PADDING","plaintext":")" +
                                            base::to_base64(plaintext) + "\""));
    };
    EXPECT_EQ(member(raw(block), "ciphertext"), signature);
    block.pop_back();
    EXPECT_EQ(raw(block).status, 400);
    EXPECT_EQ(raw(base::Bytes(256, std::byte{0xff})).status, 400);  // not below the modulus
    EXPECT_EQ(call(Verb::post, "/encrypt",
                   with_handle(handle, R"(,"algorithm":"RSA-PKCS1","plaintext":")" +
                                           base::to_base64(base::Bytes(300)) + "\""))
                  .status,
              400);
    EXPECT_EQ(call(Verb::post, "/parameters/ec-point", with_handle(handle)).status, 400);
    EXPECT_FALSE(member(call(Verb::post, "/parameters/rsa-modulus", with_handle(handle)), "value").empty());
    EXPECT_EQ(member(call(Verb::post, "/parameters/rsa-exponent", with_handle(handle)), "value"), "AQAB");
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

TEST_F(Keys, TokensHaveTheirPlaceAndAreRefusedWithoutTheirPin) {
    for (const std::string id : {"token", "chip"}) {
        const std::string named = R"("keyId":")" + id + "\"";
        for (const auto& answer :
             {call(Verb::get, "/key/" + id), call(Verb::get, "/keypair/" + id),
              call(Verb::post, "/key", "{" + named + R"(,"usage":"sign"})"),
              call(Verb::post, "/key", "{" + named + R"(,"usage":"sign","keyBytes":"a2V5"})"),
              call(Verb::post, "/keypair", "{" + named + "}"),
              call(Verb::post, "/keypair/mine", R"({"from":")" + id + "\"}")}) {
            EXPECT_EQ(answer.status, 400) << id;
            EXPECT_NE(message(answer).find("which this version cannot open"), std::string::npos)
                << answer.body;
            EXPECT_EQ(message(answer).find("1234"), std::string::npos);
        }
    }
    create_pair("mine", "ec-p256");
    EXPECT_EQ(call(Verb::post, "/keypair/token", R"({"from":"mine"})").status, 400);
    EXPECT_EQ(call(Verb::get, "/keypair/mine").status, 200);
}

TEST_F(Keys, AnEmptyOrDamagedFileIsToldAndMadeAgainWhenItIsCreated) {
    struct Case {
        std::string load, create, body, content;
    };
    const std::vector<Case> cases{
        {"/key/k1", "/key", R"({"keyId":"k1","usage":"sign"})", ""},
        {"/keypair/k2", "/keypair", R"({"keyId":"k2"})", ""},
        {"/keypair/k3", "/keypair", R"({"keyId":"k3"})", "-----BEGIN PRIVATE KEY-----\nMIGH"},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.load);
        const auto path = file(each.load.substr(each.load.rfind('/') + 1));
        ASSERT_TRUE(base::write_atomically(path, each.content, 0600));
        const auto loaded = call(Verb::get, each.load);
        EXPECT_EQ(loaded.status, 500);
        EXPECT_NE(message(loaded).find("put it back from a backup"), std::string::npos) << loaded.body;
        EXPECT_EQ(call(Verb::post, each.create, each.body).status, 200);
        EXPECT_EQ(call(Verb::get, each.load).status, 200);
        EXPECT_EQ(base::read_file(path.string() + ".damaged", "key").value(), each.content);
    }
}

TEST_F(Keys, ADamagedFileThatWasGivenIsNeverReplaced) {
    ASSERT_TRUE(base::write_atomically(directory_ / "given.key", "nonsense", 0600));
    const auto answer = call(Verb::post, "/keypair", R"({"keyId":"given"})");
    EXPECT_EQ(answer.status, 500);
    EXPECT_NE(message(answer).find("given.key"), std::string::npos);
    EXPECT_EQ(base::read_file(directory_ / "given.key", "key").value(), "nonsense");
}

TEST_F(Keys, AnEmptyHandleKeyIsMadeAgainAtTheStart) {
    const auto handle = create("k");
    ASSERT_TRUE(base::write_atomically(file("handle-validation-key"), "", 0600));
    start();
    const std::string sign = R"(,"algorithm":"HMAC-SHA256","parameters":{"message":""})";
    EXPECT_EQ(call(Verb::post, "/sign", with_handle(handle, sign)).status, 400);
    EXPECT_EQ(call(Verb::post, "/sign", with_handle(create("k"), sign)).status, 200);
}

TEST_F(Keys, WhatAnInterruptedWriteLeftIsGoneAfterTheStart) {
    const auto left = directory_ / "keyd/keys/.k-1.key.77.0.new";
    ASSERT_TRUE(base::write_atomically(left, "half a k", 0600));
    const auto kept = file("mine");
    create_pair("mine", "ec-p256");
    start();
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_TRUE(std::filesystem::exists(kept));
}

TEST_F(Keys, AKeyThatWasReplacedOnTheDiskIsTheOneThatIsUsed) {
    const auto handle = create_pair("pair", "ec-p256");
    const auto point = [&] {
        return member(call(Verb::post, "/parameters/ec-point", with_handle(handle)), "value");
    };
    const auto before = point();
    EXPECT_EQ(point(), before);
    create_pair("other", "ec-p256");
    EXPECT_EQ(call(Verb::post, "/keypair/pair", R"({"from":"other"})").status, 204);
    const auto after = point();
    EXPECT_NE(after, before);
    ASSERT_EQ(::chmod(file("pair").c_str(), 0640), 0);
    EXPECT_EQ(call(Verb::post, "/parameters/ec-point", with_handle(handle)).status, 500);
}

/// One request of each endpoint that the service cannot follow, and what it says.
TEST_F(Keys, EveryEndpointRefusesWhatItCannotFollow) {
    const auto symmetric = create("k");
    const auto pair = create_pair("p", "ec-p256");
    const auto derived = member(call(Verb::post, "/derivedkey",
                                     R"({"baseKeyHandle":")" + symmetric + R"(","derivationData":"ZA=="})"),
                                "keyHandle");
    const std::string digest = R"(,"parameters":{"digest":")" + base::to_base64(base::Bytes(32)) + "\"}";
    struct Case {
        Verb verb;
        std::string target, body;
        int status;
        std::string words;
    };
    const std::vector<Case> cases{
        {Verb::post, "/key", R"({"usage":"sign"})", 422, "keyId"},
        {Verb::post, "/key", R"({"keyId":"k"})", 422, "usage"},
        {Verb::post, "/key", R"({"keyId":"k","usage":""})", 422, "unknown usage"},
        {Verb::post, "/key", R"({"keyId":"k","usage":"encrypt,derive"})", 400, "encrypt may not"},
        {Verb::post, "/key", R"({"keyId":"k","usage":"sign","keyBytes":""})", 400, "is empty"},
        {Verb::post, "/key", R"({"keyId":"k","usage":"sign","keyBytes":7})", 422, "keyBytes"},
        {Verb::post, "/key", "[]", 422, "keyId"},
        {Verb::post, "/key/k", "{}", 400, "invalid type \"key\""},
        {Verb::delete_, "/key", "{}", 422, "keyHandle"},
        {Verb::delete_, "/key", with_handle(pair), 400, "another kind"},
        {Verb::delete_, "/key", with_handle(derived), 400, "another kind"},
        {Verb::delete_, "/key", "", 400, "missing request body"},
        {Verb::post, "/keypair", "{}", 422, "keyId"},
        {Verb::post, "/keypair", R"({"keyId":"q","preferredAlgorithms":""})", 400, "preferredAlgorithms"},
        {Verb::post, "/keypair", R"({"keyId":"q","preferredAlgorithms":["*"]})", 422, "preferredAlgorithms"},
        {Verb::post, "/keypair/q", "{}", 422, "from"},
        {Verb::post, "/keypair/q", R"({"from":"q"})", 400, "identical"},
        {Verb::delete_, "/keypair", with_handle(symmetric), 400, "another kind"},
        {Verb::post, "/parameters/algorithm", "{}", 422, "keyHandle"},
        {Verb::post, "/parameters/algorithm", with_handle(symmetric), 400,
         "a parameter has an invalid value"},
        {Verb::post, "/parameters/curve", with_handle(pair), 400, "a parameter has an invalid value"},
        {Verb::post, "/derivedkey", with_handle(symmetric), 422, "baseKeyHandle"},
        {Verb::post, "/derivedkey", R"({"baseKeyHandle":")" + symmetric + "\"}", 422, "derivationData"},
        {Verb::post, "/derivedkey", R"({"baseKeyHandle":")" + pair + R"(","derivationData":""})", 400,
         "derived"},
        {Verb::post, "/derivedkey", R"({"baseKeyHandle":"x","derivationData":""})", 400, "invalid handle"},
        {Verb::post, "/derivedkey/export", with_handle(pair), 400, "derived key"},
        {Verb::post, "/sign", with_handle(pair), 422, "algorithm"},
        {Verb::post, "/sign", with_handle(pair, R"(,"algorithm":"ECDSA")"), 422, "parameters"},
        {Verb::post, "/sign", with_handle(pair, R"(,"algorithm":"ECDSA","parameters":7)"), 422, "parameters"},
        {Verb::post, "/sign", with_handle(pair, R"(,"algorithm":"ECDSA","parameters":{})"), 422, "digest"},
        {Verb::post, "/sign", with_handle(pair, R"(,"algorithm":"ECDSA","parameters":{"digest":"AA=="})"),
         400, "is no digest"},
        {Verb::post, "/sign", with_handle(symmetric, R"(,"algorithm":"ECDSA")" + digest), 400, "mechanism"},
        {Verb::post, "/sign", with_handle(pair, R"(,"algorithm":"EdDSA","parameters":{})"), 400, "algorithm"},
        {Verb::post, "/encrypt", with_handle(symmetric, R"(,"algorithm":"AEAD")"), 422, "plaintext"},
        {Verb::post, "/encrypt", with_handle(symmetric, R"(,"algorithm":"AEAD","plaintext":"")"), 422,
         "parameters"},
        {Verb::post, "/encrypt",
         with_handle(symmetric, R"(,"algorithm":"AEAD","plaintext":"","parameters":{"iv":"","aad":""})"), 400,
         "iv"},
        {Verb::post, "/encrypt",
         with_handle(pair, R"(,"algorithm":"AEAD","plaintext":"","parameters":{"iv":"aQ==","aad":""})"), 400,
         "mechanism"},
        {Verb::post, "/encrypt", with_handle(symmetric, R"(,"algorithm":"RSA-PKCS1","plaintext":"")"), 400,
         "mechanism"},
        {Verb::post, "/encrypt", with_handle(pair, R"(,"algorithm":"RSA-OAEP","plaintext":"")"), 400,
         "algorithm"},
        {Verb::post, "/decrypt", with_handle(pair, R"(,"algorithm":"RSA-PKCS1","ciphertext":"")"), 400,
         "cannot decrypt"},
        {Verb::post, "/decrypt",
         with_handle(symmetric,
                     R"(,"algorithm":"AEAD","ciphertext":"Ag==","parameters":{"iv":"aQ==","aad":""})"),
         400, "ciphertext"},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.target + " " + each.body.substr(0, 40) + " " + each.words);
        const auto answer = call(each.verb, each.target, each.body);
        EXPECT_EQ(answer.status, each.status) << answer.body;
        EXPECT_NE(message(answer).find(each.words), std::string::npos) << answer.body;
    }
    EXPECT_EQ(call(Verb::get, "/key/k").status, 200) << "a refused import has replaced it";
    call(Verb::post, "/key", R"({"keyId":"short","usage":"encrypt","keyBytes":"a2V5"})");
    const auto handle = member(call(Verb::get, "/key/short"), "keyHandle");
    EXPECT_EQ(
        call(Verb::post, "/encrypt",
             with_handle(handle, R"(,"algorithm":"AEAD","plaintext":"","parameters":{"iv":"aQ==","aad":""})"))
            .status,
        400);
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
