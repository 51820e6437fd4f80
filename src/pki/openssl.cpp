// SPDX-License-Identifier: Apache-2.0
#include "pki/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <limits>

namespace pki {
namespace {

// OpenSSL would ask on the terminal, for a certificate too where its PEM header says that it is encrypted.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

}  // namespace

void clear_openssl_errors() {
    ERR_clear_error();
}

std::string take_openssl_error_text() {
    const auto first = ERR_get_error();
    ERR_clear_error();
    if (first == 0) return "no further detail";
    if (const char* reason = ERR_reason_error_string(first)) return reason;
    char text[256];
    ERR_error_string_n(first, text, sizeof text);
    return text;
}

std::unexpected<base::Error> openssl_error(base::Code code, std::string thing, std::string_view doing,
                                           std::string fix) {
    std::string reason(doing);
    reason += ": " + take_openssl_error_text();
    return base::fail(code, std::move(thing), std::move(reason), std::move(fix));
}

std::vector<base::Bytes> pem_blocks(std::string_view pem, const char* label, std::size_t limit) {
    const BioPtr in = bio_over(base::as_bytes(pem));
    std::vector<base::Bytes> all;
    while (all.size() < limit) {
        unsigned char* data = nullptr;
        long size = 0;
        if (PEM_bytes_read_bio(&data, &size, nullptr, label, in.get(), no_passphrase, nullptr) != 1) break;
        const std::unique_ptr<unsigned char, FreeOpenSsl> owned(data);
        const auto* first = reinterpret_cast<const std::byte*>(data);
        all.emplace_back(first, first + size);
    }
    clear_openssl_errors();
    return all;
}

BioPtr bio_over(std::span<const std::byte> bytes) {
    // A null pointer would be refused, and a size that turns negative would be taken for "up to the NUL".
    const auto size = std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max());
    return BioPtr(
        BIO_new_mem_buf(size == 0 ? static_cast<const void*>("") : bytes.data(), static_cast<int>(size)));
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string_view octets_of(const ASN1_STRING* value) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
}

}  // namespace pki
