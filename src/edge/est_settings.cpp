// SPDX-License-Identifier: Apache-2.0
#include "edge/est_settings.hpp"

#include "base/secret.hpp"

namespace edge {
namespace {

void need_both(base::ConfigTable& table, std::string_view one, const std::string& first,
               const std::string& other, const std::string& second) {
    if (first.empty() == second.empty()) return;
    table.complain(one, "and " + other + " are both needed");
}

}  // namespace

std::string_view without_temp(std::string_view id) {
    constexpr std::string_view temp = "-temp";
    if (id.ends_with(temp)) id.remove_suffix(temp.size());
    return id;
}

EstAuth read_est_auth(base::ConfigTable& table) {
    EstAuth out;
    const auto read = [&](std::string_view key, std::string& into) {
        if (auto text = table.string(key)) into = *std::move(text);
    };
    read("username", out.username);
    if (auto text = table.string("password")) {
        out.password = std::make_shared<const base::SecretBytes>(std::string_view(*text));
        base::wipe(text->data(), text->size());
    }
    read("identity_cert", out.identity_cert);
    read("identity_pk", out.identity_pk);
    read("bootstrap_identity_cert", out.bootstrap_identity_cert);
    read("bootstrap_identity_pk", out.bootstrap_identity_pk);
    need_both(table, "identity_cert", out.identity_cert, "identity_pk", out.identity_pk);
    need_both(table, "bootstrap_identity_cert", out.bootstrap_identity_cert, "bootstrap_identity_pk",
              out.bootstrap_identity_pk);
    if (out.has_password() != (out.password != nullptr))
        table.complain("username", "and password are both needed");
    if (out.username.find(':') != std::string::npos)
        table.complain("username", "has a colon, which HTTP basic cannot carry");
    return out;
}

EstSettings read_est_settings(base::ConfigTable& table) {
    EstSettings out;
    out.trusted_certs = table.strings("trusted_certs").value_or(std::vector<std::string>{});
    out.use_system_store = table.boolean("use_system_store").value_or(false);
    out.auth = read_est_auth(table);
    if (auto auth = table.table("auth")) out.auth = read_est_auth(*auth);
    out.identity_renewal = read_renewal(table, "identity_auto_renew");
    if (auto urls = table.table("urls"))
        for (const auto& id : urls->keys())
            if (auto url = urls->string(id)) out.urls[id] = *url;
    return out;
}

}  // namespace edge
