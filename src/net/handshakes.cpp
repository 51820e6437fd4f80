// SPDX-License-Identifier: Apache-2.0
#include "net/handshakes.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/events.hpp"
#include "base/log.hpp"
#include "net/stream_impl.hpp"

namespace net {

Handshakes::Key Handshakes::key_of(const sockaddr* peer) {
    Key key{};
    if (peer->sa_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(peer);
        key[10] = key[11] = 0xff;  // as a dual-stack socket shows it
        const auto* octets = reinterpret_cast<const unsigned char*>(&v4->sin_addr);
        std::copy_n(octets, sizeof v4->sin_addr, key.begin() + 12);
    } else if (peer->sa_family == AF_INET6) {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(peer);
        const std::size_t significant = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? 16 : 8;
        std::copy_n(v6->sin6_addr.s6_addr, significant, key.begin());
    }
    return key;
}

std::unique_ptr<Handshakes::Place> Handshakes::enter(const sockaddr* peer) {
    const Key key = key_of(peer);
    OfOne& one = of_address_[key];
    if (one.running < most_of_one_) {
        ++one.running;
        ++running_;
        return std::make_unique<Place>(shared_from_this(), key);
    }
    if (!one.told) {
        one.told = true;
        const base::Error why{
            base::Code::unavailable, "address",
            "has " + std::to_string(one.running) + " connections that have not finished their TLS handshake",
            "further ones are closed until some have; block the address if it goes on"};
        base::log::write(base::log::Level::warning, base::events::connection_refused, why,
                         {{"listener", listener_}, {"peer", address_text(peer)}});
    }
    return nullptr;
}

void Handshakes::leave(const Key& key) {
    const auto at = of_address_.find(key);
    if (--at->second.running == 0) of_address_.erase(at);
    --running_;
    again_.wake();
}

}  // namespace net
