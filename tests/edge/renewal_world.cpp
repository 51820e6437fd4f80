// SPDX-License-Identifier: Apache-2.0
#include "renewal_world.hpp"

#include <stdexcept>

#include "base/file.hpp"
#include "sure.hpp"

namespace edge_test {
namespace {

net::Task<base::Result<pki::CsrWish>> edge_ca_wish() {
    pki::CsrWish wish;
    wish.common_name = "iotedged workload ca edgegateway";
    wish.ca = true;
    co_return wish;
}

}  // namespace

RenewalWorld::RenewalWorld(edge::Issuance::Method method)
    : root_(support::make_identity({.profile = pki::Profile::root, .common_name = "my_private_root_CA"})) {
    edge::KeysConfig keys;
    keys.home = directory_ / "keyd";
    keys.rules = {{::getuid(), {"*"}}};
    keys.preloaded["local-ca"] = "file://" + (directory_ / "local.key").string();
    keys_service_ = sure(edge::KeysService::make(keys));
    edge::CertificatesConfig certificates;
    certificates.home = directory_ / "certd";
    // Not through the gate: what is cut are the calls of the service that renews.
    certificates.keys_socket = directory_ / "inner.sock";
    certificates.rules = {{::getuid(), {"*"}}};
    certificates.preloaded["local-ca"] = "file://" + (directory_ / "local.pem").string();
    certificates.local_ca = std::pair("local-ca", "local-ca");
    edge::Issuance issuance;
    issuance.method = method;
    issuance.expiry_days = 90;
    certificates.issuance[id] = issuance;
    certificates.issuance[std::string(id) + "-temp"] = issuance;
    certificates_service_ = sure(edge::CertificatesService::make(certificates, clock));
    put_local_ca(std::chrono::days(3650));
    const auto open = [&](std::size_t loop, const char* name, net::Serve serve) {
        return sure(
            net::UnixListener::open(loops_.at(loop), (directory_ / name).string(), 0600, std::move(serve)));
    };
    // Who waits for a signature blocks its loop.
    keys_listener_ = open(1, "k.sock", gated(keys_service_->api()));
    keys_inner_ = open(1, "inner.sock", keys_service_->serve());
    certificates_listener_ = open(0, "c.sock", gated(certificates_service_->api()));
    thread_ = std::thread([this] {
        loops_.run([this] {
            certificates_listener_.reset();
            loops_.at(1).post([this] {
                keys_listener_.reset();
                keys_inner_.reset();
            });
        });
    });
}

RenewalWorld::~RenewalWorld() {
    loops_.stop();
    thread_.join();
}

void RenewalWorld::put_local_ca(std::chrono::seconds lifetime) {
    support::IdentityWish wish;
    wish.profile = pki::Profile::intermediate;
    wish.common_name = "my_local_CA";
    wish.lifetime = lifetime;
    wish.now = clock.now();
    const auto ca = support::make_identity(wish, &root_);
    sure(base::write_atomically(directory_ / "local.pem", ca.certificate.pem(), 0644));
    sure(base::write_atomically(directory_ / "local.key", sure(ca.key.pem()).bytes(), 0600));
}

net::Serve RenewalWorld::gated(const edge::LocalApi& api) {
    http::Limits limits;
    limits.close_after_answer = true;
    return http::serve(
        [this, &api](http::Request request, const net::Peer&) { return answer(api, std::move(request)); },
        [](int status, std::string_view reason) { return http::Response::text(status, std::string(reason)); },
        limits);
}

net::Task<http::Response> RenewalWorld::answer(const edge::LocalApi& api, http::Request request) {
    const int left = left_--;
    const auto how = how_.load();
    const bool dead = how == Cut::dead_before || how == Cut::dead_after;
    const bool done =
        left > 0 || (left == 0 && (how == Cut::dead_after || how == Cut::once_after)) || (left < 0 && !dead);
    http::Response answered = edge::error_response(500, "cut off");
    if (done) {
        auto real = co_await api.answer(std::move(request), edge::Caller{::getuid(), ::getpid()});
        if (left != 0) answered = std::move(real);
    }
    co_return answered;
}

edge::RenewalSubject RenewalWorld::subject() const {
    edge::RenewalSubject subject;
    subject.thing = "Edge CA";
    subject.id = id;
    subject.previous_id = previous_id;
    subject.policy = edge::RenewalPolicy{};
    subject.wish = [] { return edge_ca_wish(); };
    return subject;
}

base::Instant RenewalWorld::step(const edge::RenewalSubject& subject) const {
    edge::Renewal renewal(subject, keys(), certificates(), clock);
    return net::run_task_for(renewal.step());
}

edge::CertificatePair::State RenewalWorld::look() const {
    return sure(net::run_task_for(pair().look()));
}

pki::Certificate RenewalWorld::in_use() const {
    return sure(net::run_task_for(certificates().read_chain(id))).front();
}

std::filesystem::path RenewalWorld::key_file(const std::string& key) const {
    return directory_ / "keyd" / "keys" / (edge::file_stem(key) + ".key");
}
std::filesystem::path RenewalWorld::certificate_file(const std::string& certificate) const {
    return directory_ / "certd" / "certs" / (edge::file_stem(certificate) + ".cer");
}

}  // namespace edge_test
