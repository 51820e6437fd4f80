// SPDX-License-Identifier: Apache-2.0
#include "test_hub.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "azure/username.hpp"
#include "base/file.hpp"
#include "net/timer.hpp"
#include "trust/record.hpp"
#include "trust/sas_token.hpp"

namespace hub_test {

namespace {

const std::vector<std::string> hub_names{"ContosoIotHub", "contosoiothub.local", "127.0.0.1"};

template <class T>
T must(base::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return *std::move(result);
}
void must(const base::Status& status) {
    if (!status) throw std::runtime_error(status.error().text());
}

support::TestPki pki_of_now() {
    const auto now = base::system_clock().now();
    auto root = support::make_identity(
        {.profile = pki::Profile::root, .common_name = "my_private_root_CA", .now = now});
    auto intermediate = support::make_identity(
        {.profile = pki::Profile::intermediate, .common_name = "my_optional_intermediate_CA", .now = now},
        &root);
    return {std::move(root), std::move(intermediate)};
}

}  // namespace

TestHub::TestHub(const std::string& more, const std::string& first) : pki_(pki_of_now()) {
    const auto server =
        support::make_identity({.profile = pki::Profile::server,
                                .common_name = "ContosoIotHub",
                                .names = {"DNS:ContosoIotHub", "DNS:contosoiothub.local", "IP:127.0.0.1"},
                                .now = clock_.now()},
                               &pki_.intermediate);
    const auto chain = server.certificate.pem() + pki_.intermediate.certificate.pem();
    must(base::write_atomically(directory_ / "hub.pem", chain, base::public_mode));
    const auto key = must(server.key.pem());
    must(base::write_atomically(directory_ / "hub.key", key.text(), base::secret_mode));
    const hub::Listen listen{"127.0.0.1", 0, 0};
    must(base::write_atomically(directory_ / "hub.toml",
                                first + hub::initial_config(hub_names, listen, "hub.pem", "hub.key") + more,
                                base::secret_mode));
    {
        const auto registry = must(registry::Registry::open(directory_ / "registry.db", clock_));
        must(registry->make_policies());
        const auto reader = must(registry->reader());
        for (const auto& policy : must(reader->policies())) policy_keys_[policy.name] = policy.primary_key;
    }
    start();
}

void TestHub::start() {
    loops_ = std::make_unique<net::Loops>(2);
    hub_ = must(hub::Hub::open(must(hub::read_config(directory_.path(), {}, {})), *loops_, clock_));
    thread_ = std::thread([this] { loops_->run([this] { hub_->stop(); }, std::chrono::seconds(5)); });
}

TestHub::~TestHub() {
    stop();
}

void TestHub::restart() {
    stop();
    start();
}

void TestHub::stop() {
    loops_->stop();
    thread_.join();
    hub_.reset();
    loops_.reset();
}

support::Identity TestHub::device_identity(const std::string& name) const {
    return support::make_identity({.profile = pki::Profile::device, .common_name = name, .now = clock_.now()},
                                  &pki_.intermediate);
}
support::Identity TestHub::device_identity(const std::string& name, std::chrono::seconds lifetime) const {
    return support::make_identity(
        {.profile = pki::Profile::device, .common_name = name, .lifetime = lifetime, .now = clock_.now()},
        &pki_.intermediate);
}

std::string TestHub::policy_token(const std::string& policy) const {
    return must(trust::make_sas_token("ContosoIotHub", policy_keys_.at(policy),
                                      clock_.now() + std::chrono::hours(1), policy));
}

std::string TestHub::identity_token(const std::string& device, const std::string& module,
                                    const std::string& key, std::chrono::seconds lifetime) const {
    std::string resource = "ContosoIotHub/devices/" + base::percent_encode(device);
    if (!module.empty()) resource += "/modules/" + base::percent_encode(module);
    return must(trust::make_sas_token(resource, key, clock_.now() + lifetime));
}

std::shared_ptr<const net::ClientTls> TestHub::client_tls(const support::Identity* identity) const {
    net::ClientTls::Options options;
    options.trust =
        std::make_shared<const pki::TrustBundle>(std::vector<pki::Certificate>{pki_.root.certificate});
    if (identity != nullptr) {
        options.chain = {identity->certificate, pki_.intermediate.certificate};
        options.key = identity->key.share();
    }
    return must(net::ClientTls::make(std::move(options)));
}

net::Task<http::Response> TestHub::call(Ask ask, Caller caller) const {
    http::Request request;
    request.verb = ask.verb;
    request.raw_target = ask.target;
    request.body = ask.body;
    if (!caller.authorization.empty()) request.headers.add("Authorization", caller.authorization);
    if (!ask.if_match.empty()) request.headers.add("If-Match", ask.if_match);
    for (const auto& [name, value] : ask.headers) request.headers.add(name, value);
    const net::TlsTarget target{"127.0.0.1", hub_->https_port(), "127.0.0.1"};
    const http::Endpoint endpoint = http::TlsEndpoint{target, client_tls(caller.identity)};
    const std::chrono::milliseconds limit = std::chrono::seconds(60);
    auto answer = co_await http::request(endpoint, request, limit, base::system_clock());
    co_return must(std::move(answer));
}

net::Task<net::Stream> TestHub::open_stream(std::uint16_t port, const support::Identity* identity) const {
    const net::TlsTarget target{"127.0.0.1", port, "127.0.0.1"};
    const auto tls = client_tls(identity);
    const std::chrono::milliseconds limit = std::chrono::seconds(20);
    auto connected = co_await net::connect_tls(target, tls, limit, base::system_clock());
    auto opened = must(std::move(connected));
    co_return std::move(opened.stream);
}

net::Task<Connected> TestHub::connect(MqttWish wish) const {
    azure::Claim claim;
    claim.identity = {wish.device, wish.module};
    claim.host = "ContosoIotHub";
    claim.api_version = "2021-04-12";
    claim.client_type = "test";
    claim.auth_chain = wish.auth_chain;
    mqtt::Client::Options options;
    options.target = {"127.0.0.1", hub_->mqtt_port(), "127.0.0.1"};
    options.tls = client_tls(wish.identity);
    options.connect.client_id = wish.client_id.value_or(claim.identity.text());
    options.connect.user_name = wish.user_name.value_or(azure::make_username(claim));
    if (!wish.token.empty()) options.connect.password = wish.token;
    options.connect.clean_session = wish.clean_session;
    options.on_message = std::move(wish.on_message);
    options.connect.will = wish.will;
    auto client = co_await mqtt::Client::connect(std::move(options), base::system_clock());
    co_return client;
}

namespace {

net::Task<base::Status> connect_and_leave(const TestHub& hub, MqttWish wish) {
    auto client = co_await hub.connect(wish);
    if (!client) co_return std::unexpected(client.error());
    co_await (*client)->disconnect();
    co_return base::Status{};
}

}  // namespace

base::Status TestHub::try_connect(MqttWish wish) const {
    return net::run_task_for(connect_and_leave(*this, std::move(wish)));
}

http::Response TestHub::ask(Ask question, Caller caller) const {
    return net::run_task_for(call(std::move(question), std::move(caller)));
}

boost::json::object TestHub::put_device(const std::string& id, const std::string& json) const {
    const auto answer =
        ask({.verb = http::Verb::put, .target = "/devices/" + base::percent_encode(id), .body = json});
    if (answer.status != 200) throw std::runtime_error("PUT " + id + ": " + answer.body);
    return boost::json::parse(answer.body).as_object();
}

boost::json::object TestHub::get(const std::string& target) const {
    const auto answer = ask({.target = target});
    if (answer.status != 200) throw std::runtime_error("GET " + target + ": " + answer.body);
    return boost::json::parse(answer.body).as_object();
}

boost::json::object TestHub::register_device(const std::string& id, const support::Identity& first,
                                             const support::Identity* second, const std::string& more) const {
    std::string prints = R"("primaryThumbprint":")" + thumbprint(first) + '"';
    if (second != nullptr) prints += R"(,"secondaryThumbprint":")" + thumbprint(*second) + '"';
    return put_device(id, R"({"deviceId":")" + id + R"(","authentication":{"x509Thumbprint":{)" + prints +
                              R"(},"type":"selfSigned"})" + (more.empty() ? "" : "," + more) + "}");
}

std::vector<hub::Telemetry::Stored> TestHub::stored() const {
    auto& telemetry = hub_->telemetry();
    return must(telemetry.read(telemetry.first(), 10'000, 64 * 1024 * 1024));
}

std::string thumbprint(const support::Identity& identity) {
    return base::to_hex_upper(identity.certificate.sha256());
}

namespace {

net::Task<> close_later(mqtt::Client& client, std::chrono::seconds limit, bool& timed_out) {
    const bool waited = co_await net::sleep_for(limit);
    if (!waited) co_return;
    timed_out = true;
    co_await client.disconnect();
}

}  // namespace

net::Task<std::optional<base::Error>> ended_within(mqtt::Client& client, std::chrono::seconds limit) {
    bool timed_out = false;
    net::TaskGroup guard;
    guard.spawn("limit", close_later(client, limit, timed_out));
    const auto why = co_await client.ended();
    guard.cancel_all();
    co_await guard.drained();
    if (timed_out) co_return std::nullopt;
    co_return why;
}

CapturedLog::CapturedLog() {
    testing::internal::CaptureStderr();
}
CapturedLog::~CapturedLog() {
    if (open_) text();
}
std::string CapturedLog::text() {
    open_ = false;
    return testing::internal::GetCapturedStderr();
}

}  // namespace hub_test
