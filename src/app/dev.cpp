// SPDX-License-Identifier: Apache-2.0
#include "app/dev.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/file.hpp"
#include "pki/name.hpp"
#include "pki/peer_name.hpp"

namespace app {
namespace {

base::Status check_host(const std::string& name) {
    return pki::check_name((pki::PeerName::parse(name).is_address() ? "IP:" : "DNS:") + name);
}

bool is_every_address(const std::string& address) {
    const auto peer = pki::PeerName::parse(address);
    return std::ranges::all_of(peer.address(), [](std::byte octet) { return octet == std::byte{0}; });
}

std::string machine() {
    char name[256]{};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

base::Result<std::filesystem::path> dev_data_directory(const std::filesystem::path& data,
                                                       const std::string& role) {
    const auto value = [](const char* name) {
        return std::string(std::getenv(name) ? std::getenv(name) : "");
    };
    auto chosen = data;
    if (chosen.empty()) {
        if (const auto state = value("XDG_STATE_HOME"); state.starts_with('/'))
            chosen = std::filesystem::path(state) / "sallyport" / role;
        else if (const auto home = value("HOME"); home.starts_with('/'))
            chosen = std::filesystem::path(home) / ".local/state/sallyport" / role;
        else
            return base::fail(base::Code::usage, "--data", "is missing, and HOME is not set",
                              "name a directory with --data");
    }
    return std::filesystem::absolute(chosen).lexically_normal();
}

base::Status check_dev_hostnames(const std::vector<std::string>& names) {
    for (const auto& name : names) {
        auto fine = check_host(name);
        if (fine && name.find('*') != std::string::npos)
            fine = base::fail(base::Code::usage, "hostname " + name, "is a wildcard",
                              "name each host with a --hostname of its own");
        if (fine) continue;
        auto error = std::move(fine).error();
        error.code = base::Code::usage;
        return std::unexpected(std::move(error));
    }
    return {};
}

base::Status check_dev_listen(const std::string& address) {
    if (address == "localhost" || pki::PeerName::parse(address).is_address()) return {};
    return base::fail(base::Code::usage, "--listen " + address, "is not an IP address",
                      "give an address such as 0.0.0.0, :: or 127.0.0.2, or localhost");
}

std::vector<std::string> dev_names(const std::vector<std::string>& given, const std::string& listen_address) {
    std::vector<std::string> names;
    const auto add = [&](const std::string& name) {
        const auto same = [&](const auto& known) { return base::equal_ignoring_case(known, name); };
        if (check_host(name) && std::ranges::none_of(names, same)) names.push_back(name);
    };
    for (const auto& name : given) add(name);
    for (const auto* name : {"localhost", "127.0.0.1", "::1"}) add(name);
    add(machine());
    if (listen_address != "localhost" && !is_every_address(listen_address)) add(listen_address);
    return names;
}

void remove_stale_environment(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!file.empty() && std::filesystem::is_regular_file(std::filesystem::symlink_status(file, ignored)))
        std::filesystem::remove(file, ignored);
}

base::Status tell_environment(const Environment& environment, const std::string& output,
                              const std::filesystem::path& file) {
    if (!file.empty()) {
        const auto text = environment_lines(environment);
        if (auto done = base::write_atomically(file, text, base::secret_mode); !done) return done;
    }
    fmt::print("{}",
               output == "json" ? environment_json(environment) + "\n" : environment_lines(environment));
    std::fflush(stdout);
    return {};
}

}  // namespace app
