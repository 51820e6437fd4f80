// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>

#include "azure/message.hpp"
#include "azure/username.hpp"
#include "base/file.hpp"
#include "fake_hub.hpp"
#include "fake_workload.hpp"
#include "gateway/judge.hpp"
#include "gateway/server.hpp"
#include "mqtt/client.hpp"
#include "net/timer.hpp"
#include "pki/digest.hpp"
#include "records.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"
#include "trust/sas_token.hpp"

namespace gateway_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view host = "edgegateway.local";

inline base::Instant now() {
    return base::system_clock().now();
}

inline support::Identity identity_of(pki::Profile profile, const std::string& name,
                                     const support::Identity* issuer, std::vector<std::string> names = {}) {
    support::IdentityWish wish;
    wish.profile = profile;
    wish.common_name = name;
    wish.names = std::move(names);
    wish.now = now();
    return support::make_identity(wish, issuer);
}

/// Real time plus what a test adds.
using MovableClock = support::SettableClock;

/// How one client went: the refusal, or what each publish gave.
struct Outcome {
    std::optional<base::Error> refused;
    std::vector<base::Status> published;
    pki::Verdict server;
    bool accepted() const { return !refused; }
};

inline net::Task<base::Result<base::Error>> stay(mqtt::Client::Options options,
                                                 std::shared_ptr<std::promise<void>> connected) {
    auto client = co_await mqtt::Client::connect(std::move(options), base::system_clock());
    connected->set_value();
    if (!client) co_return std::unexpected(client.error());
    auto why = co_await (*client)->ended();
    co_return why;
}

/// A whole gateway against a hub and an edge device made of our own floors, over real sockets.
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
        config.revocation.urls = urls_;
        config.revocation.max_age = crl_max_age_;
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
        config.module.generation_id = generation_;
        options.paths = gateway::Paths::under(directory_.path());
        options.ready_file = directory_ / "ready";
        return options;
    }
    /// Begins; `serving` waits for it.
    void begin_gateway() {
        auto opened = gateway::Server::open(options(), clock_);
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

    /// As the edge device does after its entry at the hub was deleted and created again.
    void register_module_anew(const std::string& generation) {
        generation_ = generation;
        module_key_ = base::to_base64(pki::random_bytes(32));
        {
            const std::lock_guard lock(state_.mutex);
            state_.module_key = module_key_;
        }
        const auto file = options().paths.configuration;
        ASSERT_TRUE(base::make_private_directories(file.parent_path()));
        const auto text =
            "hostname = \"" + std::string(host) + "\"\n[hub]\nname = \"ContosoIotHub\"\n[environment]\n" +
            "IOTEDGE_WORKLOADURI = \"unix://" + (directory_ / "edgeHub.sock").string() +
            "\"\nIOTEDGE_DEVICEID = \"EdgeGateway\"\nIOTEDGE_MODULEGENERATIONID = \"" + generation + "\"\n";
        ASSERT_TRUE(base::write_atomically(file, text, base::secret_mode));
        workload_->become(generation, module_key_);
    }

    /// A device with a certificate of its own CA, registered by its thumbprint below the gateway.
    support::Identity add_thumbprint_device(const std::string& id) {
        return add_thumbprint_device(id, identity_of(pki::Profile::device, id, &intermediate_));
    }
    support::Identity add_thumbprint_device(const std::string& id, support::Identity identity) {
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
    /// A session that stays connected until the gateway ends it: the reason that the client saw.
    std::future<base::Result<base::Error>> stay_connected(mqtt::Client::Options wish) const {
        auto connected = std::make_shared<std::promise<void>>();
        auto entered = connected->get_future();
        auto session = std::async(std::launch::async, [wish = std::move(wish), connected]() mutable {
            return net::run_task_for(stay(std::move(wish), connected));
        });
        entered.wait();
        return session;
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

    MovableClock clock_;             ///< the gateway's
    std::vector<std::string> urls_;  ///< crl_urls
    std::optional<seconds> crl_max_age_;
    support::TemporaryDirectory directory_;
    support::Identity root_ = identity_of(pki::Profile::root, "my_private_root_CA", nullptr);
    support::Identity intermediate_ =
        identity_of(pki::Profile::intermediate, "my_optional_intermediate_CA", &root_);
    support::Identity edge_ca_ =
        identity_of(pki::Profile::edge_ca, "iotedged workload ca edgegateway", &intermediate_);
    support::Identity hub_identity_ =
        identity_of(pki::Profile::server, "ContosoIotHub", &intermediate_, {"DNS:ContosoIotHub"});
    std::string module_key_;
    std::string generation_ = "639000000000000001";
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

}  // namespace gateway_test
