// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "azure/cloud_message.hpp"
#include "azure/feedback.hpp"
#include "store/database.hpp"

/// The rows of DeviceQueue: each function is part of a transaction of its caller.
namespace hub::queue_rows {

/// Whose messages: a device in one of its lives.
struct Address {
    std::string device;
    std::string generation;
};

/// A message that is with a device now.
struct Held {
    std::string lock_token;
    azure::Delivery delivery;
    bool sent_before = false;  ///< it was with the device once already
};

/// Who takes messages: an HTTPS request, whose lock ends by itself, or a session, which holds until it lets
/// go. A session takes over what another session of the device holds: a device has one.
struct Taker {
    std::int64_t holder = 0;  ///< 0: a request
    azure::Millis until{};    ///< of a request: the end of the lock
};

/// What a change has led to, for those who wait.
struct Effects {
    std::vector<std::string> changed;  ///< devices with more or fewer messages
    std::vector<std::string> ready;    ///< devices that may receive something
    bool feedback_added = false;
    bool feedback_ready = false;
};

/// rate_limited where 50 wait already. The sequence number.
base::Result<std::uint64_t> add(store::Database& database, const Address& to,
                                const azure::CloudMessage& message, azure::Millis now, Effects& effects);
base::Result<std::vector<Held>> take(store::Database& database, const Address& from, const Taker& taker,
                                     std::size_t most, azure::Millis now);
enum class Settlement { complete, reject, abandon };
/// precondition_failed where the lock is not, or no longer, held. most_abandoned: the abandonment that ends
/// the message.
base::Status settle(store::Database& database, const std::string& device, const std::string& lock_token,
                    Settlement how, int most_abandoned, azure::Millis now, Effects& effects);
/// Gives back what a session holds.
base::Status release(store::Database& database, const std::string& device, std::int64_t holder,
                     Effects& effects);
/// What sessions of an earlier process held.
base::Status release_all(store::Database& database);
base::Result<std::size_t> purge(store::Database& database, const Address& of, azure::Millis now,
                                Effects& effects);
base::Status forget(store::Database& database, const std::string& device, Effects& effects);
/// Ends what has expired, and locks that have run out.
base::Status expire(store::Database& database, azure::Millis now, Effects& effects);
base::Result<std::size_t> count(store::Database& database, const std::string& device);

}  // namespace hub::queue_rows
