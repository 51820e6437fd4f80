// SPDX-License-Identifier: Apache-2.0
#include "hub/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/server.hpp"
#include "hub/answer.hpp"
#include "hub/mqtt_session.hpp"
#include "hub/queue_sweep.hpp"
#include "hub/routes.hpp"
#include "hub/tracking.hpp"
#include "hub/websocket.hpp"

namespace hub {

namespace {

/// The names of the hub for which its certificate does not speak.
std::string uncovered_names(const Config& config, const pki::Certificate& leaf) {
    const auto sans = leaf.subject_alternative_names();
    std::string missing;
    for (const auto& name : config.names) {
        const auto peer = pki::PeerName::parse(name);
        // An address has several spellings.
        const auto named = [&](const std::string& san) {
            if (peer.is_address())
                return san.starts_with("IP:") &&
                       pki::PeerName::parse(san.substr(3)).address() == peer.address();
            return base::equal_ignoring_case(san, "DNS:" + name);
        };
        if (std::ranges::none_of(sans, named)) missing += (missing.empty() ? "" : ", ") + name;
    }
    return missing;
}

/// What to run where the hub has no certificate yet.
std::string certificate_fix(const Config& config) {
    std::string names;
    for (const auto& name : config.names)
        names += (pki::PeerName::parse(name).is_address() ? " --san IP:" : " --san DNS:") + name;
    return fmt::format(
        "put the server certificate (with its intermediates) there, or make one: sallyport ca issue --data "
        "CA_DIR "
        "--profile server --subject {}{} --key-out {} --out {}",
        config.name(), names, config.key.string(), config.certificate.string());
}

base::Result<std::shared_ptr<const net::ServerTls>> load_tls(const Config& config) {
    auto pem = base::read_file(config.certificate, "hub certificate");
    if (!pem) {
        auto error = std::move(pem).error();
        if (error.code == base::Code::not_found) error.fix = certificate_fix(config);
        return std::unexpected(std::move(error));
    }
    SP_TRY(return, auto chain,
                 pki::certificates_from_pem(*pem, "hub certificate " + config.certificate.string()));
    auto key = pki::PrivateKey::load(config.key.string(), "hub key");
    if (!key) {
        auto error = std::move(key).error();
        if (error.code == base::Code::not_found) error.fix = certificate_fix(config);
        return std::unexpected(std::move(error));
    }
    if (!key->matches(chain.front())) {
        return base::fail(base::Code::invalid_argument, "hub key " + config.key.string(),
                          "does not belong to the certificate " + config.certificate.string(),
                          "replace both together");
    }
    if (const auto missing = uncovered_names(config, chain.front()); !missing.empty()) {
        base::log::warning(
            base::events::certificate_incomplete,
            {{"file", config.certificate.string()},
             {"missing", missing},
             {"fix", "clients that connect by these names will refuse; issue it with them as SAN"}});
    }
    return net::ServerTls::make(std::move(chain), *key,
                                config.resumption ? net::Resumption::sessions : net::Resumption::none);
}

}  // namespace

Hub::Hub(Config config, net::Loops& loops, const base::Clock& clock, base::DirectoryLock lock)
    : config_(std::move(config)),
      loops_(loops),
      clock_(clock),
      lock_(std::move(lock)),
      throttle_(config_.throttle) {}

Hub::~Hub() {
    stopping_ = true;
    https_.reset();
    mqtt_.reset();
}

base::Result<std::unique_ptr<Hub>> Hub::open(Config config, net::Loops& loops, const base::Clock& clock) {
    if (config.asks_for_metrics) {
        base::log::warning(base::events::setting_ignored,
                           {{"setting", "[metrics]"}, {"reason", "this version serves no metrics"}});
    }
    SP_TRY(return, auto lock, base::DirectoryLock::take(config.data));
    std::unique_ptr<Hub> hub(new Hub(std::move(config), loops, clock, std::move(lock)));
    if (auto fine = hub->open_stores(); !fine) return std::unexpected(std::move(fine).error());
    if (auto fine = hub->open_listeners(); !fine) return std::unexpected(std::move(fine).error());
    loops.at(0).spawn("queue.sweep", sweep_queue(*hub->services_));
    hub->crls_->start(loops.at(0));
    return hub;
}

base::Status Hub::open_stores() {
    SP_TRY(return, telemetry_, Telemetry::open(config_.message_directory(), config_.retention));
    SP_TRY(return, explanations_, Explanations::open(config_.explanations_file(), config_.explain, clock_));
    SP_TRY(return, consumers_, Consumers::open(config_.consumers_file()));
    SP_TRY(return, queue_,
                 DeviceQueue::open(config_.queue_file(), clock_, config_.cloud_to_device.max_delivery_count));
    SP_TRY(return, kept_, KeptSessions::open(config_.sessions_file()));
    SP_TRY(return, registry_, registry::Registry::open(config_.registry_file(), clock_));
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        auto state = std::make_unique<LoopState>();
        state->loop = &loops_.at(i);
        SP_TRY(return, state->reader, registry_->reader());
        states_.push_back(std::move(state));
    }
    SP_TRY(return, queries_, QueryPool::open(*registry_));
    if (auto fine = anchors_.refresh(*states_.front()->reader); !fine) return fine;
    if (auto fine = open_crls(); !fine) return fine;
    events_ = std::make_unique<HubEvents>(config_, *telemetry_, clock_);
    services_ = std::make_unique<Services>(
        Services{config_, clock_, *registry_, *queries_, *telemetry_, *consumers_, *explanations_, throttle_,
                 *queue_, *kept_, anchors_, *crls_, sessions_, methods_, states_, stopping_});
    telemetry_->on_durable(
        [this] { on_each_loop(states_, [](LoopState& here) { here.messages.wake_all(); }); });
    expiry_ = std::make_unique<Expiry>(*telemetry_, config_.retention, clock_);
    sessions_.on_presence([events = events_.get()](const trust::Identity& identity, bool connected) {
        events->presence(identity, connected);
    });
    observe_queue();
    registry_->on_change([this](const registry::Change& change) { changed(change); });
    registry_->on_twin_change([this](const registry::TwinChange& change) { twin_changed(change); });
    return {};
}

base::Status Hub::open_crls() {
    crl::Keeper::Options options;
    options.settings = config_.revocation;
    options.directory = crl::directory_under(config_.data);
    options.anchors = [this] { return anchors_.current(); };
    options.tls = []() -> base::Result<std::shared_ptr<const net::ClientTls>> {
        SP_TRY(return, auto system, pki::TrustBundle::system());
        net::ClientTls::Options towards;
        towards.trust = std::make_shared<const pki::TrustBundle>(std::move(system));
        return net::ClientTls::make(std::move(towards));
    };
    SP_TRY(return, crls_, crl::Keeper::open(std::move(options), clock_));
    crls_->on_change([this] { sessions_.judge_all(); });
    return {};
}

base::Status Hub::open_listeners() {
    SP_TRY(return, const auto tls, load_tls(config_));
    const Services* services = services_.get();
    SP_TRY(return, mqtt_,
                 net::TlsListener::open(loops_, config_.listen.address, config_.listen.mqtt_port, tls,
                                        [services](net::Stream stream) {
                                            return MqttSession::serve(*services, std::move(stream));
                                        }));
    http::Handler handler = [services](http::Request request, const net::Peer& peer) {
        return dispatch(*services, std::move(request), peer);
    };
    http::ErrorBody error_body = [services](int status, std::string_view reason) {
        const auto tracking = make_tracking_id();
        base::log::info(
            base::events::request_answered,
            {{"status", std::to_string(status)}, {"reason", std::string(reason)}, {"tracking", tracking}});
        return refuse_status(status, reason, tracking, services->clock.now());
    };
    http::Upgrade upgrade = [services](const http::Request& request, const net::Peer& peer) {
        return open_websocket(*services, request, peer);
    };
    SP_TRY(return, https_,
                 net::TlsListener::open(
                     loops_, config_.listen.address, config_.listen.https_port, tls,
                     http::serve(std::move(handler), std::move(error_body), {}, std::move(upgrade))));
    return {};
}

void Hub::observe_queue() {
    DeviceQueue::Observers observers;
    observers.ready = [this](const std::string& device) {
        sessions_.tell({device, {}}, [](Member& session) { session.messages_waiting(); });
    };
    observers.feedback_ready = [this] {
        on_each_loop(states_, [](LoopState& here) { here.feedback.wake_all(); });
    };
    observers.busy = [this] {
        loops_.at(0).post([state = states_.front().get()] { state->sweeps.wake_all(); });
    };
    queue_->observe(std::move(observers));
}

void Hub::changed(const registry::Change& change) {
    events_->changed(change);
    on_each_loop(states_, [scopes = change.scopes, every = change.certificates](LoopState& here) {
        if (every) here.scopes.wake_all();
        for (const auto& scope : scopes) here.scopes.wake(scope);
    });
    if (!change.certificates) {
        if (change.deleted && change.module.empty()) {
            queue_->forget(change.device);
            kept_->forget_device(change.device);
        }
        sessions_.judge(change.device);
        return;
    }
    // The anchors first, then those who were let in by them.
    loops_.at(0).post([this] {
        if (auto fresh = anchors_.refresh(*states_.front()->reader); !fresh)
            base::log::error(base::events::store_failed, fresh.error());
        sessions_.judge_all();
    });
}

void Hub::twin_changed(const registry::TwinChange& change) {
    events_->changed(change);
    if (!change.desired) return;
    const auto& desired = change.after.desired;
    const bool whole = change.how == azure::TwinWrite::replace;
    // Commits come in order, and so do the posts to one loop: a device sees the versions rise.
    sessions_.tell(change.identity, [version = desired.version,
                                     body = azure::desired_notification(
                                         whole ? desired.values : *change.desired, desired.version)](
                                        Member& member) { member.desired_changed(version, body); });
}

std::uint16_t Hub::mqtt_port() const {
    return mqtt_->port();
}
std::uint16_t Hub::https_port() const {
    return https_->port();
}

void Hub::stop() {
    stopping_ = true;
    mqtt_->close();
    https_->close();
    crls_->stop();
    sessions_.shut_down();
    on_each_loop(states_, [](LoopState& here) {
        here.scopes.wake_all();
        here.messages.wake_all();
        here.methods.wake_all();
        here.feedback.wake_all();
        here.sweeps.wake_all();
    });
}

}  // namespace hub
