// SPDX-License-Identifier: Apache-2.0
#include "edge/service_config.hpp"

#include <algorithm>

#include "base/result.hpp"
#include "edge/service_files.hpp"

namespace edge {
namespace {

using base::ConfigTable;

// `*` any characters, `?` one; linear in the text thanks to the one remembered star.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

base::Result<ConfigTable> open(const Paths& paths, Service service) {
    const auto directory = paths.service_etc(service);
    return read_joined(directory / "config.toml", directory / "config.d", is_settling(paths));
}

std::size_t read_max(ConfigTable& table) {
    return static_cast<std::size_t>(table.integer("max_requests", 1, 1000).value_or(10));
}

std::vector<UidRule> read_rules(ConfigTable& table, std::string_view list) {
    std::vector<UidRule> rules;
    for (auto& each : table.tables("principal")) {
        const auto uid = each.integer("uid", 0, 4294967294);
        if (!uid) each.complain("uid", "is missing");
        rules.push_back(
            {static_cast<uid_t>(uid.value_or(0)), each.strings(list).value_or(std::vector<std::string>{})});
    }
    return rules;
}

std::filesystem::path read_path(ConfigTable& table, std::string_view key) {
    auto path = table.string(key);
    if (!path) table.complain(key, "is missing");
    return path.value_or("");
}

HubAddress read_hub_table(ConfigTable& root) {
    auto table = root.table("hub");
    return table ? read_hub(*table, table->string("iothub_hostname").value_or("")) : HubAddress{};
}

Issuance read_written_issuance(ConfigTable& table) {
    Issuance out;
    if (table.string("method").value_or("self_signed") == "local_ca") out.method = Issuance::Method::local_ca;
    out.expiry_days = table.integer("expiry_days", 1, 36500);
    out.common_name = table.string("common_name");
    return out;
}

template <class Config>
base::Result<Config> finished(const ConfigTable& table, Config config) {
    if (const auto done = table.finish(); !done) return std::unexpected(done.error());
    return config;
}

}  // namespace

bool is_allowed(const std::vector<UidRule>& rules, std::optional<uid_t> user, std::string_view id) {
    if (!user) return false;
    if (*user == 0) return true;
    return std::ranges::any_of(rules, [&](const UidRule& rule) {
        return rule.user == *user &&
               std::ranges::any_of(rule.patterns, [&](const auto& pattern) { return matches(pattern, id); });
    });
}

base::Result<KeysConfig> read_keys_config(const Paths& paths) {
    SP_TRY(return, auto table, open(paths, Service::keys));
    KeysConfig out;
    out.max_requests = read_max(table);
    if (auto keys = table.table("aziot_keys"))
        out.home = read_path(*keys, "homedir_path");
    else
        out.home = paths.home(Service::keys);
    if (auto preloaded = table.table("preloaded_keys"))
        for (const auto& id : preloaded->keys()) out.preloaded[id] = preloaded->string(id).value_or("");
    out.rules = read_rules(table, "keys");
    return finished(table, std::move(out));
}

base::Result<CertificatesConfig> read_certificates_config(const Paths& paths) {
    SP_TRY(return, auto table, open(paths, Service::certificates));
    CertificatesConfig out;
    out.max_requests = read_max(table);
    out.home = read_path(table, "homedir_path");
    out.keys_socket = paths.socket(Service::keys);
    if (auto preloaded = table.table("preloaded_certs"))
        for (const auto& id : preloaded->keys()) {
            if (preloaded->kind(id) == ConfigTable::Kind::array)
                out.preloaded[id] = preloaded->strings(id).value_or(std::vector<std::string>{});
            else
                out.preloaded[id] = preloaded->string(id).value_or("");
        }
    if (auto issuance = table.table("cert_issuance")) {
        for (const auto& id : issuance->keys()) {
            auto entry = issuance->table(id);
            if (!entry) continue;
            if (id == "local_ca")
                out.local_ca =
                    std::pair(entry->string("cert").value_or(""), entry->string("pk").value_or(""));
            else
                out.issuance[id] = read_written_issuance(*entry);
        }
    }
    out.rules = read_rules(table, "certs");
    return finished(table, std::move(out));
}

base::Result<IdentityConfig> read_identity_config(const Paths& paths) {
    SP_TRY(return, auto table, open(paths, Service::identity));
    IdentityConfig out;
    out.max_requests = read_max(table);
    out.home = read_path(table, "homedir");
    out.keys_socket = paths.socket(Service::keys);
    out.certificates_socket = paths.socket(Service::certificates);
    out.hostname = table.string("hostname").value_or("");
    out.cloud_timeout = std::chrono::seconds(table.integer("cloud_timeout_sec", 1, 86400).value_or(70));
    table.integer("cloud_retries", 0, 100);
    out.hub = read_hub_table(table);
    out.modules = table.strings("modules").value_or(std::vector<std::string>{});
    out.x509_modules = table.strings("x509_modules").value_or(std::vector<std::string>{});
    if (auto provisioning = table.table("provisioning")) {
        const auto source = provisioning->string("source").value_or("none");
        out.parent = provisioning->string("local_gateway_hostname");
        provisioning->string("iothub_hostname");
        out.device_id = provisioning->string("device_id").value_or("");
        if (auto authentication = provisioning->table("authentication");
            authentication && source == "manual") {
            const auto method = authentication->string("method").value_or("");
            out.method = method == "sas" ? IdentityConfig::Method::sas : IdentityConfig::Method::x509;
            if (authentication->boolean("issued").value_or(false))
                out.method = IdentityConfig::Method::x509_issued;
            if (const auto id = authentication->string(method == "sas" ? "device_id_pk" : "identity_pk"))
                out.key_id = *id;
            if (const auto id = authentication->string("identity_cert")) out.certificate_id = *id;
            out.renewal = read_renewal(*authentication, "auto_renew");
        }
    }
    out.principals = read_principals(table);
    return finished(table, std::move(out));
}

base::Result<WorkloadConfig> read_workload_config(const Paths& paths) {
    SP_TRY(return, auto table, open(paths, Service::workload));
    WorkloadConfig out;
    out.home = read_path(table, "homedir");
    out.keys_socket = paths.socket(Service::keys);
    out.certificates_socket = paths.socket(Service::certificates);
    out.identity_socket = paths.socket(Service::identity);
    out.gateway_file = paths.gateway_file();
    out.hostname = table.string("hostname").value_or("");
    out.parent = table.string("parent_hostname");
    if (auto id = table.string("trust_bundle_cert")) out.trust_bundle_id = *id;
    out.revocation = read_revocation(table);
    if (auto limits = table.table("iotedge_max_requests"))
        out.max_requests = static_cast<std::size_t>(limits->integer("workload", 1, 1000).value_or(10));
    if (auto ca = table.table("edge_ca")) {
        out.edge_ca_common_name = ca->string("common_name");
        out.edge_ca_supplied = ca->boolean("supplied").value_or(false);
        out.edge_ca_key_type = ca->string("key_type").value_or("ec-p256");
        if (const auto renewal = read_renewal(*ca, "auto_renew")) out.edge_ca_renewal = *renewal;
    }
    if (auto modules = table.table("module_certs"))
        out.module_key_type = modules->string("key_type").value_or("ec-p256");
    out.hub = read_hub_table(table);
    if (auto listen = table.table("gateway")) {
        out.gateway_listen.address = listen->string("address");
        if (auto port = listen->integer("mqtt_port", 0, 65535))
            out.gateway_listen.mqtt_port = static_cast<std::uint16_t>(*port);
        if (auto port = listen->integer("https_port", 0, 65535))
            out.gateway_listen.https_port = static_cast<std::uint16_t>(*port);
    }
    for (auto& principal : read_principals(table))
        out.modules.push_back({principal.name, principal.uid.value_or(0), principal.names, principal.x509});
    return finished(table, std::move(out));
}

}  // namespace edge
