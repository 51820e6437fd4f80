// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "net/impl.hpp"

/// For net/*.cpp only.
namespace net {

/// What a descriptor is waited for.
enum class Ready { read, write };
/// Who waits: one task reads (or accepts), one writes.
enum class Side { reader, writer };

/// What a wait ends with where the connection was closed on this side.
inline std::unexpected<base::Error> closed_here() {
    return base::fail(base::Code::cancelled, "connection", "was closed here");
}

/// A non-blocking descriptor on one loop: Asio tells when it is ready, everything else is done on the
/// descriptor.
class Socket : public std::enable_shared_from_this<Socket> {
  public:
    /// Takes the descriptor over, also on failure.
    static base::Result<std::shared_ptr<Socket>> adopt(Loop& loop, int descriptor);
    explicit Socket(Loop& loop);  ///< without a descriptor yet: use adopt
    ~Socket();

    int descriptor() { return descriptor_.native_handle(); }
    bool is_open() const { return open_; }
    Loop& loop() { return loop_; }
    /// Ends waits with `cancelled`.
    void close();

    /// Waits until ready: timeout, cancelled (by close, or with the task).
    static Task<base::Status> wait(std::shared_ptr<Socket> socket, Side side, Ready ready,
                                   SteadyTime deadline);
    /// As `wait` by the reader to read, but ends with `cancelled` when the loop is told to stop.
    static Task<base::Status> wait_parked(std::shared_ptr<Socket> socket, SteadyTime deadline);
    void unpark();

  private:
    struct Waiting {
        Waiter waiter;
        bool waits = false;
        Ready wants = Ready::read;
    };
    void arm(Ready ready);
    void on_ready(Ready ready);

    Loop& loop_;
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> descriptor_;
    std::array<Waiting, 2> waiting_;
    std::array<bool, 2> armed_ = {false, false};
    bool open_ = true;
};

}  // namespace net
