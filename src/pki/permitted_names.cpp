// SPDX-License-Identifier: Apache-2.0
#include "pki/permitted_names.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "pki/name_subtree.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

auto bad_subtree(std::string_view text, std::string reason) {
    return base::fail(base::Code::invalid_argument, fmt::format("permitted name {}", text), std::move(reason),
                      "write DNS:name or IP:address/bits");
}

/// Address and mask in octets, as the extension has them.
base::Result<std::string> address_octets(std::string_view text) {
    const auto value = text.substr(3);
    const auto slash = value.find('/');
    if (slash == value.npos) return bad_subtree(text, "has no number of bits");
    const std::string address(value.substr(0, slash));
    const auto digits = value.substr(slash + 1);
    unsigned char octets[16]{};
    const int size = ::inet_pton(AF_INET, address.c_str(), octets) == 1    ? 4
                     : ::inet_pton(AF_INET6, address.c_str(), octets) == 1 ? 16
                                                                           : 0;
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (size <= 0 || error != std::errc{} || end != digits.data() + digits.size() ||
        bits > static_cast<unsigned>(size) * 8) {
        return bad_subtree(text, "is not an address with a number of bits");
    }
    std::string both(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
    for (int i = 0; i < size; ++i) {
        const unsigned here = bits >= 8U * (unsigned(i) + 1) ? 8 : bits <= 8U * unsigned(i) ? 0 : bits % 8;
        const auto mask = static_cast<unsigned char>(0xFF00U >> here);
        if ((static_cast<unsigned char>(both[static_cast<std::size_t>(i)]) & ~mask & 0xFFU) != 0)
            return bad_subtree(text, "has address bits behind its mask");
        both += static_cast<char>(mask);
    }
    return both;
}

struct Permitted {
    int type;
    std::string value;
};

base::Result<Permitted> read_permitted(std::string_view text) {
    if (text.starts_with("IP:")) {
        SP_TRY(return, auto octets, address_octets(text));
        return Permitted{GEN_IPADD, std::move(octets)};
    }
    if (!text.starts_with("DNS:")) return bad_subtree(text, "is of a kind that is not known");
    const auto name = text.substr(4);
    if (name.empty() || !is_dns_subtree(name)) return bad_subtree(text, "is not a host name");
    return Permitted{GEN_DNS, std::string(name)};
}

using SubtreePtr = std::unique_ptr<GENERAL_SUBTREE, FreeWith<GENERAL_SUBTREE_free>>;

SubtreePtr make_subtree(const Permitted& permitted) {
    SubtreePtr subtree(GENERAL_SUBTREE_new());
    auto* value = permitted.type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (!subtree || !value ||
        ASN1_STRING_set(value, permitted.value.data(), static_cast<int>(permitted.value.size())) != 1) {
        ASN1_STRING_free(value);
        return nullptr;
    }
    GENERAL_NAME_set0_value(subtree->base, permitted.type, value);
    return subtree;
}

}  // namespace

base::Status check_permitted_name(std::string_view text) {
    if (auto read = read_permitted(text); !read) return std::unexpected(read.error());
    return {};
}

bool has_name_constraints(const Certificate& certificate) {
    return X509_get_ext_by_NID(certificate.handle(), NID_name_constraints, -1) >= 0;
}

base::Result<NAME_CONSTRAINTS_st*> make_name_constraints(const std::vector<std::string>& permitted) {
    NameConstraintsPtr made(NAME_CONSTRAINTS_new());
    if (made) made->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    if (!made || !made->permittedSubtrees)
        return openssl_error(base::Code::internal, "name constraints", "could not be made");
    for (const auto& text : permitted) {
        SP_TRY(return, const auto one, read_permitted(text));
        auto subtree = make_subtree(one);
        if (!subtree || sk_GENERAL_SUBTREE_push(made->permittedSubtrees, subtree.get()) <= 0)
            return openssl_error(base::Code::internal, "name constraints", "could not be made");
        (void)subtree.release();
    }
    return made.release();
}

}  // namespace pki
