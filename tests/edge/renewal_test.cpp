// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "pki/verify.hpp"
#include "renewal_world.hpp"

namespace {

using namespace edge_test;
using edge::PairRepair;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using Method = edge::Issuance::Method;

const std::string next_id = std::string(RenewalWorld::id) + "-temp";

std::string text_of(const std::filesystem::path& file) {
    return base::read_file(file, "file").value_or("");
}

bool is_there(const std::filesystem::path& file) {
    return std::filesystem::exists(file);
}

net::Task<base::Status> said(bool yes) {
    if (yes) co_return base::Status{};
    co_return base::fail(base::Code::permission_denied, "hub", "does not know it");
}

TEST(Renewal, MakesWhatIsMissingAndLooksAgain) {
    RenewalWorld world(Method::self_signed);
    const auto next = world.step(world.subject());
    const auto made = world.in_use();
    EXPECT_EQ(made.common_name(), "iotedged workload ca edgegateway");
    EXPECT_TRUE(made.is_ca());
    EXPECT_EQ(made.not_after(), world.clock.now() + days(90));
    EXPECT_EQ(next, world.clock.now() + hours(1));
    world.step(world.subject());
    EXPECT_EQ(world.in_use(), made) << "what is not due stays";
}

TEST(Renewal, IsDueAtTheThresholdAndNotBefore) {
    RenewalWorld world(Method::local_ca);
    world.step(world.subject());
    const auto old = world.in_use();
    const auto due = edge::renewal_due({}, edge::validity_of(old));
    world.clock.set(due - minutes(1));
    EXPECT_EQ(world.step(world.subject()), due);
    EXPECT_EQ(world.in_use(), old);
    world.clock.set(due);
    world.step(world.subject());
    const auto renewed = world.in_use();
    EXPECT_NE(renewed, old);
    EXPECT_EQ(renewed.subject(), old.subject());
    EXPECT_EQ(renewed.issuer(), old.issuer());
    EXPECT_EQ(renewed.not_after(), due + days(90));
    EXPECT_FALSE(pki::PublicKey::of(renewed) == pki::PublicKey::of(old));
    EXPECT_TRUE(world.look().facts.in_use);
    EXPECT_FALSE(is_there(world.certificate_file(next_id)));
    EXPECT_FALSE(is_there(world.key_file(next_id)));
}

TEST(Renewal, ReplacesWhatWasIssuedWhileTheClockWasAhead) {
    for (const auto method : {Method::self_signed, Method::local_ca}) {
        RenewalWorld world(method);
        const auto today = world.clock.now();
        // The issuer of the test lives long enough for both.
        world.clock.set(today + days(1000));
        world.step(world.subject());
        const auto forged = world.in_use();
        world.clock.set(today);
        world.step(world.subject());
        const auto right = world.in_use();
        EXPECT_NE(right, forged);
        EXPECT_LE(right.not_before(), today);
        EXPECT_EQ(right.not_after(), today + days(90));
        world.step(world.subject());
        EXPECT_EQ(world.in_use(), right) << "it is made once";
    }
}

TEST(Renewal, KeepsTheKeyWhereItIsNotRotated) {
    for (const auto method : {Method::self_signed, Method::local_ca}) {
        RenewalWorld world(method);
        auto subject = world.subject();
        subject.policy->rotate_key = false;
        world.step(subject);
        const auto old = world.in_use();
        const auto key = text_of(world.key_file(RenewalWorld::id));
        world.clock.set(old.not_before() + days(80));
        world.step(subject);
        EXPECT_NE(world.in_use(), old);
        EXPECT_TRUE(pki::PublicKey::of(world.in_use()) == pki::PublicKey::of(old));
        EXPECT_EQ(text_of(world.key_file(RenewalWorld::id)), key);
        EXPECT_FALSE(is_there(world.key_file(next_id)));
    }
}

TEST(Renewal, SelfSignedOneThatWasReplacedIsKeptUntilItExpires) {
    for (const auto method : {Method::self_signed, Method::local_ca}) {
        RenewalWorld world(method);
        world.step(world.subject());
        const auto old = world.in_use();
        const auto kept = world.certificate_file(RenewalWorld::previous_id);
        world.clock.set(old.not_before() + days(80));
        world.step(world.subject());
        EXPECT_EQ(text_of(kept), method == Method::self_signed ? old.pem() : "");
        world.clock.set(old.not_after() - minutes(1));
        world.step(world.subject());
        EXPECT_EQ(is_there(kept), method == Method::self_signed);
        world.clock.set(old.not_after());
        world.step(world.subject());
        EXPECT_FALSE(is_there(kept));
    }
}

TEST(Renewal, OldPairStaysUntilTheNewOneIsAcceptedAndTheNewOneStaysTheSame) {
    RenewalWorld world(Method::self_signed);
    auto subject = world.subject();
    std::vector<pki::Sha256> asked;
    bool accepts = false;
    subject.accepted = [&](const std::string&, const std::string&, const pki::Certificate& next) {
        asked.push_back(next.sha256());
        return said(accepts);
    };
    world.step(subject);
    const auto old = world.in_use();
    world.clock.set(old.not_before() + days(80));
    for (int restart = 0; restart < 3; ++restart) {
        const auto next = world.step(subject);
        EXPECT_GT(next, world.clock.now());
        EXPECT_LE(next, world.clock.now() + hours(1));
        EXPECT_EQ(world.in_use(), old);
        world.clock.set(next);
    }
    world.clock.set(old.not_after() + days(1));
    world.step(subject);
    EXPECT_EQ(world.in_use(), old) << "expired, and still nothing better";
    ASSERT_EQ(asked.size(), 4U);
    for (const auto& digest : asked) EXPECT_EQ(digest, asked.front());
    accepts = true;
    world.step(subject);
    EXPECT_EQ(world.in_use().sha256(), asked.front());
    EXPECT_TRUE(world.look().facts.in_use);
}

TEST(Renewal, KeyThatWasLostIsRenewedWithItsCertificate) {
    RenewalWorld world(Method::local_ca);
    world.step(world.subject());
    const auto old = world.in_use();
    std::filesystem::remove(world.key_file(RenewalWorld::id));
    ASSERT_EQ(edge::repair_of(world.look().facts), PairRepair::key_lost);
    world.step(world.subject());
    EXPECT_NE(world.in_use(), old);
    EXPECT_TRUE(world.look().facts.in_use);
}

TEST(Renewal, FailureKeepsTheOldPairAndIsTriedUntilItSucceeds) {
    RenewalWorld world(Method::local_ca);
    world.put_local_ca(days(100));
    world.step(world.subject());
    const auto old = world.in_use();
    edge::Renewal renewal(world.subject(), world.keys(), world.certificates(), world.clock);
    world.clock.set(support::test_time() + days(101));
    ASSERT_LT(old.not_after(), world.clock.now()) << "the Edge CA too has expired";
    for (int attempt = 0; attempt < 20; ++attempt) {
        const auto next = net::run_task_for(renewal.step());
        EXPECT_GT(next, world.clock.now());
        EXPECT_LE(next, world.clock.now() + minutes(15));
        EXPECT_EQ(world.in_use(), old);
        EXPECT_TRUE(renewal.whole());
        world.clock.set(next);
    }
    world.put_local_ca(days(3650));
    net::run_task_for(renewal.step());
    EXPECT_GT(world.in_use().not_after(), world.clock.now() + days(89));
    EXPECT_TRUE(world.look().facts.in_use);
}

TEST(Renewal, NothingIsReplacedByWhatEndsNoLater) {
    RenewalWorld world(Method::local_ca);
    world.put_local_ca(days(40));
    world.step(world.subject());
    const auto old = world.in_use();
    EXPECT_EQ(old.not_after(), support::test_time() + days(40)) << "with its issuer";
    world.clock.set(support::test_time() + days(39));
    const auto next = world.step(world.subject());
    EXPECT_EQ(world.in_use(), old);
    EXPECT_LE(next, world.clock.now() + hours(12));
}

TEST(Renewal, SuppliedCertificateIsWatchedAndNeverTouched) {
    RenewalWorld world(Method::self_signed);
    world.step(world.subject());
    const auto old = world.in_use();
    auto subject = world.subject();
    subject.supplied = true;
    for (const auto age : {days(1), days(80), days(100)}) {
        world.clock.set(old.not_before() + age);
        edge::Renewal renewal(subject, world.keys(), world.certificates(), world.clock);
        net::run_task_for(renewal.step());
        EXPECT_TRUE(renewal.whole());
        EXPECT_EQ(world.in_use(), old);
    }
}

/// Runs a renewal that is cut at each of its calls in turn, and a service that starts after it.
void expect_whole_after_any_cut(Method method, bool rotate_key, Cut how) {
    bool cut = true;
    int call = 0;
    for (; cut; ++call) {
        SCOPED_TRACE("call " + std::to_string(call));
        RenewalWorld world(method);
        auto subject = world.subject();
        subject.policy->rotate_key = rotate_key;
        world.step(subject);
        const auto old = world.in_use();
        const auto old_key = text_of(world.key_file(RenewalWorld::id));
        world.clock.set(old.not_before() + days(80));
        world.cut(call, how);
        world.step(subject);
        cut = world.was_cut();
        world.open_gate();

        const auto left = world.look();
        const auto repair = edge::repair_of(left.facts);
        EXPECT_TRUE(repair != PairRepair::make && repair != PairRepair::key_lost);
        if (repair == PairRepair::nothing && *left.chain == pki::Chain{old}) {
            EXPECT_EQ(text_of(world.key_file(RenewalWorld::id)), old_key);
        }
        const auto repaired = net::run_task_for(world.pair().repair(left));
        ASSERT_TRUE(repaired) << repaired.error().text();
        EXPECT_TRUE(repaired->facts.in_use);

        world.step(subject);
        EXPECT_TRUE(world.look().facts.in_use);
        EXPECT_GT(world.in_use().not_after(), old.not_after());
        EXPECT_FALSE(is_there(world.key_file(next_id)));
    }
    EXPECT_GT(call, 10) << "a renewal has more calls than that";
}

TEST(RenewalCutOff, LeavesTheOldPairOrLeadsToTheNewOne) {
    for (const auto how : {Cut::dead_before, Cut::dead_after, Cut::once_before, Cut::once_after})
        expect_whole_after_any_cut(Method::local_ca, true, how);
}

TEST(RenewalCutOff, OfASelfSignedOneToo) {
    for (const auto how : {Cut::dead_before, Cut::dead_after, Cut::once_before, Cut::once_after})
        expect_whole_after_any_cut(Method::self_signed, true, how);
}

TEST(RenewalCutOff, AndWhereTheKeyStays) {
    for (const auto how : {Cut::dead_before, Cut::dead_after, Cut::once_before, Cut::once_after})
        expect_whole_after_any_cut(Method::self_signed, false, how);
}

}  // namespace
