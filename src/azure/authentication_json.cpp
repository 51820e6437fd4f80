// SPDX-License-Identifier: Apache-2.0
#include "azure/authentication_json.hpp"

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

using trust::AuthType;

constexpr std::size_t shortest_key = 16, longest_key = 64;

// Clients differ in the case of enumerations; identityd says `x509` (hub.md 9.1).
std::optional<AuthType> type_of(std::string_view text) {
    if (base::equal_ignoring_case(text, "x509")) return AuthType::self_signed;
    for (const auto type :
         {AuthType::none, AuthType::sas, AuthType::self_signed, AuthType::certificate_authority}) {
        if (base::equal_ignoring_case(text, trust::to_string(type))) return type;
    }
    return std::nullopt;
}

base::Result<std::string> read_key(const JsonObject& keys, std::string_view name, Strictness strictness) {
    SP_TRY(return, auto key, keys.text(name));
    if (!key || key->empty()) return std::string();
    if (strictness == Strictness::stored) return *std::move(key);
    const auto bytes = base::from_base64(*key);
    if (!bytes) return keys.fail(name, "is not base64");
    if (bytes->size() < shortest_key || bytes->size() > longest_key) {
        return keys.fail(
            name, "has " + std::to_string(bytes->size()) + " bytes where 16 to 64 are allowed (hub.md 5.3)");
    }
    return *std::move(key);
}

base::Result<std::optional<trust::Thumbprint>> read_thumbprint(const JsonObject& prints,
                                                               std::string_view name) {
    SP_TRY(return, const auto text, prints.text(name));
    if (!text || text->empty()) return std::nullopt;
    auto read = trust::Thumbprint::parse(*text);
    if (!read) {
        return base::fail(base::Code::invalid_argument, prints.path(name), read.error().reason,
                          read.error().fix);
    }
    return *std::move(read);
}

}  // namespace

base::Result<std::optional<trust::Authentication>> read_authentication(const JsonObject& parent,
                                                                       Strictness strictness) {
    SP_TRY(return, const auto member, parent.object("authentication"));
    if (!member) return std::nullopt;
    trust::Authentication read;
    SP_TRY(return, const auto keys, member->object("symmetricKey"));
    if (keys) {
        SP_TRY(return, read.primary_key, read_key(*keys, "primaryKey", strictness));
        SP_TRY(return, read.secondary_key, read_key(*keys, "secondaryKey", strictness));
    }
    SP_TRY(return, const auto prints, member->object("x509Thumbprint"));
    if (prints) {
        SP_TRY(return, read.primary_thumbprint, read_thumbprint(*prints, "primaryThumbprint"));
        SP_TRY(return, read.secondary_thumbprint, read_thumbprint(*prints, "secondaryThumbprint"));
    }
    const bool any_thumbprint = read.primary_thumbprint || read.secondary_thumbprint;
    SP_TRY(return, const auto type, member->text("type"));
    if (type) {
        const auto known = type_of(*type);
        if (!known) {
            return base::fail(base::Code::invalid_argument, member->path("type"), "is \"" + *type + "\"",
                              "use sas, selfSigned, certificateAuthority or none");
        }
        read.type = *known;
    } else {
        read.type = any_thumbprint ? AuthType::self_signed : AuthType::sas;
    }
    if (strictness == Strictness::wish && read.type == AuthType::self_signed && !any_thumbprint) {
        return base::fail(base::Code::invalid_argument, member->path("x509Thumbprint"),
                          "has no thumbprint, which type selfSigned needs",
                          "give primaryThumbprint, secondaryThumbprint or both");
    }
    return read;
}

}  // namespace azure
