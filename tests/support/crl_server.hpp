// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/server.hpp"
#include "net/listener.hpp"
#include "pki/crl.hpp"
#include "support/certificates.hpp"
#include "support/loops.hpp"

namespace support {

struct CrlWish {
    std::vector<pki::Certificate> revoked{};
    std::uint64_t number = 1;
    base::Instant at = base::system_clock().now();
    std::chrono::seconds life = std::chrono::days(7);
    int reason = 1;
    std::string ca_issuers_url{};
};

inline base::Bytes make_crl(const Identity& issuer, const CrlWish& wish) {
    std::vector<pki::RevokedSerial> table;
    for (const auto& each : wish.revoked)
        table.push_back({*pki::Serial::of(each), static_cast<std::uint8_t>(wish.reason), wish.at});
    std::ranges::sort(table, {}, &pki::RevokedSerial::serial);
    auto made = pki::make_crl({.issuer = issuer.certificate,
                               .key = issuer.key,
                               .number = wish.number,
                               .this_update = wish.at,
                               .next_update = wish.at + wish.life,
                               .revoked = table,
                               .ca_issuers_url = wish.ca_issuers_url});
    if (!made) throw std::runtime_error(made.error().text());
    return *std::move(made);
}

/// A plain HTTP server of files with ETags, as CRLs are published.
class CrlServer {
  public:
    explicit CrlServer(std::uint16_t port = 0) {
        http::Handler handler = [this](http::Request request, const net::Peer&) {
            return handle(std::move(request));
        };
        http::ErrorBody error = [](int status, std::string_view) { return http::Response::empty(status); };
        auto opened = net::PlainListener::open(serving_.loops(), "127.0.0.1", port,
                                               http::serve(std::move(handler), std::move(error)));
        if (!opened) throw std::runtime_error(opened.error().text());
        listener_ = *std::move(opened);
    }
    ~CrlServer() {
        listener_->close();
        serving_.stop();
    }

    std::uint16_t port() const { return listener_->port(); }
    std::string url(const std::string& path = "/ca.crl") const {
        return "http://127.0.0.1:" + std::to_string(port()) + path;
    }
    void put(const std::string& path, std::span<const std::byte> bytes) {
        const std::lock_guard lock(mutex_);
        files_[path] = std::string(base::as_text(bytes));
    }
    void publish(const Identity& issuer, const CrlWish& wish) { put("/ca.crl", make_crl(issuer, wish)); }
    /// Every request of a path is answered with this status until it is 0.
    void fail(int status) {
        const std::lock_guard lock(mutex_);
        failing_ = status;
    }
    /// Waits until so many requests for the path have been answered since the server began.
    bool await_requests(std::size_t count, const std::string& path = "/ca.crl",
                        std::chrono::seconds limit = std::chrono::seconds(60)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [&] { return answered_[path] >= count; });
    }
    std::size_t requests(const std::string& path = "/ca.crl") {
        const std::lock_guard lock(mutex_);
        return answered_[path];
    }
    std::size_t not_modified() {
        const std::lock_guard lock(mutex_);
        return not_modified_;
    }

  private:
    net::Task<http::Response> handle(http::Request request) { co_return answer(request); }
    http::Response answer(const http::Request& request) {
        const std::lock_guard lock(mutex_);
        ++answered_[request.raw_target];
        changed_.notify_all();
        if (failing_ != 0) return http::Response::empty(failing_);
        const auto found = files_.find(request.raw_target);
        if (found == files_.end()) return http::Response::empty(404);
        const auto tag = "\"" + std::to_string(std::hash<std::string>{}(found->second)) + "\"";
        const bool known = request.headers.get("if-none-match") == tag;
        auto response = http::Response::empty(known ? 304 : 200);
        response.headers.set("ETag", tag);
        if (known)
            ++not_modified_;
        else
            response.body = found->second;
        return response;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> files_;
    std::map<std::string, std::size_t> answered_;
    std::size_t not_modified_ = 0;
    int failing_ = 0;
    ServingLoops serving_;
    std::unique_ptr<net::PlainListener> listener_;
};

}  // namespace support
