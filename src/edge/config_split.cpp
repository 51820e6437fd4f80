// SPDX-License-Identifier: Apache-2.0
#include "edge/config_split.hpp"

#include <algorithm>

#include "edge/toml_text.hpp"

namespace edge {
namespace {

std::string uri_of(const std::filesystem::path& path) {
    return "file://" + path.string();
}

const X509Credential* x509_of(const Configuration& configuration) {
    return configuration.device ? std::get_if<X509Credential>(&configuration.device->credential) : nullptr;
}

const SymmetricCredential* symmetric_of(const Configuration& configuration) {
    return configuration.device ? std::get_if<SymmetricCredential>(&configuration.device->credential)
                                : nullptr;
}

const Issuance* issued_identity(const Configuration& configuration) {
    const auto* x509 = x509_of(configuration);
    return x509 ? std::get_if<Issuance>(&x509->certificate) : nullptr;
}

void add_rule(TomlText& out, uid_t user, std::string_view list, const std::vector<std::string>& ids) {
    if (ids.empty()) return;
    out.array_table("principal").set("uid", static_cast<std::int64_t>(user)).set(list, ids);
}

void add_issuance(TomlText& out, const std::string& id, const Issuance& issuance) {
    out.table({"cert_issuance", id});
    out.set("method", issuance.method == Issuance::Method::local_ca ? "local_ca" : "self_signed");
    if (issuance.expiry_days) out.set("expiry_days", *issuance.expiry_days);
    if (issuance.common_name) out.set("common_name", *issuance.common_name);
}

void add_renewal(TomlText& out, const std::vector<std::string>& table,
                 const std::optional<RenewalPolicy>& policy) {
    if (!policy) return;
    out.table(table)
        .set("rotate_key", policy->rotate_key)
        .set("threshold", to_string(policy->threshold))
        .set("retry", to_string(policy->retry));
}

std::string keys_file(const Configuration& configuration, const Paths& paths, const Users& users) {
    TomlText out;
    out.set("max_requests", configuration.max_requests.at(Service::keys));
    out.table({"aziot_keys"}).set("homedir_path", paths.home(Service::keys).string());
    out.table({"preloaded_keys"});
    auto preloaded = configuration.preloaded_keys;
    if (const auto* x509 = x509_of(configuration); x509 && !x509->key.empty())
        preloaded["device-id"] = x509->key;
    if (const auto* key = symmetric_of(configuration))
        preloaded["device-id"] = key->value ? uri_of(paths.device_key()) : key->uri;
    if (configuration.edge_ca.key) preloaded["aziot-edged-ca"] = *configuration.edge_ca.key;
    if (configuration.local_ca) preloaded["local-ca"] = configuration.local_ca->second;
    for (const auto& [id, uri] : preloaded) out.set(id, uri);

    add_rule(out, users.service.at(Service::identity), "keys",
             {"aziot_identityd_master_id", "device-id", "device-id-temp"});
    std::vector<std::string> certificates{"local-ca"};
    if (!configuration.edge_ca.key)
        certificates.insert(certificates.end(), {"aziot-edged-ca", "aziot-edged-ca-temp"});
    if (issued_identity(configuration))
        certificates.insert(certificates.end(), {"device-id", "device-id-temp"});
    add_rule(out, users.service.at(Service::certificates), "keys", certificates);
    add_rule(out, users.service.at(Service::workload), "keys",
             {"aziot-edged-ca", "aziot-edged-ca-temp", "iotedge_master_encryption_id"});
    for (const auto& principal : configuration.principals)
        if (principal.uid) add_rule(out, *principal.uid, "keys", principal.keys);
    return out.text();
}

std::string certificates_file(const Configuration& configuration, const Paths& paths, const Users& users) {
    TomlText out;
    out.set("homedir_path", paths.home(Service::certificates).string());
    out.set("max_requests", configuration.max_requests.at(Service::certificates));
    if (configuration.local_ca)
        out.table({"cert_issuance", "local_ca"}).set("cert", "local-ca").set("pk", "local-ca");
    if (!configuration.edge_ca.certificate)
        for (const auto* id : {"aziot-edged-ca", "aziot-edged-ca-temp"})
            add_issuance(out, id, configuration.edge_ca.issuance);
    if (const auto* issued = issued_identity(configuration))
        for (const auto* id : {"device-id", "device-id-temp"}) add_issuance(out, id, *issued);

    out.table({"preloaded_certs"});
    auto preloaded = configuration.preloaded_certificates;
    if (const auto* x509 = x509_of(configuration))
        if (const auto* uri = std::get_if<Uri>(&x509->certificate)) preloaded["device-id"] = *uri;
    if (configuration.edge_ca.certificate) preloaded["aziot-edged-ca"] = *configuration.edge_ca.certificate;
    if (configuration.local_ca) preloaded["local-ca"] = configuration.local_ca->first;
    std::vector<std::string> bundle{"aziot-edged-ca"};
    if (!configuration.edge_ca.certificate) bundle.emplace_back("aziot-edged-ca-previous");
    if (configuration.trust_bundle) {
        preloaded["trust-bundle-user"] = *configuration.trust_bundle;
        bundle.emplace_back("trust-bundle-user");
    }
    preloaded.try_emplace("aziot-edged-trust-bundle", bundle);
    for (const auto& [id, source] : preloaded) {
        if (const auto* uri = std::get_if<Uri>(&source))
            out.set(id, std::string_view(*uri));
        else
            out.set(id, std::get<std::vector<std::string>>(source));
    }

    if (issued_identity(configuration))
        add_rule(out, users.service.at(Service::identity), "certs", {"device-id", "device-id-temp"});
    add_rule(out, users.service.at(Service::workload), "certs",
             {"aziot-edged-ca", "aziot-edged-ca-temp", "aziot-edged-ca-previous", "aziot-edged/module/*"});
    for (const auto& principal : configuration.principals)
        if (principal.uid) add_rule(out, *principal.uid, "certs", principal.certs);
    return out.text();
}

void add_hub(TomlText& out, const HubAddress& hub) {
    out.table({"hub"});
    out.set("iothub_hostname", hub.name);
    out.set("iothub_address", hub.address);
    out.set("iothub_mqtt_port", std::int64_t{hub.mqtt_port});
    out.set("iothub_https_port", std::int64_t{hub.https_port});
    if (hub.trusted_certs) out.set("trusted_certs", *hub.trusted_certs);
}

bool is_module(const Principal& principal) {
    return principal.name == "$edgeHub" ||
           std::ranges::find(principal.idtype, "module") != principal.idtype.end();
}

// $edgeHub is always there: the gateway is a module of every edge device.
std::vector<Principal> modules_of(const Configuration& configuration, const Users& users) {
    std::vector<Principal> modules;
    for (const auto& principal : configuration.principals)
        if (is_module(principal)) modules.push_back(principal);
    const bool named = std::ranges::any_of(modules, [](const Principal& p) { return p.name == "$edgeHub"; });
    if (!named) {
        Principal gateway;
        gateway.name = "$edgeHub";
        modules.push_back(std::move(gateway));
    }
    for (auto& module : modules)
        if (!module.uid)
            module.uid = module.name == "$edgeHub" ? users.gateway.value_or(users.module_default)
                                                   : users.module_default;
    return modules;
}

std::string identity_file(const Configuration& configuration, const Paths& paths, const Users& users) {
    TomlText out;
    out.set("hostname", configuration.hostname);
    out.set("homedir", paths.home(Service::identity).string());
    out.set("max_requests", configuration.max_requests.at(Service::identity));
    out.set("cloud_timeout_sec", configuration.cloud_timeout_seconds);
    out.set("cloud_retries", configuration.cloud_retries);
    std::vector<std::string> names, by_certificate;
    for (const auto& module : modules_of(configuration, users)) {
        names.push_back(module.name);
        if (module.x509) by_certificate.push_back(module.name);
    }
    out.set("modules", names);
    if (!by_certificate.empty()) out.set("x509_modules", by_certificate);
    out.table({"provisioning"});
    if (configuration.parent_hostname) out.set("local_gateway_hostname", *configuration.parent_hostname);
    if (configuration.device) {
        out.set("source", "manual");
        out.set("iothub_hostname", configuration.device->hub.name);
        out.set("device_id", configuration.device->id);
        out.table({"provisioning", "authentication"});
        if (symmetric_of(configuration)) {
            out.set("method", "sas").set("device_id_pk", "device-id");
        } else {
            out.set("method", "x509").set("identity_cert", "device-id").set("identity_pk", "device-id");
            if (const auto* issued = issued_identity(configuration)) {
                out.set("issued", true);
                add_renewal(out, {"provisioning", "authentication", "auto_renew"}, issued->renewal);
            }
        }
        add_hub(out, configuration.device->hub);
    } else {
        out.set("source", "none");
    }
    out.array_table("principal").set("uid", static_cast<std::int64_t>(users.service.at(Service::workload)));
    out.set("name", "aziot-edge");
    for (const auto& principal : configuration.principals) {
        if (principal.idtype.empty() || !principal.uid) continue;
        out.array_table("principal").set("uid", static_cast<std::int64_t>(*principal.uid));
        out.set("name", principal.name).set("idtype", principal.idtype);
    }
    return out.text();
}

std::string workload_file(const Configuration& configuration, const Paths& paths, const Users& users) {
    TomlText out;
    out.set("hostname", configuration.hostname);
    out.set("homedir", paths.home(Service::workload).string());
    if (configuration.parent_hostname) out.set("parent_hostname", *configuration.parent_hostname);
    out.set("trust_bundle_cert", "aziot-edged-trust-bundle");
    const auto& revocation = configuration.revocation;
    if (!revocation.crl_urls.empty()) out.set("crl_urls", revocation.crl_urls);
    if (revocation.crl_max_age) out.set("crl_max_age", *revocation.crl_max_age);
    out.table({"iotedge_max_requests"}).set("workload", configuration.max_requests.at(Service::workload));
    out.table({"edge_ca"});
    out.set("supplied", configuration.edge_ca.certificate.has_value());
    out.set("key_type", configuration.edge_ca.key_type);
    if (configuration.edge_ca.issuance.common_name)
        out.set("common_name", *configuration.edge_ca.issuance.common_name);
    add_renewal(out, {"edge_ca", "auto_renew"}, configuration.edge_ca.issuance.renewal);
    out.table({"module_certs"}).set("key_type", configuration.module_key_type);
    if (configuration.device) add_hub(out, configuration.device->hub);
    out.table({"gateway"});
    const auto& listen = configuration.gateway_listen;
    if (listen.address) out.set("address", *listen.address);
    if (listen.mqtt_port) out.set("mqtt_port", std::int64_t{*listen.mqtt_port});
    if (listen.https_port) out.set("https_port", std::int64_t{*listen.https_port});
    for (const auto& module : modules_of(configuration, users)) {
        out.array_table("principal")
            .set("name", module.name)
            .set("uid", static_cast<std::int64_t>(*module.uid));
        if (!module.names.empty()) out.set("names", module.names);
        if (module.x509) out.set("auth", "x509");
    }
    return out.text();
}

}  // namespace

std::map<Service, std::string> split_configuration(const Configuration& configuration, const Paths& paths,
                                                   const Users& users) {
    return {{Service::keys, keys_file(configuration, paths, users)},
            {Service::certificates, certificates_file(configuration, paths, users)},
            {Service::identity, identity_file(configuration, paths, users)},
            {Service::workload, workload_file(configuration, paths, users)}};
}

}  // namespace edge
