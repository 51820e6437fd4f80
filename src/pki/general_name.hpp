// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "pki/openssl.hpp"

/// Names between their OpenSSL form and the text that this project writes. For `pki` only.
namespace pki {

/// RFC 2253 text, "CN=TempSensor,O=Contoso".
std::string name_text(const X509_NAME* name);
/// A string of any ASN.1 type as UTF-8; empty where it cannot be converted.
std::string utf8(const ASN1_STRING* value);
/// Every common name as UTF-8, in order.
std::vector<std::string> common_names_of(const X509_NAME* name);
/// "DNS:x", "IP:10.0.0.1", "URI:...", "email:...", "DirName:...", "other", in order.
std::vector<std::string> general_names_text(const GENERAL_NAMES* names);
/// The reverse, for names that check_name has accepted; equal ones are taken once.
base::Result<GeneralNamesPtr> make_general_names(const std::vector<std::string>& names);
/// A name of one RDN, CN as UTF8String.
base::Result<X509NamePtr> make_name(std::string_view common_name);

}  // namespace pki
