// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "pki/certs_only.hpp"

// Whatever a message holds, its certificates written by us are read as the same ones in the same order.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto chain = pki::read_certs_only(std::as_bytes(std::span(data, size)));
    if (!chain) {
        if (chain.error().reason.empty()) __builtin_trap();
        return 0;
    }
    const auto again = pki::read_certs_only(pki::certs_only(*chain));
    if (!again || *again != *chain) __builtin_trap();
    return 0;
}
