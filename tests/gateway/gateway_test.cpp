// SPDX-License-Identifier: Apache-2.0
// A whole gateway against a hub and an edge device made of our own floors, over real sockets.
#include <gtest/gtest.h>

#include <future>

#include "azure/message.hpp"
#include "azure/username.hpp"
#include "base/file.hpp"
#include "fake_hub.hpp"
#include "fake_workload.hpp"
#include "gateway/server.hpp"
#include "mqtt/client.hpp"
#include "net/timer.hpp"
#include "pki/digest.hpp"
#include "records.hpp"
#include "support/temporary_directory.hpp"
#include "trust/sas_token.hpp"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view host = "edgegateway.local";

base::Instant now() {
    return base::system_clock().now();
}

support::Identity identity_of(pki::Profile profile, const std::string& name, const support::Identity* issuer,
                              std::vector<std::string> names = {}) {
    support::IdentityWish wish;
    wish.profile = profile;
    wish.common_name = name;
    wish.names = std::move(names);
    wish.now = now();
    return support::make_identity(wish, issuer);
}

/// How one client went: the refusal, or what each publish gave.
struct Outcome {
    std::optional<base::Error> refused;
    std::vector<base::Status> published;
    pki::Verdict server;
    bool accepted() const { return !refused; }
};

class Gateway : public testing::Test {
  protected:
    Gateway() {
        module_key_ = base::to_base64(pki::random_bytes(32));
        state_.module_key = module_key_;
        state_.put(records::edge("EdgeGateway"));
        state_.put(records::module("EdgeGateway", "$edgeHub"));
    }
    void SetUp() override {
        start_workload();
        start_hub();
    }
    void TearDown() override {
        stop_gateway();
        hub_.reset();
        workload_.reset();
    }

    void start_workload(seconds lifetime = std::chrono::hours(24 * 30)) {
        workload_ =
            std::make_unique<FakeWorkload>(FakeWorkload::Setup{directory_ / "edgeHub.sock",
                                                               &edge_ca_,
                                                               {intermediate_.certificate, root_.certificate},
                                                               module_key_,
                                                               master_.clone(),
                                                               lifetime});
    }
    void start_hub() {
        auto tls =
            net::ServerTls::make({hub_identity_.certificate, intermediate_.certificate}, hub_identity_.key);
        ASSERT_TRUE(tls);
        hub_ = std::make_unique<FakeHub>(state_, *tls, hub_mqtt_, hub_https_);
        hub_mqtt_ = hub_->mqtt_port();
        hub_https_ = hub_->https_port();
    }

    gateway::ServerOptions options() const {
        gateway::ServerOptions options;
        auto& config = options.config;
        config.hostname = host;
        config.hub.name = "ContosoIotHub";
        config.hub.address = "127.0.0.1";
        config.hub.mqtt_port = hub_mqtt_;
        config.hub.https_port = hub_https_;
        const auto root = (directory_ / "root.pem").string();
        EXPECT_TRUE(base::write_atomically(root, root_.certificate.pem(), base::public_mode));
        config.hub.trusted_certs = {root};
        config.listen.address = "127.0.0.1";
        config.listen.mqtt_port = gateway_port_;
        config.module.workload_socket = (directory_ / "edgeHub.sock").string();
        config.module.device_id = "EdgeGateway";
        config.module.generation_id = "639000000000000001";
        options.paths = gateway::Paths::under(directory_.path());
        options.ready_file = directory_ / "ready";
        return options;
    }
    /// Begins; `serving` waits for it.
    void begin_gateway() {
        auto opened = gateway::Server::open(options(), base::system_clock());
        ASSERT_TRUE(opened) << opened.error().text();
        gateway_ = std::move(*opened);
        thread_ = std::thread([this] { ended_ = gateway_->run(); });
    }
    void serving() {
        const auto limit = std::chrono::steady_clock::now() + seconds(60);
        while (!std::filesystem::exists(directory_ / "ready") && std::chrono::steady_clock::now() < limit) {
            std::this_thread::sleep_for(milliseconds(5));
        }
        gateway_port_ = gateway_->mqtt_port();
        ASSERT_NE(gateway_port_, 0);
    }
    void start_gateway() {
        begin_gateway();
        serving();
    }
    void stop_gateway() {
        if (!gateway_) return;
        gateway_->stop();
        thread_.join();
        gateway_.reset();
        std::filesystem::remove(directory_ / "ready");
        EXPECT_TRUE(ended_) << ended_.error().text();
    }

    /// A device with a certificate of its own CA, registered by its thumbprint below the gateway.
    support::Identity add_thumbprint_device(const std::string& id) {
        auto identity = identity_of(pki::Profile::device, id, &intermediate_);
        auto record = records::leaf(id, "EdgeGateway");
        record.authentication = {};
        record.authentication.type = trust::AuthType::self_signed;
        const auto digest = identity.certificate.sha256();
        record.authentication.primary_thumbprint = trust::Thumbprint::from_bytes(digest);
        record.authentication.secondary_thumbprint = trust::Thumbprint::from_bytes(digest);
        state_.put(record);
        return identity;
    }

    mqtt::Client::Options client_options(const std::string& id, const support::Identity* identity,
                                         const std::string& token) const {
        mqtt::Client::Options options;
        options.target = {"127.0.0.1", gateway_port_, std::string(host)};
        net::ClientTls::Options tls;
        tls.trust = std::make_shared<const pki::TrustBundle>(std::vector{root_.certificate});
        if (identity) {
            tls.chain = {identity->certificate, intermediate_.certificate};
            tls.key = identity->key.share();
        }
        options.tls = net::ClientTls::make(std::move(tls)).value();
        azure::Claim claim;
        claim.identity = {id, ""};
        claim.host = "ContosoIotHub";
        claim.api_version = "2021-04-12";
        options.connect.client_id = id;
        options.connect.user_name = azure::make_username(claim);
        if (!token.empty()) options.connect.password = token;
        return options;
    }

    static net::Task<Outcome> play(mqtt::Client::Options options, std::vector<std::string> payloads,
                                   std::string topic) {
        Outcome outcome;
        auto client =
            co_await mqtt::Client::connect(std::move(options), base::system_clock(), &outcome.server);
        if (!client) {
            outcome.refused = client.error();
            co_return outcome;
        }
        for (const auto& text : payloads) {
            const auto body = base::as_bytes(text);
            auto payload = base::Bytes(body.begin(), body.end());
            auto done = co_await (*client)->publish(topic, std::move(payload), mqtt::Qos::at_least_once);
            outcome.published.push_back(std::move(done));
        }
        co_await (*client)->disconnect();
        co_return outcome;
    }
    Outcome send(const std::string& id, const support::Identity* identity, std::vector<std::string> payloads,
                 const std::string& token = "", std::string topic = "") const {
        if (topic.empty()) topic = "devices/" + id + "/messages/events/";
        return net::run_task_for(
            play(client_options(id, identity, token), std::move(payloads), std::move(topic)));
    }
    /// Tries until the gateway lets it in, or refuses it: what a change at the hub leads to.
    bool until(bool accepted, const std::string& id, const support::Identity* identity,
               const std::string& token = "", seconds limit = seconds(60)) const {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (std::chrono::steady_clock::now() < end) {
            if (send(id, identity, {}, token).accepted() == accepted) return true;
        }
        return false;
    }

    support::TemporaryDirectory directory_;
    support::Identity root_ = identity_of(pki::Profile::root, "my_private_root_CA", nullptr);
    support::Identity intermediate_ =
        identity_of(pki::Profile::intermediate, "my_optional_intermediate_CA", &root_);
    support::Identity edge_ca_ =
        identity_of(pki::Profile::edge_ca, "iotedged workload ca edgegateway", &intermediate_);
    support::Identity hub_identity_ =
        identity_of(pki::Profile::server, "ContosoIotHub", &intermediate_, {"DNS:ContosoIotHub"});
    std::string module_key_;
    base::SecretBytes master_ = pki::random_secret(32);
    HubState state_;
    std::uint16_t hub_mqtt_ = 0;
    std::uint16_t hub_https_ = 0;
    std::uint16_t gateway_port_ = 0;
    std::unique_ptr<FakeWorkload> workload_;
    std::unique_ptr<FakeHub> hub_;
    std::unique_ptr<gateway::Server> gateway_;
    std::thread thread_;
    base::Status ended_;
};

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

net::Task<base::Result<base::Error>> stay(mqtt::Client::Options options, std::promise<void>& connected) {
    auto client = co_await mqtt::Client::connect(std::move(options), base::system_clock());
    connected.set_value();
    if (!client) co_return std::unexpected(client.error());
    auto why = co_await (*client)->ended();
    co_return why;
}

TEST_F(Gateway, LiveSessionEndsWhenItsDeviceIsDisabled) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    std::promise<void> connected;
    auto session = std::async(std::launch::async, [&] {
        return net::run_task_for(stay(client_options("TempSensor", &sensor, ""), connected));
    });
    connected.get_future().wait();
    auto record = state_.records.at({"TempSensor", ""});
    record.status = trust::Enablement::disabled;
    state_.put(record);
    ASSERT_EQ(session.wait_for(seconds(30)), std::future_status::ready);
    EXPECT_TRUE(session.get());
}

TEST_F(Gateway, NewerConnectionOfADeviceDisplacesTheOlder) {
    const auto sensor = add_thumbprint_device("TempSensor");
    start_gateway();
    std::promise<void> connected;
    auto older = std::async(std::launch::async, [&] {
        return net::run_task_for(stay(client_options("TempSensor", &sensor, ""), connected));
    });
    connected.get_future().wait();
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
    auto options = client_options("EdgeGateway", nullptr,
                                  *trust::make_sas_token("ContosoIotHub/devices/EdgeGateway/modules/$edgeHub",
                                                         module_key_, now() + std::chrono::hours(1)));
    azure::Claim claim;
    claim.identity = {"EdgeGateway", "$edgeHub"};
    claim.host = "ContosoIotHub";
    options.connect.client_id = "EdgeGateway/$edgeHub";
    options.connect.user_name = azure::make_username(claim);
    const auto outcome = net::run_task_for(play(std::move(options), {}, ""));
    ASSERT_FALSE(outcome.accepted());
    EXPECT_EQ(outcome.refused->code, base::Code::unauthenticated);
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
    std::promise<void> connected;
    auto session = std::async(std::launch::async, [&] {
        return net::run_task_for(stay(client_options("TempSensor", &sensor, ""), connected));
    });
    connected.get_future().wait();
    const auto limit = std::chrono::steady_clock::now() + seconds(30);
    while (workload_->certificates_issued() < 2 && std::chrono::steady_clock::now() < limit) {
        std::this_thread::sleep_for(milliseconds(5));
    }
    EXPECT_GE(workload_->certificates_issued(), 2);
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
