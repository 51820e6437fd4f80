// SPDX-License-Identifier: Apache-2.0
#include "gateway/workload_client.hpp"

#include <boost/json.hpp>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/client.hpp"

namespace gateway {

namespace {

namespace json = boost::json;

std::string thing(const Config::Module& module) {
    return "workload API at " + module.workload_socket;
}

/// A text member of the answer, at `outer` or `outer.inner`.
base::Result<std::string> member(std::string_view body, const Config::Module& module, std::string_view outer,
                                 std::string_view inner = {}) {
    boost::system::error_code wrong;
    const auto document = json::parse(body, wrong);
    const json::value* at = nullptr;
    if (!wrong && document.is_object()) at = document.as_object().if_contains(outer);
    if (at && !inner.empty()) at = at->is_object() ? at->as_object().if_contains(inner) : nullptr;
    if (!at || !at->is_string()) {
        return base::fail(base::Code::malformed, thing(module),
                          "answered without the text member " + std::string(inner.empty() ? outer : inner));
    }
    return std::string(at->as_string());
}

base::Result<base::Bytes> base64_member(std::string_view body, const Config::Module& module,
                                        std::string_view name) {
    SP_TRY(return, const auto text, member(body, module, name));
    auto bytes = base::from_base64(text);
    if (!bytes)
        return base::fail(base::Code::malformed, thing(module), "answered no base64 in " + std::string(name));
    return std::move(*bytes);
}

}  // namespace

net::Task<base::Result<std::string>> WorkloadClient::post(std::string what, std::string body, int expected,
                                                          std::chrono::milliseconds limit) {
    const auto target = [&] {
        return "/modules/" + base::percent_encode(module_.module_id) + "/genid/" +
               base::percent_encode(module_.generation_id) + "/" + what;
    };
    auto answer = co_await ask(http::Verb::post, target(), body, expected, limit);
    if (!answer && answer.error().code == base::Code::permission_denied && take_new_generation())
        answer = co_await ask(http::Verb::post, target(), body, expected, limit);
    base::wipe(body.data(), body.size());
    co_return answer;
}

// A device that was deleted and registered again at the hub has modules of new generations, and the gateway
// is not started again for that.
bool WorkloadClient::take_new_generation() {
    if (!read_generation_) return false;
    auto now = read_generation_();
    if (!now || *now == module_.generation_id) return false;
    base::log::info(base::events::module_generation_changed,
                    {{"module", module_.module_id}, {"was", module_.generation_id}, {"now", *now}});
    module_.generation_id = *std::move(now);
    if (observer_) observer_();
    return true;
}

net::Task<base::Result<std::string>> WorkloadClient::trust_bundle() {
    SP_TRY(co_return, const auto answer,
           co_await ask(http::Verb::get, "/trust-bundle", "", 200, workload_limit));
    co_return member(answer, module_, "certificate");
}

net::Task<base::Result<std::string>> WorkloadClient::ask(http::Verb verb, std::string target,
                                                         std::string body, int expected,
                                                         std::chrono::milliseconds limit) {
    http::Request request;
    request.verb = verb;
    request.raw_target = target + "?api-version=" + base::percent_encode(module_.api_version);
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    const http::Endpoint endpoint = http::UnixEndpoint{module_.workload_socket};
    auto answer = co_await http::request(endpoint, std::move(request), limit, clock_);
    if (!answer) {
        auto error = std::move(answer).error();
        if (error.code != base::Code::cancelled) error.code = base::Code::unavailable;
        if (error.fix.empty()) error.fix = "see that `sallyport edge run` of this device is up";
        co_return std::unexpected(std::move(error));
    }
    if (answer->status == expected) co_return std::move(answer->body);
    auto code = base::Code::unavailable;
    std::string fix;
    if (answer->status == 400 || answer->status == 404 || answer->status == 422)
        code = base::Code::invalid_argument;
    if (answer->status == 401 || answer->status == 403) {
        code = base::Code::permission_denied;
        fix =
            "run the gateway as the user that [[principal]] edgeHub names, and see that the device's modules "
            "are "
            "registered at the hub";
    }
    std::string reason = "answered " + target + " with " + std::to_string(answer->status);
    // What is no refusal may hold a key.
    if (answer->status >= 400) reason += " " + answer->body.substr(0, 300);
    co_return base::fail(code, thing(module_), std::move(reason), std::move(fix));
}

net::Task<base::Result<ServerCredential>> WorkloadClient::server_certificate(std::string common_name) {
    const auto wished = base::format_rfc3339(clock_.now() + std::chrono::days(90));
    auto body = json::serialize(json::object{{"commonName", common_name}, {"expiration", wished}});
    SP_TRY(co_return, auto answer, co_await post("certificate/server", std::move(body), 201));
    SP_TRY(co_return, auto key_text, member(answer, module_, "privateKey", "bytes"));
    SP_TRY(co_return, const auto chain_text, member(answer, module_, "certificate"));
    const base::SecretBytes key_pem{std::string_view(key_text)};
    base::wipe(key_text.data(), key_text.size());
    base::wipe(answer.data(), answer.size());
    SP_TRY(co_return, auto key, pki::PrivateKey::from_pem(key_pem, "key of the server certificate"));
    SP_TRY(co_return, auto chain, pki::certificates_from_pem(chain_text, "server certificate"));
    if (!key.matches(chain.front())) {
        co_return base::fail(base::Code::malformed, thing(module_),
                             "answered a key that is not the certificate's");
    }
    co_return ServerCredential{std::move(chain), std::move(key)};
}

net::Task<base::Result<std::string>> WorkloadClient::sign(std::string data, std::chrono::milliseconds limit) {
    auto body = json::serialize(json::object{
        {"keyId", "primary"}, {"algo", "HMACSHA256"}, {"data", base::to_base64(base::as_bytes(data))}});
    SP_TRY(co_return, const auto answer, co_await post("sign", std::move(body), 200, limit));
    co_return member(answer, module_, "digest");
}

net::Task<base::Result<base::Bytes>> WorkloadClient::encrypt(base::SecretBytes plaintext,
                                                             base::Bytes vector) {
    auto body = json::serialize(json::object{{"plaintext", base::to_base64(plaintext.bytes())},
                                             {"initializationVector", base::to_base64(vector)}});
    SP_TRY(co_return, const auto answer, co_await post("encrypt", std::move(body), 200));
    co_return base64_member(answer, module_, "ciphertext");
}

net::Task<base::Result<base::SecretBytes>> WorkloadClient::decrypt(base::Bytes ciphertext,
                                                                   base::Bytes vector) {
    auto body = json::serialize(json::object{{"ciphertext", base::to_base64(ciphertext)},
                                             {"initializationVector", base::to_base64(vector)}});
    SP_TRY(co_return, const auto answer, co_await post("decrypt", std::move(body), 200));
    SP_TRY(co_return, auto bytes, base64_member(answer, module_, "plaintext"));
    base::SecretBytes secret{std::span<const std::byte>(bytes)};
    base::wipe(bytes.data(), bytes.size());
    co_return secret;
}

}  // namespace gateway
