// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "base/duration.hpp"
#include "base/result.hpp"
#include "ca/inventory_reader.hpp"
#include "ca/issuing.hpp"

namespace app {
namespace {

struct ListOptions {
    std::string data, expiring, device, actor, serial, output = "table";
    long long most = 0;
};

std::string_view state_of(const ca::Entry& entry, base::Instant now) {
    if (entry.revocation) return "revoked";
    return entry.not_after <= now ? "expired" : "valid";
}

boost::json::value optional_text(const std::optional<std::string>& text) {
    return text ? boost::json::value(*text) : boost::json::value(nullptr);
}

boost::json::object as_json(const ca::Entry& entry, base::Instant now) {
    boost::json::object shown{{"serial", entry.serial},
                              {"state", state_of(entry, now)},
                              {"profile", pki::to_string(entry.profile)},
                              {"device", entry.device},
                              {"subject", entry.subject},
                              {"names", boost::json::value_from(entry.names)},
                              {"issuer", entry.issuer},
                              {"label", entry.label},
                              {"actor", entry.actor},
                              {"notBefore", base::format_rfc3339(entry.not_before)},
                              {"notAfter", base::format_rfc3339(entry.not_after)},
                              {"issuedAt", base::format_rfc3339(entry.issued_at)},
                              {"sha256", base::to_hex_upper(entry.certificate)},
                              {"replaces", optional_text(entry.replaces)},
                              {"replacedBy", optional_text(entry.replaced_by)}};
    if (entry.revocation) {
        shown["revokedAt"] = base::format_rfc3339(entry.revocation->at);
        shown["reason"] = ca::to_string(entry.revocation->reason);
    }
    return shown;
}

void print_row(const ca::Entry& entry, base::Instant now) {
    fmt::print("{:<32}  {:<12}  {:<7}  {}  {}{}\n", entry.serial, pki::to_string(entry.profile),
               state_of(entry, now), base::format_rfc3339(entry.not_after), entry.device,
               entry.replaced_by ? "  (replaced)" : "");
}

base::Status run_list(const ListOptions& options) {
    if (auto fine = ca::check_is_ca(options.data); !fine) return fine;
    ca::Ledger::Wish wish;
    if (!options.expiring.empty()) {
        const auto within = base::parse_duration(options.expiring);
        if (!within || *within <= std::chrono::seconds{0})
            return ca_usage("--expiring " + options.expiring, "is not a time ahead", "write 30d or 12h");
        wish.expiring_within = *within;
    }
    if (!options.device.empty()) wish.device = options.device;
    if (!options.actor.empty()) wish.actor = options.actor;
    const bool json = options.output == "json";
    const auto now = base::system_clock().now();
    SP_TRY(return, const auto reader, ca::InventoryReader::open(options.data));
    if (!json)
        fmt::print("{:<32}  {:<12}  {:<7}  {:<20}  {}\n", "SERIAL", "PROFILE", "STATE", "ENDS", "DEVICE");
    long long left = options.most;
    bool first = true;
    if (json) fmt::print("[");
    while (true) {
        if (options.most > 0) wish.most = static_cast<std::size_t>(std::min(left, 1000LL));
        SP_TRY(return, const auto page, reader.list(wish, now));
        for (const auto& entry : page) {
            if (json)
                fmt::print("{}{}", std::exchange(first, false) ? "\n" : ",\n",
                           boost::json::serialize(as_json(entry, now)));
            else
                print_row(entry, now);
        }
        left -= static_cast<long long>(page.size());
        if (page.size() < wish.most || (options.most > 0 && left <= 0)) break;
        wish.after = page.back().serial;
    }
    if (json) fmt::print("{}]\n", first ? "" : "\n");
    return {};
}

}  // namespace

void add_ca_list(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<ListOptions>();
    auto* command = ca.add_subcommand("list", "Show what was issued, by end of validity");
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command->add_option("--expiring", options->expiring, "Only what ends within this time: 30d, 12h");
    command->add_option("--device", options->device, "Only what this device has");
    command->add_option("--actor", options->actor,
                        "Only what this caller had issued: command:1000, est-id:dev1, user:line-3");
    command->add_option("--top", options->most, "No more than so many; 0: all")
        ->check(CLI::Range(0LL, 1'000'000'000LL));
    command->add_option("--output", options->output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    command->callback([&run, options] { run = ca_runner(options, run_list); });
}

}  // namespace app
