// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "pki/openssl.hpp"

/// Extensions as certificates and requests carry them. For `pki` only.
namespace pki {

BasicConstraintsPtr make_basic_constraints(bool ca, std::optional<int> path_length);
/// bits: those of pki::key_usage.
Asn1BitStringPtr make_key_usage(unsigned bits);
/// names: OpenSSL's short names or dotted numbers; fails with invalid_argument for one that is neither.
base::Result<ExtendedKeyUsagePtr> make_extended_key_usage(const std::vector<std::string>& names);
/// Encodes `value` into the list.
base::Status add_extension(STACK_OF(X509_EXTENSION) * *into, int nid, bool critical, void* value);

/// Short names, dotted numbers where there is none.
std::vector<std::string> usage_names(const EXTENDED_KEY_USAGE* usages);
/// "1.2.840.113549.1.9.14".
std::string object_text(const ASN1_OBJECT* object);

}  // namespace pki
