// SPDX-License-Identifier: Apache-2.0
#include "edge/certificate_follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "edge/command.hpp"
#include "edge/installed_pair.hpp"
#include "edge/paths.hpp"
#include "net/clock_watch.hpp"

namespace edge {
namespace {

constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds longest_pause{60};
// How soon a new Edge CA is noticed.
constexpr std::chrono::seconds between_looks{30};
constexpr std::chrono::seconds command_limit{60};

std::map<std::string, std::string> variables_of(std::string_view text) {
    std::map<std::string, std::string> out;
    for (const auto line : base::split(text, '\n')) {
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        // Quoted for a shell, as split_command reads it.
        const auto words = split_command(line.substr(equals + 1));
        if (words && words->size() == 1) out[std::string(line.substr(0, equals))] = words->front();
    }
    return out;
}

struct Obtained {
    pki::Chain chain;
    base::SecretBytes key;
};

base::Result<Obtained> obtained_of(const json::value& answer) {
    Obtained out;
    SP_TRY(return, const auto certificate, text_member(answer, "certificate"));
    SP_TRY(return, out.chain, pki::certificates_from_pem(certificate, "module certificate"));
    SP_TRY(return, const auto key, object_member(answer, "privateKey"));
    SP_TRY(return, auto bytes, text_member(key, "bytes"));
    out.key = base::SecretBytes(std::string_view(bytes));
    base::wipe(bytes.data(), bytes.size());
    return out;
}

base::Instant two_thirds_of(const pki::Certificate& certificate) {
    return certificate.not_before() + (certificate.not_after() - certificate.not_before()) * 2 / 3;
}

}  // namespace

base::Result<ModuleEnvironment> read_module_environment(const std::filesystem::path& file) {
    auto text = base::read_file(file, "module environment");
    if (!text && text.error().code == base::Code::not_found)
        return base::fail(
            base::Code::not_found, "module environment " + file.string(), "does not exist",
            "declare the module as a [[principal]] with idtype = [\"module\"] in config.toml, run "
            "sallyport edge config apply, and let edge run reach the hub once");
    if (!text) return std::unexpected(std::move(text).error());
    auto variables = variables_of(*text);
    constexpr std::string_view scheme = "unix://";
    const auto& uri = variables["IOTEDGE_WORKLOADURI"];
    ModuleEnvironment out{uri.starts_with(scheme) ? uri.substr(scheme.size()) : "",
                          variables["IOTEDGE_MODULEID"], variables["IOTEDGE_MODULEGENERATIONID"]};
    if (out.socket.empty() || out.module.empty() || out.generation.empty())
        return base::fail(base::Code::malformed, "module environment " + file.string(),
                          "lacks IOTEDGE_WORKLOADURI, IOTEDGE_MODULEID or IOTEDGE_MODULEGENERATIONID");
    return out;
}

net::Task<base::Result<std::string>> CertificateFollower::trust_bundle(LocalService service) {
    auto answer = co_await call_local(std::move(service), http::Verb::get, "/trust-bundle");
    if (!answer) co_return std::unexpected(std::move(answer).error());
    co_return text_member(*answer, "certificate");
}

net::Task<base::Status> CertificateFollower::obtain(LocalService service, ModuleEnvironment environment) {
    const auto target = fmt::format("/modules/{}/genid/{}/certificate/server",
                                    path_segment(environment.module), path_segment(environment.generation));
    const std::string bare(bare_module(environment.module));
    // The original demands an expiration and does not heed it (edge-runtime.md 6.3); neither do we.
    json::value body{{"commonName", wish_.common_name.empty() ? bare : wish_.common_name},
                     {"expiration", base::format_rfc3339(clock_.now() + std::chrono::days(30))}};
    auto answer = co_await call_local(std::move(service), http::Verb::post, target, std::move(body));
    if (!answer) co_return std::unexpected(std::move(answer).error());
    auto obtained = obtained_of(*answer);
    if (!obtained) co_return std::unexpected(std::move(obtained).error());
    const auto& leaf = obtained->chain.front();
    auto written =
        write_pair(wish_.certificate, pki::to_pem(obtained->chain), wish_.key, obtained->key.text());
    if (!written) co_return written;
    renew_at_ = two_thirds_of(leaf);
    must_reload_ = true;
    base::log::info(base::events::module_certificate_installed,
                    {{"module", environment.module},
                     {"file", wish_.certificate.string()},
                     {"serial", leaf.serial_hex()},
                     {"not_after", base::format_rfc3339(leaf.not_after())}});
    co_return base::Status{};
}

base::Status CertificateFollower::reload() {
    if (auto done = run_command(wish_.reload, command_limit); !done) return done;
    must_reload_ = false;
    base::log::info(base::events::reload_command_run, {{"command", wish_.reload.front()}});
    return {};
}

net::Task<base::Status> CertificateFollower::look() {
    auto environment = read_module_environment(wish_.environment);
    if (!environment) co_return std::unexpected(std::move(environment).error());
    const LocalService service{"workload service", environment->socket, "2022-08-03", &clock_};
    auto bundle = co_await trust_bundle(service);
    if (!bundle) co_return std::unexpected(std::move(bundle).error());
    if (*bundle != bundle_ || !renew_at_ || clock_.now() >= *renew_at_) {
        auto done = co_await obtain(service, *environment);
        if (!done) co_return done;
        bundle_ = *std::move(bundle);
    }
    co_return must_reload_ ? reload() : base::Status{};
}

std::chrono::milliseconds CertificateFollower::until_next() const {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(*renew_at_ - clock_.now());
    // Near the end of an Edge CA certificates get short: never a busy loop.
    return std::clamp(left, first_pause, between_looks);
}

net::Task<> CertificateFollower::run(std::function<void()> ready) {
    wake_.emplace();
    const net::ClockWatch clock_watch([this] { wake_->notify(); });
    if (auto finished = finish_pair(wish_.certificate, wish_.key); !finished)
        base::log::error(base::events::module_certificate_failed, finished.error());
    auto pause = first_pause;
    bool told = false;
    while (!stopping_) {
        auto done = co_await look();
        if (stopping_) break;
        if (renew_at_ && !std::exchange(told, true)) ready();
        if (!done) {
            base::log::write(
                base::log::Level::warning,
                must_reload_ ? base::events::reload_command_failed : base::events::module_certificate_failed,
                done.error(), {{"file", wish_.certificate.string()}});
            co_await wake_->wait(pause);
            pause = std::min(pause * 2, longest_pause);
            continue;
        }
        pause = first_pause;
        co_await wake_->wait(until_next());
    }
}

void CertificateFollower::stop() {
    stopping_ = true;
    if (wake_) wake_->notify();
}

}  // namespace edge
