// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <filesystem>
#include <memory>

#include "app/edge.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/certificate_follower.hpp"
#include "edge/certificate_unit.hpp"
#include "edge/command.hpp"
#include "net/loop.hpp"

namespace app {
namespace {

struct CertsOptions {
    std::string root = "/";
    std::string module;
    std::string certificate;
    std::string key;
    std::string reload;
    std::string common_name;
    std::string ready_file;
};

std::filesystem::path whole(const std::string& path) {
    std::error_code why;
    return std::filesystem::absolute(path, why).lexically_normal();
}

std::filesystem::path environment_of(const CertsOptions& options) {
    const edge::Paths paths(whole(options.root));
    return paths.home(edge::Service::workload) / "env" /
           fmt::format("{}.env", edge::bare_module(options.module));
}

base::Result<edge::FollowWish> wish_of(const CertsOptions& options) {
    SP_TRY(return, auto reload, edge::split_command(options.reload));
    SP_TRY(return, reload.front(), edge::find_program(reload.front()));
    edge::FollowWish wish{environment_of(options), options.common_name, whole(options.certificate),
                          whole(options.key), std::move(reload)};
    for (const auto& file : {wish.certificate, wish.key}) {
        std::error_code why;
        if (!std::filesystem::is_directory(file.parent_path(), why))
            return base::fail(base::Code::not_found, "directory " + file.parent_path().string(),
                              "does not exist", "make it; a key's directory should be its reader's alone");
    }
    if (wish.certificate == wish.key)
        return base::fail(base::Code::usage, "--cert and --key", "name the same file", "give each its own");
    return wish;
}

Exit follow(const CertsOptions& options) {
    auto wish = wish_of(options);
    if (!wish) return report(wish.error());
    net::Loops loops(1);
    edge::CertificateFollower follower(*std::move(wish), base::system_clock());
    const auto ready = [&] {
        if (options.ready_file.empty()) return;
        const auto text = fmt::format("FOLLOW_PID={}\n", ::getpid());
        if (auto written = base::write_atomically(options.ready_file, text, base::secret_mode); !written)
            report(written.error());
    };
    loops.at(0).spawn("follow the certificate", follower.run(ready));
    loops.run([&] { follower.stop(); });
    return Exit::done;
}

std::string quoted_line(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) {
        line += line.empty() ? "\"" : " \"";
        for (const char c : word) {
            if (c == '"' || c == '\\') line += '\\';
            line += c;
        }
        line += '"';
    }
    return line;
}

Exit install(const CertsOptions& options) {
    const edge::Paths paths(whole(options.root));
    if (auto good = edge::check_installable(paths); !good) return report(good.error());
    const auto wish = wish_of(options);
    if (!wish) return report(wish.error());
    if (const auto known = edge::read_module_environment(wish->environment); !known)
        return report(known.error());
    const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
    edge::CertificateUnit unit{
        options.module,
        {self, "edge", "certs", "follow", "--module", options.module, "--cert", wish->certificate.string(),
         "--key", wish->key.string(), "--reload", quoted_line(wish->reload)}};
    if (!options.common_name.empty())
        unit.command.insert(unit.command.end(), {"--common-name", options.common_name});
    if (paths.root() != "/") unit.command.insert(unit.command.end(), {"--root", paths.root().string()});
    if (auto done = edge::install_unit(paths, unit); !done) return report(done.error());
    fmt::print("{} written{}\n", edge::unit_name(options.module), paths.root() == "/" ? " and started" : "");
    return Exit::done;
}

void add_common(CLI::App& command, CertsOptions& options) {
    command.add_option("--module", options.module, "The module whose server certificate it is")->required();
    command.add_option("--cert", options.certificate, "Gets the certificate chain, 0644")
        ->type_name("FILE")
        ->required();
    command.add_option("--key", options.key, "Gets the private key, 0600")->type_name("FILE")->required();
    command
        .add_option("--reload", options.reload,
                    "Run after each renewal: a program and its arguments, no shell")
        ->type_name("COMMAND")
        ->required();
    command.add_option("--common-name", options.common_name,
                       "The server's name: the module id, or one of the principal's names");
    command.add_option("--root", options.root, "Directory under which all paths of edge run lie")
        ->type_name("DIR");
}

}  // namespace

void add_edge_certs(CLI::App& edge, Run& run) {
    auto* certs =
        edge.add_subcommand("certs", "Server certificates for programs of others")->require_subcommand(1);
    const auto to_install = std::make_shared<CertsOptions>();
    auto* install_it = certs->add_subcommand(
        "install", "Write and start a systemd unit that keeps a program's certificate fresh");
    add_common(*install_it, *to_install);
    install_it->callback([&run, to_install] { run = [to_install] { return install(*to_install); }; });

    const auto to_follow = std::make_shared<CertsOptions>();
    auto* follow_it = certs->add_subcommand("follow", "The same in the foreground, until SIGTERM or SIGINT");
    add_common(*follow_it, *to_follow);
    follow_it
        ->add_option("--ready-file", to_follow->ready_file, "Written once the first certificate is there")
        ->type_name("FILE");
    follow_it->callback([&run, to_follow] { run = [to_follow] { return follow(*to_follow); }; });
}

}  // namespace app
