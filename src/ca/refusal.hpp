// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace ca {

/// Why a request of EST comes to nothing: one of the reason ids of est-and-pki.md section 10, with a sentence
/// for whoever reads the answer. It holds no secret, no path of this machine, and nothing about others.
struct Refusal {
    std::string_view id;  ///< "auth.revoked"
    std::string text;     ///< "the client certificate is revoked"
    std::optional<std::chrono::seconds> retry_after{};
    std::optional<int> status{};  ///< where the id stands for more than one
};

/// What goes with a reason id.
struct RefusalRule {
    int status = 500;
    bool audited = false;    ///< a line of the audit log for each; the others are counted alone
    bool challenge = false;  ///< WWW-Authenticate
};
/// Of an id that is not known: 500, as a bug.
RefusalRule rule_of(std::string_view id);

template <class T>
using Granted = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse_with(std::string_view id, std::string text) {
    return std::unexpected(Refusal{id, std::move(text), {}, {}});
}
inline std::unexpected<Refusal> refuse_for_now(std::string_view id, std::string text,
                                               std::chrono::seconds wait) {
    return std::unexpected(Refusal{id, std::move(text), wait, {}});
}

}  // namespace ca
