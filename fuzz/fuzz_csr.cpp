// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "pki/csr.hpp"

// Whatever the bytes, reading a request in DER or PEM ends in a request with a key, or in an error that names
// the thing.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto csr = pki::read_csr(std::as_bytes(std::span(data, size)), "fuzzed");
    const bool good = csr ? !csr->key.der().empty() && !csr->subject_der.empty() : !csr.error().thing.empty();
    if (!good) __builtin_trap();
    // The same request with its key left aside is no worse, and a refusal has a reason id.
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto checked = pki::examine_csr(bytes, pki::CsrKey::checked, "fuzzed");
    const auto ignored = pki::examine_csr(bytes, pki::CsrKey::ignored, "fuzzed");
    if (checked && !ignored) __builtin_trap();
    if (!checked && checked.error().id.empty()) __builtin_trap();
    return 0;
}
