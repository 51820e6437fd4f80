// SPDX-License-Identifier: Apache-2.0
#include "test_ca.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "base/file.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/password.hpp"
#include "est/message.hpp"
#include "http/client.hpp"
#include "net/loop.hpp"
#include "pki/certs_only.hpp"

namespace ca_test {
namespace {

template <class T>
T must(base::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return *std::move(result);
}
void must(const base::Status& status) {
    if (!status) throw std::runtime_error(status.error().text());
}

const std::string& password_hash() {
    static const auto hash = must(ca::hash_password("secret"));
    return hash;
}

std::string config_tables() {
    return "\n[listen]\naddress = \"127.0.0.1\"\nport = 0\nnames = [\"localhost\", \"127.0.0.1\"]\n\n"
           "[[bootstrap]]\nname = \"factory\"\nown = true\n\n"
           "[[user]]\nname = \"line-3\"\npassword_hash = \"" +
           password_hash() +
           "\"\nsubjects = [\"line-3-{any}\"]\nsans = [\"DNS:{cn}\", \"DNS:{cn}.plant.local\", "
           "\"IP:10.0.0.1\"]\n\n";
}

}  // namespace

TestCa::TestCa(const std::string& more) {
    must(ca::init({.data = data()}, clock_.now()));
    const auto file = ca::config_file(data());
    const auto text = must(base::read_file(file, "configuration"));
    must(base::write_atomically(file, text + config_tables() + more, base::public_mode));
    open();
}

TestCa::~TestCa() {
    loops_->stop();
    thread_.join();
    server_.reset();
}

void TestCa::open() {
    loops_ = std::make_unique<net::Loops>(1);
    server_ = must(ca::Server::open(data(), {}, *loops_, clock_));
    thread_ = std::thread([this] { loops_->run([this] { server_->stop(); }); });
}

void TestCa::restart() {
    loops_->stop();
    thread_.join();
    server_.reset();
    open();
}

http::Response TestCa::ask(const Ask& ask) const {
    net::ClientTls::Options options{
        .trust = std::make_shared<const pki::TrustBundle>(pki::TrustBundle({root()})),
        .chain = {},
        .key = {}};
    if (ask.client) {
        options.chain = ask.client->chain;
        options.key = ask.client->key.share();
    }
    http::Request request;
    request.verb = ask.verb.value_or(ask.body.empty() ? http::Verb::get : http::Verb::post);
    request.raw_target = ask.path;
    request.body = ask.body;
    for (const auto& [name, value] : ask.headers) request.headers.add(name, value);
    if (!ask.authorization.empty()) request.headers.add("Authorization", ask.authorization);
    const http::TlsEndpoint endpoint{{"127.0.0.1", server_->port(), "localhost"},
                                     must(net::ClientTls::make(std::move(options)))};
    // After the clock was moved the server's own certificate has ended until its loop has made another one.
    constexpr int most_tries = 500;
    for (int tries = 1;; ++tries) {
        auto answer = net::run_task_for(http::request(endpoint, request, std::chrono::seconds{30}, clock_));
        if (answer || answer.error().code != base::Code::unauthenticated || tries == most_tries)
            return must(std::move(answer));
    }
}

http::Response TestCa::enrol(const std::string& path, const std::string& body, const Client* client,
                             const std::string& authorization) const {
    return ask({.path = path,
                .body = body,
                .client = client,
                .authorization = authorization,
                .verb = http::Verb::post,
                .headers = {{"Content-Type", "application/pkcs10"}}});
}

std::string TestCa::reason(const http::Response& answer) {
    const auto colon = answer.body.find(": ");
    if (answer.status == 200 || colon == std::string::npos) return std::to_string(answer.status);
    return answer.body.substr(0, colon);
}

Client TestCa::issue(pki::Profile profile, const std::string& common_name, std::vector<std::string> names,
                     std::optional<std::chrono::seconds> lifetime) {
    auto key = new_key();
    ca::Order order{.profile = profile, .key = key.public_key()};
    order.common_name = common_name;
    order.names = std::move(names);
    order.lifetime = lifetime;
    return {must(ledger().issue(order)), std::move(key)};
}

pki::Certificate TestCa::root() const {
    return server_->ledger().root();
}

std::size_t TestCa::issued_count() {
    return ledger().list({}).size();
}

int TestCa::audit_lines(const std::string& text) {
    must(ledger().sign_head());
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator(ca::audit_directory(data()))) {
        const auto content = must(base::read_file(file.path(), "audit log"));
        for (const auto line : base::split(content, '\n'))
            if (line.find(text) != std::string_view::npos) ++count;
    }
    return count;
}

std::string body_of(const std::string& pem) {
    return base::to_base64(must(est::read_body(pem)));
}

std::string request(const pki::CsrWish& wish, const pki::PrivateKey& key) {
    return body_of(must(pki::make_csr_pem(wish, key)));
}

pki::PrivateKey new_key(pki::KeyType type) {
    return must(pki::PrivateKey::generate(type));
}

std::string basic(std::string_view user_and_password) {
    return "Basic " + base::to_base64(base::as_bytes(user_and_password));
}

pki::Chain certificates_in(const http::Response& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (answer.status != 200) return {};
    return must(pki::read_certs_only(must(est::read_body(answer.body))));
}

}  // namespace ca_test
