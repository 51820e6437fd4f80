// SPDX-License-Identifier: Apache-2.0
#include "gateway_fixture.hpp"
#include "support/crl_server.hpp"

namespace gateway_test {
namespace {

class GatewayRevocation : public Gateway {
  protected:
    void SetUp() override {
        Gateway::SetUp();
        for (const auto* id : {"Good", "Bad"}) {
            auto record = records::leaf(id, "EdgeGateway");
            record.authentication = {};
            record.authentication.type = trust::AuthType::certificate_authority;
            state_.put(record);
        }
        // The gateway knows the root alone; the CRL tells where its issuer's certificate is.
        state_.put_certificates({{"root", root_.certificate}});
        server_.put("/ca.crt", intermediate_.certificate.der());
        urls_ = {server_.url()};
        revoke({});
        start_gateway();
        let_pull();
    }
    void revoke(std::vector<pki::Certificate> revoked) {
        server_.publish(intermediate_, {.revoked = std::move(revoked),
                                        .number = ++number_,
                                        .at = clock_.now(),
                                        .ca_issuers_url = server_.url("/ca.crt")});
    }
    void let_pull() {
        for (int i = 0; i < 2; ++i) {
            const auto before = server_.requests();
            clock_.move(seconds(61));
            ASSERT_TRUE(server_.await_requests(before + 1));
        }
    }

    support::CrlServer server_;
    std::uint64_t number_ = 0;
    support::Identity good_ = identity_of(pki::Profile::device, "Good", &intermediate_);
    support::Identity bad_ = identity_of(pki::Profile::device, "Bad", &intermediate_);
};

TEST_F(GatewayRevocation, RevokedDeviceIsCutOffWithinAMinute) {
    auto session = stay_connected(client_options("Bad", &bad_, ""));
    ASSERT_TRUE(send("Good", &good_, {"1"}).accepted());
    revoke({bad_.certificate});
    clock_.move(seconds(61));
    const auto ended = session.get();
    ASSERT_TRUE(ended) << ended.error().text();
    EXPECT_FALSE(send("Bad", &bad_, {}).accepted());
    EXPECT_TRUE(send("Good", &good_, {"2"}).accepted());
}

TEST_F(GatewayRevocation, WithoutHubAndCaItRefusesWhomItKnewAcrossARestart) {
    revoke({bad_.certificate});
    let_pull();
    ASSERT_FALSE(send("Bad", &bad_, {}).accepted());
    ASSERT_TRUE(send("Good", &good_, {}).accepted());
    server_.fail(503);
    hub_.reset();
    stop_gateway();
    start_gateway();
    EXPECT_FALSE(send("Bad", &bad_, {}).accepted());
    EXPECT_TRUE(send("Good", &good_, {}).accepted());
}

TEST_F(GatewayRevocation, CrlOverItsLimitKeepsNewcomersOutAndEndsNobody) {
    stop_gateway();
    crl_max_age_ = std::chrono::hours(48);
    start_gateway();
    let_pull();
    auto session = stay_connected(client_options("Good", &good_, ""));
    server_.fail(503);
    clock_.move(std::chrono::hours(49));
    EXPECT_FALSE(send("Bad", &bad_, {}).accepted());
    EXPECT_EQ(session.wait_for(seconds(0)), std::future_status::timeout);
    stop_gateway();
    session.get();
}

}  // namespace
}  // namespace gateway_test
