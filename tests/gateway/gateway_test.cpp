// SPDX-License-Identifier: Apache-2.0
#include "gateway_fixture.hpp"
#include "net/connect.hpp"

namespace {

using namespace gateway_test;

TEST_F(Gateway, TelemetryOfAThumbprintDeviceArrivesAttributedToIt) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    const auto outcome = send("TempSensor", &sensor, {"1", "2", "3"}, "",
                              "devices/TempSensor/messages/events/%24.ct=application%2Fjson&alert=yes");
    ASSERT_TRUE(outcome.accepted()) << outcome.refused->text();
    for (const auto& done : outcome.published) EXPECT_TRUE(done) << done.error().text();
    EXPECT_EQ(state_.payloads("TempSensor", 3), (std::vector<std::string>{"1", "2", "3"}));
    const std::lock_guard lock(state_.mutex);
    EXPECT_NE(state_.received.front().topic.find("alert=yes"), std::string::npos);
    EXPECT_NE(state_.received.front().topic.find("application%2Fjson"), std::string::npos);
}

TEST_F(Gateway, CertificateHasItsNameAndAnotherNameIsRefusedByTheClient) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    EXPECT_EQ(workload_->certificates_issued(), 1);
    auto options = client_options("TempSensor", &sensor, "");
    options.target.name = "gateway.example";
    const auto outcome = net::run_task_for(play(std::move(options), {}, ""));
    EXPECT_FALSE(outcome.accepted());
    EXPECT_FALSE(outcome.server.accepted());
}

TEST_F(Gateway, SasTokenAndCaCertificateAuthenticateToo) {
    const auto key = base::to_base64(pki::random_bytes(32));
    state_.put(records::leaf("Sas", "EdgeGateway", key));
    auto by_ca = records::leaf("Ca", "EdgeGateway");
    by_ca.authentication = {};
    by_ca.authentication.type = trust::AuthType::certificate_authority;
    state_.put(by_ca);
    state_.put_certificates({{"root", root_.certificate}});
    start_gateway();
    const auto token = trust::make_sas_token("ContosoIotHub/devices/Sas", key, now() + std::chrono::hours(1));
    EXPECT_TRUE(send("Sas", nullptr, {"s"}, *token).accepted());
    const auto wrong = trust::make_sas_token(
        "ContosoIotHub/devices/Sas", base::to_base64(pki::random_bytes(32)), now() + std::chrono::hours(1));
    EXPECT_FALSE(send("Sas", nullptr, {}, *wrong).accepted());
    const auto right = identity_of(pki::Profile::device, "Ca", &intermediate_);
    EXPECT_TRUE(send("Ca", &right, {"c"}).accepted());
    const auto other = identity_of(pki::Profile::device, "Other", &intermediate_);
    EXPECT_FALSE(send("Ca", &other, {}).accepted());
    EXPECT_EQ(state_.payloads("Sas", 1).size(), 1u);
    EXPECT_EQ(state_.payloads("Ca", 1).size(), 1u);
    // The CA goes away at the hub.
    state_.put_certificates({});
    EXPECT_TRUE(until(false, "Ca", &right));
}

TEST_F(Gateway, WithoutItsHubItKnowsItsDevicesAndKeepsTheirMessagesAcrossARestart) {
    const auto sensor = add_thumbprint_device("TempSensor");
    const auto stranger = identity_of(pki::Profile::device, "Stranger", &intermediate_);
    start_gateway();
    ASSERT_TRUE(send("TempSensor", &sensor, {"0"}).accepted());
    ASSERT_EQ(state_.payloads("TempSensor", 1).size(), 1u);
    hub_.reset();
    ASSERT_TRUE(send("TempSensor", &sensor, {"1", "2", "3"}).accepted());
    stop_gateway();
    start_gateway();
    ASSERT_TRUE(send("TempSensor", &sensor, {"4", "5"}).accepted());
    const auto refused = send("Stranger", &stranger, {});
    ASSERT_FALSE(refused.accepted());
    EXPECT_EQ(refused.refused->code, base::Code::unauthenticated);
    start_hub();
    auto arrived = state_.payloads("TempSensor", 6);
    // At-least-once: what was on its way when the hub went may have come twice, in a row.
    arrived.erase(std::unique(arrived.begin(), arrived.end()), arrived.end());
    EXPECT_EQ(arrived, (std::vector<std::string>{"0", "1", "2", "3", "4", "5"}));
}

TEST_F(Gateway, ModuleThatTheHubMadeAnewGoesOnWithoutARestartAndKeepsItsScope) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    ASSERT_TRUE(send("TempSensor", &sensor, {"before"}).accepted());
    ASSERT_EQ(state_.payloads("TempSensor", 1).size(), 1u);
    hub_.reset();
    register_module_anew("639000000000000002");
    start_hub();
    ASSERT_TRUE(send("TempSensor", &sensor, {"after"}).accepted());
    EXPECT_EQ(state_.payloads("TempSensor", 2), (std::vector<std::string>{"before", "after"}));
    while (workload_->encryptions() < 2) std::this_thread::sleep_for(milliseconds(5));
    ASSERT_TRUE(send("TempSensor", &sensor, {"wrapped"}).accepted());
    stop_gateway();
    hub_.reset();
    start_gateway();
    EXPECT_TRUE(send("TempSensor", &sensor, {"offline"}).accepted());
}

TEST_F(Gateway, StoredScopeIsUselessToAnotherMasterKey) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    stop_gateway();
    hub_.reset();
    workload_.reset();
    master_ = pki::random_secret(32);
    start_workload();
    start_gateway();
    EXPECT_FALSE(send("TempSensor", &sensor, {}).accepted());
}

TEST_F(Gateway, DeviceThatIsAdoptedIsLetInAndOneThatIsDisabledIsNot) {
    start_gateway();
    const auto key = base::to_base64(pki::random_bytes(32));
    const auto token =
        *trust::make_sas_token("ContosoIotHub/devices/New", key, now() + std::chrono::hours(1));
    ASSERT_FALSE(send("New", nullptr, {}, token).accepted());
    auto record = records::leaf("New", "EdgeGateway", key);
    state_.put(record);
    ASSERT_TRUE(until(true, "New", nullptr, token));
    record.status = trust::Enablement::disabled;
    state_.put(record);
    ASSERT_TRUE(until(false, "New", nullptr, token));
    record.status = trust::Enablement::enabled;
    state_.put(record);
    ASSERT_TRUE(until(true, "New", nullptr, token));
    state_.remove({"New", ""});
    ASSERT_TRUE(until(false, "New", nullptr, token));
}

TEST_F(Gateway, DisabledEdgeDeviceBelowCostsNobodyElseAndBringsItsChildrenWhenItIsEnabled) {
    const auto sensor = add_thumbprint_device("TempSensor");
    const auto key = base::to_base64(pki::random_bytes(32));
    const auto token =
        *trust::make_sas_token("ContosoIotHub/devices/Deep", key, now() + std::chrono::hours(1));
    auto below = records::edge("Below", {"EdgeGateway"});
    below.status = trust::Enablement::disabled;
    state_.put(below);
    state_.put(records::leaf("Deep", "Below", key));
    state_.unanswered_lookups = {"TempSensor", "Deep"};  // so that they come with the listing
    start_gateway();
    EXPECT_TRUE(send("TempSensor", &sensor, {}).accepted());
    EXPECT_FALSE(send("Deep", nullptr, {}, token).accepted());
    below.status = trust::Enablement::enabled;
    state_.put(below);
    EXPECT_TRUE(until(true, "Deep", nullptr, token));
}

TEST_F(Gateway, NewerConnectionOfADeviceDisplacesTheOlder) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    auto older = stay_connected(client_options("TempSensor", &sensor, ""));
    EXPECT_TRUE(send("TempSensor", &sensor, {"newer"}).accepted());
    ASSERT_EQ(older.wait_for(seconds(30)), std::future_status::ready);
    EXPECT_TRUE(older.get());
}

TEST_F(Gateway, RefusalOfItsOwnTokenUnlearnsNobody) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    {
        const std::lock_guard lock(state_.mutex);
        state_.refuse_gateway = true;
    }
    // A change that the gateway hears of but may not fetch, and a credential that makes it ask.
    state_.put(state_.records.at({"TempSensor", ""}));
    const auto stranger = identity_of(pki::Profile::device, "TempSensor", &intermediate_);
    EXPECT_FALSE(send("TempSensor", &stranger, {}).accepted());
    EXPECT_TRUE(send("TempSensor", &sensor, {"kept"}).accepted());
    {
        const std::lock_guard lock(state_.mutex);
        state_.refuse_gateway = false;
    }
    EXPECT_EQ(state_.payloads("TempSensor", 1), std::vector<std::string>{"kept"});
}

TEST_F(Gateway, WorkloadApiThatHangsDoesNotHoldUpARefusal) {
    const auto stranger = identity_of(pki::Profile::device, "Stranger", &intermediate_);
    const auto next = identity_of(pki::Profile::device, "Next", &intermediate_);
    start_gateway();
    workload_->hold_signatures(true);
    {
        const std::lock_guard lock(state_.mutex);
        state_.refuse_gateway = true;
    }
    // Costs the gateway its token, so that the next question needs a new signature first.
    EXPECT_FALSE(send("Stranger", &stranger, {}).accepted());
    auto refused = std::async(std::launch::async, [&] { return send("Next", &next, {}); });
    // Five seconds are promised; the workload API alone would be waited for four times as long.
    EXPECT_EQ(refused.wait_for(seconds(12)), std::future_status::ready);
    EXPECT_FALSE(refused.get().accepted());
    workload_->hold_signatures(false);
}

TEST_F(Gateway, DeviceThatTheHubRefusesDelaysNoOther) {
    const auto bad = add_thumbprint_device("Bad");
    const auto good = add_thumbprint_device("Good");
    {
        const std::lock_guard lock(state_.mutex);
        state_.refused_devices.insert("Bad");
    }
    start_gateway();
    ASSERT_TRUE(send("Bad", &bad, {"b1", "b2"}).accepted());
    ASSERT_TRUE(send("Good", &good, {"g1", "g2"}).accepted());
    EXPECT_EQ(state_.payloads("Good", 2, seconds(10)), (std::vector<std::string>{"g1", "g2"}));
    // Its record is good, so nothing of it is given up.
    {
        const std::lock_guard lock(state_.mutex);
        state_.refused_devices.clear();
    }
    EXPECT_EQ(state_.payloads("Bad", 2), (std::vector<std::string>{"b1", "b2"}));
}

TEST_F(Gateway, MessagesOfADeviceThatTheHubHasDisabledAreDroppedAndTheOthersArrive) {
    const auto gone = add_thumbprint_device("Gone");
    const auto good = add_thumbprint_device("Good");
    start_gateway();
    hub_.reset();
    ASSERT_TRUE(send("Gone", &gone, {"x"}).accepted());
    ASSERT_TRUE(send("Good", &good, {"g"}).accepted());
    auto record = state_.records.at({"Gone", ""});
    record.status = trust::Enablement::disabled;
    state_.put(record);
    start_hub();
    EXPECT_EQ(state_.payloads("Good", 1), std::vector<std::string>{"g"});
    EXPECT_TRUE(state_.payloads("Gone", 1, seconds(1)).empty());
}

TEST_F(Gateway, ForeignTopicEndsTheConnection) {
    const auto sensor = add_thumbprint_device("TempSensor");
    add_thumbprint_device("Victim");
    start_gateway();
    const auto outcome = send("TempSensor", &sensor, {"x"}, "", "devices/Victim/messages/events/");
    ASSERT_TRUE(outcome.accepted());
    ASSERT_EQ(outcome.published.size(), 1u);
    EXPECT_FALSE(outcome.published.front());
    ASSERT_TRUE(send("TempSensor", &sensor, {"own"}).accepted());
    EXPECT_EQ(state_.payloads("TempSensor", 1).size(), 1u);
    EXPECT_TRUE(state_.payloads("Victim", 1, seconds(0)).empty());
}

TEST_F(Gateway, MessageThatNoHubCouldTakeIsRefusedInsteadOfBlockingTheRest) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    // The hub counts "message-id", not "$.mid": seven octets of bag are eleven there.
    const auto outcome = send("TempSensor", &sensor, {std::string(262'137, 'x')}, "",
                              "devices/TempSensor/messages/events/%24.mid=x");
    ASSERT_TRUE(outcome.accepted());
    ASSERT_EQ(outcome.published.size(), 1u);
    EXPECT_FALSE(outcome.published.front());
    ASSERT_TRUE(send("TempSensor", &sensor, {"small"}).accepted());
    EXPECT_EQ(state_.payloads("TempSensor", 1), std::vector<std::string>{"small"});
}

TEST_F(Gateway, ItsOwnIdentitiesDoNotComeInAtTheFrontDoor) {
    start_gateway();
    // The very key of its record, so that nothing but whose identity it is speaks against it.
    const auto token = *trust::make_sas_token("ContosoIotHub/devices/EdgeGateway/modules/$edgeHub",
                                              "bW9kdWxl", now() + std::chrono::hours(1));
    auto options = client_options("EdgeGateway", nullptr, token);
    azure::Claim claim;
    claim.identity = {"EdgeGateway", "$edgeHub"};
    claim.host = "ContosoIotHub";
    options.connect.client_id = "EdgeGateway/$edgeHub";
    options.connect.user_name = azure::make_username(claim);
    const auto outcome = net::run_task_for(play(std::move(options), {}, ""));
    ASSERT_FALSE(outcome.accepted());
    EXPECT_EQ(outcome.refused->code, base::Code::unauthenticated);
    // The gateway's own reason, from the same records.
    const auto cache = gateway::ScopeCache::empty("EdgeGateway")
                           ->with({records::edge("EdgeGateway"), records::module("EdgeGateway", "$edgeHub")});
    const std::vector<std::string> hosts{"ContosoIotHub"};
    const pki::Chain none;
    gateway::Credential credential{claim, "EdgeGateway/$edgeHub", base::SecretBytes(std::string_view(token)),
                                   &none};
    const auto decision = gateway::judge(credential, *cache, hosts, now());
    ASSERT_TRUE(decision.verdict.first_failure());
    EXPECT_EQ(decision.verdict.first_failure()->check, gateway::checks::role);
    EXPECT_EQ(std::ranges::count(decision.verdict.steps, pki::Outcome::failed, &pki::Step::outcome), 1)
        << pki::to_text(decision.verdict);
}

TEST_F(Gateway, WaitsForTheWorkloadApiAndThenServes) {
    workload_.reset();
    const auto sensor = add_thumbprint_device("TempSensor");
    begin_gateway();
    start_workload();
    serving();
    EXPECT_TRUE(send("TempSensor", &sensor, {}).accepted());
}

TEST_F(Gateway, RenewsItsCertificateWhileConnectionsStay) {
    workload_.reset();
    // Two thirds of the life, which begins five minutes before it is issued, are over in a moment.
    start_workload(seconds(151));
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    auto session = stay_connected(client_options("TempSensor", &sensor, ""));
    const auto limit = std::chrono::steady_clock::now() + seconds(30);
    while (workload_->certificates_issued() < 2 && std::chrono::steady_clock::now() < limit) {
        std::this_thread::sleep_for(milliseconds(5));
    }
    EXPECT_GE(workload_->certificates_issued(), 2);
    EXPECT_EQ(session.wait_for(seconds(0)), std::future_status::timeout);
    stop_gateway();
    session.wait();
}

/// The certificate that stands behind the server's own.
net::Task<std::optional<pki::Certificate>> issuer_of_server(mqtt::Client::Options options) {
    auto connected =
        co_await net::connect_tls(options.target, options.tls, seconds(20), base::system_clock());
    if (!connected || connected->stream.peer().certificates.size() < 2) co_return std::nullopt;
    co_return connected->stream.peer().certificates[1];
}

TEST_F(Gateway, TakesACertificateOfANewEdgeCaWhileConnectionsStay) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    auto session = stay_connected(client_options("TempSensor", &sensor, ""));
    const auto next = identity_of(pki::Profile::edge_ca, "iotedged workload ca edgegateway", &intermediate_);
    ASSERT_NE(next.certificate, edge_ca_.certificate);
    workload_->replace_edge_ca(&next);
    const auto issuer_shown = [&] {
        clock_.move(seconds(61));
        return net::run_task_for(issuer_of_server(client_options("Stranger", nullptr, "")));
    };
    const auto limit = std::chrono::steady_clock::now() + seconds(60);
    while (issuer_shown() != next.certificate) ASSERT_LT(std::chrono::steady_clock::now(), limit);
    EXPECT_EQ(session.wait_for(seconds(0)), std::future_status::timeout);
    stop_gateway();
    session.wait();
}

TEST_F(Gateway, TrustTowardsTheHubIsReplacedWholeAndConnectionsUnderTheOldOneEnd) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    auto session = stay_connected(client_options("TempSensor", &sensor, ""));
    const auto second = add_thumbprint_device("Second");
    ASSERT_TRUE(until(true, "Second", &second));
    const auto arrives = [&](int number, seconds limit) {
        const auto sent = send("Second", &second, {std::to_string(number)});
        EXPECT_TRUE(sent.accepted()) << "what comes in is kept";
        const auto all = state_.payloads("Second", static_cast<std::size_t>(number), limit);
        return std::ranges::find(all, std::to_string(number)) != all.end();
    };
    ASSERT_TRUE(arrives(1, seconds(60)));
    const auto another = identity_of(pki::Profile::root, "another_root_CA", nullptr);
    const auto root_file = directory_ / "root.pem";
    ASSERT_TRUE(base::write_atomically(root_file, another.certificate.pem(), base::public_mode));
    int number = 1;
    bool arrived = true;
    while (arrived && number < 30) {
        clock_.move(seconds(61));
        arrived = arrives(++number, seconds(2));
    }
    ASSERT_FALSE(arrived) << "the hub's root is not trusted any more, and its connection lives on";
    ASSERT_TRUE(base::write_atomically(root_file, root_.certificate.pem(), base::public_mode));
    const auto limit = std::chrono::steady_clock::now() + seconds(60);
    const auto all_there = [&] {
        clock_.move(seconds(61));
        const auto all = state_.payloads("Second", static_cast<std::size_t>(number), seconds(1));
        return std::ranges::find(all, std::to_string(number)) != all.end();
    };
    while (!all_there()) ASSERT_LT(std::chrono::steady_clock::now(), limit);
    EXPECT_EQ(session.wait_for(seconds(0)), std::future_status::timeout);
    stop_gateway();
    session.wait();
}

TEST_F(Gateway, SecondGatewayOnTheSameDataIsRefused) {
    start_gateway();
    const auto second = gateway::Server::open(options(), base::system_clock());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::Code::address_in_use);
}

}  // namespace
