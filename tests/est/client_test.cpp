// SPDX-License-Identifier: Apache-2.0
#include "est/client.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "support/est_server.hpp"

namespace {

using est::Failure;
using Kind = est::Failure::Kind;
using support::EstServer;

/// What the client makes of one answer of the server of est-and-pki.md test 71.
class EstClient : public testing::Test {
  protected:
    est::Server server(const EstServer& of, std::string_view label = "device") const {
        return {*est::parse_url(of.url(label)), std::make_shared<const pki::TrustBundle>(of.trust())};
    }
    static est::Caller caller(const support::Identity& identity) {
        return {{identity.certificate}, identity.key.share(), {}, {}};
    }
    est::Outcome<est::Issued> enroll(est::Server at, est::Caller as, const pki::CsrWish& wish,
                                     est::Deadlines deadlines = {}) const {
        const auto pem = *pki::make_csr_pem(wish, key_);
        bool is_pem = false;
        auto der = *est::read_body(pem, &is_pem);
        const auto csr = *pki::csr_from_der(der);
        const auto purpose = wish.ca ? pki::Purpose::any : pki::Purpose::client;
        return net::run_task_for(est::enroll(std::move(at), std::move(as), est::Operation::simpleenroll,
                                             std::move(der), est::wanted(csr, wish.ca, purpose),
                                             base::system_clock(), deadlines));
    }
    /// An enrolment of EdgeGateway, where the server answers as said.
    est::Outcome<est::Issued> answered(EstServer::Behaviour behaviour) {
        server_.behave([behaviour](const EstServer::Asked& asked) -> std::optional<http::Response> {
            return asked.csr ? behaviour(asked) : std::nullopt;
        });
        return enroll(server(server_), caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false});
    }
    Failure failure(EstServer::Behaviour behaviour) {
        const auto outcome = answered(std::move(behaviour));
        if (outcome) {
            ADD_FAILURE() << "issued " << outcome->chain.front().subject();
            return {Kind::refused, {}};
        }
        return outcome.error();
    }
    Failure status(int status, std::string_view name = {}, std::string value = {}) {
        return failure([=](const auto&) {
            auto response = http::Response::text(status, "policy.denied: not today\nmore\n");
            if (!name.empty()) response.headers.set(name, value);
            return response;
        });
    }
    pki::Certificate as_device(const pki::Csr& csr) const { return server_.issue(csr, pki::Profile::device); }

    EstServer server_;
    const pki::PrivateKey key_ = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
};

TEST_F(EstClient, EnrolsWithACertificateAndGetsTheChainWithoutTheRoot) {
    const auto outcome = enroll(server(server_), caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false});
    ASSERT_TRUE(outcome) << outcome.error().why.text();
    ASSERT_EQ(outcome->chain.size(), 2U);
    EXPECT_EQ(outcome->chain[0].common_name(), "EdgeGateway");
    EXPECT_TRUE(key_.matches(outcome->chain[0]));
    EXPECT_EQ(outcome->chain[1], server_.issuer().certificate);
    const auto asked = server_.asked();
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_EQ(asked[0].path, "/.well-known/est/device/cacerts");
    EXPECT_EQ(asked[1].path, "/.well-known/est/device/simpleenroll");
    EXPECT_EQ(asked[1].client, "bootstrap of EdgeGateway");
    EXPECT_TRUE(asked[1].body.ends_with('\n'));
}

TEST_F(EstClient, EnrolsWithAPassword) {
    est::Caller user;
    user.user = "u";
    user.password = std::make_shared<const base::SecretBytes>(std::string_view("p:w"));
    const auto outcome = enroll(server(server_), std::move(user), {"EdgeGateway", {}, {}, false});
    ASSERT_TRUE(outcome) << outcome.error().why.text();
    EXPECT_EQ(server_.asked().back().authorization, "Basic dTpwOnc=");
    EXPECT_EQ(server_.asked().back().client, "");
}

TEST_F(EstClient, EnrolsACaWhereOneWasAskedFor) {
    const auto identity = support::make_identity({.profile = pki::Profile::est_identity,
                                                  .common_name = "EdgeGateway",
                                                  .now = base::system_clock().now()},
                                                 &server_.issuer());
    const auto outcome =
        enroll(server(server_, "edge-ca"), caller(identity), {"EdgeGateway CA", {}, {}, true});
    ASSERT_TRUE(outcome) << outcome.error().why.text();
    EXPECT_TRUE(outcome->chain[0].is_ca());
}

TEST_F(EstClient, TakesEveryFormOfAGoodAnswer) {
    const auto forms = {std::pair("Content-Type", "application/pkcs7-mime"),
                        std::pair("content-type", "APPLICATION/PKCS7-MIME;smime-type=\"certs-only\""),
                        std::pair("Content-Type", "application/pkcs7-mime ; charset=x")};
    for (const auto& [name, value] : forms) {
        const auto outcome = answered([&](const EstServer::Asked& asked) {
            auto response = http::Response::text(
                200, est::write_body(pki::certs_only(pki::Chain{as_device(*asked.csr)}), "libest 3.2.0p"));
            response.headers.set("Content-Type", value);
            return response;
        });
        EXPECT_TRUE(outcome) << value << ": " << outcome.error().why.text();
    }
}

TEST_F(EstClient, FindsTheLeafByItsKeyWhereverItStands) {
    const auto outcome = answered([&](const EstServer::Asked& asked) {
        return EstServer::certificates({server_.issuer().certificate, as_device(*asked.csr)});
    });
    ASSERT_TRUE(outcome) << outcome.error().why.text();
    EXPECT_TRUE(key_.matches(outcome->chain[0]));
}

TEST_F(EstClient, RejectsACertificateThatWasNotAskedFor) {
    const auto rejected = [&](const char* reason, EstServer::Behaviour behaviour) {
        const auto failed = failure(std::move(behaviour));
        EXPECT_EQ(failed.kind, Kind::rejected) << reason;
        EXPECT_NE(failed.why.text().find(reason), std::string::npos) << failed.why.text();
    };
    const auto now = base::system_clock().now();
    rejected("for another key", [&](const auto&) {
        const auto other =
            support::make_identity({.common_name = "EdgeGateway", .now = now}, &server_.issuer());
        return EstServer::certificates({other.certificate});
    });
    rejected("is one of a CA, which was not asked for", [&](const EstServer::Asked& asked) {
        return EstServer::certificates({server_.issue(*asked.csr, pki::Profile::edge_ca)});
    });
    rejected("and CN=EdgeGateway was asked for", [&](const EstServer::Asked& asked) {
        auto csr = *asked.csr;
        csr.common_name = "AnotherDevice";
        return EstServer::certificates({as_device(csr)});
    });
    rejected("has the names [DNS:admin.local]", [&](const EstServer::Asked& asked) {
        auto csr = *asked.csr;
        csr.names = {"DNS:admin.local"};
        return EstServer::certificates({as_device(csr)});
    });
    rejected("is not accepted", [&](const EstServer::Asked& asked) {
        const EstServer stranger;
        return EstServer::certificates(
            {stranger.issue(*asked.csr, pki::Profile::device), stranger.issuer().certificate});
    });
    rejected("in less than an hour", [&](const EstServer::Asked& asked) {
        server_.issue_for(std::chrono::minutes(59));
        return EstServer::certificates({as_device(*asked.csr)});
    });
    rejected("the answer holds none", [](const auto&) { return EstServer::certificates({}); });
}

TEST_F(EstClient, RejectsALeafWhereACaWasAskedFor) {
    server_.behave([&](const EstServer::Asked& asked) -> std::optional<http::Response> {
        if (!asked.csr) return std::nullopt;
        return EstServer::certificates({as_device(*asked.csr)});
    });
    const auto outcome =
        enroll(server(server_, "edge-ca"), caller(server_.bootstrap()), {"EdgeGateway CA", {}, {}, true});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Kind::rejected);
    EXPECT_NE(outcome.error().why.text().find("is not one of a CA"), std::string::npos);
}

TEST_F(EstClient, RejectsAnAnswerThatIsNone) {
    const auto with = [&](std::string body, std::string type = "application/pkcs7-mime") {
        return failure([=](const auto&) {
            auto response = http::Response::text(200, body);
            response.headers.set("Content-Type", type);
            return response;
        });
    };
    EXPECT_EQ(with("MAsGCSqGSIb3DQEHAg==").kind, Kind::rejected);  // signed-data without anything in it
    EXPECT_EQ(with("").kind, Kind::rejected);
    EXPECT_EQ(with("!!!!").kind, Kind::rejected);
    EXPECT_EQ(with(base::to_base64(base::as_bytes(std::string_view("nonsense")))).kind, Kind::rejected);
    EXPECT_EQ(with(std::string(300'000, 'A')).kind, Kind::rejected);
    const auto page = with("<html>", "text/html");
    EXPECT_EQ(page.kind, Kind::rejected);
    EXPECT_NE(page.why.text().find("text/html"), std::string::npos);
}

TEST_F(EstClient, TellsEachStatusApart) {
    const auto created = status(201);
    EXPECT_EQ(created.kind, Kind::refused);
    const auto denied = status(403);
    EXPECT_EQ(denied.kind, Kind::refused);
    EXPECT_NE(denied.why.reason.find("403 Forbidden: policy.denied: not today"), std::string::npos);
    EXPECT_EQ(denied.why.reason.find("more"), std::string::npos);
    EXPECT_TRUE(denied.answered);
    EXPECT_EQ(status(404).kind, Kind::refused);
    const auto failing = status(500);
    EXPECT_EQ(failing.kind, Kind::unreachable);
    EXPECT_TRUE(failing.answered);
    const auto held = status(202);
    EXPECT_EQ(held.kind, Kind::pending);
    EXPECT_EQ(held.wait, std::chrono::seconds(60));
    EXPECT_EQ(status(202, "Retry-After", "5").wait, std::chrono::seconds(5));
    const auto busy = status(503, "Retry-After", "120");
    EXPECT_EQ(busy.kind, Kind::busy);
    EXPECT_EQ(busy.wait, std::chrono::seconds(120));
    EXPECT_EQ(status(429).kind, Kind::busy);
}

TEST_F(EstClient, FollowsNoRedirectOfAnEnrolment) {
    const auto elsewhere = status(302, "Location", "https://other.example/simpleenroll");
    EXPECT_EQ(elsewhere.kind, Kind::refused);
    EXPECT_EQ(status(307, "Location", server_.url("other") + "/simpleenroll").kind, Kind::refused);
    const auto asked = server_.asked();
    EXPECT_EQ(std::ranges::count_if(asked, [](const auto& each) { return each.csr.has_value(); }), 2);
}

TEST_F(EstClient, FollowsARedirectOfCacertsWithinTheOriginAlone) {
    const auto moved_to = [&](std::string location) {
        server_.behave([=](const EstServer::Asked& asked) -> std::optional<http::Response> {
            if (asked.path != "/.well-known/est/old/cacerts") return std::nullopt;
            auto response = http::Response::empty(302);
            response.headers.set("Location", location);
            return response;
        });
        return net::run_task_for(est::authorities(server(server_, "old"), {}, base::system_clock()));
    };
    const auto found = moved_to("/.well-known/est/device/cacerts");
    ASSERT_TRUE(found) << found.error().why.text();
    EXPECT_EQ(found->size(), 2U);
    EXPECT_TRUE(moved_to(server_.url("device") + "/cacerts"));
    EXPECT_FALSE(moved_to("https://other.example/cacerts"));
    EXPECT_FALSE(moved_to("//other.example/cacerts"));
}

TEST_F(EstClient, NamesTheRemedyForAUrlWithoutItsPath) {
    auto at = server(server_);
    at.url.path = "/est";
    const auto outcome = enroll(at, caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false});
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().why.fix.find("/.well-known/est/LABEL"), std::string::npos);
}

TEST_F(EstClient, AsksNothingOfAServerThatItDoesNotTrust) {
    const EstServer stranger;
    auto at = server(server_);
    at.trust = std::make_shared<const pki::TrustBundle>(stranger.trust());
    const auto outcome = enroll(at, caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Kind::unreachable);
    EXPECT_TRUE(server_.asked().empty());
    // The certificate is for localhost and 127.0.0.1.
    at = server(server_);
    at.url.host = "127.0.0.2";
    EXPECT_FALSE(enroll(at, caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false}));
    EXPECT_TRUE(server_.asked().empty());
}

TEST_F(EstClient, SaysThatNobodyIsThere) {
    const auto at = server(server_);
    const auto bootstrap = server_.bootstrap();
    server_.stop();
    const auto outcome = enroll(at, caller(bootstrap), {"EdgeGateway", {}, {}, false});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Kind::unreachable);
    EXPECT_FALSE(outcome.error().answered);
    EXPECT_FALSE(outcome.error().why.fix.empty());
}

/// A TLS server that says the same octets whatever it is asked, and then waits for the client's end.
class Parrot {
  public:
    Parrot(const EstServer& like, std::string octets) : octets_(std::move(octets)) {
        const auto server = support::make_identity({.profile = pki::Profile::server,
                                                    .common_name = "localhost",
                                                    .names = {"DNS:localhost"},
                                                    .now = base::system_clock().now()},
                                                   &like.issuer());
        auto tls = net::ServerTls::make({server.certificate, like.issuer().certificate}, server.key);
        listener_ = *net::TlsListener::open(loops_.loops(), "127.0.0.1", 0, *tls, [this](net::Stream stream) {
            return say(&octets_, std::move(stream));
        });
    }
    ~Parrot() {
        listener_->close();
        loops_.stop();
    }
    std::string url() const { return fmt::format("https://localhost:{}/est", listener_->port()); }

  private:
    static net::Task<> say(const std::string* octets, net::Stream stream) {
        base::Bytes seen(64 * 1024);
        while (true) {
            const auto got = co_await stream.read_some(seen, std::chrono::seconds(30));
            if (!got) co_return;
            const auto said = co_await stream.write_all(base::as_bytes(*octets), std::chrono::seconds(30));
            if (!said) co_return;
        }
    }
    std::string octets_;
    support::ServingLoops loops_;
    std::unique_ptr<net::TlsListener> listener_;
};

TEST_F(EstClient, WaitsForNoServerForEver) {
    const auto outcome_of = [&](std::string octets, std::chrono::milliseconds limit) {
        const Parrot parrot(server_, std::move(octets));
        est::Server at{*est::parse_url(parrot.url()),
                       std::make_shared<const pki::TrustBundle>(server_.trust())};
        return enroll(at, caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false},
                      {std::chrono::seconds(20), limit});
    };
    constexpr std::chrono::milliseconds brief(300);
    constexpr std::chrono::milliseconds ample(60'000);
    const auto silent = outcome_of("", brief);
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error().kind, Kind::unreachable);
    EXPECT_FALSE(silent.error().answered);
    const auto half = outcome_of(
        "HTTP/1.1 200 OK\r\nContent-Type: application/pkcs7-mime\r\nContent-Length: 100\r\n\r\nMIIB", brief);
    ASSERT_FALSE(half);
    EXPECT_EQ(half.error().kind, Kind::unreachable);
    const auto large = outcome_of(
        "HTTP/1.1 200 OK\r\nContent-Type: application/pkcs7-mime\r\nContent-Length: 1073741824\r\n\r\n",
        ample);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().kind, Kind::rejected);
    const auto garbage = outcome_of("SSH-2.0-OpenSSH_9.2\r\n\r\n", ample);
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().kind, Kind::rejected);
}

TEST_F(EstClient, TakesAChunkedAnswerWithLowerCaseHeaders) {
    const auto pem = *pki::make_csr_pem({"EdgeGateway", {}, {}, false}, key_);
    const auto csr = *pki::csr_from_pem(pem);
    const auto body =
        est::write_body(pki::certs_only(pki::Chain{as_device(csr), server_.issuer().certificate}));
    const auto half = body.size() / 2;
    const Parrot parrot(server_,
                        fmt::format("HTTP/1.1 200 OK\r\ncontent-type: application/pkcs7-mime\r\n"
                                    "transfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                                    half, body.substr(0, half), body.size() - half, body.substr(half)));
    est::Server at{*est::parse_url(parrot.url()), std::make_shared<const pki::TrustBundle>(server_.trust())};
    const auto outcome = enroll(at, caller(server_.bootstrap()), {"EdgeGateway", {}, {}, false});
    ASSERT_TRUE(outcome) << outcome.error().why.text();
    EXPECT_TRUE(key_.matches(outcome->chain.front()));
}

// A clock that is behind is borne with for a day: the certificate is good, the machine is not.
TEST(IssuedCertificate, MayBeginInTheFutureByADayAtMost) {
    const support::TestPki pki;
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto csr = *pki::csr_from_pem(*pki::make_csr_pem({"d", {}, {}, false}, key));
    const auto leaf = *pki::issue({.profile = pki::Profile::device, .key = csr.key, .common_name = "d"},
                                  &pki.intermediate.certificate, pki.intermediate.key, support::test_time());
    const pki::TrustBundle trust({pki.root.certificate});
    const auto judged = [&](std::chrono::seconds behind) {
        return est::check_issued({leaf}, {pki.intermediate.certificate},
                                 est::wanted(csr, false, pki::Purpose::client), trust,
                                 support::test_time() - behind);
    };
    const auto right = judged(std::chrono::seconds(0));
    ASSERT_TRUE(right) << right.error().text();
    EXPECT_FALSE(right->ahead);
    const auto behind = judged(std::chrono::hours(23));
    ASSERT_TRUE(behind) << behind.error().text();
    EXPECT_TRUE(behind->ahead);
    EXPECT_FALSE(judged(std::chrono::hours(25)));
}

// The hub asks a device for clientAuth.
TEST(IssuedCertificate, IsOfTheUseThatWasAskedFor) {
    const support::TestPki pki;
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto csr = *pki::csr_from_pem(*pki::make_csr_pem({"d", {"DNS:d"}, {}, false}, key));
    const auto leaf =
        *pki::issue({.profile = pki::Profile::server, .key = csr.key, .common_name = "d", .names = csr.names},
                    &pki.intermediate.certificate, pki.intermediate.key, support::test_time());
    const pki::TrustBundle trust({pki.root.certificate});
    const auto judged = [&](pki::Purpose purpose) {
        return est::check_issued({leaf}, {pki.intermediate.certificate}, est::wanted(csr, false, purpose),
                                 trust, support::test_time());
    };
    EXPECT_TRUE(judged(pki::Purpose::server));
    EXPECT_FALSE(judged(pki::Purpose::client));
}

// RFC 7030 4.1.3: a new root is reached by its certificate under the old one, which is what is trusted here.
TEST(IssuedCertificate, LeadsToTheOldRootByWayOfACrossCertificate) {
    const support::TestPki pki;
    const auto key = *pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto csr = *pki::csr_from_pem(*pki::make_csr_pem({"d", {}, {}, false}, key));
    const auto new_root =
        support::make_identity({.profile = pki::Profile::root, .common_name = "my_second_root_CA"});
    const auto cross = *pki::issue({.profile = pki::Profile::intermediate,
                                    .key = new_root.key.public_key(),
                                    .common_name = "my_second_root_CA"},
                                   &pki.root.certificate, pki.root.key, support::test_time());
    const auto leaf = *pki::issue({.profile = pki::Profile::device, .key = csr.key, .common_name = "d"},
                                  &new_root.certificate, new_root.key, support::test_time());
    const pki::TrustBundle trust({pki.root.certificate});
    const auto issued =
        est::check_issued({leaf}, {new_root.certificate, cross, pki.root.certificate},
                          est::wanted(csr, false, pki::Purpose::client), trust, support::test_time());
    ASSERT_TRUE(issued) << issued.error().text();
    EXPECT_EQ(issued->chain, (pki::Chain{leaf, cross}));
}

}  // namespace
