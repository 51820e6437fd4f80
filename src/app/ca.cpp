// SPDX-License-Identifier: Apache-2.0
#include "app/ca.hpp"

#include <fmt/format.h>

namespace app {

const char* const ca_key_types = "ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096";

base::Status ca_usage(std::string thing, std::string reason, std::string fix) {
    return base::fail(base::Code::usage, std::move(thing), std::move(reason), std::move(fix));
}

base::Result<pki::KeyType> read_key_type(const std::string& text) {
    if (const auto type = pki::parse_key_type(text)) return *type;
    return std::unexpected(
        ca_usage("key type " + text, "is not known", fmt::format("give one of {}", ca_key_types)).error());
}

base::Status as_usage(base::Status status) {
    if (status) return status;
    auto error = status.error();
    error.code = base::Code::usage;
    return std::unexpected(std::move(error));
}

void add_ca(CLI::App& root, Run& run) {
    auto* ca = root.add_subcommand("ca", "Certificate authority: root, intermediates, certificates");
    ca->require_subcommand(1);
    add_ca_init(*ca, run);
    add_ca_issue(*ca, run);
    add_ca_list(*ca, run);
    add_ca_revoke(*ca, run);
    add_ca_block(*ca, run);
    add_ca_audit(*ca, run);
    add_ca_demo_certs(*ca, run);
    add_ca_crl(*ca, run);
    add_ca_offline(*ca, run);
    add_ca_rollover(*ca, run);
    add_ca_run(*ca, run);
    add_ca_dev(*ca, run);
    add_ca_approve(*ca, run);
}

}  // namespace app
