// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/loop.hpp"
#include "net/stream.hpp"

namespace net {

/// Serves one connection; runs on the loop that accepted it, for as long as the connection lives.
using Serve = std::function<Task<>(Stream stream)>;

/// What a stranger may hold before the TLS handshake is done.
struct HandshakeLimits {
    std::chrono::milliseconds time{20'000};  ///< from the first byte to the last, whatever comes between
    std::size_t at_once = 1024;              ///< unfinished on one loop; the others wait in the kernel
    std::size_t of_one_address = 256;        ///< of those; further ones of that address are closed
};

/// Listens with TLS on every loop (one SO_REUSEPORT socket each; the port is first bound once without it, so
/// that a second process fails with address_in_use). The handshake has a deadline; a failed one is
/// logged as connection.refused with its reason. How much of them there may be at once: HandshakeLimits.
class TlsListener {
  public:
    /// address: "0.0.0.0", "::", "127.0.0.2"..., or "localhost" for both loopback addresses, where the
    /// machine has both; port 0: any free one, see port().
    static base::Result<std::unique_ptr<TlsListener>> open(Loops& loops, std::string address,
                                                           std::uint16_t port,
                                                           std::shared_ptr<const ServerTls> tls, Serve serve,
                                                           HandshakeLimits limits = {});
    ~TlsListener();
    std::uint16_t port() const;
    /// Takes effect for the next handshake; from any thread. Open connections stay.
    void replace(std::shared_ptr<const ServerTls> tls);
    /// No more connections are accepted; from any thread. Stopping the loops does the same.
    void close();

    struct Impl;
    explicit TlsListener(std::shared_ptr<Impl> impl);

  private:
    std::shared_ptr<Impl> impl_;
};

/// Listens without TLS on every loop, for what is signed in itself and must be had without a handshake: CRLs
/// and OCSP answers (RFC 5280 8). Addresses and ports as for TlsListener.
class PlainListener {
  public:
    /// most_of_one_loop: connections at once; further ones are closed.
    static base::Result<std::unique_ptr<PlainListener>> open(Loops& loops, std::string address,
                                                             std::uint16_t port, Serve serve,
                                                             std::size_t most_of_one_loop = 1024);
    ~PlainListener();
    std::uint16_t port() const;
    /// No more connections are accepted; from any thread.
    void close();

    struct Impl;
    explicit PlainListener(std::shared_ptr<Impl> impl);

  private:
    std::shared_ptr<Impl> impl_;
};

/// Listens on a Unix socket, on one loop. A stale socket file is replaced; a live one fails with
/// address_in_use; a path over 107 bytes is refused with the remedy. The mode is the socket's from birth.
/// Where a service manager has passed a listening socket for that very path, that one is served: its file's
/// mode and owner stay as they are, and the file stays when this ends.
class UnixListener {
  public:
    static base::Result<std::unique_ptr<UnixListener>> open(Loop& loop, std::string path, mode_t mode,
                                                            Serve serve);
    ~UnixListener();  ///< closes, and removes the file that it made
    void close();

    struct Impl;
    explicit UnixListener(std::shared_ptr<Impl> impl);

  private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace net
