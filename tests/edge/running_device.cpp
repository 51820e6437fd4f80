// SPDX-License-Identifier: Apache-2.0
#include "running_device.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>

#include "base/file.hpp"
#include "edge/supervisor.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "support/certificates.hpp"
#include "sure.hpp"

namespace edge_test {
namespace {

support::Identity make(pki::Profile profile, const std::string& name, std::vector<std::string> names = {},
                       const support::Identity* issuer = nullptr,
                       pki::KeyType key_type = pki::KeyType::ec_p256) {
    support::IdentityWish wish;
    wish.key_type = key_type;
    wish.profile = profile;
    wish.common_name = name;
    wish.names = std::move(names);
    wish.now = base::system_clock().now();
    return support::make_identity(wish, issuer);
}

// Of the device that runs: its services are asked where they live.
net::Loop* device_loop = nullptr;

net::Task<> answer_into(net::Task<http::Response> answering, std::promise<http::Response>* answer) {
    auto response = co_await std::move(answering);
    answer->set_value(std::move(response));
}

http::Response run(net::Task<http::Response> answering) {
    if (!device_loop) return net::run_task_for(std::move(answering));
    std::promise<http::Response> answer;
    device_loop->spawn("asked", answer_into(std::move(answering), &answer));
    return answer.get_future().get();
}

struct Ready {
    std::mutex mutex;
    std::condition_variable changed;
    bool is = false;
    void tell() {
        const std::lock_guard lock(mutex);
        is = true;
        changed.notify_all();
    }
};

}  // namespace

RunningDevice::RunningDevice(Options options)
    : paths_(directory_.path()),
      floor_(std::make_unique<edge::ClockFloor>(options.clock ? *options.clock : base::system_clock(),
                                                edge::clock_floor_file(paths_))) {
    sure(base::make_private_directories(paths_.configuration().parent_path()));
    const auto secrets = directory_ / "given";
    sure(base::make_private_directories(secrets));
    const auto identity = make(pki::Profile::device, test_device, {}, nullptr, options.device_key);
    sure(base::write_atomically(secrets / "device.pem", identity.certificate.pem(), 0644));
    sure(base::write_atomically(secrets / "device.key", sure(identity.key.pem()).bytes(), 0600));
    const auto authentication = options.authentication.empty()
                                    ? fmt::format(
                                          "method = \"x509\"\nidentity_cert = \"file://{0}/device.pem\"\n"
                                          "identity_pk = \"file://{0}/device.key\"",
                                          secrets.string())
                                    : options.authentication;
    const auto trusted = options.hub_ca.empty() ? (secrets / "device.pem").string() : options.hub_ca;
    sure(base::write_atomically(
        paths_.configuration(),
        !options.provisioned
            ? "hostname = \"edgegateway.local\"\n[provisioning]\nsource = \"none\"\n" + options.more
            : fmt::format(R"(
hostname = "edgegateway.local"
[provisioning]
source = "manual"
iothub_hostname = "{}"
iothub_address = "127.0.0.1"
iothub_https_port = {}
trusted_certs = ["file://{}"]
device_id = "{}"
[provisioning.authentication]
{}
{}
)",
                          test_hub, options.hub_port, trusted, test_device, authentication, options.more),
        0600));
    const auto configuration = sure(edge::read_configuration(paths_));
    sure(edge::write_service_files(configuration, paths_, sure(edge::users_of(paths_)), false));
    start();
}

RunningDevice::~RunningDevice() {
    stop();
}

void RunningDevice::start() {
    // Who waits for a signature blocks its loop; the keys service is another process, here another loop.
    loops_ = std::make_unique<net::Loops>(2);
    auto& loop = loops_->at(0);
    device_loop = &loop;
    auto& keys_loop = loops_->at(1);
    const base::Clock& clock = *floor_;
    keys_ = sure(edge::KeysService::make(sure(edge::read_keys_config(paths_))));
    certificates_ = sure(
        edge::CertificatesService::make(sure(edge::read_certificates_config(paths_)), clock, floor_.get()));
    identity_ =
        sure(edge::IdentityService::make(sure(edge::read_identity_config(paths_)), clock, floor_.get()));
    workload_ = sure(edge::WorkloadService::make(sure(edge::read_workload_config(paths_)), clock));
    const auto listen = [&](edge::Service service, net::Serve serve) {
        listeners_.push_back(sure(net::UnixListener::open(loop, socket(service), 0660, std::move(serve))));
    };
    keys_listener_ =
        sure(net::UnixListener::open(keys_loop, socket(edge::Service::keys), 0660, keys_->serve()));
    listen(edge::Service::certificates, certificates_->serve());
    listen(edge::Service::identity, identity_->serve());
    sure(workload_->listen(loop));
    auto ready = std::make_shared<Ready>();
    ready_ = ready;
    loop.spawn("EST identity", certificates_->keep_identity());
    loop.spawn("device certificate", identity_->keep_certificate());
    loop.spawn("identity", identity_->keep_provisioned());
    loop.spawn("Edge CA", workload_->keep_edge_ca());
    loop.spawn("workload", workload_->prepare([ready] { ready->tell(); }));
    thread_ = std::thread([this] {
        loops_->run([this] {
            certificates_->stop();
            identity_->stop();
            workload_->stop();
            listeners_.clear();
            loops_->at(1).post([this] { keys_listener_.reset(); });
        });
    });
}

void RunningDevice::stop() {
    if (!thread_.joinable()) return;
    device_loop = nullptr;
    loops_->stop();
    thread_.join();
    workload_.reset();
    identity_.reset();
    certificates_.reset();
    keys_.reset();
    loops_.reset();
}

void RunningDevice::wait_until_ready() {
    auto& ready = *static_cast<Ready*>(ready_.get());
    std::unique_lock lock(ready.mutex);
    if (!ready.changed.wait_for(lock, std::chrono::seconds(60), [&] { return ready.is; }))
        throw std::runtime_error("the workload service is not ready");
}

namespace {

http::Request request_of(http::Verb verb, std::string target, std::string body, const std::string& version) {
    http::Request request;
    request.verb = verb;
    request.raw_target = std::move(target);
    if (!version.empty())
        request.raw_target +=
            (request.raw_target.find('?') == std::string::npos ? "?" : "&") + ("api-version=" + version);
    request.target = http::Target::parse(request.raw_target).value();
    request.body = std::move(body);
    if (!request.body.empty()) request.headers.set("Content-Type", "application/json");
    return request;
}

}  // namespace

http::Response ask(const std::string& socket, http::Verb verb, std::string target, std::string body,
                   std::string version) {
    return sure(net::run_task_for(http::request(http::UnixEndpoint{socket},
                                                request_of(verb, std::move(target), std::move(body), version),
                                                std::chrono::seconds(30), base::system_clock())));
}

http::Response ask_as(const edge::LocalApi& api, uid_t user, http::Verb verb, std::string target,
                      std::string body, std::string version) {
    return run(api.answer(request_of(verb, std::move(target), std::move(body), version),
                          edge::Caller{user, ::getpid()}));
}

edge::json::value json_of(const http::Response& response) {
    return sure(edge::parse_json(response.body, "answer"));
}
std::string member(const http::Response& response, std::string_view name) {
    return sure(edge::text_member(json_of(response), name));
}
std::string message(const http::Response& response) {
    return member(response, "message");
}

bool appears(const std::filesystem::path& file) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < end) {
        if (std::filesystem::exists(file)) return true;
        std::this_thread::yield();
    }
    return false;
}

struct FakeHub::State {
    std::mutex mutex;
    std::vector<std::string> calls;
    std::map<std::string, edge::json::object> modules;
    std::string client;
    std::string authorization;
    std::string refusal;
    std::string thumbprint;
    int generation = 0;

    http::Response answer(const http::Request& request, const net::Peer& peer) {
        const std::lock_guard lock(mutex);
        client = peer.certificates.empty() ? "" : peer.certificates.front().common_name();
        authorization = request.headers.get("authorization").value_or("");
        const auto& segments = request.target.segments;
        const auto module = segments.size() > 3 ? segments[3] : std::string();
        calls.push_back(fmt::format("{} {}", http::to_string(request.verb), module));
        const auto error = [](int status, std::string text) {
            return http::Response::json(status, edge::json::serialize(edge::json::value{{"Message", text}}));
        };
        if (!refusal.empty()) return error(401, refusal);
        const auto shown =
            peer.certificates.empty() ? "" : base::to_hex_upper(peer.certificates.front().sha256());
        if (!thumbprint.empty() && shown != thumbprint) return error(401, "thumbprint is not registered");
        if (request.target.value("api-version") != "2017-11-08-preview") return error(400, "version");
        if (segments.size() < 3 || segments[1] != test_device) return error(404, "ErrorCode:DeviceNotFound");
        if (module.empty()) {
            edge::json::array all;
            for (const auto& [id, each] : modules) all.push_back(each);
            return http::Response::json(200, edge::json::serialize(all));
        }
        const bool known = modules.contains(module);
        if (request.verb == http::Verb::get && !known) return error(404, "ErrorCode:ModuleNotFound");
        if (request.verb == http::Verb::delete_) {
            modules.erase(module);
            return http::Response::empty(204);
        }
        if (request.verb == http::Verb::put) {
            const auto body = sure(edge::parse_json(request.body, "body")).as_object();
            if (known && !request.headers.get("if-match"))
                return error(409, "ErrorCode:ModuleAlreadyExistsOnDevice");
            if (!known)
                modules[module] = {{"moduleId", module},
                                   {"deviceId", test_device},
                                   {"generationId", fmt::format("63991234567890{:04}", ++generation)},
                                   {"authentication", {{"type", "none"}}}};
            if (const auto* authentication = body.if_contains("authentication"))
                modules[module]["authentication"] = *authentication;
        }
        return http::Response::json(200, edge::json::serialize(modules[module]));
    }
};

namespace {

net::Task<http::Response> answered(http::Response response) {
    co_return response;
}

}  // namespace

FakeHub::FakeHub() : state_(std::make_shared<State>()) {
    const auto ca = make(pki::Profile::root, "hub test root");
    support::IdentityWish wish;
    wish.profile = pki::Profile::server;
    wish.common_name = test_hub;
    wish.names = {std::string("DNS:") + test_hub};
    wish.lifetime = std::chrono::days(3650);  // a test's clock may be moved
    wish.now = base::system_clock().now();
    const auto server = support::make_identity(wish, &ca);
    sure(base::write_atomically(directory_ / "hub-ca.pem", ca.certificate.pem(), 0644));
    const auto tls = sure(net::ServerTls::make({server.certificate}, server.key));
    auto serve = http::serve(
        [state = state_](http::Request request, const net::Peer& peer) {
            return answered(state->answer(request, peer));
        },
        [](int status, std::string_view reason) {
            return http::Response::text(status, std::string(reason));
        });
    listener_ = sure(net::TlsListener::open(loops_, "127.0.0.1", 0, tls, std::move(serve)));
    thread_ = std::thread([this] { loops_.run([this] { listener_.reset(); }); });
}

FakeHub::~FakeHub() {
    loops_.stop();
    thread_.join();
}

std::uint16_t FakeHub::port() const {
    return listener_->port();
}
std::string FakeHub::ca_file() const {
    return (directory_ / "hub-ca.pem").string();
}
std::vector<std::string> FakeHub::calls() const {
    const std::lock_guard lock(state_->mutex);
    return state_->calls;
}
std::string FakeHub::client() const {
    const std::lock_guard lock(state_->mutex);
    return state_->client;
}
std::string FakeHub::authorization() const {
    const std::lock_guard lock(state_->mutex);
    return state_->authorization;
}
std::string FakeHub::primary_key(const std::string& module) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->modules.find(module);
    if (found == state_->modules.end()) return {};
    const auto authentication = sure(edge::object_member(found->second, "authentication"));
    return sure(edge::text_member(sure(edge::object_member(authentication, "symmetricKey")), "primaryKey"));
}
void FakeHub::add_module(const std::string& module, const std::string& primary,
                         const std::string& secondary) {
    const std::lock_guard lock(state_->mutex);
    edge::json::object keys{{"primaryKey", primary}, {"secondaryKey", secondary}};
    state_->modules[module] = {{"moduleId", module},
                               {"deviceId", test_device},
                               {"generationId", fmt::format("63991234567890{:04}", ++state_->generation)},
                               {"authentication", {{"type", "sas"}, {"symmetricKey", std::move(keys)}}}};
}
std::string FakeHub::generation(const std::string& module) const {
    const std::lock_guard lock(state_->mutex);
    return sure(edge::text_member(state_->modules.at(module), "generationId"));
}
void FakeHub::accept_only(std::string thumbprint) {
    const std::lock_guard lock(state_->mutex);
    state_->thumbprint = std::move(thumbprint);
}
std::string FakeHub::authentication(const std::string& module) const {
    const std::lock_guard lock(state_->mutex);
    return edge::json::serialize(state_->modules.at(module).at("authentication"));
}
void FakeHub::refuse(std::string text) {
    const std::lock_guard lock(state_->mutex);
    state_->refusal = std::move(text);
}

}  // namespace edge_test
