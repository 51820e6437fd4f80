// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

struct X509_name_st;  // OpenSSL's X509_NAME

namespace pki {

/// A distinguished name as relative names in canonical form, comparable by RFC 5280 7.1: case folded and
/// white space collapsed in text, anything else octet by octet.
using DistinguishedName = std::vector<std::string>;

DistinguishedName distinguished_name(const X509_name_st* name);

/// Whether `name` lies in the subtree under `base`: the first relative names are those of `base` (RFC
/// 5280 4.2.1.10).
bool is_within(const DistinguishedName& name, const DistinguishedName& base);

}  // namespace pki
