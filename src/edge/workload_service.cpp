// SPDX-License-Identifier: Apache-2.0
#include "edge/workload_service.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/edge_ca.hpp"
#include "edge/kept_files.hpp"
#include "pki/csr.hpp"
#include "pki/profile.hpp"
#include "pki/verify.hpp"

namespace edge {
namespace {

int status_of_workload(base::Code code) {
    switch (code) {
        case base::Code::invalid_argument:
            return 400;
        case base::Code::permission_denied:
            return 403;
        case base::Code::not_found:
            return 404;
        case base::Code::malformed:
            return 422;
        default:
            return 500;
    }
}

std::unexpected<base::Error> forbidden(std::string reason) {
    return base::fail(base::Code::permission_denied, "forbidden", std::move(reason));
}

constexpr int most_est_requests = 2;

// What fails behind this API is no mistake of the caller's (edge-runtime.md 6.3).
std::unexpected<base::Error> behind(std::string what, const base::Error& why) {
    return base::fail(base::Code::internal, std::move(what), why.text());
}

base::Result<base::Bytes> parameter_bytes(const json::value& body, std::string_view name) {
    SP_TRY(return, const auto text, text_member(body, name));
    auto bytes = base::from_base64(text);
    if (!bytes)
        return base::fail(base::Code::invalid_argument, fmt::format("invalid parameter: {}", name),
                          "is not base64");
    return *std::move(bytes);
}

std::string san_of(std::string_view name) {
    return fmt::format("{}:{}", pki::PeerName::parse(name).is_address() ? "IP" : "DNS", name);
}

}  // namespace

base::Bytes secrets_derivation(std::string_view module, std::string_view generation) {
    base::Bytes out;
    for (const auto part : {module, generation}) {
        for (int shift = 24; shift >= 0; shift -= 8)
            out.push_back(static_cast<std::byte>((part.size() >> shift) & 0xff));
        const auto bytes = base::as_bytes(part);
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

base::Result<std::unique_ptr<WorkloadService>> WorkloadService::make(WorkloadConfig config,
                                                                     const base::Clock& clock) {
    if (auto made = base::make_private_directories(config.home); !made) return std::unexpected(made.error());
    for (const auto& each : {config.home, config.home / "env", config.gateway_file.parent_path()})
        if (auto cleared = remove_leftovers(each); !cleared) return std::unexpected(cleared.error());
    return std::unique_ptr<WorkloadService>(new WorkloadService(std::move(config), clock));
}

WorkloadService::WorkloadService(WorkloadConfig config, const base::Clock& clock)
    : config_(std::move(config)),
      clock_(clock),
      keys_(config_.keys_socket.string(), clock, connections_to_keys),
      certificates_(config_.certificates_socket.string(), clock, connections_to_certificates),
      identity_(config_.identity_socket.string(), clock, connections_to_identity),
      edge_ca_(edge_ca_subject(config_, identity_), keys_, certificates_, clock) {
    const std::vector<std::string> versions{"2018-06-28", "2019-01-30", "2019-10-22", "2019-11-05",
                                            "2020-07-07", "2021-12-07", "2022-08-03"};
    for (const auto& rules : config_.modules) {
        auto module = std::make_unique<Module>();
        module->rules = rules;
        module->api =
            std::make_unique<LocalApi>("workload", versions, routes(module.get()), status_of_workload);
        modules_.push_back(std::move(module));
    }
}

const LocalApi* WorkloadService::api(std::string_view module) const {
    for (const auto& each : modules_)
        if (each->rules.id == module) return each->api.get();
    return nullptr;
}

std::vector<Route> WorkloadService::routes(Module* module) {
    using http::Verb;
    const std::string_view first = "2018-06-28";
    return {
        {Verb::get, "/modules", first, Body::none, [this](Call) { return ready(modules()); }},
        {Verb::get, "/modules/", first, Body::none, [this](Call) { return ready(modules()); }},
        {Verb::post, "/modules/{m}/genid/{g}/sign", first, Body::required,
         [this, module](Call c) { return sign(module, std::move(c)); }},
        {Verb::post, "/modules/{m}/genid/{g}/encrypt", first, Body::required,
         [this, module](Call c) { return encrypt(module, std::move(c)); }},
        {Verb::post, "/modules/{m}/genid/{g}/decrypt", first, Body::required,
         [this, module](Call c) { return decrypt(module, std::move(c)); }},
        {Verb::post, "/modules/{m}/genid/{g}/certificate/server", first, Body::required,
         [this, module](Call c) { return server_certificate(module, std::move(c)); }},
        {Verb::post, "/modules/{m}/certificate/identity", first, Body::optional,
         [this, module](Call c) { return identity_certificate(module, std::move(c)); }},
        {Verb::get, "/trust-bundle", first, Body::none, [this](Call) { return trust_bundle(); }},
        {Verb::get, "/manifest-trust-bundle", first, Body::none,
         [](Call) { return ready(ok({{"certificate", ""}})); }},
    };
}

base::Status WorkloadService::is_caller(const Module& module, const Call& call) const {
    if (call.ids[0] != module.rules.id) return forbidden("this socket is another module's");
    const auto user = call.caller.user;
    if (user == uid_t{0} || user == module.rules.user) return {};
    return forbidden(
        fmt::format("user {} does not run module {}", user ? fmt::to_string(*user) : "unknown", call.ids[0]));
}

base::Status WorkloadService::is_generation(const Module& module, const Call& call) const {
    if (module.identity && module.identity->generation == call.ids[1]) return {};
    return forbidden(fmt::format("{} is not the generation id of module {}", call.ids[1], module.rules.id));
}

bool WorkloadService::may_bear(const Module& module, std::string_view name) const {
    const auto same = [&](const auto& own) { return base::equal_ignoring_case(own, name); };
    if (std::ranges::any_of(module.rules.names, same)) return true;
    // Also where another module's id is the same: the host name is the gateway's.
    if (same(config_.hostname)) return module.rules.id == "$edgeHub";
    return same(bare_module(module.rules.id));
}

net::Task<base::Result<ModuleIdentity>> WorkloadService::identity_of(Module* module) {
    if (!module->identity) {
        auto found = co_await identity_.module(module->rules.id);
        if (!found) co_return behind("module identity", found.error());
        module->identity = *std::move(found);
    }
    co_return *module->identity;
}

net::Task<Answer> WorkloadService::sign(Module* module, Call call) {
    if (auto good = is_caller(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto data = parameter_bytes(call.body, "data");
    if (!data) co_return std::unexpected(std::move(data).error());
    auto identity = co_await identity_of(module);
    if (!identity) co_return std::unexpected(std::move(identity).error());
    if (auto good = is_generation(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto digest = co_await keys_.hmac(identity->key_handle, *data);
    if (!digest && digest.error().code == base::Code::invalid_argument) {
        // The handle died with the keys service's validation key: ask for a new one, once.
        module->identity.reset();
        auto again = co_await identity_of(module);
        if (!again) co_return std::unexpected(std::move(again).error());
        digest = co_await keys_.hmac(again->key_handle, *data);
    }
    if (!digest) co_return behind("signature", digest.error());
    co_return ok({{"digest", base::to_base64(*digest)}});
}

net::Task<base::Result<std::string>> WorkloadService::secrets_key(ModuleIdentity identity) {
    auto master = co_await keys_.create_key("iotedge_master_encryption_id", "encrypt");
    if (!master) co_return std::unexpected(std::move(master).error());
    auto derived = co_await keys_.derive(*master, secrets_derivation(identity.module, identity.generation));
    co_return derived;
}

net::Task<Answer> WorkloadService::encrypt(Module* module, Call call) {
    if (auto good = is_caller(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto plaintext = parameter_bytes(call.body, "plaintext");
    if (!plaintext) co_return std::unexpected(std::move(plaintext).error());
    auto iv = parameter_bytes(call.body, "initializationVector");
    if (!iv) co_return std::unexpected(std::move(iv).error());
    auto identity = co_await identity_of(module);
    if (!identity) co_return std::unexpected(std::move(identity).error());
    if (auto good = is_generation(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto key = co_await secrets_key(*identity);
    if (!key) co_return behind("encryption key", key.error());
    auto sealed = co_await keys_.seal(*key, *std::move(iv), base::bytes_of(call.ids[0] + call.ids[1]),
                                      *std::move(plaintext));
    if (!sealed && sealed.error().code == base::Code::invalid_argument)
        co_return base::fail(base::Code::invalid_argument, "invalid parameter", sealed.error().reason);
    if (!sealed) co_return behind("encryption", sealed.error());
    co_return ok({{"ciphertext", base::to_base64(*sealed)}});
}

net::Task<Answer> WorkloadService::decrypt(Module* module, Call call) {
    if (auto good = is_caller(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto ciphertext = parameter_bytes(call.body, "ciphertext");
    if (!ciphertext) co_return std::unexpected(std::move(ciphertext).error());
    auto iv = parameter_bytes(call.body, "initializationVector");
    if (!iv) co_return std::unexpected(std::move(iv).error());
    auto identity = co_await identity_of(module);
    if (!identity) co_return std::unexpected(std::move(identity).error());
    if (auto good = is_generation(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto key = co_await secrets_key(*identity);
    if (!key) co_return behind("encryption key", key.error());
    auto opened = co_await keys_.open(*key, *std::move(iv), base::bytes_of(call.ids[0] + call.ids[1]),
                                      *std::move(ciphertext));
    // .NET clients repeat a 500, and a wrong tag stays wrong: 400 (edge-runtime.md 6.3).
    if (!opened && opened.error().code == base::Code::invalid_argument)
        co_return base::fail(base::Code::invalid_argument, "invalid parameter", opened.error().reason);
    if (!opened) co_return behind("decryption", opened.error());
    const auto plaintext = base::to_base64(*opened);
    base::wipe(opened->data(), opened->size());
    co_return ok({{"plaintext", plaintext}});
}

// Few at a time, so that a server that hangs takes no more than that.
net::Task<base::Result<pki::Chain>> WorkloadService::issue_by_est(std::string certificate_id,
                                                                  std::string csr) {
    while (est_asked_ >= most_est_requests) {
        const net::Completion completion;
        est_waiting_.push_back(completion);
        co_await completion.wait();
    }
    ++est_asked_;
    auto chain = co_await certificates_.create(certificate_id, std::move(csr), std::nullopt);
    --est_asked_;
    if (!est_waiting_.empty()) {
        est_waiting_.front().complete();
        est_waiting_.pop_front();
    }
    if (!chain) co_return behind(fmt::format("failed to create cert {}", certificate_id), chain.error());
    co_return chain;
}

// The handle names the key by its id, so it stays good when the Edge CA is renewed with a new one.
net::Task<base::Result<pki::Chain>> WorkloadService::issue_by_edge_ca(std::string certificate_id,
                                                                      std::string csr) {
    for (bool again = false;; again = true) {
        if (edge_ca_handle_.empty()) {
            auto handle = co_await keys_.load_pair(edge_ca_id);
            if (!handle) co_return behind("failed to get edge CA key", handle.error());
            edge_ca_handle_ = *std::move(handle);
        }
        CertificatesClient::Issuer issuer{edge_ca_id, edge_ca_handle_};
        auto chain = co_await certificates_.create(certificate_id, csr, std::move(issuer));
        if (chain) co_return chain;
        // Handles die with the keys service's validation key: ask for a new one, once.
        const bool died = chain.error().code == base::Code::invalid_argument &&
                          chain.error().reason.find("privateKeyHandle") != std::string::npos;
        if (!died || again)
            co_return behind(fmt::format("failed to create cert {}", certificate_id), chain.error());
        edge_ca_handle_.clear();
    }
}

net::Task<Answer> WorkloadService::issue(std::string certificate_id, std::string common_name,
                                         std::vector<std::string> names, std::string usage) {
    const auto what = fmt::format("failed to create cert {}", certificate_id);
    const auto type = pki::parse_key_type(config_.module_key_type).value_or(pki::KeyType::ec_p256);
    auto key = pki::PrivateKey::generate(type);
    if (!key) co_return behind(what, key.error());
    pki::CsrWish wish;
    wish.common_name = std::move(common_name);
    wish.names = std::move(names);
    wish.usages = {std::move(usage)};
    auto csr = pki::make_csr_pem(wish, *key);
    if (!csr) co_return behind(what, csr.error());
    base::Result<pki::Chain> chain = pki::Chain();
    const bool by_est = config_.modules_by_est && wish.usages.front() == "serverAuth";
    if (by_est) chain = co_await issue_by_est(certificate_id, *csr);
    while (!by_est) {
        co_await edge_ca_.settled();
        const auto seen = edge_ca_.changes();
        chain = co_await issue_by_edge_ca(certificate_id, *csr);
        // The Edge CA that was asked for a signature may have been replaced meanwhile.
        if (chain || edge_ca_.changes() == seen) break;
    }
    if (!chain) {
        if (!by_est) edge_ca_.suspect();
        co_return std::unexpected(std::move(chain).error());
    }
    // Leaf, Edge CA, intermediates, never the root, even if the Edge CA's file holds it (interfaces.md 3).
    pki::Chain presented{chain->front()};
    for (std::size_t i = 1; i < chain->size(); ++i)
        if (!(*chain)[i].is_self_issued()) presented.push_back((*chain)[i]);
    auto pem = key->pem();
    if (!pem) co_return behind(what, pem.error());
    auto expiration = base::format_rfc3339(presented.front().not_after());
    expiration.replace(expiration.size() - 1, 1, "+00:00");
    json::object private_key(wiping());
    private_key["type"] = "key";
    private_key["bytes"] = pem->text();
    json::object answer(wiping());
    answer["privateKey"] = std::move(private_key);
    answer["certificate"] = pki::to_pem(presented);
    answer["expiration"] = expiration;
    const json::value document(std::move(answer));
    co_return ok(document, 201);
}

net::Task<Answer> WorkloadService::server_certificate(Module* module, Call call) {
    if (auto good = is_caller(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto common_name = text_member(call.body, "commonName");
    if (!common_name) co_return std::unexpected(std::move(common_name).error());
    if (!may_bear(*module, *common_name))
        co_return forbidden(
            fmt::format("module {} may not bear the name \"{}\"", module->rules.id, *common_name));
    auto identity = co_await identity_of(module);
    if (!identity) co_return std::unexpected(std::move(identity).error());
    if (auto good = is_generation(*module, call); !good) co_return std::unexpected(std::move(good).error());
    const std::string bare(bare_module(module->rules.id));
    std::vector<std::string> names{san_of(*common_name)};
    // A module id need not be a host name; one that cannot stand in a certificate is left out.
    if (const auto own = "DNS:" + bare;
        !base::equal_ignoring_case(bare, *common_name) && pki::check_name(own))
        names.push_back(own);
    auto id = fmt::format("aziot-edged/module/{}:{}:server", bare, identity->generation);
    auto answer = co_await issue(std::move(id), *std::move(common_name), std::move(names), "serverAuth");
    co_return answer;
}

net::Task<Answer> WorkloadService::identity_certificate(Module* module, Call call) {
    if (auto good = is_caller(*module, call); !good) co_return std::unexpected(std::move(good).error());
    auto identity = co_await identity_of(module);
    if (!identity) co_return std::unexpected(std::move(identity).error());
    const auto& own = identity->device;
    // The original puts this URI into a dNSName; ours is a URI (edge-runtime.md 7.4).
    std::vector<std::string> names{
        fmt::format("URI:azureiot://{}/devices/{}/modules/{}", own.hub, own.device, identity->module)};
    auto id = module_identity_certificate(identity->module);
    auto answer = co_await issue(std::move(id), identity->module, std::move(names), "clientAuth");
    if (!answer || !module->rules.x509) co_return answer;
    // Only now is it worth anything: the hub must know it before the module uses it.
    auto registered = co_await register_certificate(identity->module, *answer);
    if (!registered) co_return behind("identity certificate", registered.error());
    co_return answer;
}

net::Task<base::Status> WorkloadService::register_certificate(std::string module,
                                                              const http::Response& answer) {
    const auto document = parse_json(answer.body, "answer");
    if (!document) co_return std::unexpected(document.error());
    const auto pem = text_member(*document, "certificate");
    if (!pem) co_return std::unexpected(pem.error());
    const auto leaf = pki::Certificate::from_pem(*pem, "identity certificate");
    if (!leaf) co_return std::unexpected(leaf.error());
    auto done = co_await identity_.register_thumbprint(std::move(module), base::to_hex_upper(leaf->sha256()));
    co_return done;
}

net::Task<Answer> WorkloadService::trust_bundle() {
    auto pem = co_await certificates_.read(config_.trust_bundle_id);
    if (!pem && pem.error().code == base::Code::not_found)
        co_return base::fail(base::Code::not_found, "trust bundle", "does not exist");
    if (!pem) co_return behind("trust bundle", pem.error());
    co_return ok({{"certificate", *pem}});
}

Answer WorkloadService::modules() const {
    json::array all;
    for (const auto& module : modules_) {
        // No containers: a module is a process of its own user, whose state systemd knows and this service
        // does not.
        const json::object config{{"settings", json::object{}}, {"env", json::array{}}};
        all.push_back(json::object{{"id", "id"},
                                   {"name", bare_module(module->rules.id)},
                                   {"type", "process"},
                                   {"config", config},
                                   {"status", {{"runtimeStatus", {{"status", "unknown"}}}}}});
    }
    return ok({{"modules", std::move(all)}});
}

}  // namespace edge
