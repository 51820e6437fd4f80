// SPDX-License-Identifier: Apache-2.0
#include "edge/certificate_unit.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/command.hpp"
#include "edge/take_over.hpp"

namespace edge {
namespace {

constexpr std::chrono::seconds systemctl_limit{60};

// Within double quotes; % is a specifier and $ a variable to systemd (systemd.service(5), "Command lines").
std::string systemd_quoted(std::string_view word) {
    std::string out = "\"";
    for (const char c : word) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '%' || c == '$') out += c;
        out += c;
    }
    return out + '"';
}

}  // namespace

std::string unit_name(std::string_view module) {
    std::string escaped;
    for (const char c : bare_module(module)) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           c == '_' || c == '.' || c == '-';
        escaped += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return fmt::format("sallyport-certs-{}.service", escaped);
}

std::string unit_text(const CertificateUnit& unit) {
    std::string command;
    for (const auto& word : unit.command) command += (command.empty() ? "" : " ") + systemd_quoted(word);
    return fmt::format(R"(# Written by sallyport edge certs install.
[Unit]
Description=Server certificate of module {}
After=network.target {}

[Service]
ExecStart={}
Restart=always
RestartSec=5
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=read-only
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
)",
                       bare_module(unit.module), unit_of(Service::workload), command);
}

base::Result<std::string> find_program(const std::string& name) {
    const auto thing = "program " + name;
    const auto not_there = [&] {
        return base::fail(base::Code::not_found, thing, "is not there, or cannot be run",
                          "give the whole path of a program");
    };
    if (name.find('/') != std::string::npos) {
        std::error_code why;
        const auto whole = std::filesystem::absolute(name, why).lexically_normal();
        if (::access(whole.c_str(), X_OK) != 0) return not_there();
        return whole.string();
    }
    const char* path = std::getenv("PATH");
    const std::string search = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
    for (const auto directory : base::split(search, ':')) {
        const auto whole = std::filesystem::path(directory) / name;
        if (whole.is_absolute() && ::access(whole.c_str(), X_OK) == 0) return whole.string();
    }
    return not_there();
}

base::Status check_installable(const Paths& paths) {
    constexpr auto fix = "run the same in the foreground: sallyport edge certs follow, with these options";
    if (paths.root() != "/") return {};
    if (!systemd_runs())
        return base::fail(base::Code::unavailable, "systemd", "does not run on this machine", fix);
    if (::geteuid() != 0)
        return base::fail(base::Code::permission_denied, "a systemd unit", "is for root to write", fix);
    return {};
}

base::Status install_unit(const Paths& paths, const CertificateUnit& unit) {
    const bool real = paths.root() == "/";
    const auto name = unit_name(unit.module);
    const auto directory = paths.root() / "etc/systemd/system";
    if (auto made = base::make_private_directories(directory); !made) return made;
    if (auto written = base::write_atomically(directory / name, unit_text(unit), base::public_mode); !written)
        return written;
    if (!real) return {};
    for (const auto& command : {std::vector<std::string>{"systemctl", "daemon-reload"},
                                std::vector<std::string>{"systemctl", "enable", name},
                                std::vector<std::string>{"systemctl", "restart", name}})
        if (auto done = run_command(command, systemctl_limit); !done) return done;
    return {};
}

}  // namespace edge
