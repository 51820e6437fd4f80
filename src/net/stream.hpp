// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/task.hpp"
#include "net/tls.hpp"

namespace net {

/// Who is at the other end, as far as the transport tells.
struct Peer {
    std::string address;      ///< "127.0.0.1:51324", or "unix" with pid and uid below
    pki::Chain certificates;  ///< as presented in TLS, leaf first; possession of the leaf's key is proven
    std::string server_name;  ///< SNI the client asked for; empty where it sent none
    std::string tls_version;  ///< "TLSv1.3"; empty without TLS
    std::optional<pid_t> process;  ///< Unix sockets: SO_PEERCRED
    std::optional<uid_t> user;
    std::optional<gid_t> group;
    std::string local_path;  ///< Unix sockets: the path of the listener it came through
};

/// A connected byte stream: TLS over TCP, or a Unix socket. On its own loop. One task reads, one writes.
/// It must not outlive its loop: never return one from run_task_for.
/// While idle it holds no buffer of its own: a read waits for readiness first and only then needs memory.
class Stream {
  public:
    struct Impl;
    explicit Stream(std::shared_ptr<Impl> impl);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();  ///< closes

    const Peer& peer() const;

    /// Waits, at most `limit`, until bytes can be read. Fails with timeout, closed (orderly end) or io.
    Task<base::Status> readable(std::chrono::milliseconds limit);
    /// As `readable`, for a peer of whom nothing is expected: also ends with `cancelled` when the process is
    /// told to stop, so that idle connections do not hold it up.
    Task<base::Status> readable_when_idle(std::chrono::milliseconds limit);
    /// Reads what is there into `into`, waiting as `readable` does where nothing is. At least one byte on
    /// success.
    Task<base::Result<std::size_t>> read_some(std::span<std::byte> into, std::chrono::milliseconds limit);
    /// Writes all of it, within `limit` for the whole.
    Task<base::Status> write_all(std::span<const std::byte> bytes, std::chrono::milliseconds limit);
    /// Ends our direction, then reads and drops what the peer still sends until it ends too, within `limit`
    /// and 256 KiB; then closes. For an answer given before the request was read whole: closing at once would
    /// reset the connection and could destroy the answer on its way.
    Task<> close_after_answer(std::chrono::milliseconds limit);
    /// Sends close_notify where that needs no waiting, and closes. Waits in progress end with `cancelled`.
    void close();
    bool is_open() const;

  private:
    std::shared_ptr<Impl> impl_;  // shared with the waits in progress
};

}  // namespace net
