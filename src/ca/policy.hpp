// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ca/caller.hpp"
#include "ca/config.hpp"
#include "ca/refusal.hpp"
#include "pki/csr.hpp"

namespace ca {

/// What is asked, of whom it is known that they may ask at this label (`admit`).
struct Petition {
    const Caller& caller;
    const LabelConfig& label;
    bool label_given = true;  ///< false: the request named none
    est::Operation operation;
    const pki::Csr& csr;
};

/// What the CA will issue.
struct Grant {
    pki::Profile profile = pki::Profile::device;
    std::string common_name;
    base::Bytes subject_der;
    std::vector<std::string> names;
    std::string device;
    std::optional<std::string> replaces;  ///< serial of the certificate that is renewed
    bool manual = false;                  ///< an operator decides
    std::string detail;                   ///< for the audit log
};

/// The profile, and whether this is the renewal of the caller's own certificate: a function of the label and
/// of who asks, never of the request, but for the renewal of an EST identity (est-and-pki.md 3.2).
struct ProfileChoice {
    pki::Profile profile;
    bool renewal = false;
};
Granted<ProfileChoice> choose_profile(const Petition& petition);

/// Everything that the configuration says about this request, in the order of est-and-pki.md section 10 from
/// the key on. Pure; key.known is for whoever knows the inventory.
Granted<Grant> decide(const Config& config, const Petition& petition);

}  // namespace ca
