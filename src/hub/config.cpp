// SPDX-License-Identifier: Apache-2.0
#include "hub/config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "azure/cloud_message.hpp"
#include "azure/username.hpp"
#include "base/config.hpp"
#include "base/encoding.hpp"
#include "hub/config_tables.hpp"
#include "pki/profile.hpp"
#include "pki/verify.hpp"

namespace hub {

namespace {

constexpr std::size_t most_names = 64;

void read_listen(base::ConfigTable& document, Listen& into) {
    auto listen = document.table("listen");
    if (!listen) return;
    if (auto address = listen->string("address")) {
        into.address = *address;
        if (*address != "localhost" && !pki::PeerName::parse(*address).is_address())
            listen->complain("address", "is not an IP address",
                             "use \"::\" for every address of this machine, \"localhost\" for itself alone");
    }
    if (auto port = listen->integer("mqtt_port", 0, 65535))
        into.mqtt_port = static_cast<std::uint16_t>(*port);
    if (auto port = listen->integer("https_port", 0, 65535))
        into.https_port = static_cast<std::uint16_t>(*port);
}

void read_names(base::ConfigTable& document, Config& into) {
    auto names = document.strings("names");
    if (!names || names->empty()) {
        document.complain("names", "is missing",
                          "name the hub: names = [\"ContosoIotHub\", \"contosoiothub.local\"]");
        return;
    }
    if (names->size() > most_names)
        document.complain("names", fmt::format("holds more than {} names", most_names));
    for (const auto& name : *names) {
        if (auto fine = check_hub_name(name); !fine) document.complain("names", fine.error().text());
    }
    into.names = *std::move(names);
}

std::string toml_quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace

bool Config::is_own_name(std::string_view host) const {
    const auto bare = azure::host_without_port(host);
    return std::ranges::any_of(names,
                               [&](const auto& name) { return base::equal_ignoring_case(name, bare); });
}

base::Status check_hub_name(std::string_view name) {
    const auto peer = pki::PeerName::parse(name);
    return pki::check_name((peer.is_address() ? "IP:" : "DNS:") + std::string(name));
}

base::Result<Config> read_config(const std::filesystem::path& data, const std::filesystem::path& file,
                                 const ListenOptions& options) {
    const auto path = file.empty() ? data / "hub.toml" : file;
    auto document = base::ConfigTable::read(path);
    if (!document) {
        auto error = std::move(document).error();
        if (error.code == base::Code::not_found && error.fix.empty())
            error.fix = fmt::format("make it with: sallyport hub init --data {} --name NAME", data.string());
        return std::unexpected(std::move(error));
    }
    Config config;
    config.data = data;
    read_names(*document, config);
    read_listen(*document, config.listen);
    config.revocation = crl::read_settings(*document);
    std::string certificate = "hub.pem";
    std::string key = "hub.key";
    if (auto tls = document->table("tls")) {
        certificate = tls->string("certificate").value_or(certificate);
        key = tls->string("key").value_or(key);
        config.resumption = tls->boolean("resumption").value_or(false);
    }
    if (auto flow = document->table("flow")) {
        if (auto most = flow->integer("unstored_messages", 1, 1024))
            config.flow.unstored_messages = static_cast<std::size_t>(*most);
    }
    read_messages(*document, config.retention);
    read_explain(*document, config.explain);
    read_events(*document, config.events);
    read_throttle(*document, config.throttle);
    if (auto messages = document->table("cloud_to_device")) {
        if (auto ttl = messages->integer("default_ttl_seconds", 60, azure::longest_message_life.count()))
            config.cloud_to_device.default_ttl = std::chrono::seconds(*ttl);
        if (auto most = messages->integer("max_delivery_count", 1, 100))
            config.cloud_to_device.max_delivery_count = static_cast<int>(*most);
    }
    // Served by a later version; what is written for it already is checked, and told at start.
    if (auto metrics = document->table("metrics")) {
        metrics->string("address");
        metrics->integer("port", 0, 65535);
        config.asks_for_metrics = true;
    }
    if (auto fine = document->finish(); !fine) return std::unexpected(std::move(fine).error());
    config.certificate = data / certificate;
    config.key = data / key;
    if (options.address) config.listen.address = *options.address;
    if (options.mqtt_port) config.listen.mqtt_port = *options.mqtt_port;
    if (options.https_port) config.listen.https_port = *options.https_port;
    return config;
}

std::string initial_config(const std::vector<std::string>& names, const Listen& listen,
                           const std::string& certificate, const std::string& key) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + toml_quoted(name);
    return fmt::format(
        "# The hub's names: the first is its name; every one counts in user names, token audiences and SNI\n"
        "# and must stand in its certificate.\n"
        "names = [{}]\n\n"
        "[listen]\n"
        "address = {}\n"
        "mqtt_port = {}\n"
        "https_port = {}\n\n"
        "# PEM files, relative to this directory: the server certificate followed by its intermediates, and "
        "its\n"
        "# private key (mode 0600).\n"
        "[tls]\n"
        "certificate = {}\n"
        "key = {}\n",
        list, toml_quoted(listen.address), listen.mqtt_port, listen.https_port, toml_quoted(certificate),
        toml_quoted(key));
}

}  // namespace hub
