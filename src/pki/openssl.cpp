// SPDX-License-Identifier: Apache-2.0
#include "pki/openssl.hpp"

#include <openssl/err.h>

namespace pki {

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

BioPtr bio_over(std::span<const std::byte> bytes) {
    return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace pki
