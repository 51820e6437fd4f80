// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "azure/errors.hpp"
#include "base/clock.hpp"
#include "hub/feedback_rows.hpp"
#include "hub/queue_rows.hpp"
#include "store/writer.hpp"

namespace hub {

/// What the hub has for its devices: a queue for each, on disk, and the feedback for the senders
/// (hub.md 3.2, 7). A message is Enqueued, then Invisible while a device has its lock, until it is completed,
/// rejected, abandoned for the tenth time, expired or purged. Everything that has been answered is durable.
/// From any thread; `done` is called on the writer thread, after the commit. Errors: rate_limited (the queue
/// is full) and precondition_failed (the lock is lost), which `queue_code` translates; otherwise those of the
/// store.
class DeviceQueue {
  public:
    using Address = queue_rows::Address;
    using Held = queue_rows::Held;
    using Settlement = queue_rows::Settlement;
    template <class T>
    using Done = std::function<void(base::Result<T>)>;

    /// most_abandoned: so many abandonments end a message.
    static base::Result<std::unique_ptr<DeviceQueue>> open(const std::filesystem::path& file,
                                                           const base::Clock& clock, int most_abandoned = 10);

    /// message: checked, and with the expiry that counts. Its sequence number.
    void enqueue(Address to, azure::CloudMessage message, Done<std::uint64_t> done);
    /// One message for a request; its lock ends after `lock`.
    void receive(Address from, std::chrono::seconds lock, Done<std::optional<Held>> done);
    /// Up to `most` messages for a session, held until they are settled or the session lets go. What another
    /// session of the device holds goes over to this one.
    void hold(Address from, std::int64_t holder, std::size_t most, Done<std::vector<Held>> done);
    std::int64_t new_holder() { return ++last_holder_; }
    void settle(std::string device, std::string lock_token, Settlement how, Done<bool> done);
    /// The session has ended: what it holds may be received again.
    void release(std::string device, std::int64_t holder);
    /// Removes all that waits or is held; how many they were.
    void purge(Address of, Done<std::size_t> done);
    /// The device is deleted.
    void forget(std::string device);
    /// Messages of the device that are not settled.
    std::size_t count(const std::string& device) const;

    /// The oldest feedback message, locked for a minute.
    void receive_feedback(Done<std::optional<feedback_rows::Batch>> done);
    void settle_feedback(std::string lock_token, feedback_rows::Settlement how, Done<bool> done);

    /// Ends what has expired, frees locks that have run out, makes feedback ready. To be called every second
    /// while needs_sweep().
    void sweep(Done<bool> done);
    bool needs_sweep() const;

    /// Called on the writer thread; set before the first use.
    struct Observers {
        std::function<void(const std::string& device)> ready;  ///< it may receive something
        std::function<void()> feedback_ready;
        std::function<void()> busy;  ///< needs_sweep() has become true
    };
    void observe(Observers observers) { observers_ = std::move(observers); }

  private:
    using Effects = queue_rows::Effects;
    DeviceQueue(const base::Clock& clock, int most_abandoned)
        : clock_(clock), most_abandoned_(most_abandoned) {}
    base::Status load(store::Database& database);
    template <class T>
    void submit(std::function<base::Result<T>(store::Database&, Effects&)> work, Done<T> done);
    void apply(const Effects& effects, const std::vector<std::size_t>& counts);
    void announce(const Effects& effects, bool was_idle);

    const base::Clock& clock_;
    const int most_abandoned_;
    std::atomic<std::int64_t> last_holder_ = 0;
    Observers observers_;
    mutable std::mutex mutex_;  ///< of counts_
    std::unordered_map<std::string, std::size_t> counts_;
    std::atomic<bool> feedback_ = false;     ///< some is not settled
    std::unique_ptr<store::Writer> writer_;  ///< last: its jobs use the others
};

/// What to answer for an error of a DeviceQueue.
azure::ErrorCode queue_code(const base::Error& error);

}  // namespace hub
