// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Option.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/ca.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/inventory_reader.hpp"
#include "ca/request.hpp"

namespace app {
namespace {

struct RevokeOptions {
    std::string data, certificate, serial, reason;
};

base::Result<std::string> serial_meant(const RevokeOptions& options, const char* verb) {
    const auto usage = [&](std::string thing, std::string reason, std::string fix) {
        return base::fail(base::Code::usage, std::move(thing), std::move(reason), std::move(fix));
    };
    if (options.certificate.empty() == options.serial.empty())
        return usage(
            std::string("ca ") + verb,
            options.serial.empty() ? "needs --cert or --serial" : "takes --cert or --serial, not both",
            "give --cert FILE, or --serial HEX as ca list shows it");
    if (!options.serial.empty()) {
        if (const auto serial = ca::parse_serial(options.serial)) return *serial;
        return usage("--serial " + options.serial, "is no serial number",
                     "write it in hex, as ca list shows it");
    }
    SP_TRY(return, const auto content, base::read_file(options.certificate, "certificate"));
    SP_TRY(return, const auto certificate,
                 pki::Certificate::read(base::as_bytes(content), "certificate " + options.certificate));
    auto serial = ca::serial_of(certificate);
    SP_TRY(return, const auto reader, ca::InventoryReader::open(options.data));
    SP_TRY(return, const auto entry, reader.find(serial));
    // Another CA may have given out the same number.
    if (!entry || entry->certificate != certificate.sha256())
        return base::fail(base::Code::not_found, "certificate " + options.certificate,
                          "was never issued here",
                          "name the data directory of the CA that issued it: " + certificate.issuer());
    return serial;
}

base::Status run_revoke(const RevokeOptions& options) {
    const auto reason = ca::parse_reason(options.reason);
    if (!reason) {
        const auto known = ca::reason_list();
        const auto near = base::nearest(options.reason, known);
        return ca_usage("--reason " + options.reason, "is not known",
                        near.empty() ? fmt::format("give one of {}", fmt::join(known, ", "))
                                     : fmt::format("did you mean {}?", near));
    }
    SP_TRY(return, const auto serial, serial_meant(options, "revoke"));
    SP_TRY(return, const auto answer,
                 ca::with_books(options.data,
                                {{"do", "revoke"}, {"serial", serial}, {"reason", ca::to_string(*reason)}}));
    if (const auto* profile = answer.if_contains("profile");
        profile && (*profile == "edge-ca" || *profile == "intermediate"))
        fmt::print(
            stderr,
            "sallyport: note: it is a CA; what it issued (for an Edge CA: its modules) is refused with it\n");
    return {};
}

base::Status run_unrevoke(const RevokeOptions& options) {
    SP_TRY(return, const auto serial, serial_meant(options, "unrevoke"));
    SP_TRY(return, const auto answer, ca::with_books(options.data, {{"do", "unrevoke"}, {"serial", serial}}));
    return {};
}

CLI::App* add_verb(CLI::App& ca, const char* name, const char* about, RevokeOptions& options) {
    auto* command = ca.add_subcommand(name, about);
    command->add_option("--data", options.data, "Data directory of the CA")->required();
    command->add_option("--cert", options.certificate, "The certificate (PEM or DER)");
    command->add_option("--serial", options.serial, "Its serial number in hex");
    return command;
}

}  // namespace

void add_ca_revoke(CLI::App& ca, Run& run) {
    const auto revoking = std::make_shared<RevokeOptions>();
    auto* revoke = add_verb(ca, "revoke", "Revoke a certificate: CRL and OCSP say so from now on", *revoking);
    revoke->add_option("--reason", revoking->reason, fmt::format("{}", fmt::join(ca::reason_list(), ", ")))
        ->required();
    revoke->callback([&run, revoking] { run = ca_runner(revoking, run_revoke); });

    const auto lifting = std::make_shared<RevokeOptions>();
    auto* unrevoke =
        add_verb(ca, "unrevoke", "Lift a certificateHold; every other reason is final", *lifting);
    unrevoke->callback([&run, lifting] { run = ca_runner(lifting, run_unrevoke); });
}

}  // namespace app
