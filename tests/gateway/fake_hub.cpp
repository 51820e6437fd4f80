// SPDX-License-Identifier: Apache-2.0
#include "fake_hub.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

#include "azure/documents.hpp"
#include "azure/message.hpp"
#include "azure/username.hpp"
#include "base/encoding.hpp"
#include "trust/sas_token.hpp"

namespace {

namespace json = boost::json;

bool is_gateways_token(const HubState& state, std::string_view text) {
    const auto token = trust::SasToken::parse(text);
    const std::vector<std::string> hosts{"ContosoIotHub"};
    return token && token->signed_by(state.module_key) &&
           token->covers("devices/EdgeGateway/modules/$edgeHub", hosts);
}

http::Response records_answer(const std::vector<trust::Record>& records) {
    azure::ScopeResult result;
    for (const auto& record : records) {
        if (record.identity.is_module()) {
            azure::Module module;
            module.record = record;
            result.modules.push_back(std::move(module));
        } else {
            azure::Device device;
            device.record = record;
            result.devices.push_back(std::move(device));
        }
    }
    return http::Response::json(200, azure::to_json(result));
}

/// Whether the way up from a device, over any of its parents, leads to our gateway. With the mutex held.
bool lies_below(const HubState& state, const std::string& device, int layers = 5) {
    if (device == "EdgeGateway") return true;
    const auto found = state.records.find({device, ""});
    if (found == state.records.end() || layers == 0) return false;
    const auto& parents = found->second.parent_scopes;
    return std::any_of(state.records.begin(), state.records.end(), [&](const auto& entry) {
        const auto& [identity, record] = entry;
        return record.edge_enabled && identity.device != device &&
               std::find(parents.begin(), parents.end(), record.device_scope) != parents.end() &&
               lies_below(state, identity.device, layers - 1);
    });
}

http::Response look_up(HubState& state, const std::string& body) {
    const std::lock_guard lock(state.mutex);
    ++state.lookups;
    const auto document = json::parse(body);
    trust::Identity identity{std::string(document.at("targetDeviceId").as_string()), ""};
    if (const auto* module = document.as_object().if_contains("targetModuleId"))
        identity.module = module->as_string();
    if (state.unanswered_lookups.contains(identity.device)) return http::Response::empty(503);
    const auto found = state.records.find(identity);
    if (found == state.records.end() || !lies_below(state, identity.device))
        return http::Response::json(401, R"({"Message":"ErrorCode:Unauthorized;"})");
    std::vector<trust::Record> records{found->second};
    if (identity.is_module()) records.push_back(state.records.at({identity.device, ""}));
    return records_answer(records);
}

/// The edge device in front of the chain, those right below it, and the modules of all.
http::Response list(HubState& state, const std::string& body) {
    const std::lock_guard lock(state.mutex);
    const std::string chain(json::parse(body).at("authChain").as_string());
    const auto edge = state.records.find({chain.substr(0, chain.find(';')), ""});
    if (edge == state.records.end() || edge->second.status != trust::Enablement::enabled)
        return http::Response::json(401, R"({"Message":"ErrorCode:Unauthorized;"})");
    std::vector<trust::Record> records;
    for (const auto& [identity, record] : state.records) {
        const auto device = state.records.find({identity.device, ""});
        if (device == state.records.end()) continue;
        const auto& parents = device->second.parent_scopes;
        const bool below =
            std::find(parents.begin(), parents.end(), edge->second.device_scope) != parents.end();
        if (below || identity.device == edge->first.device) records.push_back(record);
    }
    return records_answer(records);
}

http::Response certificates(HubState& state) {
    const std::lock_guard lock(state.mutex);
    json::array all;
    for (const auto& ca : state.certificates) {
        all.push_back(
            json::object{{"name", ca.name}, {"certificate", base::to_base64(ca.certificate.der())}});
    }
    return http::Response::json(200, json::serialize(json::object{{"certificates", std::move(all)}}));
}

std::optional<http::Response> changes_since(HubState& state, std::uint64_t since, bool wait,
                                            const std::shared_ptr<net::Completion>& completion) {
    const std::lock_guard lock(state.mutex);
    // Numbers begin at 100, so that 0 is always older than what is kept.
    const auto version = 100 + state.changes.size();
    if (since < 100 || since > version) {
        return http::Response::json(200, json::serialize(json::object{{"version", version}, {"all", true}}));
    }
    if (since == version && wait && !state.closing) {
        state.held.push_back(completion);
        return std::nullopt;
    }
    json::array names;
    bool cas = false;
    for (auto number = since - 100; number < state.changes.size(); ++number) {
        if (state.certificate_changes[number])
            cas = true;
        else
            names.emplace_back(state.changes[number].text());
    }
    return http::Response::json(
        200,
        json::serialize(json::object{
            {"version", version}, {"identities", std::move(names)}, {"certificates", cas}, {"all", false}}));
}

net::Task<http::Response> serve_scope(HubState& state, http::Request request) {
    const auto token = request.headers.get("Authorization").value_or("");
    bool refuse = false;
    {
        const std::lock_guard lock(state.mutex);
        refuse = state.refuse_gateway || !is_gateways_token(state, token);
    }
    if (refuse) co_return http::Response::json(401, R"({"Message":"ErrorCode:IotHubUnauthorizedAccess;"})");
    const auto& path = request.target.segments;
    if (path.size() != 5 || path[1] != "EdgeGateway" || path[3] != "$edgeHub")
        co_return http::Response::empty(404);
    if (path[4] == "devicesAndModulesInTargetDeviceScope") co_return list(state, request.body);
    if (path[4] == "getDeviceAndModuleOnBehalfOf") co_return look_up(state, request.body);
    if (path[4] == "caCertificates") co_return certificates(state);
    if (path[4] != "scopeChanges") co_return http::Response::empty(404);
    const auto since = std::stoull(request.target.value("since").value_or("0"));
    bool wait = request.target.value("wait").value_or("0") != "0";
    while (true) {
        const auto completion = std::make_shared<net::Completion>();
        auto answer = changes_since(state, since, wait, completion);
        if (answer) co_return std::move(*answer);
        co_await completion->wait();
        wait = false;
    }
}

class HubSession final : public mqtt::ConnectionHandler {
  public:
    HubSession(std::shared_ptr<mqtt::Connection> connection, HubState& state)
        : connection_(std::move(connection)), state_(state) {}

    net::Task<mqtt::Answer> authenticate(mqtt::Connect connect) override {
        const auto claim = azure::parse_username(connect.user_name.value_or(""));
        const std::lock_guard lock(state_.mutex);
        const bool good = claim && connect.client_id == claim->identity.text() &&
                          claim->auth_chain == claim->identity.text() + ";EdgeGateway" &&
                          is_gateways_token(state_, connect.password.value_or("")) &&
                          !state_.refuse_gateway && state_.records.contains(claim->identity) &&
                          state_.records.at(claim->identity).status == trust::Enablement::enabled &&
                          !state_.refused_devices.contains(claim->identity.device);
        if (!good) {
            co_return mqtt::Refuse{mqtt::ConnackCode::not_authorized,
                                   base::Error{base::Code::unauthenticated, "client", "is not let in", ""}};
        }
        origin_ = claim->identity.text();
        co_return mqtt::Accept{};
    }
    void deliver(mqtt::Publish message) override {
        {
            const std::lock_guard lock(state_.mutex);
            state_.received.push_back({origin_, std::string(base::as_text(message.payload)), message.topic});
        }
        state_.arrived.notify_all();
        if (message.qos == mqtt::Qos::at_least_once) connection_->stored(message.packet_id);
    }
    mqtt::Grants subscribe(const mqtt::Subscribe& request) override {
        return {std::vector<std::uint8_t>(request.subscriptions.size(), 0), std::nullopt};
    }

  private:
    std::shared_ptr<mqtt::Connection> connection_;
    HubState& state_;
    std::string origin_;
};

net::Task<> serve_mqtt(HubState& state, net::Stream stream) {
    const auto connection = mqtt::Connection::make(std::move(stream), base::system_clock());
    HubSession session(connection, state);
    const auto ended = co_await connection->run(session);
    static_cast<void>(ended);
}

std::unique_ptr<net::TlsListener> opened(base::Result<std::unique_ptr<net::TlsListener>> listener) {
    if (!listener) throw std::runtime_error(listener.error().text());
    return std::move(*listener);
}

}  // namespace

void HubState::changed(const trust::Identity& identity, bool for_certificates) {
    changes.push_back(identity);
    certificate_changes.push_back(for_certificates);
}

void HubState::release() {
    std::vector<std::shared_ptr<net::Completion>> waiting;
    {
        const std::lock_guard lock(mutex);
        waiting.swap(held);
    }
    for (const auto& completion : waiting) completion->complete();
}

void HubState::put(const trust::Record& record) {
    {
        const std::lock_guard lock(mutex);
        records[record.identity] = record;
        changed(record.identity, false);
    }
    release();
}

void HubState::remove(const trust::Identity& identity) {
    {
        const std::lock_guard lock(mutex);
        records.erase(identity);
        changed(identity, false);
    }
    release();
}

void HubState::put_certificates(std::vector<gateway::VerifiedCa> all) {
    {
        const std::lock_guard lock(mutex);
        certificates = std::move(all);
        changed({}, true);
    }
    release();
}

std::vector<std::string> HubState::payloads(const std::string& device, std::size_t count,
                                            std::chrono::seconds limit) {
    std::unique_lock lock(mutex);
    std::vector<std::string> found;
    arrived.wait_for(lock, limit, [&] {
        found.clear();
        for (const auto& message : received) {
            if (message.origin == device) found.push_back(message.payload);
        }
        return found.size() >= count;
    });
    return found;
}

FakeHub::FakeHub(HubState& state, std::shared_ptr<const net::ServerTls> tls, std::uint16_t mqtt_port,
                 std::uint16_t https_port)
    : state_(state) {
    auto mqtt = [this](net::Stream stream) { return serve_mqtt(state_, std::move(stream)); };
    auto handler = [this](http::Request request, const net::Peer&) {
        return serve_scope(state_, std::move(request));
    };
    auto error = [](int status, std::string_view reason) {
        return http::Response::text(status, std::string(reason));
    };
    mqtt_ = opened(net::TlsListener::open(loops_, "127.0.0.1", mqtt_port, tls, mqtt));
    https_ =
        opened(net::TlsListener::open(loops_, "127.0.0.1", https_port, tls, http::serve(handler, error)));
    {
        const std::lock_guard lock(state_.mutex);
        state_.closing = false;
    }
    thread_ = std::thread([this] {
        loops_.run([this] {
            mqtt_->close();
            https_->close();
            {
                // What comes on a connection that still lives is answered at once: nobody would release it.
                const std::lock_guard lock(state_.mutex);
                state_.closing = true;
            }
            state_.release();
        });
    });
}

FakeHub::~FakeHub() {
    loops_.stop();
    thread_.join();
}
