// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trust/authenticate.hpp"

/// The parts of `authenticate`, one file each. Each adds its steps to the decision; none stops at its first
/// failure where a later check still makes sense.
namespace trust::judge {

/// Whose key or certificate is to be shown, and for what.
struct Subject {
    const Record& prover;  ///< the identity itself, or the `$edgeHub` that speaks for it
    std::string resource;  ///< what a token must open: resource_path of the prover
};

/// hub.md 2.3: form, expiry, resource, policy, signature.
void token(const Presented& presented, const Subject& subject, const Context& context, Decision& decision);
/// hub.md 2.4: thumbprint and dates, nothing else.
void thumbprint(const Presented& presented, const Record& prover, const Context& context, Decision& decision);
/// hub.md 2.5: path to a verified CA, dates, usage, CN.
void certificate_authority(const Presented& presented, const Record& prover, const Context& context,
                           Decision& decision);
/// hub.md 9.4: form of the auth chain, links, actor.
void auth_chain(const Presented& presented, const OnBehalf& on_behalf, pki::Verdict& verdict);

/// {"scope":"device","type":"sas","issuer":"iothub"}.
std::string method_text(std::string_view scope, std::string_view type, std::string_view issuer);
inline std::string_view scope_of(const Record& record) {
    return record.identity.is_module() ? "module" : "device";
}
inline bool is_enabled(const Record& record) {
    return record.status == Enablement::enabled &&
           (!record.identity.is_module() || record.device_status == Enablement::enabled);
}

}  // namespace trust::judge
