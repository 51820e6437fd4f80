// SPDX-License-Identifier: Apache-2.0
#include "pki/extension.hpp"

namespace pki {

BasicConstraintsPtr make_basic_constraints(bool ca, std::optional<int> path_length) {
    BasicConstraintsPtr basic(BASIC_CONSTRAINTS_new());
    if (!basic) return nullptr;
    basic->ca = ca ? 0xFF : 0;
    if (path_length) {
        basic->pathlen = ASN1_INTEGER_new();
        if (!basic->pathlen || ASN1_INTEGER_set(basic->pathlen, *path_length) != 1) return nullptr;
    }
    return basic;
}

Asn1BitStringPtr make_key_usage(unsigned bits) {
    Asn1BitStringPtr usage(ASN1_BIT_STRING_new());
    for (int at = 0; at < 8; ++at)
        if ((bits & (0x80U >> at)) != 0 && (!usage || ASN1_BIT_STRING_set_bit(usage.get(), at, 1) != 1))
            return nullptr;
    return usage;
}

base::Result<ExtendedKeyUsagePtr> make_extended_key_usage(const std::vector<std::string>& names) {
    ExtendedKeyUsagePtr usages(EXTENDED_KEY_USAGE_new());
    for (const auto& name : names) {
        Asn1ObjectPtr object(OBJ_txt2obj(name.c_str(), 0));
        if (!object)
            return openssl_error(base::Code::invalid_argument, "extended key usage " + name, "is not known");
        if (!usages || sk_ASN1_OBJECT_push(usages.get(), object.get()) == 0)
            return openssl_error(base::Code::internal, "extended key usage " + name, "could not be encoded");
        (void)object.release();
    }
    return usages;
}

base::Status add_extension(STACK_OF(X509_EXTENSION) * *into, int nid, bool critical, void* value) {
    if (value && X509V3_add1_i2d(into, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1) return {};
    return openssl_error(base::Code::internal, std::string("extension ") + OBJ_nid2sn(nid),
                         "could not be encoded");
}

std::vector<std::string> usage_names(const EXTENDED_KEY_USAGE* usages) {
    std::vector<std::string> all;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); ++i) {
        const ASN1_OBJECT* object = sk_ASN1_OBJECT_value(usages, i);
        const int nid = OBJ_obj2nid(object);
        all.push_back(nid == NID_undef ? object_text(object) : OBJ_nid2sn(nid));
    }
    return all;
}

std::string object_text(const ASN1_OBJECT* object) {
    // A number longer than any that is in use is told by its length, so that two of them stay different
    // texts.
    char dotted[256]{};
    const int size = OBJ_obj2txt(dotted, sizeof dotted, object, 1);
    if (size > 0 && size < static_cast<int>(sizeof dotted)) return dotted;
    return std::string(dotted) + "...(" + std::to_string(OBJ_length(object)) + " octets)";
}

}  // namespace pki
