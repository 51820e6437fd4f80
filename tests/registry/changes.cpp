// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "fixture.hpp"
#include "support/certificates.hpp"

namespace registry_tests {
namespace {

class Changes : public RegistryFile {
  protected:
    std::string seen(std::uint64_t since) {
        std::string out;
        const auto changes = take(reader->changes(since, 100)).value();
        for (const auto& one : changes) out += text_of(one) + " ";
        return out;
    }
    static std::string text_of(const registry::Change& one) {
        if (one.certificates) return "certificates";
        return (one.deleted ? "-" : "+") + trust::Identity{one.device, one.module}.text();
    }
};

TEST_F(Changes, NameEachIdentityThatWasWritten) {
    EXPECT_EQ(take(reader->last_change()), 0U);
    EXPECT_EQ(seen(0), "");
    take(create(edge("EdgeGateway")));
    take(create(module("EdgeGateway", "mod1")));
    EXPECT_EQ(seen(0), "+EdgeGateway +EdgeGateway/$edgeAgent +EdgeGateway/$edgeHub +EdgeGateway/mod1 ");
    const auto before = take(reader->last_change());
    take(replace(module("EdgeGateway", "mod1")));
    take(replace(device("EdgeGateway")));
    take(remove("EdgeGateway"));
    EXPECT_EQ(
        seen(before),
        "+EdgeGateway/mod1 +EdgeGateway -EdgeGateway/$edgeAgent -EdgeGateway/$edgeHub -EdgeGateway/mod1 "
        "-EdgeGateway ");
}

TEST_F(Changes, NameTheScopesThatSeeIt) {
    const auto a = take(create(edge("a"))).record.device_scope;
    const auto b = take(create(edge("b", a))).record.device_scope;
    const auto before = take(reader->last_change());
    take(create(module("b", "mod1")));
    take(create(child("leaf", b)));
    take(remove("leaf"));
    take(create(device("alone")));
    const auto changes = take(reader->changes(before, 10)).value();
    ASSERT_EQ(changes.size(), 4U);
    EXPECT_EQ(changes[0].scopes, (std::vector{a, b}));
    EXPECT_EQ(changes[1].scopes, (std::vector{b, a}));
    EXPECT_EQ(changes[2].scopes, (std::vector{b, a}));
    EXPECT_TRUE(changes[3].scopes.empty());
}

TEST_F(Changes, NameEveryScopeAboveThem) {
    std::vector<std::string> scopes;
    for (int i = 1; i <= 5; ++i) {
        const auto parent = scopes.empty() ? std::string() : scopes.back();
        scopes.push_back(take(create(edge("edge" + std::to_string(i), parent))).record.device_scope);
    }
    const auto before = take(reader->last_change());
    take(create(child("leaf", scopes[4])));
    take(create(module("leaf", "mod1")));
    take(remove("leaf"));
    const auto changes = take(reader->changes(before, 10)).value();
    ASSERT_EQ(changes.size(), 4U);
    for (const auto& change : changes)
        EXPECT_EQ(change.scopes, (std::vector{scopes[4], scopes[3], scopes[2], scopes[1], scopes[0]}));
}

TEST_F(Changes, OfAMoveBetweenTreesNameBothToTheTop) {
    const auto top = take(create(edge("top"))).record.device_scope;
    const auto middle = take(create(edge("middle", top))).record.device_scope;
    const auto other = take(create(edge("other"))).record.device_scope;
    const auto below_other = take(create(edge("below-other", other))).record.device_scope;
    const auto moved = take(create(edge("moved", middle))).record.device_scope;
    auto before = take(reader->last_change());
    auto wish = device("moved");
    wish.parent_scopes = {below_other};
    take(replace(wish));
    auto changes = take(reader->changes(before, 10)).value();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_THAT(changes[0].scopes, testing::UnorderedElementsAre(top, middle, moved, other, below_other));
    before = take(reader->last_change());
    take(create(child("leaf", moved)));
    changes = take(reader->changes(before, 10)).value();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].scopes, (std::vector{moved, below_other, other}));
}

TEST_F(Changes, StopAtAGatewayThatIsGone) {
    const auto top = take(create(edge("top"))).record.device_scope;
    const auto middle = take(create(edge("middle", top))).record.device_scope;
    take(create(child("leaf", middle)));
    take(remove("middle"));
    const auto before = take(reader->last_change());
    take(replace(device("leaf")));
    EXPECT_EQ(take(reader->changes(before, 10)).value().at(0).scopes, std::vector{middle});
}

TEST_F(Changes, OfCaCertificatesNameNoIdentity) {
    const support::TestPki pki;
    take(wait<registry::Registry::PutCa>([&](auto done) {
        registry->put_ca_certificate("ca", pki.root.certificate, registry::Registry::Proof::verified, {},
                                     done);
    }));
    take(wait<bool>([&](auto done) { registry->delete_ca_certificate("ca", any, done); }));
    EXPECT_EQ(seen(0), "certificates certificates ");
}

TEST_F(Changes, AreNotMadeByWritesThatAreRefused) {
    take(create(device("TempSensor")));
    const auto before = take(reader->last_change());
    EXPECT_FALSE(create(device("TempSensor")));
    EXPECT_FALSE(replace(device("TempSensor"), {}));
    EXPECT_FALSE(create(child("leaf", "nowhere")));
    EXPECT_FALSE(create(edge("EdgeGateway", "nowhere")));
    EXPECT_EQ(take(reader->last_change()), before);
}

TEST_F(Changes, ReachTheObserverInOrderBeforeTheWriteIsAnswered) {
    std::vector<registry::Change> heard;
    registry->on_change([&](const registry::Change& one) { heard.push_back(one); });
    take(create(edge("EdgeGateway")));
    EXPECT_EQ(heard.size(), 3U);
    std::promise<void> last;
    for (int i = 0; i < 50; ++i)
        registry->create_device(device("d" + std::to_string(i)), [&, i](base::Result<azure::Device> made) {
            EXPECT_TRUE(made);
            EXPECT_EQ(heard.back().device, "d" + std::to_string(i));
            if (i == 49) last.set_value();
        });
    last.get_future().get();
    ASSERT_EQ(heard.size(), 53U);
    for (std::size_t i = 0; i < heard.size(); ++i) EXPECT_EQ(heard[i].number, i + 1);
}

TEST_F(Changes, AreReadableByTheObserver) {
    std::promise<std::optional<azure::Device>> read;
    registry->on_change(
        [&](const registry::Change& one) { read.set_value(take(reader->device(one.device))); });
    take(create(device("TempSensor")));
    EXPECT_TRUE(read.get_future().get());
}

TEST_F(Changes, AreKeptOverReopeningAndTheirNumbersGoOn) {
    take(create(device("a")));
    open();
    take(create(device("b")));
    EXPECT_EQ(seen(0), "+a +b ");
    EXPECT_EQ(take(reader->last_change()), 2U);
}

TEST_F(Changes, FromAnotherLifeAreUnknown) {
    take(create(device("a")));
    EXPECT_TRUE(take(reader->changes(1, 10)));
    EXPECT_EQ(take(reader->changes(2, 10)), std::nullopt);
    EXPECT_EQ(take(reader->changes(~0ULL, 10)), std::nullopt);
}

TEST_F(Changes, TellObserversWhatIsNew) {
    std::string heard;
    registry->on_change(
        [&](const registry::Change& one) { heard += (one.created ? "new " : "") + text_of(one) + ", "; });
    take(create(edge("a")));
    take(create(module("a", "mod1")));
    take(replace(module("a", "mod1")));
    take(replace(device("a")));
    take(remove("a"));
    EXPECT_EQ(
        heard,
        "new +a, new +a/$edgeAgent, new +a/$edgeHub, new +a/mod1, +a/mod1, +a, -a/$edgeAgent, -a/$edgeHub, "
        "-a/mod1, -a, ");
}

TEST_F(Changes, AreReadInPieces) {
    for (int i = 0; i < 5; ++i) take(create(device("d" + std::to_string(i))));
    const auto two = take(reader->changes(1, 2)).value();
    ASSERT_EQ(two.size(), 2U);
    EXPECT_EQ(two[0].number, 2U);
    EXPECT_EQ(two[1].number, 3U);
}

TEST_F(Changes, AreDroppedAfterTenThousandAndThatIsTold) {
    take(create(device("a")));
    std::promise<void> last;
    constexpr int writes = 10'005;
    for (int i = 0; i < writes; ++i)
        registry->replace_device(device("a"), any, [&, i](base::Result<azure::Device> made) {
            EXPECT_TRUE(made);
            if (i == writes - 1) last.set_value();
        });
    last.get_future().get();
    const auto newest = take(reader->last_change());
    EXPECT_EQ(newest, 10'006U);
    EXPECT_EQ(take(reader->changes(5, 10)), std::nullopt);
    EXPECT_EQ(take(reader->changes(6, 10))->front().number, 7U);
    EXPECT_EQ(take(reader->changes(newest, 10))->size(), 0U);
}

}  // namespace
}  // namespace registry_tests
