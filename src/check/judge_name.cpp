// SPDX-License-Identifier: Apache-2.0
#include "check/judge_name.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "pki/name.hpp"
#include "pki/peer_name.hpp"

namespace check {
namespace {

constexpr std::size_t longest_common_name = 64;
constexpr std::chrono::seconds most_skew{10};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_letter_or_digit(char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
}

bool is_rfc1035_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && is_letter(label.front()) &&
           is_letter_or_digit(label.back()) &&
           std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

// The finding about a name that a certificate cannot hold; nullopt where it can.
std::optional<Finding> judge_form(std::string_view key, const std::string& name) {
    const bool address = pki::PeerName::parse(name).is_address();
    if (const auto good = pki::check_name(fmt::format("{}:{}", address ? "IP" : "DNS", name)); !good)
        return error(
            fmt::format("{} {:?} cannot stand in a certificate: it {}", key, name, good.error().reason),
            good.error().fix.empty()
                ? fmt::format("set {} in config.toml to a host name (letters, digits, hyphens, dots) "
                              "or an address",
                              key)
                : good.error().fix);
    if (name.size() > longest_common_name)
        return error(fmt::format("{} {} has {} characters; a certificate's common name has room for {}", key,
                                 name, name.size(), longest_common_name),
                     "give this machine a shorter name");
    return std::nullopt;
}

std::optional<Finding> judge_rfc1035(std::string_view key, const std::string& name) {
    if (is_rfc1035(name) || pki::PeerName::parse(name).is_address()) return std::nullopt;
    return warning(fmt::format("{} {} is no name of RFC 1035, which some programs insist on", key, name),
                   "begin each label with a letter and end it with a letter or digit");
}

}  // namespace

bool is_rfc1035(std::string_view name) {
    if (name.empty() || name.size() > 255) return false;
    while (true) {
        const auto dot = name.find('.');
        if (!is_rfc1035_label(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

Finding judge_hostname(const std::string& hostname, const std::optional<std::string>& machine) {
    if (auto bad = judge_form("hostname", hostname)) return *bad;
    if (pki::PeerName::parse(hostname).is_address())
        return ok(fmt::format("hostname {} is an address; devices must connect to exactly that", hostname));
    if (machine) {
        const auto name = base::to_lower(hostname);
        const auto own = base::to_lower(*machine);
        if (name != own && !name.starts_with(own + "."))
            return error(
                fmt::format("hostname is {}, but this machine is called {}", hostname, *machine),
                fmt::format("set hostname in config.toml to {} or to a full name that begins with it, "
                            "or name the machine: hostnamectl set-hostname {}",
                            *machine, hostname.substr(0, hostname.find('.'))));
    }
    if (auto odd = judge_rfc1035("hostname", hostname)) return *odd;
    return ok(fmt::format("hostname {} can stand in a certificate", hostname));
}

Finding judge_parent_hostname(const std::string& parent) {
    if (auto bad = judge_form("parent_hostname", parent)) return *bad;
    if (auto odd = judge_rfc1035("parent_hostname", parent)) return *odd;
    return ok(fmt::format("parent_hostname {} can stand in a certificate", parent));
}

Finding judge_clock(base::Instant here, base::Instant there, const std::string& peer) {
    const auto apart = here > there ? here - there : there - here;
    if (apart < most_skew) return ok(fmt::format("within {} of {}", base::format_duration(most_skew), peer));
    return warning(fmt::format("the clock is {} {} that of {}", base::format_duration(apart),
                               here > there ? "ahead of" : "behind", peer),
                   "set the clock of this machine and keep it set: systemctl enable --now systemd-timesyncd");
}

}  // namespace check
