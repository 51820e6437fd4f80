// SPDX-License-Identifier: Apache-2.0
#include "ca/policy.hpp"

#include <gtest/gtest.h>

#include "pki/subject_name.hpp"
#include "support/certificates.hpp"

namespace {

using Kind = ca::Actor::Kind;
using pki::Profile;

const ca::LabelConfig edge_label{
    "edge-ca",
    {{Kind::bootstrap, Profile::est_identity}, {Kind::est_identity, Profile::edge_ca}},
    {{"{device}", "aziot-edge CA {device}"}, {}}};
const ca::LabelConfig device_label{"device",
                                   {{Kind::bootstrap, Profile::est_identity},
                                    {Kind::est_identity, Profile::device},
                                    {Kind::user, Profile::device}},
                                   {{"{device}"}, {"DNS:{device}", "URI:urn:{cn}:{any}"}}};

pki::Csr csr_of(const pki::CsrWish& wish) {
    static const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    return *pki::csr_from_pem(*pki::make_csr_pem(wish, key));
}

/// Who holds a certificate of this profile for dev1.
ca::Caller holder(Profile profile, Kind kind) {
    static const support::TestPki made;
    const auto identity =
        support::make_identity({.profile = profile, .common_name = "dev1"}, &made.intermediate);
    ca::Caller caller{.actor = {kind, "dev1", "192.0.2.1"},
                      .device = "dev1",
                      .entry = ca::Entry{},
                      .certificate = identity.certificate};
    caller.entry->profile = profile;
    caller.entry->device = "dev1";
    caller.entry->serial = "4f";
    return caller;
}

struct Asked {
    std::string refusal;
    ca::Grant grant;
};

Asked ask(const ca::Caller& caller, const ca::LabelConfig& label, const pki::CsrWish& wish,
          est::Operation operation = est::Operation::simpleenroll, const ca::Config& config = {}) {
    const auto csr = csr_of(wish);
    auto grant = ca::decide(config, {caller, label, true, operation, csr});
    if (!grant) return {std::string(grant.error().id), {}};
    return {{}, *std::move(grant)};
}

TEST(Policy, TheProfileIsThatOfLabelAndCallerWhateverIsAsked) {
    const auto identity = holder(Profile::est_identity, Kind::est_identity);
    EXPECT_EQ(ask(identity, device_label, {.common_name = "dev1"}).grant.profile, Profile::device);
    EXPECT_EQ(ask(identity, device_label, {.common_name = "dev1", .usages = {"serverAuth"}}).grant.profile,
              Profile::device);
    EXPECT_EQ(ask(identity, device_label, {.common_name = "dev1", .ca = true}).refusal, "csr.extension");
    EXPECT_EQ(ask(identity, edge_label, {.common_name = "dev1", .ca = true}).grant.profile, Profile::edge_ca);
    EXPECT_EQ(ask(identity, edge_label, {.common_name = "dev1"}).refusal, "csr.extension");
}

TEST(Policy, AnIdentityRenewsItselfByOneMarkAlone) {
    const auto identity = holder(Profile::est_identity, Kind::est_identity);
    for (const auto* label : {&device_label, &edge_label}) {
        const auto renewed = ask(identity, *label, {.common_name = "dev1", .usages = {"clientAuth"}});
        EXPECT_EQ(renewed.grant.profile, Profile::est_identity) << renewed.refusal;
        EXPECT_EQ(renewed.grant.replaces, "4f");
    }
    const auto named =
        ask(identity, device_label, {.common_name = "dev1", .names = {"DNS:dev1"}, .usages = {"clientAuth"}});
    EXPECT_EQ(named.grant.profile, Profile::device);
    EXPECT_FALSE(named.grant.replaces);
}

TEST(Policy, NamesAreThoseOfTheTemplates) {
    const auto identity = holder(Profile::est_identity, Kind::est_identity);
    const auto refusal = [&](const pki::CsrWish& wish) { return ask(identity, device_label, wish).refusal; };
    EXPECT_EQ(refusal({.common_name = "dev1", .names = {"DNS:dev1", "URI:urn:dev1:x"}}), "");
    EXPECT_EQ(refusal({.common_name = "dev2"}), "name.not_allowed");
    EXPECT_EQ(refusal({.common_name = "Dev1"}), "name.not_allowed");
    EXPECT_EQ(refusal({.common_name = "dev1", .names = {"DNS:dev2"}}), "name.san");
    EXPECT_EQ(refusal({.common_name = "dev1", .names = {"IP:10.0.0.1"}}), "name.san");
    EXPECT_EQ(
        ask(identity, edge_label, {.common_name = "aziot-edge CA dev1", .names = {"DNS:dev1"}, .ca = true})
            .refusal,
        "name.san");
}

TEST(Policy, ABootstrapCallerIsBoundToItsDeviceUnlessANameIsLeftOpen) {
    ca::BootstrapConfig closed{"factory", {}, {}, {{"{device}"}, {}}};
    auto caller = holder(Profile::bootstrap, Kind::bootstrap);
    caller.bootstrap = &closed;
    EXPECT_EQ(ask(caller, device_label, {.common_name = "dev1"}).grant.device, "dev1");
    EXPECT_EQ(ask(caller, device_label, {.common_name = "dev9"}).refusal, "name.not_allowed");
    ca::BootstrapConfig open{"batch", {}, {}, {{"{any}"}, {}}};
    caller.bootstrap = &open;
    const auto other = ask(caller, device_label, {.common_name = "dev9"});
    EXPECT_EQ(other.grant.device, "dev9") << other.refusal;
    EXPECT_EQ(other.grant.profile, Profile::est_identity);
}

TEST(Policy, ARenewalCopiesTheOldCertificate) {
    const auto device = holder(Profile::device, Kind::issued);
    const auto reenroll = est::Operation::simplereenroll;
    const auto renewed = ask(device, device_label, {.common_name = "DEV1"}, reenroll);
    EXPECT_EQ(renewed.refusal, "") << "names compare without case";
    EXPECT_EQ(renewed.grant.subject_der, pki::subject_der(*device.certificate));
    EXPECT_EQ(renewed.grant.common_name, "dev1");
    EXPECT_EQ(ask(device, device_label, {.common_name = "dev2"}, reenroll).refusal, "reenroll.subject");
    EXPECT_EQ(ask(device, device_label, {.common_name = "dev1", .names = {"DNS:dev1"}}, reenroll).refusal,
              "reenroll.san");
    EXPECT_EQ(ask(device, edge_label, {.common_name = "dev1"}, reenroll).refusal, "reenroll.profile");
    EXPECT_EQ(ask(device, device_label, {.common_name = "dev2"}).refusal, "name.not_allowed");
}

TEST(Policy, OptionsOfAProfileCount) {
    const auto identity = holder(Profile::est_identity, Kind::est_identity);
    ca::Config config;
    config.profiles[Profile::device].keys = {"RSA 2048"};
    EXPECT_EQ(
        ask(identity, device_label, {.common_name = "dev1"}, est::Operation::simpleenroll, config).refusal,
        "key.type");
    EXPECT_EQ(ask(identity, device_label, {.common_name = "dev1"}, est::Operation::serverkeygen, config)
                  .grant.detail,
              "serverkeygen");
    config.profiles[Profile::device] = {};
    config.profiles[Profile::device].manual = true;
    EXPECT_TRUE(ask(identity, device_label, {.common_name = "dev1"}, est::Operation::simpleenroll, config)
                    .grant.manual);
}

TEST(Refusals, HaveTheStatusOfTheSpecification) {
    EXPECT_EQ(ca::rule_of("auth.revoked").status, 403);
    EXPECT_TRUE(ca::rule_of("auth.revoked").audited);
    EXPECT_EQ(ca::rule_of("auth.none").status, 401);
    EXPECT_TRUE(ca::rule_of("auth.none").challenge);
    EXPECT_FALSE(ca::rule_of("auth.none").audited);
    EXPECT_EQ(ca::rule_of("policy.pending").status, 202);
    EXPECT_EQ(ca::rule_of("no.such").status, 500);
}

}  // namespace
