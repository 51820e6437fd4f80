// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "net/task.hpp"

namespace http {

/// A body that is made while it is sent, for answers without a foreseeable end. Lives on the loop of its
/// connection, and ends with it.
class BodySource {
  public:
    BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;
    virtual ~BodySource() = default;
    /// The next piece, of bounded size; empty: the body has ended. It is asked again only when the piece
    /// before has been taken by the peer. It may wait, but not for ever: only a write tells that the peer has
    /// gone.
    virtual net::Task<std::string> next() = 0;
};

}  // namespace http
