// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/command.hpp"
#include "base/error.hpp"
#include "pki/key.hpp"

namespace app {

/// The subcommands of `sallyport ca`, one file each.
void add_ca_init(CLI::App& ca, Run& run);
void add_ca_issue(CLI::App& ca, Run& run);
void add_ca_list(CLI::App& ca, Run& run);
void add_ca_revoke(CLI::App& ca, Run& run);  ///< ca revoke, unrevoke
void add_ca_block(CLI::App& ca, Run& run);   ///< ca block, unblock
void add_ca_audit(CLI::App& ca, Run& run);
void add_ca_demo_certs(CLI::App& ca, Run& run);
void add_ca_crl(CLI::App& ca, Run& run);
void add_ca_offline(CLI::App& ca, Run& run);  ///< ca root sign, ca intermediate request, install
void add_ca_rollover(CLI::App& ca, Run& run);
void add_ca_run(CLI::App& ca, Run& run);
void add_ca_dev(CLI::App& ca, Run& run);
void add_ca_approve(CLI::App& ca, Run& run);  ///< ca approve, hash-password

/// "ec-p256, ec-p384, ...", for help texts.
extern const char* const ca_key_types;
base::Result<pki::KeyType> read_key_type(const std::string& text);

base::Status ca_usage(std::string thing, std::string reason, std::string fix = {});
/// A name that cannot stand in a command is wrong usage, whoever found it.
base::Status as_usage(base::Status status);

/// What a subcommand's callback sets as the run: the command on its options, its error reported.
template <class Options>
Run ca_runner(std::shared_ptr<Options> options, base::Status (*command)(const Options&)) {
    return [options, command] {
        const auto done = command(*options);
        return done ? Exit::done : report(done.error());
    };
}

}  // namespace app
