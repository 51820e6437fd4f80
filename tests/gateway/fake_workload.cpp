// SPDX-License-Identifier: Apache-2.0
#include "fake_workload.hpp"

#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "net/timer.hpp"
#include "pki/digest.hpp"

namespace {

namespace json = boost::json;

std::string text(const json::value& document, std::string_view name) {
    return std::string(document.at(name).as_string());
}

base::Bytes bytes(const json::value& document, std::string_view name) {
    return base::from_base64(text(document, name)).value();
}

}  // namespace

FakeWorkload::FakeWorkload(Setup setup) : setup_(std::move(setup)), edge_ca_(setup_.edge_ca) {
    auto handler = [this](http::Request request, const net::Peer&) {
        return answer(*this, std::move(request));
    };
    auto error = [](int status, std::string_view reason) {
        return http::Response::text(status, std::string(reason));
    };
    http::Limits limits;
    limits.close_after_answer = true;
    auto listener = net::UnixListener::open(loops_.at(0), setup_.socket.string(), 0600,
                                            http::serve(handler, error, limits));
    if (!listener) throw std::runtime_error(listener.error().text());
    listener_ = std::move(*listener);
    thread_ = std::thread([this] { loops_.run([this] { listener_.reset(); }); });
}

FakeWorkload::~FakeWorkload() {
    held_ = false;
    loops_.stop();
    thread_.join();
}

void FakeWorkload::become(std::string generation, std::string module_key) {
    const std::lock_guard lock(mutex_);
    generation_ = std::move(generation);
    setup_.module_key = std::move(module_key);
}

net::Task<http::Response> FakeWorkload::answer(FakeWorkload& self, http::Request request) {
    const auto& path = request.target.segments;
    if (path.size() == 1 && path[0] == "trust-bundle") co_return self.trust_bundle();
    if (path.size() < 5 || path[0] != "modules" || path[1] != "$edgeHub")
        co_return http::Response::empty(403);
    {
        const std::lock_guard lock(self.mutex_);
        if (path[3] != self.generation_) co_return http::Response::empty(403);
    }
    const auto& what = path[4];
    while (what == "sign" && self.held_) {
        const bool slept = co_await net::sleep_for(std::chrono::milliseconds(5));
        if (!slept) break;
    }
    if (what == "sign") co_return self.sign(request.body);
    if (what == "encrypt" || what == "decrypt") co_return self.seal(request.body, what == "encrypt");
    if (what == "certificate") co_return self.issue(request.body);
    co_return http::Response::empty(404);
}

http::Response FakeWorkload::sign(const std::string& body) const {
    const auto key = [&] {
        const std::lock_guard lock(mutex_);
        return base::from_base64(setup_.module_key).value();
    }();
    const auto digest = pki::hmac_sha256(key, bytes(json::parse(body), "data"));
    return http::Response::json(200, json::serialize(json::object{{"digest", base::to_base64(digest)}}));
}

http::Response FakeWorkload::seal(const std::string& body, bool encrypt) {
    const auto document = json::parse(body);
    const auto vector = bytes(document, "initializationVector");
    const auto additional = [&] {
        const std::lock_guard lock(mutex_);
        return "$edgeHub" + generation_;
    }();
    const auto aad = base::as_bytes(additional);
    if (encrypt) {
        ++encryptions_;
        const auto sealed =
            pki::aead_seal(setup_.master_key.bytes(), vector, aad, bytes(document, "plaintext"));
        return http::Response::json(200,
                                    json::serialize(json::object{{"ciphertext", base::to_base64(*sealed)}}));
    }
    const auto opened = pki::aead_open(setup_.master_key.bytes(), vector, aad, bytes(document, "ciphertext"));
    if (!opened) return http::Response::json(400, R"({"message":"invalid parameter: ciphertext"})");
    return http::Response::json(
        200, json::serialize(json::object{{"plaintext", base::to_base64(opened->bytes())}}));
}

http::Response FakeWorkload::issue(const std::string& body) {
    const auto name = text(json::parse(body), "commonName");
    const support::Identity* edge_ca = edge_ca_;
    support::IdentityWish wish;
    wish.profile = pki::Profile::server;
    wish.common_name = name;
    wish.names = {"DNS:" + name, "DNS:edgeHub"};
    wish.lifetime = setup_.lifetime;
    wish.now = base::system_clock().now();
    const auto identity = support::make_identity(wish, edge_ca);
    pki::Chain chain{identity.certificate, edge_ca->certificate};
    chain.insert(chain.end(), setup_.above.begin(), setup_.above.end());
    ++issued_;
    const auto key = identity.key.pem();
    return http::Response::json(
        201, json::serialize(
                 json::object{{"privateKey", {{"type", "key"}, {"bytes", key->text()}}},
                              {"certificate", pki::to_pem(chain)},
                              {"expiration", base::format_rfc3339(identity.certificate.not_after())}}));
}

http::Response FakeWorkload::trust_bundle() const {
    pki::Chain chain{edge_ca_.load()->certificate};
    chain.insert(chain.end(), setup_.above.begin(), setup_.above.end());
    return http::Response::json(200, json::serialize(json::object{{"certificate", pki::to_pem(chain)}}));
}
