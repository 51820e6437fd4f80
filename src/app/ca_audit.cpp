// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/ca.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/audit_line.hpp"
#include "ca/audit_reader.hpp"
#include "ca/audit_verify.hpp"
#include "ca/issuing.hpp"
#include "ca/request.hpp"

namespace app {
namespace {

struct AuditOptions {
    std::string data, anchor, kind, serial, output = "text";
    std::uint64_t entry = 0, from = 1;
};

base::Result<std::vector<std::string>> read_anchors(const std::string& file) {
    std::vector<std::string> lines;
    if (file.empty()) return lines;
    SP_TRY(return, const auto text, base::read_file(file, "anchor file"));
    for (const auto line : base::split(text, '\n'))
        if (const auto trimmed = base::trim(line); !trimmed.empty()) lines.emplace_back(trimmed);
    return lines;
}

Exit run_verify(const AuditOptions& options) {
    const auto is_ca = ca::check_is_ca(options.data);
    if (!is_ca) return report(is_ca.error(), Exit::unknown);
    const auto anchors = read_anchors(options.anchor);
    if (!anchors) return report(anchors.error(), Exit::unknown);
    const auto found = ca::verify_audit(options.data, *anchors);
    if (!found) return report(found.error(), Exit::unknown);
    if (options.output == "json")
        fmt::print("{}\n",
                   boost::json::serialize(boost::json::object{{"clean", found->clean()},
                                                              {"problem", found->problem},
                                                              {"entry", found->entry},
                                                              {"entries", found->entries},
                                                              {"heads", found->heads},
                                                              {"certificates", found->certificates}}));
    else if (found->clean())
        fmt::print("clean: {} entries, {} certificates, {} signed heads\n", found->entries,
                   found->certificates, found->heads);
    else
        fmt::print("tampered with: {}\n", found->problem);
    return found->clean() ? Exit::done : Exit::no;
}

base::Status run_head(const AuditOptions& options) {
    SP_TRY(return, const auto answer, ca::with_books(options.data, {{"do", "head"}}));
    fmt::print("{}\n", std::string_view(answer.at("head").as_string()));
    return {};
}

base::Status run_prove(const AuditOptions& options) {
    SP_TRY(return, const auto proof, ca::prove_entry(options.data, options.entry));
    fmt::print("{}\n", proof);
    return {};
}

void print_entry(const ca::AuditLine& line) {
    std::string text = fmt::format("{} {} {}", line.seq, line.time, line.kind);
    const auto add = [&](std::string_view key, const std::string& value) {
        if (!value.empty()) text += fmt::format(" {}=\"{}\"", key, ca::escaped(value));
    };
    add("actor", line.actor);
    add("peer", line.peer);
    add("label", line.label);
    add("profile", line.profile);
    add("reason", line.reason);
    add("serial", line.serial);
    add("subject", line.subject);
    add("detail", line.detail);
    fmt::print("{}\n", text);
}

base::Status run_show(const AuditOptions& options) {
    SP_TRY(return, const auto reader, ca::AuditReader::open(options.data));
    base::Status broken;
    const auto serial = ca::parse_serial(options.serial);
    auto read = reader.each_entry([&](std::string_view text) {
        const auto line = ca::parse_audit_line(text);
        if (!line) {
            broken = std::unexpected(line.error());
            return false;
        }
        if (line->seq < options.from || (!options.kind.empty() && line->kind != options.kind)) return true;
        if (!options.serial.empty() && line->serial != serial) return true;
        if (options.output == "json")
            fmt::print("{}\n", text);
        else
            print_entry(*line);
        return true;
    });
    return read ? broken : read;
}

CLI::App* add_audit_verb(CLI::App& audit, const char* name, const char* about,
                         const std::shared_ptr<AuditOptions>& options) {
    auto* command = audit.add_subcommand(name, about);
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    return command;
}

void add_output(CLI::App& command, AuditOptions& options) {
    command.add_option("--output", options.output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
}

}  // namespace

void add_ca_audit(CLI::App& ca, Run& run) {
    auto* audit =
        ca.add_subcommand("audit", "The log of everything that the CA has done")->require_subcommand(1);
    const auto verifying = std::make_shared<AuditOptions>();
    auto* verify = add_audit_verb(
        *audit, "verify", "Prove that nothing was removed or changed, or name the first that was", verifying);
    verify->add_option("--anchor", verifying->anchor,
                       "Heads that were kept elsewhere, a line each, as audit head prints them");
    add_output(*verify, *verifying);
    verify->callback([&run, verifying] { run = [verifying] { return run_verify(*verifying); }; });

    const auto heading = std::make_shared<AuditOptions>();
    auto* head =
        add_audit_verb(*audit, "head", "Print the newest signed head, to be kept elsewhere", heading);
    head->callback([&run, heading] { run = ca_runner(heading, run_head); });

    const auto proving = std::make_shared<AuditOptions>();
    auto* prove = add_audit_verb(*audit, "prove", "Prove that an entry is in the log", proving);
    prove->add_option("entry", proving->entry, "Number of the entry")->required();
    prove->callback([&run, proving] { run = ca_runner(proving, run_prove); });

    const auto showing = std::make_shared<AuditOptions>();
    auto* show = add_audit_verb(*audit, "show", "Print the entries", showing);
    show->add_option("--from", showing->from, "Number of the first entry to print")->capture_default_str();
    show->add_option("--kind", showing->kind, "Only entries of this kind: issue, refuse, revoke, ...");
    show->add_option("--serial", showing->serial, "Only entries about this certificate");
    add_output(*show, *showing);
    show->callback([&run, showing] { run = ca_runner(showing, run_show); });
}

}  // namespace app
