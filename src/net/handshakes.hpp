// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "net/impl.hpp"

struct sockaddr;

/// For net/*.cpp only.
namespace net {

/// The handshakes of one loop that are not finished: each holds about 50 KB for somebody who has proved
/// nothing yet. All together and those from one address are bounded apart, so that one address cannot keep
/// all others out. On its loop.
class Handshakes : public std::enable_shared_from_this<Handshakes> {
  public:
    /// A handshake's place, given back by its destructor.
    class Place;

    /// listener: its name in logs.
    Handshakes(Context& context, std::string listener, std::size_t most, std::size_t most_of_one)
        : listener_(std::move(listener)), most_(most), most_of_one_(most_of_one), again_(context) {}

    bool full() const { return running_ >= most_; }
    /// Awaited where `full`: a place may be free.
    Waiter& again() { return again_; }
    /// nullptr where this address has its share of places already; that is logged once until it has none.
    /// peer: an IPv4 or IPv6 address. Of IPv6 a whole /64 counts as one address: it is one customer's.
    std::unique_ptr<Place> enter(const sockaddr* peer);

  private:
    using Key = std::array<unsigned char, 16>;
    struct OfOne {
        std::size_t running = 0;
        bool told = false;
    };
    static Key key_of(const sockaddr* peer);
    void leave(const Key& key);

    std::string listener_;
    std::size_t most_;
    std::size_t most_of_one_;
    std::size_t running_ = 0;
    std::map<Key, OfOne> of_address_;  ///< those with a handshake only
    Waiter again_;
};

class Handshakes::Place {
  public:
    Place(std::shared_ptr<Handshakes> handshakes, Key key) : handshakes_(std::move(handshakes)), key_(key) {}
    ~Place() { handshakes_->leave(key_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

  private:
    std::shared_ptr<Handshakes> handshakes_;
    Key key_;
};

}  // namespace net
