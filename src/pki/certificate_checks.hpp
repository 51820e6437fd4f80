// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "pki/certificate.hpp"
#include "pki/purpose.hpp"
#include "pki/verdict.hpp"

namespace pki {

/// Checks of one certificate by itself. Each appends its step (ids of pki/checks.hpp, by the place in the
/// path) and says whether it passed. link: 0 is the leaf.

/// What RFC 5280 4.1 and 4.2 demand of every certificate and what a safe decision rests on: names, version,
/// dates in the right form, one signature algorithm inside and outside, no extension twice or undecodable,
/// constraints on CAs alone.
bool check_form(const Certificate& certificate, int link, Verdict& verdict);
/// Every critical extension is one that `verify` processes; policies that must be explicit are not (RFC
/// 5280 4.2).
bool check_critical_extensions(const Certificate& certificate, int link, Verdict& verdict);
/// notBefore and notAfter are inclusive.
bool check_validity(const Certificate& certificate, int link, base::Instant now, Verdict& verdict);
bool check_key_strength(const Certificate& certificate, int link, Verdict& verdict);

/// keyUsage and extended key usage of the leaf. anyExtendedKeyUsage is not enough there (RFC 5280 4.2.1.12
/// allows an application to demand its own). No step for Purpose::any.
bool check_leaf_usage(const Certificate& leaf, Purpose purpose, Verdict& verdict);

/// basicConstraints, path length against the number of issuers below that are not self-issued, keyCertSign,
/// and the extended key usage where the CA has one.
bool check_ca(const Certificate& ca, int link, int issuers_below, Purpose purpose, Verdict& verdict);

}  // namespace pki
