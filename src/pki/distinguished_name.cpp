// SPDX-License-Identifier: Apache-2.0
#include "pki/distinguished_name.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

bool is_text(int type) {
    constexpr unsigned long kinds = B_ASN1_UTF8STRING | B_ASN1_BMPSTRING | B_ASN1_UNIVERSALSTRING |
                                    B_ASN1_PRINTABLESTRING | B_ASN1_T61STRING | B_ASN1_IA5STRING |
                                    B_ASN1_VISIBLESTRING;
    return (ASN1_tag2bit(type) & kinds) != 0;
}

std::string folded(std::string_view text) {
    std::string out;
    for (const char c : base::trim(text)) {
        const bool space = c == ' ' || (c >= '\t' && c <= '\r');
        if (!space)
            out += c;
        else if (!out.ends_with(' '))
            out += ' ';
    }
    return base::to_lower(out);
}

// Kinds of text compare equal across encodings (PrintableString against UTF8String); other values keep their
// tag.
std::string canonical_value(const ASN1_STRING* value) {
    if (is_text(ASN1_STRING_type(value))) {
        unsigned char* utf8 = nullptr;
        const int size = ASN1_STRING_to_UTF8(&utf8, value);
        if (size >= 0) {
            const std::unique_ptr<unsigned char, FreeOpenSsl> owned(utf8);
            return "t" + folded({reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)});
        }
        clear_openssl_errors();
    }
    return std::to_string(ASN1_STRING_type(value)) + "#" + std::string(octets_of(value));
}

std::string canonical_entry(const X509_NAME_ENTRY* entry) {
    const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
    std::string out(reinterpret_cast<const char*>(OBJ_get0_data(type)), OBJ_length(type));
    const std::string value = canonical_value(X509_NAME_ENTRY_get_data(entry));
    return std::to_string(out.size()) + ":" + out + "=" + std::to_string(value.size()) + ":" + value;
}

}  // namespace

DistinguishedName distinguished_name(const X509_NAME* name) {
    DistinguishedName out;
    std::vector<std::string> values;  // of one relative name, which is a set: the order does not count
    const int count = X509_NAME_entry_count(name);
    for (int i = 0; i < count; ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
        values.push_back(canonical_entry(entry));
        if (i + 1 < count &&
            X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i + 1)) == X509_NAME_ENTRY_set(entry))
            continue;
        std::ranges::sort(values);
        std::string joined;
        for (const auto& value : values) joined += value + "+";
        out.push_back(std::move(joined));
        values.clear();
    }
    return out;
}

bool is_within(const DistinguishedName& name, const DistinguishedName& base) {
    return base.size() <= name.size() && std::equal(base.begin(), base.end(), name.begin());
}

}  // namespace pki
