// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "app/environment.hpp"
#include "app/hub_credentials.hpp"
#include "base/result.hpp"

namespace app {

namespace {

struct EnvOptions {
    HubLogin login;
    IdentityChoice identity;
    std::optional<std::uint16_t> mqtt_port;
    std::string certificate;
    std::string key;
};

base::Result<std::string> existing(const std::string& file, const char* what) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return base::fail(base::Code::usage, fmt::format("{} {}", what, file), "does not exist");
    return std::filesystem::absolute(file).lexically_normal().string();
}

/// What the samples of the SDKs for Node, Python, C# and Java read.
base::Result<Environment> environment_of(const EnvOptions& options) {
    const auto& identity = options.identity;
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto credential, fetch_credential(client, identity));
    SP_TRY(return, const auto text,
                 identity_connection_string(mqtt_host(client, options.mqtt_port), identity, credential));
    const bool module = !identity.module.empty();
    Environment out{{module ? "IOTHUB_MODULE_CONNECTION_STRING" : "IOTHUB_DEVICE_CONNECTION_STRING", text}};
    if (credential.by_certificate()) {
        if (options.certificate.empty() || options.key.empty())
            return base::fail(base::Code::usage, "identity " + identity.text(),
                              "proves itself by a certificate", "give --cert FILE and --key FILE");
        SP_TRY(return, const auto certificate, existing(options.certificate, "certificate"));
        SP_TRY(return, const auto key, existing(options.key, "key"));
        out.insert(out.end(), {{"PATH_TO_CERTIFICATE_FILE", certificate},
                               {"PATH_TO_KEY_FILE", key},
                               {"KEY_PASSPHRASE_OR_EMPTY", ""},
                               {"HOSTNAME", client.host()},
                               {"DEVICE_ID", identity.device}});
        if (module) out.emplace_back("MODULE_ID", identity.module);
        out.insert(out.end(), {{"X509_CERT_FILE", certificate}, {"X509_KEY_FILE", key}});
    } else {
        out.emplace_back("IOTHUB_DEVICE_SECURITY_TYPE", "connectionString");
    }
    if (const auto ca = ca_file_of(options.login); !ca.empty()) {
        SP_TRY(return, const auto file, existing(ca, "CA file"));
        out.insert(out.end(), {{"NODE_EXTRA_CA_CERTS", file}, {"SSL_CERT_FILE", file}});
    }
    return out;
}

Exit show(const EnvOptions& options) {
    const auto environment = environment_of(options);
    if (!environment) return report_hub(environment.error());
    fmt::print("{}", options.login.json() ? environment_json(*environment) + "\n"
                                          : environment_lines(*environment, "export "));
    return Exit::done;
}

}  // namespace

void add_hub_env(CLI::App& hub, Run& run) {
    auto options = std::make_shared<EnvOptions>();
    auto* command = hub.add_subcommand(
        "env", "print the variables that the SDKs' samples read for a device, ready to source");
    add_login_options(*command, options->login, "env");
    command->add_option("ID,--device-id,-d", options->identity.device, "id of the device")->required();
    command->add_option("--module-id,-m", options->identity.module, "those of this module of it");
    add_key_type_option(*command, options->identity.key_type);
    add_mqtt_port_option(*command, options->mqtt_port);
    command->add_option("--cert", options->certificate, "PEM file with the certificate of an x509 device");
    command->add_option("--key", options->key, "PEM file with its private key");
    command->callback([options, &run] { run = [options] { return show(*options); }; });
}

}  // namespace app
