// SPDX-License-Identifier: Apache-2.0
#include "ca/est_config.hpp"

#include <algorithm>

#include "ca/name_template.hpp"
#include "est/message.hpp"
#include "pki/peer_name.hpp"

namespace ca {
namespace {

constexpr std::string_view argon2id = "$argon2id$";

NameRules read_name_rules(base::ConfigTable& table, NameRules rules) {
    if (auto subjects = table.strings("subjects")) rules.subjects = *std::move(subjects);
    if (auto sans = table.strings("sans")) rules.sans = *std::move(sans);
    for (const auto& pattern : rules.subjects)
        if (auto fine = check_template(pattern); !fine) table.complain("subjects", fine.error().text());
    for (const auto& pattern : rules.sans)
        if (auto fine = check_template(pattern); !fine) table.complain("sans", fine.error().text());
    return rules;
}

/// What a device may call itself, by any of the names that its certificates commonly have.
NameRules names_of_device() {
    return {{"{device}", "aziot-edge CA {device}", "iotedged workload ca {device_lower}"}, {"DNS:{device}"}};
}

std::vector<LabelConfig> default_labels() {
    using enum Actor::Kind;
    using pki::Profile;
    const NameRules own{{"{device}"}, {"DNS:{device}"}};
    const NameRules edge_ca{names_of_device().subjects, {}};
    return {
        {"device",
         {{bootstrap, Profile::est_identity}, {est_identity, Profile::device}, {user, Profile::device}},
         own},
        {"edge-ca", {{bootstrap, Profile::est_identity}, {est_identity, Profile::edge_ca}}, edge_ca},
        {"server",
         {{bootstrap, Profile::est_identity}, {est_identity, Profile::server}, {user, Profile::server}},
         own},
    };
}

void read_label_profile(base::ConfigTable& table, std::string_view key, Actor::Kind kind, LabelConfig& into) {
    const auto text = table.string(key);
    if (!text) return;
    const auto profile = pki::parse_profile(*text);
    if (!profile || *profile == pki::Profile::root || *profile == pki::Profile::intermediate)
        return table.complain(key, "is no profile that EST issues",
                              "write device, server, client, edge-ca, est-identity or bootstrap");
    into.profiles[kind] = *profile;
}

LabelConfig read_label(base::ConfigTable& table, const std::string& name) {
    LabelConfig label{.name = name, .profiles = {}, .names = {}};
    read_label_profile(table, "bootstrap", Actor::Kind::bootstrap, label);
    read_label_profile(table, "est-id", Actor::Kind::est_identity, label);
    read_label_profile(table, "user", Actor::Kind::user, label);
    label.names = read_name_rules(table, {{"{device}"}, {}});
    return label;
}

void read_labels(base::ConfigTable& est, EstConfig& into) {
    auto labels = est.table("label");
    if (!labels) return;
    into.labels.clear();
    for (const auto& name : labels->keys()) {
        auto table = labels->table(name);
        if (!est::is_label(name))
            labels->complain(name, "is no label",
                             "use 1 to 64 of a-z, 0-9 and hyphen, and no name of an EST operation");
        if (table) into.labels.push_back(read_label(*table, name));
    }
}

void check_label_names(base::ConfigTable& table, const std::vector<std::string>& names,
                       const EstConfig& config) {
    for (const auto& name : names)
        if (!config.label(name)) table.complain("labels", "names the label " + name + ", which is not there");
}

BootstrapConfig read_bootstrap(base::ConfigTable& table, const std::filesystem::path& directory,
                               const EstConfig& config) {
    BootstrapConfig one;
    if (auto name = table.string("name"))
        one.name = *name;
    else
        table.complain("name", "is missing", "name this source of devices, for the audit log");
    const auto anchors = table.string("anchors");
    const bool own = table.boolean("own").value_or(false);
    if (anchors.has_value() == own)
        table.complain("anchors", "or own = true is needed, and not both",
                       "name a PEM file with the CA of the bootstrap certificates, or take our own");
    if (anchors) one.anchors = directory / *anchors;
    one.labels = table.strings("labels").value_or(std::vector<std::string>{});
    check_label_names(table, one.labels, config);
    one.names = read_name_rules(table, names_of_device());
    return one;
}

UserConfig read_user(base::ConfigTable& table, const EstConfig& config) {
    UserConfig user;
    if (auto name = table.string("name"); name && !name->empty() && name->find(':') == std::string::npos)
        user.name = *name;
    else
        table.complain("name", "is missing or has a colon", "name the user as HTTP basic does");
    if (auto hash = table.string("password_hash"); hash && hash->starts_with(argon2id))
        user.password_hash = *hash;
    else
        table.complain("password_hash", "is missing or no argon2id hash",
                       "make one with: sallyport ca hash-password");
    user.labels = table.strings("labels").value_or(std::vector<std::string>{});
    check_label_names(table, user.labels, config);
    user.names = read_name_rules(table, {});
    if (user.names.subjects.empty())
        table.complain("subjects", "is missing", "say which common names this user may enrol");
    return user;
}

void read_listen_table(base::ConfigTable& document, EstConfig& into) {
    auto listen = document.table("listen");
    if (!listen) return;
    if (auto address = listen->string("address")) {
        into.address = *address;
        if (*address != "localhost" && !pki::PeerName::parse(*address).is_address())
            listen->complain("address", "is not an IP address",
                             "use \"::\" for every address of this machine, \"localhost\" for itself alone");
    }
    if (auto port = listen->integer("port", 0, 65535)) into.port = static_cast<std::uint16_t>(*port);
    into.names = listen->strings("names").value_or(std::vector<std::string>{});
    for (const auto& name : into.names)
        if (auto fine = pki::check_name((pki::PeerName::parse(name).is_address() ? "IP:" : "DNS:") + name);
            !fine)
            listen->complain("names", fine.error().text());
}

}  // namespace

bool LabelConfig::mentions(pki::Profile profile) const {
    return std::ranges::any_of(profiles, [&](const auto& pair) { return pair.second == profile; });
}

const LabelConfig* EstConfig::label(std::string_view name) const {
    const auto found = std::ranges::find(labels, name, &LabelConfig::name);
    return found == labels.end() ? nullptr : &*found;
}

const UserConfig* EstConfig::user(std::string_view name) const {
    const auto found = std::ranges::find(users, name, &UserConfig::name);
    return found == users.end() ? nullptr : &*found;
}

EstConfig read_est_config(base::ConfigTable& document, const std::filesystem::path& directory) {
    EstConfig config;
    config.labels = default_labels();
    read_listen_table(document, config);
    if (auto est = document.table("est")) {
        read_labels(*est, config);
        if (auto label = est->string("default")) config.default_label = *label;
        if (auto most = est->integer("per_name_per_hour", 1, 1'000'000))
            config.per_name_per_hour = static_cast<int>(*most);
        if (!config.label(config.default_label))
            est->complain("default", "names a label that is not there",
                          "name one of [est.label.X] for requests without a label");
    }
    for (auto& table : document.tables("bootstrap"))
        config.bootstraps.push_back(read_bootstrap(table, directory, config));
    for (auto& table : document.tables("user")) {
        auto user = read_user(table, config);
        if (config.user(user.name)) table.complain("name", "is given twice");
        config.users.push_back(std::move(user));
    }
    return config;
}

}  // namespace ca
