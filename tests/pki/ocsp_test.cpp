// SPDX-License-Identifier: Apache-2.0
#include "pki/ocsp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/certificates.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using support::Identity;
using support::make_identity;
using support::TestPki;
using testing::HasSubstr;
using Status = pki::OcspAnswer::Status;

// openssl ocsp judges by the clock of the machine.
base::Instant now() {
    return base::system_clock().now();
}

class Ocsp : public testing::Test {
  protected:
    Ocsp() {
        write("ca.pem", ca_.certificate.pem() + root_.certificate.pem());
        write("device.pem", device_.certificate.pem());
    }
    std::string in(const std::string& name) const { return (directory_.path() / name).string(); }
    void write(const std::string& name, const std::string& text) const {
        ASSERT_TRUE(base::write_atomically(in(name), text, base::public_mode));
    }
    /// The request that openssl makes.
    pki::OcspRequest asked(std::vector<std::string> options = {}) const {
        std::vector<std::string> command{"openssl", "ocsp", "-reqout", in("request.der")};
        command.insert(command.end(), options.begin(), options.end());
        for (const auto* each : {"-issuer", "ca", "-cert", "device"})
            command.push_back(each[0] == '-' ? each : in(std::string(each) + ".pem"));
        const auto made = support::run(command, {});
        EXPECT_EQ(made.exit_code, 0) << made.err;
        const auto request = pki::read_ocsp_request(base::as_bytes(der()));
        EXPECT_TRUE(request) << request.error().text();
        return *request;
    }
    std::string der() const { return *base::read_file(in("request.der"), "request"); }
    /// What openssl says to the answer, and to our signature.
    std::string judged(const pki::OcspRequest& request, const pki::OcspAnswer& answer,
                       const std::string& hash = "-sha1") const {
        const std::vector answers(request.ids.size(), answer);
        const auto at = now();
        const auto response = pki::make_ocsp_response({.responder = responder_.certificate,
                                                       .key = responder_.key,
                                                       .produced_at = at,
                                                       .this_update = at,
                                                       .next_update = at + 1h,
                                                       .ids = request.ids,
                                                       .answers = answers,
                                                       .nonce = request.nonce});
        EXPECT_TRUE(response);
        write("response.der", std::string(base::as_text(*response)));
        // Without -no_nonce openssl would put another one into the request that it reads.
        const auto shown = support::run(
            {"openssl", "ocsp", "-no_nonce", "-respin", in("response.der"), "-reqin", in("request.der"),
             "-issuer", in("ca.pem"), hash, "-cert", in("device.pem"), "-CAfile", in("ca.pem")},
            {});
        return shown.out + shown.err;
    }

    support::TemporaryDirectory directory_;
    Identity root_ = make_identity({.profile = pki::Profile::root, .common_name = "root", .now = now()});
    Identity ca_ =
        make_identity({.profile = pki::Profile::intermediate, .common_name = "ca", .now = now()}, &root_);
    Identity device_ = make_identity({.common_name = "sensor", .now = now()}, &ca_);
    Identity responder_ =
        make_identity({.profile = pki::Profile::ocsp, .common_name = "ocsp", .now = now()}, &ca_);
};

TEST_F(Ocsp, AnswersOfEachKindAreWhatOpensslReads) {
    const auto request = asked();
    ASSERT_EQ(request.ids.size(), 1U);
    EXPECT_EQ(request.ids[0].serial, pki::Serial::of(device_.certificate));
    EXPECT_TRUE(pki::OcspIssuer(ca_.certificate).is_named_by(request.ids[0]));
    EXPECT_FALSE(pki::OcspIssuer(root_.certificate).is_named_by(request.ids[0]));
    ASSERT_TRUE(request.nonce);

    const auto good = judged(request, {.status = Status::good});
    EXPECT_THAT(good, HasSubstr("Response verify OK"));
    EXPECT_THAT(good, HasSubstr("device.pem: good"));
    const auto revoked = judged(request, {.status = Status::revoked, .revoked_at = now() - 1h, .reason = 1});
    EXPECT_THAT(revoked, HasSubstr("Response verify OK"));
    EXPECT_THAT(revoked, HasSubstr("device.pem: revoked"));
    EXPECT_THAT(revoked, HasSubstr("Reason: keyCompromise"));
    const auto unknown = judged(request, {.status = Status::unknown});
    EXPECT_THAT(unknown, HasSubstr("device.pem: unknown"));
    // openssl warns where the nonce of the request is not in the answer.
    EXPECT_THAT(good, testing::Not(HasSubstr("nonce")));
}

TEST_F(Ocsp, EveryHashNamesTheIssuer) {
    const pki::OcspIssuer issuer(ca_.certificate);
    for (const auto* hash : {"-sha1", "-sha256", "-sha384", "-sha512"}) {
        const auto request = asked({hash, "-no_nonce"});
        EXPECT_FALSE(request.nonce);
        EXPECT_TRUE(issuer.is_named_by(request.ids.at(0))) << hash;
        EXPECT_THAT(judged(request, {.status = Status::good}, hash), HasSubstr("device.pem: good")) << hash;
    }
    EXPECT_FALSE(issuer.is_named_by(asked({"-md5"}).ids.at(0)));
}

TEST_F(Ocsp, PathOfAGetGivesTheRequestHoweverItIsWritten) {
    asked();
    const auto bytes = der();
    const auto base64 = base::to_base64(base::as_bytes(bytes));
    const auto read = [](const std::string& path) {
        const auto got = pki::ocsp_request_of_path(path);
        return got ? std::string(base::as_text(*got)) : "nothing";
    };
    EXPECT_EQ(read(base::percent_encode(base64)), bytes);
    EXPECT_EQ(read(base64), bytes);
    std::string of_urls = base64;
    for (char& c : of_urls) c = c == '+' ? '-' : c == '/' ? '_' : c;
    EXPECT_EQ(read(of_urls), bytes);
    while (of_urls.ends_with('=')) of_urls.pop_back();
    EXPECT_EQ(read(of_urls), bytes);
    EXPECT_EQ(read("%zz"), "nothing");
    EXPECT_EQ(read("a b"), "nothing");
    // Two slashes are two characters of base64.
    EXPECT_EQ(read("//"
                   "8="),
              std::string("\xff\xff", 2));
}

TEST_F(Ocsp, RequestsThatBreakTheRulesAreMalformed) {
    asked();
    const auto bytes = der();
    const auto refused = [](const std::string& text) {
        const auto read = pki::read_ocsp_request(base::as_bytes(text));
        return !read && read.error().code == base::Code::malformed;
    };
    EXPECT_FALSE(refused(bytes));
    EXPECT_TRUE(refused(bytes + "x"));
    EXPECT_TRUE(refused(bytes.substr(1)));
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused(std::string("\x30\x04\x30\x02\x30\x00", 6)));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_TRUE(refused(bytes.substr(0, cut))) << cut;
}

std::string tlv(int tag, const std::string& content) {
    std::string out(1, static_cast<char>(tag));
    if (content.size() < 0x80) {
        out += static_cast<char>(content.size());
    } else if (content.size() < 0x100) {
        out += '\x81';
        out += static_cast<char>(content.size());
    } else {
        out += '\x82';
        out += static_cast<char>(content.size() >> 8);
        out += static_cast<char>(content.size() & 0xff);
    }
    return out + content;
}

std::string request_with(int count, const std::optional<std::string>& nonce, bool critical_unknown = false) {
    const auto id =
        tlv(0x30, tlv(0x30, std::string("\x06\x05\x2b\x0e\x03\x02\x1a", 7)) + tlv(4, std::string(20, 'n')) +
                      tlv(4, std::string(20, 'k')) + tlv(2, "\x05"));
    std::string list;
    for (int i = 0; i < count; ++i) list += tlv(0x30, id);
    std::string extensions;
    if (nonce) extensions += tlv(0x30, tlv(6, "\x2b\x06\x01\x05\x05\x07\x30\x01\x02") + tlv(4, *nonce));
    if (critical_unknown) extensions += tlv(0x30, tlv(6, "\x2a\x03") + tlv(1, "\xff") + tlv(4, "x"));
    const auto tail = extensions.empty() ? "" : tlv(0xa2, tlv(0x30, extensions));
    return tlv(0x30, tlv(0x30, tlv(0x30, list) + tail));
}

TEST(OcspRequest, LimitsOfListAndNonceHold) {
    const auto read = [](const std::string& der) { return pki::read_ocsp_request(base::as_bytes(der)); };
    EXPECT_TRUE(read(request_with(1, {})));
    EXPECT_TRUE(read(request_with(100, {})));
    EXPECT_FALSE(read(request_with(101, {})));
    EXPECT_FALSE(read(request_with(0, {})));
    EXPECT_TRUE(read(request_with(1, tlv(4, std::string(128, 'x')))));
    EXPECT_FALSE(read(request_with(1, tlv(4, std::string(129, 'x')))));
    EXPECT_FALSE(read(request_with(1, tlv(4, ""))));
    EXPECT_FALSE(read(request_with(1, "")));
    EXPECT_FALSE(read(request_with(1, {}, true)));
    // As old clients send it: bare octets, repeated as they stand.
    const auto bare = read(request_with(1, "bare octets"));
    ASSERT_TRUE(bare);
    EXPECT_EQ(base::as_text(*bare->nonce), "bare octets");
}

TEST(OcspRefusal, IsAStatusAlone) {
    EXPECT_EQ(base::to_hex(pki::ocsp_refusal(pki::OcspRefusal::unauthorized)), "30030a0106");
    EXPECT_EQ(base::to_hex(pki::ocsp_refusal(pki::OcspRefusal::malformed_request)), "30030a0101");
}

}  // namespace
