// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "http/message.hpp"

namespace http {

/// How far the reading of one message has come.
enum class Progress {
    need_more,  ///< feed again with more bytes behind what is left in the buffer
    head,       ///< told once: the header is complete, a body is still to come
    done,       ///< the message is complete; the buffer holds what follows it
    refused     ///< see refusal(); nothing behind this can be trusted
};

/// Why a message is refused: an HTTP status and a reason for people.
struct Refusal {
    int status = 400;
    std::string reason;
};

/// Reads one request from bytes (RFC 9112), without any I/O. Refuses what two servers could understand in two
/// ways: Content-Length with Transfer-Encoding, differing lengths, codings other than chunked, two Hosts.
class RequestReader {
  public:
    enum class Host { required, optional };  ///< HTTP/1.1 requires it; clients on Unix sockets leave it out
    RequestReader(std::size_t header_limit, std::size_t body_limit, Host host);
    ~RequestReader();
    /// Takes from the front of `buffer`.
    Progress feed(std::string& buffer);
    const Refusal& refusal() const;
    bool expects_continue() const;  ///< valid from `head` on
    bool keep_alive() const;
    bool version_1_0() const;
    /// After `done`, once.
    Request take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads one answer from bytes, interim 1xx answers skipped, without any I/O.
class ResponseReader {
  public:
    enum class Body { as_framed, none };  ///< none: the answer to a HEAD
    ResponseReader(std::size_t header_limit, std::size_t body_limit, Body body);
    ~ResponseReader();
    Progress feed(std::string& buffer);
    /// The connection ended: `done` where that ends the body, else `refused`.
    Progress end();
    const Refusal& refusal() const;
    Response take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace http
