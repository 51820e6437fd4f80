// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "azure/feedback.hpp"
#include "store/database.hpp"

/// Feedback about cloud-to-device messages: records are gathered into batches, a batch is one feedback
/// message. Each function is part of a transaction of its caller.
namespace hub::feedback_rows {

struct Batch {
    std::string lock_token;
    azure::Millis made{};
    std::string json;  ///< the array of records
};

base::Status add(store::Database& database, const azure::FeedbackRecord& record);
/// Makes batches of 64 records, or of what has waited for 15 s, and drops those that nobody has read for two
/// days. True where one may be read now.
base::Result<bool> gather(store::Database& database, azure::Millis now);
/// Whether there is any record that is not settled.
base::Result<bool> is_there(store::Database& database);
base::Result<std::optional<Batch>> take(store::Database& database, azure::Millis now, azure::Millis until);
enum class Settlement { complete, abandon };
/// precondition_failed where the lock is not, or no longer, held.
base::Status settle(store::Database& database, const std::string& lock_token, Settlement how,
                    azure::Millis now);

}  // namespace hub::feedback_rows
