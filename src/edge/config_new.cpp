// SPDX-License-Identifier: Apache-2.0
#include "edge/config_new.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/config_apply.hpp"
#include "edge/toml_text.hpp"

namespace edge {
namespace {

std::string file_uri(const std::filesystem::path& path) {
    std::string out = "file://";
    for (const auto& part : std::filesystem::absolute(path).lexically_normal().relative_path())
        out += "/" + base::percent_encode(part.string());
    return out;
}

// One commented setting: live where there is a value, else as an example to fill in.
void setting(std::string& out, std::string_view key, const std::optional<std::string>& value,
             std::string_view example) {
    if (value)
        out += TomlText().set(key, std::string_view(*value)).text();
    else
        out += fmt::format("#{} = \"{}\"\n", key, example);
}

std::optional<std::string> file_uri(const std::optional<std::filesystem::path>& path) {
    return path ? std::optional(file_uri(*path)) : std::nullopt;
}

void add_certificates(std::string& out, const NewConfiguration& wish) {
    out += R"(
# --- What downstream devices and modules trust, and what certifies this device's servers.
# The two belong together: the root of the Edge CA's chain must be in the trust bundle.

# CA certificates (PEM) that modules get as their trust bundle: the root certificate.
)";
    setting(out, "trust_bundle_cert", file_uri(wish.trust_bundle),
            "file:///etc/aziot/certs/my_private_root_CA.pem");
    out += R"(
# The Edge CA. With cert and pk it is yours: its certificate first, then intermediates. Without them a quickstart
# CA is made at the first start, which nobody but this device knows: for tests.
)";
    // A table of its own would swallow the keys below it; an empty one changes nothing.
    out += "[edge_ca]\n";
    setting(out, "cert", wish.edge_ca ? std::optional(file_uri(wish.edge_ca->first)) : std::nullopt,
            "file:///etc/aziot/certs/edge-ca.pem");
    setting(out, "pk", wish.edge_ca ? std::optional(file_uri(wish.edge_ca->second)) : std::nullopt,
            "file:///etc/aziot/secrets/edge-ca.key");
}

void add_hub(std::string& out, const NewConfiguration& wish) {
    out += R"(
# Where to connect when DNS does not know the hub's name, and on which port (8883 is the default).
)";
    setting(out, "iothub_address", wish.hub_address, "192.0.2.1");
    out += wish.hub_mqtt_port ? fmt::format("iothub_mqtt_port = {}\n", *wish.hub_mqtt_port)
                              : "#iothub_mqtt_port = 8883\n";
    out += R"(
# CA certificates that the hub's certificate must lead to; without it the operating system's.
)";
    if (wish.hub_ca)
        out += TomlText().set("trusted_certs", std::vector<std::string>{file_uri(*wish.hub_ca)}).text();
    else
        out += "#trusted_certs = [\"file:///etc/aziot/certs/hub-root.pem\"]\n";
}

void add_provisioning(std::string& out, const NewConfiguration& wish) {
    out += R"(
# --- Who this device is.
[provisioning]
source = "manual"
)";
    if (!wish.connection_string.empty()) {
        out += "# It holds the device's key: keep this file 0600.\n";
        setting(out, "connection_string", wish.connection_string, "");
        add_hub(out, wish);
        return;
    }
    setting(out, "iothub_hostname", wish.hub_hostname, "");
    setting(out, "device_id", wish.device_id, "");
    add_hub(out, wish);
    out += R"(
# The certificate whose thumbprint the hub has, and its private key.
[provisioning.authentication]
method = "x509"
)";
    setting(out, "identity_cert", file_uri(wish.identity_certificate), "");
    setting(out, "identity_pk", file_uri(wish.identity_key), "");
}

}  // namespace

std::string new_configuration_text(const NewConfiguration& wish) {
    std::string out = R"(# Configuration of this edge device. docs/reference/edge.md has every key.
# After each change: sallyport edge config apply

# What downstream devices connect to; it stands in the gateway's server certificate as it is written here.
)";
    setting(out, "hostname", wish.hostname, "");
    add_certificates(out, wish);
    add_provisioning(out, wish);
    out += R"(
# --- A module of this device that is no container: a process of this user, with a socket of its own.
#[[principal]]
#name = "module1"
#uid = 1001
#idtype = ["module"]
)";
    return out;
}

Findings look_at_new_configuration(const std::string& text, base::Instant now) {
    Findings out;
    auto table = base::ConfigTable::parse(text, "the new configuration");
    if (!table) {
        out.problems.push_back(std::move(table).error());
        return out;
    }
    examine(read_configuration(*std::move(table)), now, out);
    return out;
}

base::Status write_new_configuration(const std::filesystem::path& file, const std::string& text, bool force) {
    std::error_code ignored;
    if (!force && std::filesystem::exists(file, ignored))
        return base::fail(base::Code::already_exists, "configuration " + file.string(),
                          "exists, and is not overwritten", "edit it, or give --force to replace it");
    if (auto made = base::make_private_directories(file.parent_path()); !made) return made;
    return base::write_atomically(file, text, base::secret_mode);
}

}  // namespace edge
