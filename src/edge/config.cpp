// SPDX-License-Identifier: Apache-2.0
#include "edge/config.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "azure/connection_string.hpp"
#include "base/duration.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "edge/config_foreign.hpp"
#include "pki/key.hpp"
#include "pki/profile.hpp"
#include "pki/verify.hpp"
#include "trust/identity.hpp"

namespace edge {
namespace {

using base::ConfigTable;
using Kind = base::ConfigTable::Kind;

std::optional<Uri> read_uri(ConfigTable& table, std::string_view key) {
    auto value = table.string(key);
    if (!value) return std::nullopt;
    // A token's key is named, not read here; whether it can be used shows at its first use.
    if (value->starts_with("pkcs11:")) return value;
    if (const auto file = file_of_uri(*value); !file) {
        table.complain(key, "is not a file URI", "write it as file:///absolute/path");
        return std::nullopt;
    }
    return value;
}

std::string read_key_type(ConfigTable& table) {
    auto type = table.string("key_type");
    if (!type) return "ec-p256";
    if (*type != "ec-p256" && *type != "rsa-2048" && *type != "rsa-4096") {
        table.complain("key_type", fmt::format("is {}", *type), "take ec-p256, rsa-2048 or rsa-4096");
        return "ec-p256";
    }
    return *type;
}

Issuance read_issuance(ConfigTable& table) {
    Issuance out;
    if (const auto method = table.string("method")) {
        if (*method == "local_ca")
            out.method = Issuance::Method::local_ca;
        else if (*method == "est") {
            table.complain("method", "is est, which this version does not do yet",
                           "take local_ca, self_signed, or a certificate of your own");
            for (const auto* key : {"url", "username", "password", "identity_cert", "identity_pk",
                                    "bootstrap_identity_cert", "bootstrap_identity_pk"})
                table.known(key);
        } else if (*method != "self_signed")
            table.complain("method", "must be self_signed, local_ca or est");
    }
    out.expiry_days = table.integer("expiry_days", 1, 36500);
    out.common_name = table.string("common_name");
    if (out.common_name && (out.common_name->empty() || out.common_name->size() > 64))
        table.complain("common_name", "must have 1 to 64 characters");
    if (auto subject = table.table("subject")) {
        out.common_name = subject->string("CN");
        if (subject->keys().size() > 1)
            table.complain("subject", "has more than a CN, which this version does not do");
        for (const auto& key : subject->keys()) subject->known(key);
    }
    out.renewal = read_renewal(table, "auto_renew");
    return out;
}

std::optional<SymmetricCredential> read_symmetric(ConfigTable& table, std::string_view key) {
    auto source = table.table(key);
    if (!source) {
        table.complain(key, "is missing", "write { value = \"<base64>\" } or { uri = \"file:///path\" }");
        return std::nullopt;
    }
    SymmetricCredential out;
    if (const auto value = source->string("value")) {
        const auto bytes = base::from_base64(*value);
        if (!bytes || bytes->empty())
            source->complain("value", "is not base64");
        else
            out.value = base::SecretBytes(std::span(*bytes));
        source->known("uri");
        return out;
    }
    const auto uri = read_uri(*source, "uri");
    if (!uri) return std::nullopt;
    out.uri = *uri;
    return out;
}

std::optional<X509Credential> read_x509(ConfigTable& table) {
    X509Credential out;
    if (table.kind("identity_cert") == Kind::table) {
        auto issued = table.table("identity_cert");
        out.certificate = read_issuance(*issued);
        table.known("identity_pk");
        return out;
    }
    const auto certificate = read_uri(table, "identity_cert");
    const auto key = read_uri(table, "identity_pk");
    if (!table.known("identity_cert"))
        table.complain("identity_cert", "is missing", "name the device's certificate");
    if (!table.known("identity_pk"))
        table.complain("identity_pk", "is missing", "name the certificate's private key");
    if (!certificate || !key) return std::nullopt;
    out.certificate = *certificate;
    out.key = *key;
    return out;
}

std::optional<Device> read_manual(ConfigTable& table) {
    Device device;
    if (const auto text = table.string("connection_string")) {
        const auto parsed = azure::parse_connection_string(*text);
        if (!parsed || parsed->device_id.empty() || parsed->key.empty()) {
            table.complain("connection_string", "is not one of a device",
                           "it reads HostName=...;DeviceId=...;SharedAccessKey=...");
            return std::nullopt;
        }
        const auto key = base::from_base64(parsed->key);
        if (!key) {
            table.complain("connection_string", "has a key that is not base64");
            return std::nullopt;
        }
        device.hub = read_hub(table, fmt::format("{}:{}", parsed->host, parsed->port));
        device.id = parsed->device_id;
        device.credential = SymmetricCredential{base::SecretBytes(std::span(*key)), {}};
        return device;
    }
    const auto hostname = table.string("iothub_hostname");
    const auto id = table.string("device_id");
    if (!hostname) table.complain("iothub_hostname", "is missing", "name the hub, or give connection_string");
    if (!id) table.complain("device_id", "is missing", "name this device as the hub knows it");
    device.hub = read_hub(table, hostname.value_or(""));
    device.id = id.value_or("");
    if (id)
        if (const auto good = trust::check_id(*id, "device id"); !good)
            table.complain("device_id", good.error().reason);
    auto authentication = table.table("authentication");
    if (!authentication) {
        table.complain("authentication", "is missing", "add [provisioning.authentication] with a method");
        return std::nullopt;
    }
    const auto method = authentication->string("method").value_or("");
    if (method == "x509") {
        auto credential = read_x509(*authentication);
        if (!credential) return std::nullopt;
        device.credential = *std::move(credential);
    } else if (method == "sas") {
        auto credential = read_symmetric(*authentication, "device_id_pk");
        if (!credential) return std::nullopt;
        device.credential = *std::move(credential);
    } else {
        authentication->complain("method", "must be sas or x509");
        return std::nullopt;
    }
    return device;
}

std::optional<Device> read_provisioning(ConfigTable& root) {
    auto table = root.table("provisioning");
    if (!table) {
        root.complain("provisioning", "is missing", "add [provisioning] with source = \"manual\"");
        return std::nullopt;
    }
    const auto source = table->string("source").value_or("manual");
    if (source == "none") return std::nullopt;
    if (source == "dps") {
        table->complain("source", "is dps, which this version does not do yet", "provision manually");
        take_whole(*std::move(table));
        return std::nullopt;
    }
    if (source != "manual") table->complain("source", "must be manual, dps or none");
    return read_manual(*table);
}

void read_certificate_sources(ConfigTable& root, Configuration& into) {
    if (auto keys = root.table("preloaded_keys"))
        for (const auto& id : keys->keys())
            if (auto uri = read_uri(*keys, id)) into.preloaded_keys[id] = *uri;
    if (auto certificates = root.table("preloaded_certs"))
        for (const auto& id : certificates->keys()) {
            if (certificates->kind(id) == Kind::array) {
                if (auto list = certificates->strings(id)) into.preloaded_certificates[id] = *list;
            } else if (auto uri = read_uri(*certificates, id)) {
                into.preloaded_certificates[id] = *uri;
            }
        }
    if (auto issuance = root.table("cert_issuance")) {
        if (auto est = issuance->table("est")) {
            issuance->complain("est", "is set, and this version does not do EST yet", "take the table out");
            take_whole(*std::move(est));
        }
        if (auto local = issuance->table("local_ca")) {
            const auto certificate = read_uri(*local, "cert");
            const auto key = read_uri(*local, "pk");
            if (certificate && key)
                into.local_ca = std::pair(*certificate, *key);
            else
                local->complain("cert", "and pk are both needed");
        }
    }
}

void read_edge_ca(ConfigTable& root, Configuration& into) {
    auto table = root.table("edge_ca");
    if (!table) return;
    auto& ca = into.edge_ca;
    if (table->kind("cert") == Kind::text || table->known("pk")) {
        ca.certificate = read_uri(*table, "cert");
        ca.key = read_uri(*table, "pk");
        if (!ca.certificate || !ca.key)
            table->complain("cert", "and pk are both needed",
                            "name the Edge CA's certificate and its private key");
    }
    ca.issuance = read_issuance(*table);
    if (const auto days = table->integer("auto_generated_edge_ca_expiry_days", 1, 36500))
        ca.issuance.expiry_days = days;
    ca.key_type = read_key_type(*table);
    if (ca.issuance.method == Issuance::Method::local_ca && !into.local_ca)
        table->complain("method", "is local_ca, but there is no [cert_issuance.local_ca]");
}

void read_limits(ConfigTable& root, Configuration& into) {
    for (const auto service : all_services) into.max_requests[service] = 10;
    if (auto table = root.table("aziot_max_requests")) {
        for (const auto service : {Service::keys, Service::certificates, Service::identity})
            if (const auto most = table->integer(daemon_name(service), 1, 1000))
                into.max_requests[service] = *most;
        table->integer("tpmd", 1, 1000);
    }
    if (auto table = root.table("iotedge_max_requests")) {
        table->integer("management", 1, 1000);
        if (const auto most = table->integer("workload", 1, 1000))
            into.max_requests[Service::workload] = *most;
    }
}

GatewayListen read_gateway(ConfigTable& root) {
    GatewayListen out;
    const auto read = [&](ConfigTable& table) {
        if (auto address = table.string("address")) out.address = address;
        if (auto port = table.integer("mqtt_port", 0, 65535))
            out.mqtt_port = static_cast<std::uint16_t>(*port);
        if (auto port = table.integer("https_port", 0, 65535))
            out.https_port = static_cast<std::uint16_t>(*port);
    };
    if (auto table = root.table("gateway")) {
        read(*table);
        if (auto listen = table->table("listen")) read(*listen);
    }
    return out;
}

// A name that a certificate cannot hold is refused as it is, never made to fit.
void complain_of_host(ConfigTable& table, std::string_view key, const std::string& host) {
    const auto good = check_host(host);
    if (!good)
        table.complain(key, fmt::format("is \"{}\", which {}", host, good.error().reason), good.error().fix);
}

}  // namespace

std::string machine_name() {
    char name[256]{};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

base::Status check_host(const std::string& host) {
    const auto kind = pki::PeerName::parse(host).is_address() ? "IP" : "DNS";
    if (auto good = pki::check_name(fmt::format("{}:{}", kind, host)); !good) return good;
    if (pki::is_wildcard("DNS:" + host))
        return base::fail(base::Code::invalid_argument, "host name " + host, "is a wildcard",
                          "give the one name that devices connect to");
    if (auto good = pki::check_common_name(host); !good) return good;
    return {};
}

HubAddress read_hub(ConfigTable& provisioning, const std::string& hostname) {
    HubAddress hub;
    const auto colon = hostname.rfind(':');
    hub.name = hostname.substr(0, colon);
    if (colon != std::string::npos) {
        const auto port = hostname.substr(colon + 1);
        const bool digits = !port.empty() && port.size() <= 5 &&
                            std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
        if (digits && std::stoi(port) > 0 && std::stoi(port) < 65536)
            hub.https_port = static_cast<std::uint16_t>(std::stoi(port));
        else
            provisioning.complain("iothub_hostname", "has a port that is no number from 1 to 65535");
    }
    hub.address = provisioning.string("iothub_address").value_or(hub.name);
    if (const auto port = provisioning.integer("iothub_mqtt_port", 1, 65535))
        hub.mqtt_port = static_cast<std::uint16_t>(*port);
    if (const auto port = provisioning.integer("iothub_https_port", 1, 65535))
        hub.https_port = static_cast<std::uint16_t>(*port);
    hub.trusted_certs = provisioning.strings("trusted_certs");
    if (hub.trusted_certs)
        for (const auto& uri : *hub.trusted_certs)
            if (!file_of_uri(uri))
                provisioning.complain("trusted_certs", fmt::format("has {}, which is not a file URI", uri));
    return hub;
}

std::vector<Principal> read_principals(ConfigTable& table) {
    std::vector<Principal> all;
    for (auto& each : table.tables("principal")) {
        Principal principal;
        principal.name = each.string("name").value_or("");
        if (const auto uid = each.integer("uid", 0, 4294967294)) principal.uid = static_cast<uid_t>(*uid);
        principal.idtype = each.strings("idtype").value_or(std::vector<std::string>{});
        principal.keys = each.strings("keys").value_or(std::vector<std::string>{});
        principal.certs = each.strings("certs").value_or(std::vector<std::string>{});
        principal.names = each.strings("names").value_or(std::vector<std::string>{});
        for (const auto& type : principal.idtype)
            if (type == "local")
                each.complain("idtype", "has local, which this version does not do yet");
            else if (type != "device" && type != "module")
                each.complain("idtype", "may have device, module and local");
        if (const auto auth = each.string("auth")) {
            principal.x509 = *auth == "x509";
            if (!principal.x509 && *auth != "sas") each.complain("auth", "must be sas or x509");
            if (principal.x509 && principal.name == "$edgeHub")
                each.complain("auth", "is x509, which the gateway does not do", "leave it out for $edgeHub");
        }
        if (!principal.name.empty())
            if (const auto good = trust::check_id(principal.name, "module id"); !good)
                each.complain("name", good.error().reason);
        if (principal.name.empty() && !principal.idtype.empty())
            each.complain("name", "is missing", "idtype needs it");
        for (const auto& name : principal.names)
            if (const auto good = pki::check_name(fmt::format("DNS:{}", name)); !good)
                each.complain("names", good.error().text());
        const bool twice = std::ranges::any_of(all, [&](const Principal& other) {
            return !other.name.empty() && bare_module(other.name) == bare_module(principal.name);
        });
        if (twice)
            each.complain(
                "name", fmt::format("{} is given to two principals, with or without its $", principal.name));
        all.push_back(std::move(principal));
    }
    return all;
}

Revocation read_revocation(ConfigTable& table) {
    Revocation out;
    out.crl_urls = table.strings("crl_urls").value_or(std::vector<std::string>{});
    for (const auto& url : out.crl_urls)
        if (!url.starts_with("http://") && !url.starts_with("https://"))
            table.complain("crl_urls", fmt::format("has {}, which is neither http nor https", url),
                           "write the URL where the CA publishes its CRL");
    out.crl_max_age = table.string("crl_max_age");
    if (!out.crl_max_age) return out;
    const auto age = base::parse_duration(*out.crl_max_age);
    if (!age || age->count() <= 0)
        table.complain("crl_max_age", "is not a time such as \"7d\" or \"36h\"",
                       "give more than the time between two CRLs of the CA");
    return out;
}

base::Result<ConfigTable> read_joined(const std::filesystem::path& first,
                                      const std::filesystem::path& directory, bool settling) {
    auto joined = ConfigTable::empty(first.string());
    std::error_code why;
    if (std::filesystem::exists(first, why)) {
        SP_TRY(return, joined, ConfigTable::read(first));
    }
    std::map<std::string, std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory, why)) {
        if (!entry.is_regular_file(why)) continue;
        const auto& path = entry.path();
        if (path.extension() == ".toml") files.try_emplace(path.filename().string(), path);
        if (settling && path.extension() == ".next" && path.stem().extension() == ".toml")
            files[path.stem().string()] = path;
    }
    for (const auto& [name, file] : files) {
        SP_TRY(return, auto later, ConfigTable::read(file));
        joined.merge(std::move(later));
    }
    return joined;
}

base::Result<Configuration> read_configuration(const Paths& paths) {
    std::error_code why;
    if (!std::filesystem::exists(paths.configuration(), why))
        return base::fail(base::Code::not_found, "configuration " + paths.configuration().string(),
                          "does not exist", "write it: docs/reference/edge.md lists its keys");
    SP_TRY(return, auto table, read_joined(paths.configuration(), paths.configuration_directory()));
    return read_configuration(std::move(table));
}

base::Result<Configuration> read_configuration(ConfigTable root) {
    Configuration out;
    out.hostname = root.string("hostname").value_or(machine_name());
    complain_of_host(root, "hostname", out.hostname);
    out.parent_hostname = root.string("parent_hostname");
    if (auto older = root.string("local_gateway_hostname"); older && !out.parent_hostname)
        out.parent_hostname = older;
    if (out.parent_hostname) complain_of_host(root, "parent_hostname", *out.parent_hostname);
    out.trust_bundle = read_uri(root, "trust_bundle_cert");
    if (const auto seconds = root.integer("cloud_timeout_sec", 1, 86400))
        out.cloud_timeout_seconds = *seconds;
    if (const auto retries = root.integer("cloud_retries", 0, 100)) out.cloud_retries = *retries;
    out.device = read_provisioning(root);
    read_certificate_sources(root, out);
    read_edge_ca(root, out);
    if (auto modules = root.table("module_certs")) {
        out.module_key_type = read_key_type(*modules);
        if (const auto method = modules->string("method"); method && *method != "edge_ca")
            modules->complain("method", *method == "est" ? "is est, which this version does not do yet"
                                                         : "must be edge_ca or est");
    }
    out.principals = read_principals(root);
    read_limits(root, out);
    out.gateway_listen = read_gateway(root);
    out.revocation = read_revocation(root);
    if (auto keys = root.table("aziot_keys")) {
        for (const auto& key : keys->keys()) keys->string(key);
        if (keys->known("pkcs11_lib_path") || keys->known("pkcs11_base_slot"))
            keys->complain("pkcs11_lib_path", "is set, and this version has no PKCS#11 yet",
                           "keep keys in files");
    }
    take_foreign_keys(root, out.notices);
    if (const auto done = root.finish(); !done) return std::unexpected(done.error());
    return out;
}

}  // namespace edge
