// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// The ids of the log events of the CA's server, beside those of base/events.hpp.
namespace ca::events {

inline constexpr std::string_view est_issued = "est.issued";
inline constexpr std::string_view est_refused = "est.refused";
inline constexpr std::string_view est_issue_failed = "est_issue.failed";
inline constexpr std::string_view est_pem_taken = "est_pem.taken";
inline constexpr std::string_view server_identity_renewed = "server_identity.renewed";
inline constexpr std::string_view server_identity_failed = "server_identity.failed";
inline constexpr std::string_view approvals_failed = "approvals.failed";
inline constexpr std::string_view admin_answered = "admin.answered";
inline constexpr std::string_view admin_refused = "admin.refused";

}  // namespace ca::events
