// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "pki/csr.hpp"

// Whatever the bytes, reading a request in DER or PEM ends in a request with a key, or in an error that names
// the thing.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto csr = pki::read_csr(std::as_bytes(std::span(data, size)), "fuzzed");
    const bool good = csr ? !csr->key.der().empty() && !csr->subject_der.empty() : !csr.error().thing.empty();
    if (!good) __builtin_trap();
    return 0;
}
