// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ca/refusal.hpp"
#include "http/message.hpp"

namespace ca {

inline constexpr std::string_view certs_only_type = "application/pkcs7-mime; smime-type=certs-only";

/// `<reason id>: <sentence>` and LF, as plain text (est-and-pki.md 1.3).
http::Response refusal_answer(const Refusal& refusal);
/// 200 with base64 text in the body.
http::Response base64_answer(std::string_view type, std::string body, std::string_view cache_control);
/// "127.0.0.1" of "127.0.0.1:51324", "::1" of "[::1]:51324".
std::string address_alone(std::string_view peer);
/// The path of a request target in origin or absolute form, without its query.
std::string_view path_of_target(std::string_view target);

}  // namespace ca
