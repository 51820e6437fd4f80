// SPDX-License-Identifier: Apache-2.0
// A device whose certificates come from an EST server: the services as a whole, over their sockets.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <future>

#include "base/file.hpp"
#include "edge/est_record.hpp"
#include "running_device.hpp"
#include "support/est_server.hpp"
#include "support/settable_clock.hpp"

namespace {

using namespace edge_test;
using http::Verb;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using support::EstServer;

void eventually(const char* what, const std::function<bool()>& is_so) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_so()) {
        ASSERT_LT(std::chrono::steady_clock::now(), limit) << what;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

constexpr const char* renewed = "auto_renew = { rotate_key = true, threshold = \"80%\", retry = \"4%\" }\n";
constexpr const char* from_bootstrap = "bootstrap of EdgeGateway at device";

class EstDevice : public testing::Test {
  protected:
    EstDevice() {
        put("est-root.pem", server_.root().certificate.pem(), 0644);
        const auto bootstrap = server_.bootstrap();
        put("bootstrap.pem", bootstrap.certificate.pem() + server_.issuer().certificate.pem(), 0644);
        put("bootstrap.key", std::string(bootstrap.key.pem()->text()), 0600);
    }
    void put(const std::string& name, const std::string& text, mode_t mode) {
        ASSERT_TRUE(base::write_atomically(given_ / name, text, mode));
    }
    std::string file(const std::string& name) const { return "file://" + (given_ / name).string(); }
    std::string est(const std::string& urls) const {
        return "[cert_issuance.est]\ntrusted_certs = [\"" + file("est-root.pem") +
               "\"]\n[cert_issuance.est.auth]\nbootstrap_identity_cert = \"" + file("bootstrap.pem") +
               "\"\nbootstrap_identity_pk = \"" + file("bootstrap.key") + "\"\n[cert_issuance.est.urls]\n" +
               urls;
    }
    static std::string url(const std::string& id, const std::string& where) {
        return "\"" + id + "\" = \"" + where + "\"\n";
    }
    std::string all_urls() const {
        return url("default", server_.url("device")) + url("aziot-edged-ca", server_.url("edge-ca"));
    }
    static std::string issued_by_est() {
        return std::string(
                   "method = \"x509\"\n[provisioning.authentication.identity_cert]\nmethod = \"est\"\n") +
               renewed;
    }
    /// more: behind the EST part.
    void start(std::string more, std::string authentication = issued_by_est()) {
        RunningDevice::Options options{.hub_port = hub_.port(), .hub_ca = hub_.ca_file(), .clock = &clock_};
        options.more = std::move(more);
        options.authentication = std::move(authentication);
        device_ = std::make_unique<RunningDevice>(options);
    }
    void start_by_est() {
        start(est(all_urls()) + "[edge_ca]\nmethod = \"est\"\n");
        device_->wait_until_ready();
    }

    std::string certificates_socket() const { return device_->socket(edge::Service::certificates); }
    std::optional<pki::Chain> chain(const std::string& id) const {
        const auto answer = ask(certificates_socket(), Verb::get, "/certificates/" + id);
        if (answer.status != 200) return std::nullopt;
        return pki::certificates_from_pem(member(answer, "pem"), id).value();
    }
    std::optional<pki::Certificate> leaf(const std::string& id) const {
        const auto found = chain(id);
        return found ? std::optional(found->front()) : std::nullopt;
    }
    std::size_t count(const std::string& enrolment) const {
        const auto all = server_.enrolments();
        return static_cast<std::size_t>(std::ranges::count(all, enrolment));
    }
    /// What a service gets that asks for a certificate of this id, with a key of its own.
    http::Response request(const std::string& id, const pki::CsrWish& wish) const {
        const auto key = pki::PrivateKey::generate(pki::KeyType::ec_p256);
        const edge::json::object body{{"certId", id}, {"csr", pki::make_csr_pem(wish, *key).value()}};
        return ask(certificates_socket(), Verb::post, "/certificates", edge::json::serialize(body));
    }
    /// Whoever asks for the device certificate gets 503 and these words: the services' own request, which met
    /// the refusal, may still be on its way out and be what is told of first.
    void is_told(const std::string& words) const {
        eventually("who asks is told why", [&] {
            const auto answer = request("device-id", {"EdgeGateway", {}, {}, false});
            EXPECT_EQ(answer.status, 503);
            return message(answer).find(words) != std::string::npos;
        });
    }
    std::optional<edge::EstRecord> record(const std::string& id) const {
        const auto home = device_->paths().home(edge::Service::certificates);
        for (auto& each : edge::read_est_records(edge::est_record_directory(home)))
            if (each.id == id) return each;
        return std::nullopt;
    }

    support::TemporaryDirectory given_;
    support::SettableClock clock_;
    EstServer server_{clock_};
    FakeHub hub_;
    std::unique_ptr<RunningDevice> device_;
};

TEST_F(EstDevice, UsesTheBootstrapCertificateOnceAndItsIdentityFromThenOn) {
    start_by_est();
    eventually("all are issued", [&] { return leaf("device-id") && leaf("aziot-edged-ca"); });
    auto enrolments = server_.enrolments();
    ASSERT_EQ(enrolments.size(), 3U);
    EXPECT_EQ(enrolments[0], from_bootstrap);
    std::sort(enrolments.begin() + 1, enrolments.end());
    EXPECT_EQ(enrolments[1], "EdgeGateway at device");
    EXPECT_EQ(enrolments[2], "EdgeGateway at edge-ca");
    EXPECT_EQ(leaf("est-id")->common_name(), "EdgeGateway");
    const auto device = chain("device-id").value();
    ASSERT_EQ(device.size(), 2U);
    EXPECT_EQ(device[0].common_name(), "EdgeGateway");
    EXPECT_EQ(device[1], server_.issuer().certificate);
    EXPECT_TRUE(leaf("aziot-edged-ca")->is_ca());
    EXPECT_EQ(leaf("aziot-edged-ca")->issuer(), server_.issuer().certificate.subject());
    eventually("the hub sees the certificate", [&] { return hub_.client() == "EdgeGateway"; });
    // Modules are given the root above the Edge CA.
    const auto bundle = chain("aziot-edged-trust-bundle").value();
    EXPECT_NE(std::ranges::find(bundle, server_.root().certificate), bundle.end());
    // A module's server certificate still comes from the Edge CA.
    eventually("the gateway is known", [&] { return !hub_.primary_key("$edgeHub").empty(); });
}

TEST_F(EstDevice, RenewsItsIdentityWithItselfAndWithTheBootstrapCertificateOnceItHasExpired) {
    start_by_est();
    eventually("it is there", [&] { return leaf("est-id") && leaf("device-id"); });
    const auto first = leaf("est-id").value();
    clock_.move(days(25));
    eventually("it is renewed", [&] { return leaf("est-id") != first; });
    EXPECT_EQ(count(from_bootstrap), 1U);
    const auto second = leaf("est-id").value();
    EXPECT_EQ(second.subject(), first.subject());
    EXPECT_EQ(second.extended_key_usage(), std::vector<std::string>{"clientAuth"});
    const auto device = leaf("device-id").value();
    clock_.move(days(60));  // behind its end, and behind the renewal of the device certificate
    eventually("it is obtained anew", [&] { return leaf("est-id") != second; });
    EXPECT_EQ(count(from_bootstrap), 2U);
    eventually("the device certificate is renewed", [&] { return leaf("device-id") != device; });
    EXPECT_EQ(leaf("device-id")->subject(), device.subject());
    EXPECT_EQ(count(from_bootstrap), 2U);
}

TEST_F(EstDevice, RenewalAsksAtTheUrlOfTheIdItself) {
    // Nothing for "device-id-temp", and the default is of no use.
    start(est(url("default", server_.url("nowhere")) + url("device-id", server_.url("device")) +
              url("est-id", server_.url("device"))));
    eventually("it is there", [&] { return leaf("device-id").has_value(); });
    const auto first = leaf("device-id").value();
    clock_.move(days(80));
    eventually("it is renewed", [&] { return leaf("device-id") != first; });
    for (const auto& each : server_.enrolments()) EXPECT_TRUE(each.ends_with(" at device")) << each;
}

TEST_F(EstDevice, KeepsTheOldCertificateWhereTheNewOneIsNotWhatWasAskedFor) {
    start_by_est();
    eventually("it is there", [&] { return leaf("device-id").has_value(); });
    const auto first = leaf("device-id").value();
    server_.behave([&](const EstServer::Asked& asked) -> std::optional<http::Response> {
        // Its EST identity has expired by then, and is obtained as always.
        if (!asked.csr || !asked.csr->usages.empty()) return std::nullopt;
        const auto other = support::make_identity(
            {.common_name = asked.csr->common_name, .now = clock_.now()}, &server_.issuer());
        return EstServer::certificates({other.certificate});
    });
    clock_.move(days(80));
    eventually("it was rejected", [&] {
        const auto found = record("device-id-temp");
        return found && found->kind == est::Failure::Kind::rejected;
    });
    EXPECT_NE(record("device-id-temp")->why.reason.find("another key"), std::string::npos);
    EXPECT_EQ(leaf("device-id"), first);
    EXPECT_FALSE(leaf("device-id-temp"));
}

TEST_F(EstDevice, IsNotAskedAgainBeforeTheServerWantsIt) {
    std::atomic<int> refusals = 0;
    std::atomic<bool> busy = true;
    server_.behave([&](const EstServer::Asked& asked) -> std::optional<http::Response> {
        if (!asked.csr || !busy) return std::nullopt;
        ++refusals;
        auto response = http::Response::text(503, "server.busy: come back\n");
        response.headers.set("Retry-After", "7200");
        return response;
    });
    start(est(all_urls()));
    eventually("it was refused", [&] { return record("est-id").has_value(); });
    is_told("server.busy: come back");
    EXPECT_EQ(refusals, 1);
    busy = false;
    clock_.move(hours(1));
    EXPECT_EQ(request("device-id", {"EdgeGateway", {}, {}, false}).status, 503);
    EXPECT_EQ(count(from_bootstrap), 1U);
    clock_.move(hours(2));
    eventually("it is issued", [&] { return leaf("device-id").has_value(); });
    EXPECT_EQ(count(from_bootstrap), 2U);
    EXPECT_FALSE(record("est-id"));
}

TEST_F(EstDevice, SendsTheSameRequestUntilAnOperatorHasDecidedAlsoAfterARestart) {
    std::atomic<bool> decided = false;
    server_.behave([&](const EstServer::Asked& asked) -> std::optional<http::Response> {
        if (!asked.csr || decided || asked.path.find("edge-ca") == std::string::npos) return std::nullopt;
        auto response = http::Response::empty(202);
        response.headers.set("Retry-After", "600");
        return response;
    });
    start(est(all_urls()) + "[edge_ca]\nmethod = \"est\"\n");
    const auto sent = [&] {
        std::vector<std::string> bodies;
        for (const auto& each : server_.asked())
            if (each.csr && each.path.find("edge-ca") != std::string::npos) bodies.push_back(each.body);
        return bodies;
    };
    eventually("it is held", [&] { return record("aziot-edged-ca").has_value(); });
    EXPECT_EQ(record("aziot-edged-ca")->kind, est::Failure::Kind::pending);
    device_->stop();
    device_->start();
    clock_.move(minutes(12));
    eventually("it was sent again", [&] { return sent().size() == 2; });
    decided = true;
    clock_.move(minutes(12));
    eventually("it is issued", [&] { return leaf("aziot-edged-ca").has_value(); });
    const auto bodies = sent();
    ASSERT_EQ(bodies.size(), 3U);
    EXPECT_EQ(bodies[1], bodies[0]);
    EXPECT_EQ(bodies[2], bodies[0]);
    device_->wait_until_ready();
}

// edge-runtime.md 13.1, 21: in the original everything waits.
TEST_F(EstDevice, NothingElseWaitsForAServerThatSaysNothing) {
    std::promise<void> end;
    const auto ended = end.get_future().share();
    server_.behave([&](const EstServer::Asked&) -> std::optional<http::Response> {
        ended.wait();
        return std::nullopt;
    });
    start(est(all_urls()));
    device_->wait_until_ready();  // the Edge CA is its own
    eventually("the server was asked", [&] { return !server_.asked().empty(); });
    EXPECT_TRUE(leaf("aziot-edged-ca"));
    EXPECT_EQ(request("aziot-edged/module/m:1:server", {"m", {"DNS:m"}, {}, false}).status, 500);
    const auto handle =
        member(ask(device_->socket(edge::Service::keys), Verb::get, "/keypair/aziot-edged-ca"), "keyHandle");
    const auto key = pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const edge::json::object body{{"certId", "aziot-edged/module/m:1:server"},
                                  {"csr", pki::make_csr_pem({"m", {"DNS:m"}, {}, false}, *key).value()},
                                  {"issuer", {{"certId", "aziot-edged-ca"}, {"privateKeyHandle", handle}}}};
    EXPECT_EQ(ask(certificates_socket(), Verb::post, "/certificates", edge::json::serialize(body)).status,
              201);
    EXPECT_FALSE(leaf("device-id"));
    end.set_value();
    eventually("it is issued at last", [&] { return leaf("device-id").has_value(); });
}

TEST_F(EstDevice, ServerThatIsGoneHoldsEveryIdUntilItsTime) {
    server_.stop();
    start(est(all_urls()) + "[edge_ca]\nmethod = \"est\"\n");
    eventually("it was tried", [&] { return record("est-id").has_value(); });
    EXPECT_EQ(record("est-id")->kind, est::Failure::Kind::unreachable);
    is_told("localhost");
}

TEST_F(EstDevice, AsksWithItsPasswordWhereItHasNoCertificate) {
    start("[cert_issuance.est]\ntrusted_certs = [\"" + file("est-root.pem") +
          "\"]\n[cert_issuance.est.auth]\nusername = \"u\"\npassword = \"p\"\n[cert_issuance.est.urls]\n" +
          all_urls());
    eventually("it is issued", [&] { return leaf("device-id").has_value(); });
    EXPECT_EQ(server_.enrolments(), std::vector<std::string>{" at device"});
    EXPECT_EQ(server_.asked().back().authorization, "Basic dTpw");
    EXPECT_FALSE(leaf("est-id"));
}

TEST_F(EstDevice, NeverRenewsAnIdentityThatTheOperatorSupplies) {
    const auto own = support::make_identity(
        {.profile = pki::Profile::est_identity, .common_name = "EdgeGateway", .now = clock_.now()},
        &server_.issuer());
    put("own.pem", own.certificate.pem(), 0644);
    put("own.key", std::string(own.key.pem()->text()), 0600);
    start("[cert_issuance.est]\ntrusted_certs = [\"" + file("est-root.pem") +
          "\"]\n[cert_issuance.est.auth]\nidentity_cert = \"" + file("own.pem") + "\"\nidentity_pk = \"" +
          file("own.key") + "\"\n[cert_issuance.est.urls]\n" + all_urls());
    eventually("it is issued", [&] { return leaf("device-id").has_value(); });
    EXPECT_EQ(server_.enrolments(), std::vector<std::string>{"EdgeGateway at device"});
    EXPECT_EQ(leaf("est-id"), own.certificate);
    clock_.move(days(31));
    is_told("EST identity has expired");
    EXPECT_EQ(server_.enrolments().size(), 1U);
}

TEST_F(EstDevice, HasTheServerCertificatesOfItsModulesIssuedThere) {
    start(est(all_urls()) + "[module_certs]\nmethod = \"est\"\nurl = \"" + server_.url("server") + "\"\n");
    device_->wait_until_ready();
    eventually("the gateway is known", [&] { return !hub_.primary_key("$edgeHub").empty(); });
    const auto answer =
        ask(device_->module_socket("$edgeHub"), Verb::post,
            "/modules/%24edgeHub/genid/" + hub_.generation("$edgeHub") + "/certificate/server",
            R"({"commonName":"edgegateway.local","expiration":"2036-01-01T00:00:00Z"})", "2020-07-07");
    ASSERT_EQ(answer.status, 201) << answer.body;
    const auto presented = pki::certificates_from_pem(member(answer, "certificate"), "answer").value();
    ASSERT_EQ(presented.size(), 2U);
    EXPECT_EQ(presented[0].subject_alternative_names(),
              (std::vector<std::string>{"DNS:edgegateway.local", "DNS:edgeHub"}));
    EXPECT_EQ(presented[1], server_.issuer().certificate);
    EXPECT_EQ(count("EdgeGateway at server"), 1U);
    // Who a module is to the hub stays the Edge CA's to say.
    const auto identity = ask(device_->module_socket("$edgeHub"), Verb::post,
                              "/modules/%24edgeHub/certificate/identity", "{}", "2020-07-07");
    ASSERT_EQ(identity.status, 201) << identity.body;
    EXPECT_EQ(count("EdgeGateway at server"), 1U);
}

TEST_F(EstDevice, AsksForNoCaUnderAnotherIdThanTheEdgeCas) {
    start_by_est();
    eventually("it is there", [&] { return leaf("device-id").has_value(); });
    const auto before = server_.enrolments().size();
    EXPECT_EQ(request("device-id-temp", {"EdgeGateway", {}, {}, true}).status, 400);
    EXPECT_EQ(server_.enrolments().size(), before);
}

}  // namespace
