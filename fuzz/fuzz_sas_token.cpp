// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <string_view>

#include "trust/sas_token.hpp"

// Whatever the bytes, a token is read or refused; what was read signs and compares without harm, and what we
// make from its parts reads back as the same.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto token = trust::SasToken::parse(text);
    if (!token) return token.error().code == base::Code::malformed ? 0 : (__builtin_trap(), 0);

    static const std::array<std::string, 1> hosts{"contosoiothub.local"};
    const std::string key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const bool wider = token->covers("devices/EdgeGateway/modules/$edgeHub", hosts);
    if (token->names("devices/EdgeGateway/modules/$edgeHub", hosts) && !wider) __builtin_trap();
    (void)token->signed_by(key);
    (void)token->expires();

    const trust::UnsignedToken again{token->resource, token->expiry, token->policy.value_or("")};
    if (again.to_sign() != token->resource + "\n" + token->expiry) __builtin_trap();
    const auto back = trust::SasToken::parse(again.finish(token->signature));
    // Encoding may make it longer than what is read.
    if (back && (back->resource != token->resource || back->signature != token->signature ||
                 back->expiry != token->expiry || back->policy != token->policy))
        __builtin_trap();
    return 0;
}
