// SPDX-License-Identifier: Apache-2.0
#include "pki/certificate_names.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

namespace pki {
namespace {

void add(CertificateNames& names, const GENERAL_NAME& name) {
    switch (name.type) {
        case GEN_DNS:
            names.dns.push_back(octets_of(name.d.dNSName));
            break;
        case GEN_EMAIL:
            names.email.push_back(octets_of(name.d.rfc822Name));
            break;
        case GEN_URI:
            names.uri.push_back(octets_of(name.d.uniformResourceIdentifier));
            break;
        case GEN_IPADD:
            names.addresses.emplace_back(ASN1_STRING_get0_data(name.d.iPAddress),
                                         static_cast<std::size_t>(ASN1_STRING_length(name.d.iPAddress)));
            break;
        case GEN_DIRNAME:
            names.directories.push_back({distinguished_name(name.d.directoryName), name.d.directoryName});
            break;
        default:
            names.others.push_back(name.type);
            break;
    }
}

}  // namespace

CertificateNames certificate_names(const Certificate& certificate) {
    CertificateNames names;
    X509* handle = certificate.handle();
    const X509_NAME* subject = X509_get_subject_name(handle);
    if (X509_NAME_entry_count(subject) != 0)
        names.directories.push_back({distinguished_name(subject), subject});
    names.has_san = X509_get_ext_by_NID(handle, NID_subject_alt_name, -1) >= 0;
    if (!names.has_san) {
        for (int at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, -1); at >= 0;
             at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at))
            names.email.push_back(octets_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
        return names;
    }
    names.owner.reset(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(handle, NID_subject_alt_name, nullptr, nullptr)));
    if (!names.owner) clear_openssl_errors();
    for (int i = 0; i < sk_GENERAL_NAME_num(names.owner.get()); ++i)
        add(names, *sk_GENERAL_NAME_value(names.owner.get(), i));
    return names;
}

std::string printable(std::string_view text) {
    constexpr std::size_t most = 100;
    std::string out;
    for (const char c : text.substr(0, most)) {
        if (c >= 0x20 && c < 0x7f && c != '\\')
            out += c;
        else
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return text.size() > most ? out + "..." : out;
}

std::string shortened(std::string text) {
    std::size_t most = 200;
    if (text.size() <= most) return text;
    while (most != 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    text.resize(most);
    return text + "...";
}

std::string address_text(std::span<const unsigned char> octets) {
    char text[INET6_ADDRSTRLEN]{};
    if (octets.size() == 4 && inet_ntop(AF_INET, octets.data(), text, sizeof text)) return text;
    if (octets.size() == 16 && inet_ntop(AF_INET6, octets.data(), text, sizeof text)) return text;
    return fmt::format("{} octets {}", octets.size(),
                       base::to_hex(std::as_bytes(octets.first(std::min<std::size_t>(octets.size(), 32)))));
}

}  // namespace pki
