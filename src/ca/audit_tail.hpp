// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ca/audit_files.hpp"
#include "ca/log_state.hpp"
#include "pki/key.hpp"

/// What is looked at of the audit log whenever the books are opened: its end. All of it is `audit verify`.
namespace ca {

/// Everything in front of what the outbox still has to write must be there; a log that ends earlier has been
/// cut (`malformed`).
base::Status check_before_repair(const AuditFiles& files, const LogState& state,
                                 const std::vector<Outbox>& outbox);

/// After it: the files end where the database says, the newest head is signed and is the database's, and the
/// entries behind it lead to the last one known. The line of that head; empty where there is none yet.
base::Result<std::string> check_tail(const AuditFiles& files, const LogState& state,
                                     const pki::PublicKey& audit_key);

}  // namespace ca
