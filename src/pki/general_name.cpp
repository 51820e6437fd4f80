// SPDX-License-Identifier: Apache-2.0
#include "pki/general_name.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/result.hpp"
#include "pki/name.hpp"

namespace pki {
namespace {

std::string address_in_full(const ASN1_OCTET_STRING* address) {
    const auto* data = ASN1_STRING_get0_data(address);
    const int size = ASN1_STRING_length(address);
    if (size == 4) return fmt::format("{}.{}.{}.{}", data[0], data[1], data[2], data[3]);
    if (size != 16) return "invalid";
    std::string text;
    for (int i = 0; i < 16; i += 2) text += fmt::format("{}{:x}", i ? ":" : "", data[i] << 8 | data[i + 1]);
    return text;
}

bool set_text(ASN1_STRING* string, std::string_view text) {
    return string && ASN1_STRING_set(string, text.data(), static_cast<int>(text.size())) == 1;
}

bool fill(GENERAL_NAME* name, std::string_view text) {
    const auto value = text.substr(text.find(':') + 1);
    if (text.starts_with("IP:")) {
        const auto octets = parse_address(value);
        ASN1_OCTET_STRING* string = octets ? ASN1_OCTET_STRING_new() : nullptr;
        if (!string) return false;
        GENERAL_NAME_set0_value(name, GEN_IPADD, string);
        return set_text(string, base::as_text(*octets));
    }
    ASN1_IA5STRING* string = ASN1_IA5STRING_new();
    if (!string) return false;
    GENERAL_NAME_set0_value(name, text.starts_with("DNS:") ? GEN_DNS : GEN_URI, string);
    return set_text(string, value);
}

}  // namespace

std::string name_text(const X509_NAME* name) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    return bio_text(out.get());
}

std::string utf8(const ASN1_STRING* value) {
    unsigned char* out = nullptr;
    const int size = ASN1_STRING_to_UTF8(&out, value);
    if (size < 0) {
        clear_openssl_errors();
        return {};
    }
    const std::unique_ptr<unsigned char, FreeOpenSsl> owned(out);
    return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)};
}

std::vector<std::string> common_names_of(const X509_NAME* name) {
    std::vector<std::string> names;
    for (int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, NID_commonName, at))
        names.push_back(utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
    return names;
}

std::vector<std::string> general_names_text(const GENERAL_NAMES* names) {
    std::vector<std::string> all;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        switch (name->type) {
            case GEN_DNS:
                all.push_back("DNS:" + utf8(name->d.dNSName));
                break;
            case GEN_IPADD:
                all.push_back("IP:" + address_in_full(name->d.iPAddress));
                break;
            case GEN_URI:
                all.push_back("URI:" + utf8(name->d.uniformResourceIdentifier));
                break;
            case GEN_EMAIL:
                all.push_back("email:" + utf8(name->d.rfc822Name));
                break;
            case GEN_DIRNAME:
                all.push_back("DirName:" + name_text(name->d.directoryName));
                break;
            default:
                all.push_back("other");
                break;
        }
    }
    return all;
}

base::Result<GeneralNamesPtr> make_general_names(const std::vector<std::string>& names) {
    GeneralNamesPtr all(GENERAL_NAMES_new());
    std::vector<std::string> seen;
    for (const auto& text : names) {
        const auto key = base::to_lower(text);
        if (!text.starts_with("URI:") && std::ranges::find(seen, key) != seen.end()) continue;
        seen.push_back(key);
        GeneralNamePtr name(GENERAL_NAME_new());
        if (!all || !name || !fill(name.get(), text) || sk_GENERAL_NAME_push(all.get(), name.get()) == 0)
            return openssl_error(base::Code::internal, "name " + text, "could not be encoded");
        (void)name.release();
    }
    return all;
}

base::Result<X509NamePtr> make_name(std::string_view common_name) {
    X509NamePtr name(X509_NAME_new());
    if (!name || X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8,
                                            reinterpret_cast<const unsigned char*>(common_name.data()),
                                            static_cast<int>(common_name.size()), -1, 0) != 1)
        return openssl_error(base::Code::invalid_argument, "common name " + std::string(common_name),
                             "could not be encoded");
    return name;
}

}  // namespace pki
