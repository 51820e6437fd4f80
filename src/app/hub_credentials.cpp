// SPDX-License-Identifier: Apache-2.0
#include "app/hub_credentials.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/hub_client.hpp"
#include "app/hub_device_fields.hpp"
#include "base/result.hpp"

namespace app {

namespace {

constexpr std::uint16_t standard_mqtt_port = 8883;

}  // namespace

void add_key_type_option(CLI::App& command, std::string& key_type) {
    command.add_option("--key-type,--kt", key_type, "primary or secondary (default primary)")
        ->check(CLI::IsMember({"primary", "secondary"}));
}

void add_mqtt_port_option(CLI::App& command, std::optional<std::uint16_t>& port) {
    command
        .add_option("--mqtt-port", port,
                    "port of the hub's MQTT, for the HostName (default: IOTHUB_MQTT_PORT, else 8883)")
        ->envname("IOTHUB_MQTT_PORT");
}

base::Result<IdentityCredential> fetch_credential(const HubClient& client, const IdentityChoice& choice) {
    const auto path = choice.module.empty() ? path_of({"devices", choice.device})
                                            : path_of({"devices", choice.device, "modules", choice.module});
    SP_TRY(return, const auto answer, client.send({.target = path + std::string(api_version)}));
    SP_TRY(return, const auto value, parse_answer(answer));
    const auto member = [](const boost::json::value& in, std::string_view name) {
        const auto* object = in.if_object();
        const auto* found = object == nullptr ? nullptr : object->if_contains(name);
        return found == nullptr ? boost::json::value() : *found;
    };
    const auto authentication = member(value, "authentication");
    const auto text = [](const boost::json::value& in) {
        return in.is_string() ? std::string(in.get_string()) : std::string();
    };
    IdentityCredential credential{text(member(authentication, "type")), {}};
    if (credential.type == "sas")
        credential.key = text(member(member(authentication, "symmetricKey"), choice.key_type + "Key"));
    return credential;
}

base::Result<std::string> identity_connection_string(const std::string& host, const IdentityChoice& choice,
                                                     const IdentityCredential& credential) {
    std::string text = fmt::format("HostName={};DeviceId={}", host, choice.device);
    if (!choice.module.empty()) text += ";ModuleId=" + choice.module;
    if (credential.by_certificate()) return text + ";x509=true";
    if (credential.key.empty())
        return base::fail(
            base::Code::invalid_argument, "identity " + choice.text(),
            "has no " + choice.key_type + " key (its authentication is " + credential.type + ")",
            "give it one: sallyport hub device update --auth-method shared_private_key");
    return text + ";SharedAccessKey=" + credential.key;
}

std::string mqtt_host(const HubClient& client, const std::optional<std::uint16_t>& port) {
    const auto& name = client.host();
    const std::string host = name.find(':') == std::string::npos ? name : "[" + name + "]";
    return port.value_or(standard_mqtt_port) == standard_mqtt_port ? host : fmt::format("{}:{}", host, *port);
}

}  // namespace app
