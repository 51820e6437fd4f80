// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/clock.hpp"
#include "pki/verify.hpp"

namespace {

void require(bool good) {
    if (!good) __builtin_trap();
}

}  // namespace

// Whatever the bytes, reading certificates ends in a chain that can be written and read again, or in an error
// that names the thing; and a chain of any content is judged, with steps, and found good only where it ends
// in the bundle.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto chain = pki::certificates_from_pem(text, "fuzzed");
    if (!chain) {
        require(!chain.error().thing.empty());
        return 0;
    }
    const auto again = pki::certificates_from_pem(pki::to_pem(*chain), "again");
    require(again && *again == *chain);

    static const auto now = base::parse_rfc3339("2024-01-01T00:00:00Z").value();
    static const std::optional<pki::PeerName> name = pki::PeerName::parse("example.com");
    for (const auto purpose : {pki::Purpose::any, pki::Purpose::server}) {
        const pki::TrustBundle trust({chain->back()});
        const auto result =
            pki::verify({.chain = *chain, .trust = trust, .purpose = purpose, .name = &name, .now = now});
        require(!result.verdict.steps.empty());
        if (result.verdict.accepted()) require(result.path.back() == chain->back());
        (void)pki::to_text(result.verdict);
    }
    const pki::TrustBundle nobody;
    require(!pki::verify({.chain = *chain, .trust = nobody, .now = now}).verdict.accepted());
    return 0;
}
