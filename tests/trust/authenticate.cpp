// SPDX-License-Identifier: Apache-2.0
#include "trust/authenticate.hpp"

#include "scene.hpp"
#include "trust/checks.hpp"

namespace scene {
namespace {

std::string checks_of(const pki::Verdict& verdict) {
    std::string out;
    for (const auto& step : verdict.steps) out += std::string(step.check) + " ";
    return out;
}

TEST(Verdict, TellsEveryStepOfAThumbprintDecision) {
    EXPECT_EQ(checks_of(by_thumbprint().decide().verdict),
              "identity.client_id identity.registered identity.enabled identity.method credential.present "
              "leaf.validity leaf.thumbprint ");
}

TEST(Verdict, TellsEveryStepOfATokenDecisionWhateverFails) {
    auto attempt = by_sas();
    const auto steps = checks_of(attempt.decide().verdict);
    EXPECT_EQ(steps,
              "identity.client_id identity.registered identity.enabled identity.method credential.present "
              "token.form "
              "token.expiry token.resource token.policy token.signature ");
    attempt.show_token("devices/another", key('C'));
    EXPECT_EQ(checks_of(attempt.decide().verdict), steps);
    attempt.token = "SharedAccessSignature nonsense";
    EXPECT_EQ(checks_of(attempt.decide().verdict), steps);
}

TEST(Verdict, NamesBothHashesAndBothSlotsWhereTheThumbprintIsAnother) {
    auto attempt = by_thumbprint();
    const auto& shown = certificates().from_root.certificate;
    attempt.certificates = {shown};
    attempt.record.authentication.secondary_thumbprint = sha1_of(certificates().own.certificate);
    const auto verdict = attempt.decide().verdict;
    const auto& step = *verdict.first_failure();
    EXPECT_NE(step.found.find(sha256_of(shown).text()), std::string::npos);
    EXPECT_NE(step.found.find(sha1_of(shown).text()), std::string::npos);
    EXPECT_NE(step.expected.find(attempt.record.authentication.primary_thumbprint->text()),
              std::string::npos);
    EXPECT_NE(step.expected.find(attempt.record.authentication.secondary_thumbprint->text()),
              std::string::npos);
}

TEST(Verdict, SaysThatIotEdgeAndCertificateAuthorityDoNotGoTogether) {
    auto attempt = by_ca();
    attempt.record.edge_enabled = true;
    const auto verdict = attempt.decide().verdict;
    EXPECT_NE(verdict.first_failure()->found.find("not supported directly with IoT Edge"), std::string::npos);
}

TEST(Verdict, HoldsNoKeyAndNoSignature) {
    auto attempt = on_behalf();
    attempt.policy = {
        {.name = "device", .primary_key = key('P'), .secondary_key = key('Q'), .device_connect = true}};
    std::vector<std::string> tokens{attempt.token};
    attempt.show_token("devices/TempSensor", key('A'));
    tokens.push_back(attempt.token);
    attempt.show_token("", key('P'), "device");
    tokens.push_back(attempt.token);
    tokens.push_back("SharedAccessSignature sr=x&sig=" + key('A') + "&se=soon&sig=" + key('B'));
    for (const auto& token : tokens) {
        attempt.token = token;
        const auto text = pki::to_text(attempt.decide().verdict);
        for (const char letter : {'A', 'B', 'H', 'P', 'Q'})
            EXPECT_EQ(text.find(key(letter)), std::string::npos);
        const auto signature = token.find("sig=") + 4;
        EXPECT_EQ(text.find(token.substr(signature, token.find('&', signature) - signature)),
                  std::string::npos);
    }
}

TEST(Decision, EndsWithWhatWasShown) {
    EXPECT_EQ(by_sas().decide().valid_until, now() + std::chrono::hours(1));
    EXPECT_EQ(by_thumbprint().decide().valid_until, certificates().own.certificate.not_after());
    EXPECT_EQ(by_ca().decide().valid_until, certificates().from_root.certificate.not_after());
}

TEST(Decision, TellsTheMethodAsTheHubNotesIt) {
    EXPECT_EQ(by_sas().decide().method, R"({"scope":"device","type":"sas","issuer":"iothub"})");
    EXPECT_EQ(module_by_sas().decide().method, R"({"scope":"module","type":"sas","issuer":"iothub"})");
    EXPECT_EQ(on_behalf().decide().method, R"({"scope":"module","type":"sas","issuer":"iothub"})");
    EXPECT_EQ(by_thumbprint().decide().method, R"({"scope":"device","type":"x509","issuer":"external"})");
    EXPECT_EQ(by_ca().decide().method, R"({"scope":"device","type":"x509","issuer":"external"})");
    auto attempt = by_sas();
    attempt.policy = {
        {.name = "device", .primary_key = key('P'), .secondary_key = key('P'), .device_connect = true}};
    attempt.show_token("", key('P'), "device");
    EXPECT_EQ(attempt.decide().method, R"({"scope":"hub","type":"sas","issuer":"iothub"})");
}

TEST(Decision, RefusesARecordOfAnotherIdentity) {
    const auto attempt = by_sas();
    const trust::Presented presented{{"another", ""}, "", attempt.token, nullptr};
    const std::vector<std::string> hosts{std::string(hub)};
    const trust::Context context{
        .hosts = hosts, .device_cas = nullptr, .policy = nullptr, .on_behalf = nullptr, .now = now()};
    const auto verdict = trust::authenticate(presented, &attempt.record, context).verdict;
    ASSERT_NE(verdict.first_failure(), nullptr);
    EXPECT_EQ(verdict.first_failure()->check, trust::checks::identity_registered);
}

TEST(Decision, HasAdviceForEachOfItsChecks) {
    using namespace trust::checks;
    for (const auto check :
         {identity_registered, identity_client_id, identity_enabled, identity_method, credential_present,
          token_form, token_expiry, token_resource, token_policy, token_signature, leaf_validity,
          leaf_thumbprint, leaf_common_name, leaf_end_entity, chain_form, chain_links, chain_actor})
        EXPECT_FALSE(pki::advice(check).empty()) << check;
}

}  // namespace
}  // namespace scene
