// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "ca/crl_publisher.hpp"
#include "ca/ocsp_responder.hpp"
#include "http/message.hpp"

namespace ca {

/// Answers what is signed in itself and may be had by anybody without TLS; nullopt: no such path.
using PlainRoutes = std::function<std::optional<http::Response>(const http::Request&)>;

/// CRLs, OCSP and issuer certificates of a CA, published for as long as this lives:
/// `GET /crl/NAME.crl`, `GET /crl/NAME.pem`, `GET /ca/NAME.crt`, `POST /ocsp`, `GET /ocsp/REQUEST`.
class PlainHttp {
  public:
    /// Publishes what is due, and begins to follow the ledger. data: the CA's directory. ledger and clock:
    /// outlive it.
    static base::Result<std::unique_ptr<PlainHttp>> open(Ledger& ledger, const std::filesystem::path& data,
                                                         const base::Clock& clock);
    static base::Result<std::unique_ptr<PlainHttp>> open(std::unique_ptr<CrlBooks> books,
                                                         const std::filesystem::path& data,
                                                         const base::Clock& clock);
    ~PlainHttp();

    /// For http::serve on the plain listener and on the other. From any loop, while this lives.
    PlainRoutes routes();
    std::optional<http::Response> answer(const http::Request& request);
    CrlPublisher& publisher() { return *publisher_; }
    OcspResponder& responder() { return *responder_; }

  private:
    PlainHttp(std::unique_ptr<CrlBooks> books, const base::Clock& clock);
    std::optional<http::Response> crl(const http::Request& request, std::string_view path);
    std::optional<http::Response> certificate(const http::Request& request, std::string_view path);
    http::Response ocsp(const http::Request& request, std::string_view behind);

    std::unique_ptr<CrlBooks> books_;
    const base::Clock& clock_;
    std::unique_ptr<OcspResponder> responder_;
    std::unique_ptr<CrlPublisher> publisher_;  // after: its thread uses the responder
};

}  // namespace ca
