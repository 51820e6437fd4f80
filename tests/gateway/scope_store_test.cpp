// SPDX-License-Identifier: Apache-2.0
#include "gateway/scope_store.hpp"

#include <gtest/gtest.h>

#include <array>

#include "pki/digest.hpp"
#include "records.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace {

using gateway::ScopeCache;
using gateway::ScopeOwner;
using gateway::ScopeStore;
using gateway::WrappedKey;

const ScopeOwner owner{"ContosoIotHub", "EdgeGateway"};

class ScopeStoreTest : public testing::Test {
  protected:
    std::filesystem::path file() const { return directory_ / "scope.db"; }
    base::SecretBytes key() const { return key_.clone(); }

    std::unique_ptr<ScopeStore> fresh() const {
        auto store = ScopeStore::open(file());
        EXPECT_TRUE(store) << store.error().text();
        WrappedKey wrapped{pki::random_bytes(16), pki::random_bytes(48)};
        EXPECT_TRUE((*store)->reset(wrapped, key()));
        return std::move(*store);
    }
    std::unique_ptr<ScopeStore> again(base::SecretBytes with) const {
        auto store = ScopeStore::open(file());
        EXPECT_TRUE(store) << store.error().text();
        (*store)->unlock(std::move(with));
        return std::move(*store);
    }
    std::shared_ptr<const ScopeCache> sample() const {
        auto sensor = records::leaf("TempSensor", "EdgeGateway");
        auto thumb = records::leaf("Thumb", "EdgeGateway");
        thumb.authentication = {};
        thumb.authentication.type = trust::AuthType::self_signed;
        const std::string digits(64, 'A');
        thumb.authentication.primary_thumbprint = *trust::Thumbprint::parse(digits);
        thumb.authentication.secondary_thumbprint = *trust::Thumbprint::parse(digits);
        return ScopeCache::empty("EdgeGateway")
            ->with_all(
                {records::edge("EdgeGateway"), records::module("EdgeGateway", "$edgeHub"), sensor, thumb})
            ->with_certificates({{"root", pki_.root.certificate}})
            ->confirmed_at(base::Instant(std::chrono::seconds(1'795'000'000)), 42);
    }
    /// Runs SQL on the file, as somebody with the disk could.
    void tamper(std::initializer_list<std::string_view> sqls) const {
        constexpr std::array same{store::Migration{1, "as it is", ""}};
        auto database = store::Database::open(file(), store::Database::Access::read_write, same);
        ASSERT_TRUE(database) << database.error().text();
        for (const auto sql : sqls) {
            auto changed = (*database)->statement(sql).run();
            ASSERT_TRUE(changed) << changed.error().text();
            ASSERT_EQ(*changed, 1) << sql;
        }
    }

    support::TemporaryDirectory directory_;
    base::SecretBytes key_ = pki::random_secret(32);
    support::TestPki pki_;
};

TEST_F(ScopeStoreTest, GivesBackWhatWasSaved) {
    const auto saved = sample();
    fresh()->save(owner, nullptr, saved);
    std::size_t rejected = 0;
    const auto loaded = again(key())->load(owner, &rejected);
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_EQ(rejected, 0u);
    EXPECT_EQ((*loaded)->records().size(), 4u);
    EXPECT_EQ((*loaded)->version(), 42u);
    EXPECT_EQ((*loaded)->confirmed(), saved->confirmed());
    EXPECT_EQ((*loaded)->auth_chain({"TempSensor", ""}), "TempSensor;EdgeGateway");
    EXPECT_EQ((*loaded)->find({"TempSensor", ""})->authentication.primary_key, "c2VjcmV0");
    EXPECT_EQ((*loaded)->find({"Thumb", ""})->authentication.primary_thumbprint,
              saved->find({"Thumb", ""})->authentication.primary_thumbprint);
    ASSERT_EQ((*loaded)->certificates().size(), 1u);
    EXPECT_EQ((*loaded)->certificates().front().certificate, pki_.root.certificate);
}

TEST_F(ScopeStoreTest, SavesDifferences) {
    const auto before = sample();
    const auto after = before->without({"TempSensor", ""})
                           ->with({records::leaf("New", "EdgeGateway")})
                           ->with_certificates({})
                           ->confirmed_at(base::Instant(std::chrono::seconds(1'795'000'100)), 43);
    {
        const auto store = fresh();
        store->save(owner, nullptr, before);
        store->save(owner, before, after);
    }
    const auto loaded = again(key())->load(owner, nullptr);
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_FALSE((*loaded)->find({"TempSensor", ""}));
    EXPECT_TRUE((*loaded)->find({"New", ""}));
    EXPECT_TRUE((*loaded)->find({"Thumb", ""}));
    EXPECT_TRUE((*loaded)->certificates().empty());
    EXPECT_EQ((*loaded)->version(), 43u);
}

TEST_F(ScopeStoreTest, CopiedDatabaseIsUselessWithoutTheKey) {
    fresh()->save(owner, nullptr, sample());
    std::size_t rejected = 0;
    const auto loaded = again(pki::random_secret(32))->load(owner, &rejected);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(*loaded, nullptr);
    EXPECT_EQ(rejected, 6u);  // four records, one CA, the state
}

TEST_F(ScopeStoreTest, RecordsThatWereMovedToAnotherIdDoNotOpen) {
    fresh()->save(owner, nullptr, sample());
    tamper({"UPDATE record SET id = 'device/x' WHERE id = 'device/TempSensor'",
            "UPDATE record SET id = 'device/TempSensor' WHERE id = 'device/Thumb'",
            "UPDATE record SET id = 'device/Thumb' WHERE id = 'device/x'"});
    std::size_t rejected = 0;
    const auto loaded = again(key())->load(owner, &rejected);
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_EQ(rejected, 2u);
    EXPECT_FALSE((*loaded)->find({"TempSensor", ""}));
    EXPECT_FALSE((*loaded)->find({"Thumb", ""}));
    EXPECT_TRUE((*loaded)->find({"EdgeGateway", ""}));
}

TEST_F(ScopeStoreTest, RecordThatWasAlteredDoesNotOpen) {
    fresh()->save(owner, nullptr, sample());
    tamper(
        {"UPDATE record SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00' WHERE id = "
         "'device/Thumb'",
         "UPDATE record SET sealed = x'0011' WHERE id = 'device/TempSensor'"});
    std::size_t rejected = 0;
    const auto loaded = again(key())->load(owner, &rejected);
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_GE(rejected, 1u);
    EXPECT_FALSE((*loaded)->find({"TempSensor", ""}));
}

TEST_F(ScopeStoreTest, EachRecordHasANonceOfItsOwn) {
    const auto cache = sample();
    {
        const auto store = fresh();
        store->save(owner, nullptr, cache);
        store->save(owner, nullptr, cache);
    }
    constexpr std::array same{store::Migration{1, "as it is", ""}};
    auto database = store::Database::open(file(), store::Database::Access::read_write, same);
    ASSERT_TRUE(database);
    auto count = (*database)->statement("SELECT count(DISTINCT substr(sealed, 1, 12)), count(*) FROM record");
    ASSERT_TRUE(count.step().value_or(false));
    EXPECT_EQ(count.integer(0), count.integer(1));
    EXPECT_EQ(count.integer(1), 6);
}

TEST_F(ScopeStoreTest, NothingSecretStandsInTheFiles) {
    fresh()->save(owner, nullptr, sample());
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
        std::string bytes;
        if (auto* stream = std::fopen(entry.path().c_str(), "rb")) {
            std::array<char, 65536> part;
            while (const auto got = std::fread(part.data(), 1, part.size(), stream))
                bytes.append(part.data(), got);
            std::fclose(stream);
        }
        EXPECT_EQ(bytes.find("c2VjcmV0"), std::string::npos) << entry.path();
        EXPECT_EQ(bytes.find(std::string(64, 'A')), std::string::npos) << entry.path();
        EXPECT_EQ(bytes.find(key_.text()), std::string::npos) << entry.path();
    }
}

TEST_F(ScopeStoreTest, RecordsOfAnotherGatewayAreNotRead) {
    fresh()->save(owner, nullptr, sample());
    ScopeOwner other = owner;
    other.device = "OtherGateway";
    const auto loaded = again(key())->load(other, nullptr);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(*loaded, nullptr);
}

TEST_F(ScopeStoreTest, RewrappingKeepsTheRecords) {
    fresh()->save(owner, nullptr, sample());
    const auto store = again(key());
    const WrappedKey wrapped{pki::random_bytes(16), pki::random_bytes(48)};
    ASSERT_TRUE(store->rewrap(wrapped));
    EXPECT_EQ((*store->wrapped_key())->ciphertext, wrapped.ciphertext);
    const auto loaded = store->load(owner, nullptr);
    ASSERT_TRUE(loaded);
    EXPECT_NE(*loaded, nullptr);
}

TEST_F(ScopeStoreTest, ResetForgetsEverything) {
    fresh()->save(owner, nullptr, sample());
    const auto store = fresh();
    const auto loaded = store->load(owner, nullptr);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(*loaded, nullptr);
}

}  // namespace
