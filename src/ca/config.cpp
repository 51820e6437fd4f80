// SPDX-License-Identifier: Apache-2.0
#include "ca/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/config.hpp"
#include "base/duration.hpp"
#include "base/result.hpp"

namespace ca {
namespace {

constexpr std::size_t longest_name = 64;
constexpr std::chrono::days longest_ladder{366};

bool letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> key_words{{
    {"P-256", "EC P-256"},
    {"P-384", "EC P-384"},
    {"P-521", "EC P-521"},
    {"RSA-2048", "RSA 2048"},
    {"RSA-3072", "RSA 3072"},
    {"RSA-4096", "RSA 4096"},
}};

/// What EST does differently for this profile.
void read_est_rules(base::ConfigTable& table, ProfileConfig& into) {
    for (const auto& word : table.strings("keys").value_or(std::vector<std::string>{})) {
        const auto known = std::ranges::find(key_words, word, [](const auto& pair) { return pair.first; });
        if (known == key_words.end())
            table.complain("keys", "names the key " + word,
                           "write P-256, P-384, P-521, RSA-2048, RSA-3072 or RSA-4096");
        else
            into.keys.emplace_back(known->second);
    }
    if (auto approval = table.string("approval")) {
        into.manual = *approval == "manual";
        if (!into.manual && *approval != "auto")
            table.complain("approval", "is neither \"auto\" nor \"manual\"");
    }
    into.serverkeygen = table.boolean("serverkeygen").value_or(false);
    if (auto rekey = table.string("rekey")) {
        using enum ProfileConfig::Rekey;
        if (*rekey == "require")
            into.rekey = require;
        else if (*rekey == "forbid")
            into.rekey = forbid;
        else if (*rekey != "allow")
            table.complain("rekey", "is neither \"allow\" nor \"require\" nor \"forbid\"");
    }
    if (auto text = table.string("renew_after_expiry")) {
        const auto duration = base::parse_duration(*text);
        if (duration && *duration > std::chrono::seconds{0} && *duration <= longest_ladder)
            into.renew_after_expiry = *duration;
        else
            table.complain("renew_after_expiry", "is no duration up to 366 days", "write 90d");
    }
}

ProfileConfig read_profile(base::ConfigTable& table, pki::Profile profile) {
    ProfileConfig result;
    if (const auto days = table.integer("days", 1, pki::longest_lifetime.count()))
        result.lifetime = std::chrono::days{*days};
    if (const auto type = table.string("key_type")) {
        result.key_type = pki::parse_key_type(*type);
        if (!result.key_type)
            table.complain("key_type", "is not a type of key",
                           "write ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096");
    }
    if (profile == pki::Profile::server) {
        result.client_auth = table.boolean("client_auth").value_or(false);
        result.wildcards = table.boolean("wildcards").value_or(false);
    }
    read_est_rules(table, result);
    return result;
}

}  // namespace

ProfileConfig Config::profile(pki::Profile which) const {
    const auto found = profiles.find(which);
    return found == profiles.end() ? ProfileConfig{} : found->second;
}

base::Status check_ca_name(std::string_view name) {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, fmt::format("name \"{}\"", name.substr(0, 80)),
                          std::move(reason), "use letters, digits, spaces and . _ - alone");
    };
    if (name.empty()) return refuse("is empty");
    if (name.size() > longest_name) return refuse(fmt::format("has more than {} characters", longest_name));
    if (!letter_or_digit(name.front())) return refuse("does not begin with a letter or digit");
    for (const char c : name)
        if (!letter_or_digit(c) && std::string_view(" ._-").find(c) == std::string_view::npos)
            return refuse("cannot be the name of a file");
    return {};
}

base::Result<Config> read_config(const std::filesystem::path& file) {
    SP_TRY(return, auto table, base::ConfigTable::read(file));
    Config config;
    if (const auto root = table.string("root"))
        config.root = *root;
    else
        table.complain("root", "is missing", "name the root CA, as ca init does");
    if (auto chain = table.strings("chain")) config.chain = *std::move(chain);
    if (!config.root.empty())
        if (auto fine = check_ca_name(config.root); !fine)
            table.complain("root", fine.error().reason, fine.error().fix);
    for (const auto& name : config.chain)
        if (auto fine = check_ca_name(name); !fine) table.complain("chain", fine.error().text());
    if (auto profiles = table.table("profile")) {
        for (const auto& name : pki::profile_names()) {
            const auto profile = pki::parse_profile(name);
            if (auto one = profiles->table(name)) config.profiles[*profile] = read_profile(*one, *profile);
        }
    }
    config.est = read_est_config(table, file.parent_path());
    config.http = read_http_config(table);
    if (auto fine = table.finish(); !fine) return std::unexpected(fine.error());
    return config;
}

std::string config_text(const Config& config) {
    std::vector<std::string> quoted;
    for (const auto& name : config.chain) quoted.push_back(fmt::format("\"{}\"", name));
    return fmt::format(
        "# The certificate authority of this directory. Every key: docs/reference/ca.md\n"
        "\n"
        "root = \"{}\"\n"
        "\n"
        "# Intermediates, from below the root downwards: the last one issues. Empty: the root does.\n"
        "chain = [{}]\n",
        config.root, fmt::join(quoted, ", "));
}

}  // namespace ca
