// SPDX-License-Identifier: Apache-2.0
#include "edge/config_issuance.hpp"

#include <fmt/format.h>

#include "edge/est_identities.hpp"
#include "est/client_url.hpp"

namespace edge {
namespace {

using base::ConfigTable;

void check_url(ConfigTable& table, std::string_view key, const std::string& url) {
    if (const auto good = est::parse_url(url); !good)
        table.complain(key, fmt::format("is {}, which {}", url, good.error().reason), good.error().fix);
}

void check_uris(ConfigTable& table, const EstAuth& auth) {
    const std::pair<std::string_view, const std::string&> all[] = {
        {"identity_cert", auth.identity_cert},
        {"identity_pk", auth.identity_pk},
        {"bootstrap_identity_cert", auth.bootstrap_identity_cert},
        {"bootstrap_identity_pk", auth.bootstrap_identity_pk}};
    for (const auto& [key, uri] : all)
        if (!uri.empty() && !uri.starts_with("pkcs11:") && !file_of_uri(uri))
            table.complain(key, "is not a file URI", "write it as file:///absolute/path");
}

// As the original has it: the identity is made with the bootstrap certificate.
void prefer_bootstrap(ConfigTable& table, EstAuth& auth, std::vector<std::string>& notices) {
    if (auth.identity_cert.empty() || auth.bootstrap_identity_cert.empty()) return;
    notices.push_back(fmt::format(
        "{}: identity_cert is without effect beside bootstrap_identity_cert, with which an EST identity is "
        "obtained",
        table.path()));
    auth.identity_cert.clear();
    auth.identity_pk.clear();
}

void read_est_options(ConfigTable& table, Issuance& into, std::vector<std::string>& notices) {
    into.url = table.string("url");
    if (into.url) check_url(table, "url", *into.url);
    into.auth = read_est_auth(table);
    check_uris(table, into.auth);
    prefer_bootstrap(table, into.auth, notices);
    if (into.expiry_days)
        notices.push_back(table.path() + ".expiry_days: without effect: the EST server decides");
}

}  // namespace

std::optional<Uri> read_uri(ConfigTable& table, std::string_view key) {
    auto value = table.string(key);
    if (!value) return std::nullopt;
    // A token's key is named, not read here; whether it can be used shows at its first use.
    if (value->starts_with("pkcs11:")) return value;
    if (const auto file = file_of_uri(*value); !file) {
        table.complain(key, "is not a file URI", "write it as file:///absolute/path");
        return std::nullopt;
    }
    return value;
}

Issuance read_issuance(ConfigTable& table, std::vector<std::string>& notices) {
    Issuance out;
    if (const auto method = table.string("method")) {
        if (*method == "local_ca")
            out.method = Issuance::Method::local_ca;
        else if (*method == "est")
            out.method = Issuance::Method::est;
        else if (*method != "self_signed")
            table.complain("method", "must be self_signed, local_ca or est");
    }
    out.expiry_days = table.integer("expiry_days", 1, 36500);
    out.common_name = table.string("common_name");
    if (out.common_name && (out.common_name->empty() || out.common_name->size() > 64))
        table.complain("common_name", "must have 1 to 64 characters");
    if (auto subject = table.table("subject")) {
        out.common_name = subject->string("CN");
        if (subject->keys().size() > 1)
            table.complain("subject", "has more than a CN, which this version does not do");
        for (const auto& key : subject->keys()) subject->known(key);
    }
    out.renewal = read_renewal(table, "auto_renew");
    if (out.method == Issuance::Method::est) read_est_options(table, out, notices);
    return out;
}

void read_est(ConfigTable& cert_issuance, Configuration& into) {
    auto table = cert_issuance.table("est");
    if (!table) return;
    auto& est = into.est.emplace(read_est_settings(*table));
    for (const auto& uri : est.trusted_certs)
        if (!file_of_uri(uri))
            table->complain("trusted_certs", fmt::format("has {}, which is not a file URI", uri),
                            "write it as file:///absolute/path");
    check_uris(*table, est.auth);
    prefer_bootstrap(*table, est.auth, into.notices);
    for (const auto& [id, url] : est.urls) check_url(*table, "urls." + id, url);
}

void check_est(ConfigTable& root, const Configuration& configuration) {
    const auto wanted = est_issuances(configuration);
    if (wanted.empty()) return;
    if (!configuration.est) {
        root.complain("cert_issuance.est",
                      fmt::format("is missing, and {} is to come from an EST server", wanted.front().where),
                      "add [cert_issuance.est] with trusted_certs, and its auth and urls");
        return;
    }
    const auto& est = *configuration.est;
    if (est.trusted_certs.empty() && !est.use_system_store)
        root.complain("cert_issuance.est.trusted_certs", "is missing: no EST server could be trusted",
                      "name the root certificate of the EST server's CA");
    for (const auto& each : wanted) {
        if (est_url(configuration, each).empty())
            root.complain(each.where + ".url", "is missing: nothing says where its EST server is",
                          fmt::format("add it, or \"{}\" or default in [cert_issuance.est.urls]", each.id));
        if (each.issuance->auth.empty() && est.auth.empty())
            root.complain("cert_issuance.est.auth",
                          fmt::format("is missing: {} cannot be had without a credential", each.where),
                          "add bootstrap_identity_cert and bootstrap_identity_pk, identity_cert and "
                          "identity_pk, or username and password");
    }
}

}  // namespace edge
