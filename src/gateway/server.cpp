// SPDX-License-Identifier: Apache-2.0
#include "gateway/server.hpp"

#include <unistd.h>

#include <atomic>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "gateway/device_session.hpp"
#include "gateway/forwarder.hpp"
#include "gateway/server_certificate.hpp"
#include "gateway/unlock.hpp"
#include "net/listener.hpp"
#include "net/service_manager.hpp"
#include "net/timer.hpp"

namespace gateway {

namespace {

/// How long the first fetch of the scope may hold up serving from what is on disk.
constexpr std::chrono::seconds first_fetch{20};

ScopeOwner owner_of(const Config& config) {
    return {config.hub.name, config.module.device_id};
}

ScopeChange everybody() {
    ScopeChange change;
    change.everybody = true;
    return change;
}

}  // namespace

struct Server::Impl {
    Impl(ServerOptions given, const base::Clock& with_clock) : options(std::move(given)), clock(with_clock) {}

    ServerOptions options;
    const base::Clock& clock;
    std::optional<base::DirectoryLock> lock;
    std::unique_ptr<HubTls> hub_tls;
    std::unique_ptr<ScopeStore> store;
    net::Loops loops;
    std::unique_ptr<store::SegmentLog> log;  ///< before the loops end: its thread posts to them
    std::atomic<std::uint16_t> port{0};
    base::Status outcome{};

    // On loop 0 from here on.
    std::unique_ptr<net::TaskGroup> tasks;
    std::unique_ptr<WorkloadClient> workload;
    std::unique_ptr<TokenSource> tokens;
    HubLink link;
    std::unique_ptr<SharedScope> scope;
    std::unique_ptr<crl::Keeper> crls;
    std::unique_ptr<HubClient> hub;
    std::unique_ptr<ScopeSync> sync;
    Sessions sessions;
    std::unique_ptr<SessionWorld> world;
    std::unique_ptr<Upstream> upstream;
    std::unique_ptr<Forwarder> forwarder;
    std::unique_ptr<net::TlsListener> listener;
    bool stopping = false;

    static net::Task<> main(Impl& self);
    net::Task<> start();
    void wire();
    void on_new_generation();
    net::Task<> rewrap();
    base::Result<std::unique_ptr<crl::Keeper>> open_crls();
    base::Status listen(std::shared_ptr<const net::ServerTls> tls);
    base::Status announce() const;
    void fail(base::Error why);
    void on_stop();
    static net::Task<> end(Impl& self);
};

/// Everything that runs in the background belongs to one group; this task only begins it.
net::Task<> Server::Impl::main(Impl& self) {
    self.tasks = std::make_unique<net::TaskGroup>();
    self.tasks->spawn("gateway.start", self.start());
    co_return;
}

net::Task<> Server::Impl::start() {
    wire();
    const auto tls = co_await obtain_server_tls(*workload, options.config.hostname, clock);
    if (!tls) co_return;
    const auto known = co_await unlock_scope(*store, *workload, owner_of(options.config));
    if (!known) co_return;
    scope->set(known);
    tasks->spawn("scope.sync", sync->run());
    co_await sync->first_attempt(first_fetch);
    if (stopping) co_return;
    crls->start(loops.at(0));
    if (auto opened = listen(tls); !opened) {
        fail(std::move(opened).error());
        co_return;
    }
    tasks->spawn("forwarder", forwarder->run());
    tasks->spawn("server_certificate.renewal",
                 keep_server_tls(*workload, options.config.hostname, clock, tls,
                                 [this](std::shared_ptr<const net::ServerTls> next) {
                                     if (listener) listener->replace(std::move(next));
                                     sessions.judge_again(everybody());
                                 }));
    tasks->spawn("hub_trust.refresh", hub_tls->keep(clock, [this] {
        forwarder->reconnect();
        sessions.judge_again(everybody());
    }));
    if (auto announced = announce(); !announced) fail(std::move(announced).error());
}

void Server::Impl::wire() {
    const auto& config = options.config;
    workload = std::make_unique<WorkloadClient>(config.module, clock, [this]() -> base::Result<std::string> {
        SP_TRY(return, auto now, read_config(options.paths.configuration));
        return std::move(now.module.generation_id);
    });
    workload->on_new_generation([this] { on_new_generation(); });
    tokens = std::make_unique<TokenSource>(config, *workload, clock);
    scope = std::make_unique<SharedScope>(ScopeCache::empty(config.module.device_id));
    hub = std::make_unique<HubClient>(config, *hub_tls, *tokens, link, clock);
    sync = std::make_unique<ScopeSync>(*scope, *hub, link, *store, owner_of(config), *tasks, clock);
    sync->on_change([this](const ScopeChange& change) { sessions.judge_again(change); });
    world = std::make_unique<SessionWorld>(SessionWorld{
        {config.hub.name, config.hostname}, *scope, *crls, *sync, loops.at(0), sessions, *log, clock});
    upstream = std::make_unique<Upstream>(config, *hub_tls, *scope, *sync, *tokens, link, clock);
    forwarder = std::make_unique<Forwarder>(*log, options.paths.progress(), *upstream, *tasks);
    // Set before the first append: nothing is appended before `listen`.
    log->on_durable([this](std::uint64_t) {
        loops.at(0).post([this] {
            if (forwarder) forwarder->wake();
        });
    });
}

void Server::Impl::on_new_generation() {
    tokens->forget();
    // While the gateway starts there is no key yet.
    if (stopping || !store->data_key()) return;
    sync->fetch_everything();
    tasks->spawn("scope.rewrap", rewrap());
}

net::Task<> Server::Impl::rewrap() {
    auto done = co_await rewrap_scope(*store, *workload);
    if (!done)
        base::log::error(base::events::scope_failed, done.error(),
                         {{"doing", "wrapping the key of the scope"}});
}

base::Result<std::unique_ptr<crl::Keeper>> Server::Impl::open_crls() {
    crl::Keeper::Options wish;
    wish.settings = options.config.revocation;
    wish.directory = crl::directory_under(options.paths.data);
    wish.anchors = [this] {
        const auto cache = scope->get();
        return std::shared_ptr<const pki::TrustBundle>(cache, &cache->device_cas());
    };
    wish.tls = [this]() -> base::Result<std::shared_ptr<const net::ClientTls>> { return hub_tls->get(); };
    SP_TRY(return, auto keeper, crl::Keeper::open(std::move(wish), clock));
    keeper->on_change([this] { sessions.judge_again(everybody()); });
    return keeper;
}

base::Status Server::Impl::listen(std::shared_ptr<const net::ServerTls> tls) {
    const auto& where = options.config.listen;
    auto serve = [this](net::Stream stream) { return serve_device(std::move(stream), *world); };
    SP_TRY(return, listener,
                 net::TlsListener::open(loops, where.address, where.mqtt_port, std::move(tls), serve));
    port = listener->port();
    return {};
}

base::Status Server::Impl::announce() const {
    base::log::info(base::events::role_started, {{"device", options.config.module.device_id},
                                                 {"hub", options.config.hub.name},
                                                 {"hostname", options.config.hostname}});
    if (auto told = net::notify_ready(); !told) return told;
    if (!options.ready_file) return {};
    const std::string text =
        "MQTT_PORT=" + std::to_string(listener->port()) + "\nPID=" + std::to_string(::getpid()) + "\n";
    return base::write_atomically(*options.ready_file, text, base::public_mode);
}

void Server::Impl::fail(base::Error why) {
    outcome = std::unexpected(std::move(why));
    loops.stop();
}

/// In this order: nobody new comes in, sessions end (what they were told is stored is on disk), then what
/// talks to the hub ends, and what was sent is noted.
void Server::Impl::on_stop() {
    stopping = true;
    if (listener) listener->close();
    sessions.end_all();
    if (crls) crls->stop();
    link.stop();
    if (sync) sync->stop();
    if (tasks) loops.at(0).spawn("gateway.end", end(*this));
}

net::Task<> Server::Impl::end(Impl& self) {
    self.tasks->cancel_all();
    if (self.forwarder) self.forwarder->stop();
    co_await self.tasks->drained();
    if (self.forwarder) self.forwarder->save();
    self.tasks.reset();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

base::Result<std::unique_ptr<Server>> Server::open(ServerOptions options, const base::Clock& clock) {
    auto impl = std::make_unique<Impl>(std::move(options), clock);
    const auto& paths = impl->options.paths;
    if (auto made = base::make_private_directories(paths.data); !made)
        return std::unexpected(std::move(made).error());
    SP_TRY(return, impl->lock, base::DirectoryLock::take(paths.data));
    SP_TRY(return, impl->hub_tls, HubTls::open(impl->options.config));
    SP_TRY(return, impl->store, ScopeStore::open(paths.scope()));
    SP_TRY(return, impl->log, store::SegmentLog::open(paths.messages()));
    SP_TRY(return, impl->crls, impl->open_crls());
    return std::make_unique<Server>(std::move(impl));
}

base::Status Server::run() {
    auto& impl = *impl_;
    impl.loops.at(0).spawn("gateway", Impl::main(impl));
    impl.loops.run([&impl] { impl.on_stop(); });
    base::log::info(base::events::role_stopped);
    return impl.outcome;
}

void Server::stop() {
    impl_->loops.stop();
}

std::uint16_t Server::mqtt_port() const {
    return impl_->port;
}

}  // namespace gateway
