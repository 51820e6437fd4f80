// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <string_view>

#include "pki/ocsp.hpp"

// Whatever the bytes, reading them as an OCSP request, in a body or behind the path of a GET, ends in 1 to
// 100 ids or in an error that names the thing.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto request = pki::read_ocsp_request(bytes);
    const bool good = request
                          ? !request->ids.empty() && request->ids.size() <= 100
                          : request.error().code == base::Code::malformed && !request.error().thing.empty();
    if (!good) __builtin_trap();
    if (const auto of_path = pki::ocsp_request_of_path(base::as_text(bytes)))
        (void)pki::read_ocsp_request(*of_path);
    return 0;
}
