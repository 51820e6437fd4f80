// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/crl_publisher.hpp"
#include "ca/layout.hpp"

namespace app {
namespace {

struct CrlOptions {
    std::string data, out, name;
    bool der = false;
};

/// Where nobody serves, what is due or behind is made now; who serves has done so.
base::Status bring_up_to_date(const CrlOptions& options) {
    auto ledger = ca::Ledger::open(options.data, base::system_clock());
    if (!ledger) {
        if (ledger.error().code == base::Code::address_in_use) return {};
        return std::unexpected(std::move(ledger).error());
    }
    const auto books = ca::books_of(**ledger);
    SP_TRY(return, const auto publisher,
                 ca::CrlPublisher::open(*books, ca::crl_directory(options.data),
                                        ca::key_directory(options.data), base::system_clock()));
    return {};
}

base::Status write_crl(const CrlOptions& options) {
    if (auto done = bring_up_to_date(options); !done) return done;
    SP_TRY(return, const auto config, ca::read_config(ca::config_file(options.data)));
    const auto name = options.name.empty() ? config.issuing() : options.name;
    if (auto fine = as_usage(ca::check_ca_name(name)); !fine) return fine;
    const auto file = ca::crl_directory(options.data) / (name + ".crl");
    constexpr std::size_t largest = 256 * 1024 * 1024;
    auto content = base::read_file(file, "CRL", largest);
    if (!content) {
        if (content.error().code != base::Code::not_found) return std::unexpected(content.error());
        return base::fail(
            base::Code::not_found, "CRL of " + name, "is not there",
            name == config.issuing()
                ? "start sallyport ca run, which makes it"
                : "the key of that CA is not here: have its CRL made where it is, and put it to " +
                      file.string());
    }
    SP_TRY(return, const auto crl, pki::Crl::read(base::as_bytes(*content), "CRL " + file.string()));
    if (options.der) return base::write_atomically(options.out, crl.der(), base::public_mode);
    return base::write_atomically(options.out, pki::crl_to_pem(crl.der()), base::public_mode);
}

}  // namespace

void add_ca_crl(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<CrlOptions>();
    auto* command = ca.add_subcommand("crl", "Write the current list of revoked certificates to a file");
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command->add_option("--out", options->out, "File for the CRL")->required();
    command->add_option("--ca", options->name, "Name of the CA (default: the one that issues)");
    command->add_flag("--der", options->der, "Write DER; otherwise PEM");
    command->callback([&run, options] { run = ca_runner(options, write_crl); });
}

}  // namespace app
