// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace pki {

/// Which way a comparison with a subtree errs: a wildcard name is refused where any name that it stands for
/// is excluded, and is permitted only where all of them are.
enum class Subtree { permitted, excluded };

using Octets = std::span<const unsigned char>;

/// Names against the base of a constraint, a function a kind (RFC 5280 4.2.1.10), and whether base and name
/// are well formed at all.
bool is_dns_subtree(std::string_view base);
bool dns_is_within(std::string_view name, std::string_view base, Subtree kind);

/// A mailbox (`user@host`, local part as it stands), a host, or `.domain` for all hosts below a domain.
bool is_email_subtree(std::string_view base);
bool is_mailbox(std::string_view name);
bool email_is_within(std::string_view name, std::string_view base);

/// A host, or `.domain` for all hosts below it, against the host of a URI.
bool is_uri_subtree(std::string_view base);
/// The host name in a URI with an authority; empty where there is none or where it is an address, which no
/// constraint can permit.
std::string_view uri_host(std::string_view uri);
bool uri_host_is_within(std::string_view host, std::string_view base);

/// Address and mask of one length (8 or 32 octets), the mask contiguous.
bool is_address_subtree(Octets base);
bool address_is_within(Octets address, Octets base);

}  // namespace pki
