// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace http {

/// How an answer is framed.
struct Framing {
    bool close = false;      ///< Connection: close
    bool keep_1_0 = false;   ///< Connection: keep-alive, which only HTTP/1.0 clients need
    bool omit_body = false;  ///< the answer to a HEAD: Content-Length tells what a GET would have sent
    std::string date;        ///< RFC 1123; empty: no Date
    /// How the peer finds the end of the body. chunked and until_close: the body follows later, in pieces.
    enum class Length { counted, chunked, until_close } length = Length::counted;
};

/// An answer as bytes: one reason phrase, one Content-Length (none for 1xx, 204 and 304), never chunked
/// unless its body follows in pieces; 101 has Connection: Upgrade. Framing fields that the handler has set
/// are left out; a control character in a value becomes a space.
std::string write_response(const Response& response, const Framing& framing);

/// One piece of a chunked body (RFC 9112 section 7.1); an empty one ends it.
std::string write_chunk(std::string_view piece);

/// A request as bytes, with Host, Content-Length where it has a body or its verb usually has one, and
/// Connection: close unless more will be asked over the same connection.
std::string write_request(const Request& request, std::string_view host, bool keep_alive = false);

}  // namespace http
