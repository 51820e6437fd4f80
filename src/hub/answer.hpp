// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "azure/errors.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "pki/verdict.hpp"
#include "trust/identity.hpp"

namespace hub {

/// What a refusal rests on: for operators, never for the caller.
struct Evidence {
    trust::Identity identity;  ///< who the caller claimed to be; empty for a policy
    pki::Verdict verdict;
};

/// A request that is not done: what the caller is told. What only operators may know goes to the log.
struct Refusal {
    azure::ErrorCode code;
    std::string text;
    std::shared_ptr<const Evidence> evidence{};  ///< where a credential was judged
};

/// The answer with body, iothub-errorcode and x-ms-request-id of hub.md 4.1. tracking: of make_tracking_id.
http::Response refuse(const Refusal& refusal, const std::string& tracking, base::Instant now);
/// The one place where an error of ours becomes an answer. Failures of this machine are told without detail,
/// and logged here.
Refusal to_refusal(const base::Error& error);
/// The same for an error that has a code of its own.
Refusal to_refusal(const base::Error& error, azure::ErrorCode code);
/// Of a file or database of ours: logged whatever it is answered with, since what is damaged may be no
/// failure of this machine.
Refusal store_refusal(const base::Error& error);
/// For what http::serve itself answers.
http::Response refuse_status(int status, std::string_view reason, const std::string& tracking,
                             base::Instant now);

/// JSON with `ETag: "etag"`.
http::Response json_with_etag(int status, std::string body, std::string_view etag);

}  // namespace hub
