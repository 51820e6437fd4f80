// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/command.hpp"
#include "base/file.hpp"
#include "pki/certificate.hpp"

namespace app {
namespace {

struct ThumbprintOptions {
    std::string file;
    std::string output = "text";
};

void print_as_text(const pki::Certificate& certificate) {
    const auto line = [](std::string_view name, std::span<const std::byte> digest) {
        fmt::print("{:<7}  {}\n         {}\n", name, base::to_hex_upper(digest), pki::with_colons(digest));
    };
    line("SHA-256", certificate.sha256());
    line("SHA-1", certificate.sha1());
}

void print_as_json(const pki::Certificate& certificate) {
    const auto sha256 = certificate.sha256();
    const auto sha1 = certificate.sha1();
    const boost::json::object object{{"subject", certificate.subject()},
                                     {"sha256", base::to_hex_upper(sha256)},
                                     {"sha256WithColons", pki::with_colons(sha256)},
                                     {"sha1", base::to_hex_upper(sha1)},
                                     {"sha1WithColons", pki::with_colons(sha1)}};
    fmt::print("{}\n", boost::json::serialize(object));
}

/// A file that cannot be read leaves the question open (3); one that is no certificate answers it with no
/// (1).
Exit run_thumbprint(const ThumbprintOptions& options) {
    const auto content = base::read_file(options.file, "certificate");
    if (!content) return report(content.error(), Exit::unknown);
    const auto certificate = pki::Certificate::read(base::as_bytes(*content), "certificate " + options.file);
    if (!certificate) return report(certificate.error());
    if (options.output == "json")
        print_as_json(*certificate);
    else
        print_as_text(*certificate);
    return Exit::done;
}

}  // namespace

void add_thumbprint(CLI::App& root, Run& run) {
    const auto options = std::make_shared<ThumbprintOptions>();
    auto* command =
        root.add_subcommand("thumbprint", "Print the thumbprints of a certificate, with and without colons");
    command->add_option("FILE", options->file, "Certificate, PEM (the first of the file counts) or DER")
        ->required();
    command->add_option("--output", options->output, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback([&run, options] { run = [options] { return run_thumbprint(*options); }; });
}

}  // namespace app
