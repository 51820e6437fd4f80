// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "azure/message.hpp"
#include "gateway/outbox.hpp"
#include "gateway/upstream.hpp"
#include "net/loop.hpp"
#include "net/timer.hpp"
#include "store/segment_log.hpp"

namespace gateway {

/// Store and forward: reads the log in order and sends each identity's messages over a connection of its own,
/// QoS 1, in order; one identity that fails delays no other. Progress is kept in a file, so that a restart
/// sends again only what was acknowledged in the last second. At-least-once. On its own loop.
class Forwarder {
  public:
    /// Reads the progress file; one that cannot be read, or that is not of this log, means starting with the
    /// oldest record.
    Forwarder(store::SegmentLog& log, std::filesystem::path progress, Upstream& upstream,
              net::TaskGroup& tasks);
    ~Forwarder();

    /// Runs until it is cancelled.
    net::Task<> run();
    /// There is something new in the log.
    void wake() { wake_.notify(); }
    /// Drops every upstream connection; what is not acknowledged stays in the log.
    void stop();
    /// Ends every upstream connection that was made under another trust; the next ones are made as they are
    /// needed, and what is not acknowledged is sent again.
    void reconnect();
    /// Writes the progress; the last act before the end.
    void save();
    std::size_t waiting() const { return outbox_.waiting(); }

  private:
    struct Item {
        std::uint64_t offset;
        std::optional<azure::Event> event;  ///< empty: read it from the log again when it is sent
        bool acknowledged = false;
    };
    /// One identity with something to send.
    struct Lane {
        trust::Identity identity;
        std::deque<Item> items;
        std::size_t bytes = 0;      ///< of the bodies in `items`
        std::size_t in_flight = 0;  ///< sent and not acknowledged: the first ones of `items`
        std::uint64_t epoch = 0;  ///< one more for each connection: late answers of an older one are ignored
        std::shared_ptr<mqtt::Client> client;
        net::Event changed;
        std::optional<base::Error> failed;
        bool running = false;
        std::chrono::steady_clock::time_point idle_since{};
    };

    static Outbox resume(const store::SegmentLog& log, const std::filesystem::path& progress);
    net::Task<bool> read_on();
    void take(std::uint64_t offset, std::span<const std::byte> record);
    net::Task<> drain(std::shared_ptr<Lane> lane);
    net::Task<bool> connect(std::shared_ptr<Lane> lane, int& failures);
    net::Task<bool> send(std::shared_ptr<Lane> lane);
    bool fill_window(const std::shared_ptr<Lane>& lane);
    static net::Task<> publish(std::shared_ptr<Lane> lane, std::shared_ptr<mqtt::Client> client,
                               std::uint64_t epoch, std::uint64_t offset, std::string topic,
                               base::Bytes payload);
    std::size_t settle(Lane& lane);
    void spill(Lane& lane);
    void give_up(Lane& lane, const std::string& reason);
    static net::Task<> disconnect(std::shared_ptr<mqtt::Client> client);
    net::Task<> keep_house();

    store::SegmentLog& log_;
    std::filesystem::path progress_file_;
    Upstream& upstream_;
    net::TaskGroup& tasks_;
    Outbox outbox_;
    bool note_failed_ = false;  ///< and that was logged
    bool dirty_ = true;         ///< a progress file that was not usable must not be believed later
    bool stopping_ = false;
    std::size_t bytes_ = 0;  ///< of all bodies in memory
    net::Event wake_;
    std::unordered_map<trust::Identity, std::shared_ptr<Lane>> lanes_;
};

}  // namespace gateway
