// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "pki/crl.hpp"

// Whatever the bytes, reading a CRL in DER or PEM ends in one that can be asked, or in an error that names
// the thing.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto crl = pki::Crl::read(std::as_bytes(std::span(data, size)), "fuzzed");
    if (!crl) {
        if (crl.error().thing.empty()) __builtin_trap();
        return 0;
    }
    const auto serial = pki::Serial::from_hex("1234");
    (void)crl->find(*serial);
    (void)crl->issuer();
    if (!crl->same_entries(*crl) || crl->supersedes(*crl)) __builtin_trap();
    return 0;
}
