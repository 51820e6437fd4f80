// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ca/layout.hpp"
#include "ca/rollover.hpp"

namespace ca {

inline Path rollover_file(const Path& data) {
    return data / "rollover.json";
}
/// Name and key of `subject`, signed by `signer`.
inline Path cross_file(const Path& data, const std::string& subject, const std::string& signer) {
    return certificate_directory(data) / (subject + " signed by " + signer + ".pem");
}
/// The topmost intermediate as the new root has signed it.
inline Path switched_file(const Path& data, const std::string& name, const std::string& root) {
    return certificate_directory(data) / (name + " signed by " + root + ".pem");
}
std::string rollover_text(const Rollover& rollover);

}  // namespace ca
