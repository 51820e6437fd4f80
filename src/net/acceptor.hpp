// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/handshakes.hpp"
#include "net/socket.hpp"

/// For net/*.cpp only.
namespace net {

/// Takes a connected, non-blocking descriptor over.
using Accepted = std::function<void(int descriptor)>;

/// Accepts until the socket is closed or the loop is told to stop. Where the process has run out of
/// descriptors or memory it pauses and logs; where `handshakes` (may be null) is full it waits for a place.
/// name: of the listener, for logs: "127.0.0.1:8883".
Task<> accept_all(std::shared_ptr<Socket> listening, std::string name, Accepted accepted,
                  std::shared_ptr<Handshakes> handshakes);

/// A socket whose descriptor closes unless it is released.
class OwnedDescriptor {
  public:
    explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
    OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.release()) {}
    OwnedDescriptor& operator=(OwnedDescriptor&&) = delete;
    ~OwnedDescriptor();
    int get() const { return descriptor_; }
    int release() {
        const int descriptor = descriptor_;
        descriptor_ = -1;
        return descriptor;
    }

  private:
    int descriptor_;
};

}  // namespace net
