// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "base/file.hpp"
#include "ca/layout.hpp"
#include "ca/plain_http.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"
#include "support/certificates.hpp"
#include "support/loops.hpp"
#include "support/process.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using support::Identity;
using testing::HasSubstr;
using testing::Not;

base::Instant now() {
    return base::system_clock().now();
}

/// The books of a CA in memory.
class Books final : public ca::CrlBooks {
  public:
    Books() {
        authorities_ = {{"issuing CA", ca_.certificate}, {"root", root_.certificate}};
        http_.public_url = "http://ca.local:9080";
    }
    const std::vector<Authority>& authorities() const override { return authorities_; }
    const pki::PrivateKey& key() const override { return ca_.key; }
    const ca::HttpConfig& http() const override { return http_; }
    std::vector<ca::Ledger::Revoked> revoked(const std::string& issuer) const override {
        const std::lock_guard lock(mutex_);
        std::vector<ca::Ledger::Revoked> all;
        for (const auto& [serial, known] : known_)
            if (known.issuer == issuer && known.revocation) all.push_back({serial, *known.revocation});
        return all;
    }
    base::Result<std::uint64_t> next_crl_number(const std::string&) override {
        const std::lock_guard lock(mutex_);
        return ++number_;
    }
    std::optional<Known> find(const std::string& serial) const override {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(serial);
        return found == known_.end() ? std::nullopt : std::optional(found->second);
    }
    base::Result<pki::Certificate> issue_responder(const pki::PublicKey& key) override {
        {
            const std::lock_guard lock(mutex_);
            ++responders_;
        }
        return pki::issue({.profile = pki::Profile::ocsp, .key = key, .common_name = "OCSP responder"},
                          &ca_.certificate, ca_.key, clock_.now());
    }
    void write(ca::Event event) override {
        const std::lock_guard lock(mutex_);
        events_.push_back(event.kind + ": " + event.detail);
    }
    void on_revoked(std::function<void(const std::string&)> observer) override {
        const std::lock_guard lock(mutex_);
        observer_ = std::move(observer);
    }

    Identity issue(const std::string& name) {
        auto made = support::make_identity({.common_name = name, .now = now()}, &ca_);
        const std::lock_guard lock(mutex_);
        known_[pki::Serial::of(made.certificate)->hex()] = {"issuing CA", {}};
        return made;
    }
    void revoke(const pki::Certificate& certificate, ca::Reason reason) {
        const auto serial = pki::Serial::of(certificate)->hex();
        std::function<void(const std::string&)> told;
        {
            const std::lock_guard lock(mutex_);
            known_[serial].revocation = ca::Revocation{clock_.now(), reason};
            told = observer_;
        }
        if (told) told(serial);
    }
    int responders() const { return responders_; }
    std::vector<std::string> events() const {
        const std::lock_guard lock(mutex_);
        return events_;
    }

    support::SettableClock clock_;
    Identity root_ =
        support::make_identity({.profile = pki::Profile::root, .common_name = "root", .now = now()});
    Identity ca_ = support::make_identity(
        {.profile = pki::Profile::intermediate, .common_name = "issuing CA", .now = now()}, &root_);

  private:
    mutable std::mutex mutex_;
    std::vector<Authority> authorities_;
    ca::HttpConfig http_;
    std::map<std::string, Known> known_;
    std::uint64_t number_ = 0;
    int responders_ = 0;
    std::vector<std::string> events_;
    std::function<void(const std::string&)> observer_;
};

/// A CA's plain listener on a free port, asked by openssl.
class CaRevocation : public testing::Test {
  protected:
    CaRevocation() {
        EXPECT_TRUE(base::make_private_directories(ca::key_directory(data())));
        EXPECT_TRUE(base::make_private_directories(ca::certificate_directory(data())));
        const auto pem = books().root_.key.pem();
        EXPECT_TRUE(base::write_atomically(ca::key_file(data(), "root"), pem->text(), base::secret_mode));
        write("ca.pem", books().ca_.certificate.pem());
        write("chain.pem", books().ca_.certificate.pem() + books().root_.certificate.pem());
        write("root.pem", books().root_.certificate.pem());
        open();
    }
    ~CaRevocation() override { close(); }

    void open() {
        auto opened = ca::PlainHttp::open(std::move(next_), data(), clock());
        ASSERT_TRUE(opened) << opened.error().text();
        plain_ = *std::move(opened);
        http::Handler handler = [this](http::Request request, const net::Peer&) {
            return handle(std::move(request));
        };
        http::ErrorBody error = [](int status, std::string_view) { return http::Response::empty(status); };
        serving_ = std::make_unique<support::ServingLoops>();
        auto listening = net::PlainListener::open(serving_->loops(), "127.0.0.1", 0,
                                                  http::serve(std::move(handler), std::move(error)));
        ASSERT_TRUE(listening);
        listener_ = *std::move(listening);
    }
    void close() {
        listener_.reset();
        serving_.reset();
        plain_.reset();
    }
    net::Task<http::Response> handle(http::Request request) {
        auto answer = plain_->answer(request);
        co_return answer ? *std::move(answer) : http::Response::empty(404);
    }

    std::filesystem::path data() const { return directory_.path(); }
    std::string in(const std::string& name) const { return (directory_.path() / name).string(); }
    void write(const std::string& name, std::string_view text) const {
        ASSERT_TRUE(base::write_atomically(in(name), text, base::public_mode));
    }
    Books& books() { return *books_; }
    const base::Clock& clock() { return books_->clock_; }
    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(listener_->port()) + path;
    }

    http::Response ask(http::Verb verb, const std::string& target, const std::string& body = "",
                       std::vector<std::pair<std::string, std::string>> headers = {}) {
        http::Request request;
        request.verb = verb;
        request.raw_target = target;
        request.body = body;
        for (const auto& [name, value] : headers) request.headers.add(name, value);
        auto answer = plain_->answer(request);
        return answer ? *std::move(answer) : http::Response::empty(404);
    }
    http::Response post_ocsp(const std::string& body) {
        return ask(http::Verb::post, "/ocsp", body, {{"Content-Type", "application/ocsp-request"}});
    }
    /// What openssl ocsp asks and reads, over the wire.
    std::string ocsp(const pki::Certificate& certificate, std::vector<std::string> options = {}) {
        write("asked.pem", certificate.pem());
        std::vector<std::string> command{"openssl", "ocsp",         "-url",    url("/ocsp"),
                                         "-CAfile", in("root.pem"), "-issuer", in("ca.pem")};
        command.insert(command.end(), options.begin(), options.end());
        command.insert(command.end(), {"-cert", in("asked.pem"), "-verify_other", in("ca.pem")});
        const auto shown = support::run(command, {});
        return shown.out + shown.err;
    }
    /// Waits until the CRL names the certificate.
    bool in_crl(const pki::Certificate& certificate) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        const auto serial = *pki::Serial::of(certificate);
        while (std::chrono::steady_clock::now() < end) {
            if (plain_->publisher().current("issuing CA")->crl.find(serial) != nullptr) return true;
            std::this_thread::yield();
        }
        return false;
    }
    std::string crl_pem(const std::string& name) {
        return ask(http::Verb::get, "/crl/" + base::percent_encode(name) + ".pem").body;
    }

    support::TemporaryDirectory directory_;
    std::unique_ptr<Books> next_ = std::make_unique<Books>();
    Books* books_ = next_.get();
    std::unique_ptr<ca::PlainHttp> plain_;
    std::unique_ptr<support::ServingLoops> serving_;
    std::unique_ptr<net::PlainListener> listener_;
};

TEST_F(CaRevocation, CrlsOfTheWholeChainLetOpensslCheckEveryCertificate) {
    const auto device = books().issue("sensor");
    write("device.pem", device.certificate.pem());
    const auto verify = [&] {
        write("crls.pem", crl_pem("issuing CA") + crl_pem("root"));
        const auto shown =
            support::run({"openssl", "verify", "-crl_check_all", "-CAfile", in("root.pem"), "-untrusted",
                          in("ca.pem"), "-CRLfile", in("crls.pem"), in("device.pem")},
                         {});
        return shown.out + shown.err;
    };
    EXPECT_THAT(verify(), HasSubstr("device.pem: OK"));
    const auto checked = support::run({"openssl", "crl", "-noout", "-verify", "-CAfile", in("ca.pem")},
                                      {.input = crl_pem("issuing CA")});
    EXPECT_THAT(checked.err, HasSubstr("verify OK"));
    books().revoke(device.certificate, ca::Reason::key_compromise);
    ASSERT_TRUE(in_crl(device.certificate));
    EXPECT_THAT(verify(), HasSubstr("certificate revoked"));
    EXPECT_THAT(books().events(), testing::Contains("crl: number 3, 1 revoked"));
}

TEST_F(CaRevocation, CrlNumbersGrowAcrossRestartsAndWhatIsPublishedStays) {
    const auto first = plain_->publisher().current("issuing CA")->crl;
    ASSERT_TRUE(plain_->publisher().publish());
    const auto second = plain_->publisher().current("issuing CA")->crl;
    EXPECT_TRUE(second.supersedes(first));
    EXPECT_EQ(*base::read_file(ca::crl_directory(data()) / "issuing CA.crl", "CRL"),
              base::as_text(second.der()));
    EXPECT_EQ(second.next_update(), second.this_update() + std::chrono::days(7));
    const auto root = plain_->publisher().current("root")->crl;
    EXPECT_EQ(root.next_update(), root.this_update() + std::chrono::days(365));
    EXPECT_EQ(second.ca_issuers_url(), "http://ca.local:9080/ca/issuing%20CA.crt");
}

TEST_F(CaRevocation, CrlIsServedWithWhatCachesNeed) {
    const auto answer = ask(http::Verb::get, "/crl/issuing%20CA.crl");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("content-type"), "application/pkix-crl");
    EXPECT_EQ(answer.headers.get("cache-control"), "max-age=3600");
    EXPECT_TRUE(answer.headers.get("expires"));
    ASSERT_TRUE(answer.headers.get("last-modified"));
    const auto etag = std::string(*answer.headers.get("etag"));
    EXPECT_TRUE(pki::Crl::from_der(base::as_bytes(answer.body)));
    const auto again = [&](const std::string& name, const std::string& value) {
        return ask(http::Verb::get, "/crl/issuing%20CA.crl", "", {{name, value}}).status;
    };
    EXPECT_EQ(again("If-None-Match", etag), 304);
    EXPECT_EQ(again("If-None-Match", "\"other\", W/" + etag), 304);
    EXPECT_EQ(again("If-None-Match", "\"other\""), 200);
    EXPECT_EQ(again("If-Modified-Since", std::string(*answer.headers.get("last-modified"))), 304);
    EXPECT_EQ(ask(http::Verb::get, "/crl/nobody.crl").status, 404);
    EXPECT_EQ(ask(http::Verb::get, "/crl/..%2Fca.toml.crl").status, 404);
    EXPECT_EQ(ask(http::Verb::post, "/crl/issuing%20CA.crl").status, 405);
    const auto certificate = ask(http::Verb::get, "/ca/issuing%20CA.crt");
    EXPECT_EQ(certificate.headers.get("content-type"), "application/pkix-cert");
    EXPECT_EQ(certificate.body, base::as_text(books().ca_.certificate.der()));
    EXPECT_EQ(ask(http::Verb::get, "/elsewhere").status, 404);
}

TEST_F(CaRevocation, OpensslOcspGetsEachAnswer) {
    const auto device = books().issue("sensor");
    const auto stranger = support::make_identity({.common_name = "stranger", .now = now()}, &books().ca_);
    for (const auto* hash : {"-sha1", "-sha256"}) {
        const auto good = ocsp(device.certificate, {hash});
        EXPECT_THAT(good, HasSubstr("Response verify OK"));
        EXPECT_THAT(good, HasSubstr("asked.pem: good"));
        EXPECT_THAT(good, Not(HasSubstr("nonce"))) << "the nonce is repeated";
        EXPECT_THAT(ocsp(stranger.certificate, {hash}), HasSubstr("asked.pem: unknown"));
    }
    EXPECT_THAT(ocsp(device.certificate, {"-no_nonce"}), HasSubstr("asked.pem: good"));
    books().revoke(device.certificate, ca::Reason::key_compromise);
    const auto revoked = ocsp(device.certificate, {"-no_nonce"});
    EXPECT_THAT(revoked, HasSubstr("Response verify OK"));
    EXPECT_THAT(revoked, HasSubstr("asked.pem: revoked"));
    EXPECT_THAT(revoked, HasSubstr("Reason: keyCompromise"));
    const auto foreign = support::run(
        {"openssl", "ocsp", "-url", url("/ocsp"), "-issuer", in("root.pem"), "-cert", in("asked.pem")}, {});
    EXPECT_THAT(foreign.out + foreign.err, HasSubstr("unauthorized"));
}

TEST_F(CaRevocation, OcspByGetIsWhatOcspByPostIsAndMayBeCached) {
    const auto device = books().issue("sensor");
    write("device.pem", device.certificate.pem());
    const auto request = [&](std::vector<std::string> options) {
        std::vector<std::string> command{"openssl",         "ocsp",    "-reqout",
                                         in("request.der"), "-issuer", in("ca.pem")};
        command.insert(command.end(), options.begin(), options.end());
        command.insert(command.end(), {"-cert", in("device.pem")});
        EXPECT_EQ(support::run(command, {}).exit_code, 0);
        return *base::read_file(in("request.der"), "request");
    };
    const auto plain = request({"-no_nonce"});
    const auto posted = post_ocsp(plain);
    EXPECT_EQ(posted.status, 200);
    EXPECT_EQ(posted.headers.get("content-type"), "application/ocsp-response");
    EXPECT_EQ(posted.headers.get("cache-control"), "no-store");
    const auto base64 = base::to_base64(base::as_bytes(plain));
    const auto got = ask(http::Verb::get, "/ocsp/" + base::percent_encode(base64));
    EXPECT_EQ(got.body, posted.body) << "signed once";
    EXPECT_THAT(std::string(*got.headers.get("cache-control")),
                HasSubstr("public, no-transform, must-revalidate"));
    EXPECT_EQ(ask(http::Verb::get, "/ocsp/" + base64).body, posted.body);
    // Over the wire, where the path has slashes of its own.
    const auto wire = support::run({"curl", "-sS", "-o", in("response.der"), url("/ocsp/" + base64)}, {});
    ASSERT_EQ(wire.exit_code, 0) << wire.err;
    const auto shown = support::run(
        {"openssl", "ocsp", "-respin", in("response.der"), "-issuer", in("ca.pem"), "-cert", in("device.pem"),
         "-CAfile", in("root.pem"), "-verify_other", in("ca.pem"), "-no_nonce"},
        {});
    EXPECT_THAT(shown.out + shown.err, HasSubstr("device.pem: good"));

    const auto with_nonce = base::to_base64(base::as_bytes(request({})));
    const auto fresh = ask(http::Verb::get, "/ocsp/" + base::percent_encode(with_nonce));
    EXPECT_EQ(fresh.headers.get("cache-control"), "no-store");
    EXPECT_NE(fresh.body, posted.body);

    books().revoke(device.certificate, ca::Reason::superseded);
    EXPECT_NE(ask(http::Verb::get, "/ocsp/" + base64).body, posted.body) << "nothing outlives a revocation";
}

TEST_F(CaRevocation, OcspRefusalsAreStatusesAndHttpErrorsAreForHttp) {
    const auto malformed = base::to_hex(pki::ocsp_refusal(pki::OcspRefusal::malformed_request));
    const auto hex = [](const http::Response& response) {
        return base::to_hex(base::as_bytes(response.body));
    };
    EXPECT_EQ(hex(post_ocsp("")), malformed);
    EXPECT_EQ(hex(post_ocsp("0")), malformed);
    EXPECT_EQ(hex(ask(http::Verb::get, "/ocsp/")), malformed);
    EXPECT_EQ(hex(ask(http::Verb::get, "/ocsp/%zz")), malformed);
    EXPECT_EQ(post_ocsp("x").status, 200);
    EXPECT_EQ(post_ocsp(std::string(65 * 1024, 'x')).status, 413);
    EXPECT_EQ(ask(http::Verb::get, "/ocsp/" + std::string(5000, 'A')).status, 413);
    EXPECT_EQ(ask(http::Verb::post, "/ocsp", "x", {{"Content-Type", "text/plain"}}).status, 415);
    EXPECT_EQ(ask(http::Verb::put, "/ocsp", "x").status, 405);
}

TEST_F(CaRevocation, ResponderIsKeptAndRenewedAtTwoThirds) {
    EXPECT_EQ(books().responders(), 1);
    books().clock_.move(std::chrono::days(9));
    EXPECT_TRUE(plain_->responder().renew_if_due());
    EXPECT_EQ(books().responders(), 1);
    books().clock_.move(std::chrono::days(1));
    EXPECT_TRUE(plain_->responder().renew_if_due());
    EXPECT_EQ(books().responders(), 2);
    const auto again = ca::OcspResponder::open(
        books(), {ca::key_file(data(), "ocsp-responder"), ca::certificate_file(data(), "ocsp-responder")},
        clock());
    ASSERT_TRUE(again);
    EXPECT_EQ(books().responders(), 2) << "what lies on disk is used";
}

TEST(CrlTable, MillionRevokedIsACrlOf49OctetsEach) {
    const auto now_ = now();
    const auto ca = support::make_identity({.profile = pki::Profile::root, .common_name = "ca", .now = now_});
    constexpr std::size_t count = 1'000'000;
    std::vector<pki::RevokedSerial> table;
    table.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        char hex[33];
        std::snprintf(hex, sizeof hex, "4%031zx", i);
        table.push_back({*pki::Serial::from_hex(hex), 1, now_});
    }
    const auto der = pki::make_crl({.issuer = ca.certificate,
                                    .key = ca.key,
                                    .number = 1,
                                    .this_update = now_,
                                    .next_update = now_ + 1h,
                                    .revoked = table});
    ASSERT_TRUE(der);
    EXPECT_LT(der->size(), count * 49 + 1024);
    const auto crl = pki::Crl::from_der(*der);
    ASSERT_TRUE(crl);
    EXPECT_EQ(crl->size(), count);
    EXPECT_TRUE(crl->check_issuer(ca.certificate));
    EXPECT_NE(crl->find(table[count / 2].serial), nullptr);
    const support::TemporaryDirectory directory;
    const auto file = (directory.path() / "big.crl").string();
    ASSERT_TRUE(base::write_atomically(file, *der, base::public_mode));
    ASSERT_TRUE(base::write_atomically((directory.path() / "ca.pem").string(), ca.certificate.pem(),
                                       base::public_mode));
    const auto shown = support::run({"openssl", "crl", "-inform", "DER", "-in", file, "-noout", "-verify",
                                     "-CAfile", (directory.path() / "ca.pem").string()},
                                    {.limit = std::chrono::minutes(2)});
    EXPECT_THAT(shown.err, HasSubstr("verify OK"));
}

}  // namespace
