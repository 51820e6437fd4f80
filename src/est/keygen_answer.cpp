// SPDX-License-Identifier: Apache-2.0
#include "est/keygen_answer.hpp"

namespace est {
namespace {

void append_part(std::string& out, std::string_view boundary, std::string_view type, std::string& base64) {
    // Readers such as libest's skip a part without the transfer encoding, whatever RFC 8951 says.
    out.append("--").append(boundary).append("\r\nContent-Type: ").append(type);
    out.append("\r\nContent-Transfer-Encoding: base64\r\n\r\n").append(base64).append("\r\n");
    base::wipe(base64.data(), base64.size());
}

}  // namespace

std::string keygen_body(std::string_view boundary, const base::SecretBytes& pkcs8,
                        std::span<const std::byte> certs_only) {
    auto key = base::to_base64(pkcs8.bytes());
    auto certificates = base::to_base64(certs_only);
    std::string body;
    // In one piece: what is left behind by growing would not be wiped.
    body.reserve(key.size() + certificates.size() + 4 * boundary.size() + 512);
    append_part(body, boundary, "application/pkcs8", key);
    append_part(body, boundary, "application/pkcs7-mime; smime-type=certs-only", certificates);
    body.append("--").append(boundary).append("--\r\n");
    return body;
}

}  // namespace est
