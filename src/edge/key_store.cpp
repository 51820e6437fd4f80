// SPDX-License-Identifier: Apache-2.0
#include "edge/key_store.hpp"

#include "base/encoding.hpp"
#include "edge/local_api.hpp"

namespace edge {

base::Result<pki::KeyType> preferred_algorithm(std::optional<std::string> preferred) {
    if (!preferred) return pki::KeyType::ec_p256;
    for (const auto word : base::split(*preferred, ':')) {
        if (word == "ec-p256" || word == "*") return pki::KeyType::ec_p256;
        if (word == "rsa-2048") return pki::KeyType::rsa_2048;
        if (word == "rsa-4096") return pki::KeyType::rsa_4096;
    }
    return bad_parameter("preferredAlgorithms",
                         "names no known algorithm: ec-p256, rsa-2048, rsa-4096 or *, joined by colons");
}

}  // namespace edge
