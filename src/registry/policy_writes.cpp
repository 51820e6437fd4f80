// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

constexpr std::size_t most_certificates = 25;
constexpr std::size_t longest_name = 64;

constexpr unsigned operator|(Right a, Right b) {
    return static_cast<unsigned>(a) | static_cast<unsigned>(b);
}
constexpr unsigned operator|(unsigned a, Right b) {
    return a | static_cast<unsigned>(b);
}

struct PolicyRights {
    std::string_view name;
    unsigned rights;
};
// hub.md 5.1
constexpr PolicyRights standard_policies[] = {
    {"iothubowner",
     Right::registry_read | Right::registry_write | Right::service_connect | Right::device_connect},
    {"service", static_cast<unsigned>(Right::service_connect)},
    {"device", static_cast<unsigned>(Right::device_connect)},
    {"registryRead", static_cast<unsigned>(Right::registry_read)},
    {"registryReadWrite", Right::registry_read | Right::registry_write},
};

base::Status check_name(const std::string& name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.' || c == '_';
    };
    if (!name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), allowed))
        return {};
    return base::fail(base::Code::invalid_argument, "name of the CA certificate", "will not do",
                      "use 1 to 64 letters, digits, dashes, dots and underscores");
}

}  // namespace

base::Result<Registry::PutCa> put_ca_certificate(Writing& writing, const std::string& name,
                                                 const pki::Certificate& certificate, Registry::Proof proof,
                                                 const IfMatch& match) {
    if (auto fine = check_name(name); !fine) return std::unexpected(fine.error());
    const auto thing = refusals::certificate_thing(name);
    if (!certificate.is_ca())
        return base::fail(base::Code::invalid_argument, thing,
                          "is no CA certificate (basicConstraints CA:TRUE)",
                          "upload the certificate of the CA that issues the devices' certificates");
    SP_TRY(return, const auto existing, rows::ca_certificate(writing.database, name));
    if (existing) {
        if (auto fine = refusals::check_match(match, existing->etag, thing); !fine)
            return std::unexpected(fine.error());
    } else {
        if (match.kind != IfMatch::Kind::absent)
            return base::fail(base::Code::precondition_failed, thing, "is not there, and If-Match was given",
                              "leave If-Match out to create it");
        SP_TRY(return, const auto all, rows::ca_certificates(writing.database));
        if (all.size() >= most_certificates)
            return base::fail(base::Code::too_large, "CA certificates", "are 25 already, the most",
                              "delete one first");
    }
    const CaCertificate put{.name = name,
                            .certificate = certificate,
                            .verified = proof == Registry::Proof::verified,
                            .etag = new_etag(),
                            .created = existing ? existing->created : writing.second(),
                            .updated = writing.second()};
    if (auto done = rows::put(writing.database, put); !done) return std::unexpected(done.error());
    if (auto noted = writing.certificates_changed(); !noted) return std::unexpected(noted.error());
    return Registry::PutCa{put, !existing};
}

base::Result<CaCertificate> certificate_to_change(Writing& writing, const std::string& name,
                                                  const IfMatch& match) {
    const auto thing = refusals::certificate_thing(name);
    SP_TRY(return, auto entry, rows::ca_certificate(writing.database, name));
    if (!entry) return refusals::not_found(thing);
    if (auto fine = refusals::check_match(match, entry->etag, thing); !fine)
        return std::unexpected(fine.error());
    return *std::move(entry);
}

base::Result<bool> delete_ca_certificate(Writing& writing, const std::string& name, const IfMatch& match) {
    if (auto there = certificate_to_change(writing, name, match); !there)
        return std::unexpected(there.error());
    if (auto gone = rows::remove_ca_certificate(writing.database, name); !gone)
        return std::unexpected(gone.error());
    if (auto noted = writing.certificates_changed(); !noted) return std::unexpected(noted.error());
    return true;
}

base::Status make_policies(Writing& writing) {
    for (const auto& [name, rights] : standard_policies) {
        SP_TRY(return, const auto existing, rows::policy(writing.database, name));
        if (existing) continue;
        const Policy policy{std::string(name), rights, new_key(), new_key()};
        if (auto put = rows::put(writing.database, policy); !put) return put;
    }
    return {};
}

base::Result<Policy> renew_policy_key(Writing& writing, const std::string& name, KeyRenewal which) {
    SP_TRY(return, auto policy, rows::policy(writing.database, name));
    if (!policy) return refusals::not_found("policy " + name);
    if (which == KeyRenewal::primary) policy->primary_key = new_key();
    if (which == KeyRenewal::secondary) policy->secondary_key = new_key();
    if (which == KeyRenewal::swap) std::swap(policy->primary_key, policy->secondary_key);
    if (auto put = rows::put(writing.database, *policy); !put) return std::unexpected(put.error());
    return *std::move(policy);
}

}  // namespace registry
