// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.hpp"
#include "net/socket.hpp"

/// TCP sockets that listen. For net/*.cpp only.
namespace net {

struct Listening {
    std::vector<std::shared_ptr<Socket>> sockets;  ///< one a loop and address, each touched on its loop only
    std::uint16_t port = 0;
    std::string name;  ///< for logs: "127.0.0.1:8883"
};

/// One SO_REUSEPORT socket a loop; address and port as TlsListener::open takes them.
base::Result<Listening> listen_tcp(Loops& loops, const std::string& address, std::uint16_t port);

}  // namespace net
