// SPDX-License-Identifier: Apache-2.0
#include "edge/keys_client.hpp"

#include "base/result.hpp"
#include "pki/public_numbers.hpp"

namespace edge {
net::Task<base::Result<std::string>> KeysClient::handle_from(http::Verb verb, std::string target,
                                                             std::optional<json::value> body) const {
    auto answered = co_await call_local(service_, verb, std::move(target), std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return text_member(*answered, "keyHandle");
}

net::Task<base::Result<base::Bytes>> KeysClient::bytes_from(std::string target, json::value body,
                                                            std::string member) const {
    auto answered = co_await call_local(service_, http::Verb::post, std::move(target), std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base64_member(*answered, member);
}

net::Task<base::Result<std::string>> KeysClient::create_key(std::string id, std::string usage) const {
    json::value body{{"keyId", id}, {"usage", usage}};
    return handle_from(http::Verb::post, "/key", std::move(body));
}

net::Task<base::Result<std::string>> KeysClient::load_key(std::string id) const {
    return handle_from(http::Verb::get, "/key/" + path_segment(id), std::nullopt);
}

net::Task<base::Result<std::string>> KeysClient::create_pair(std::string id, std::string algorithms) const {
    json::value body{{"keyId", id}, {"preferredAlgorithms", algorithms}};
    return handle_from(http::Verb::post, "/keypair", std::move(body));
}

net::Task<base::Result<std::string>> KeysClient::load_pair(std::string id) const {
    return handle_from(http::Verb::get, "/keypair/" + path_segment(id), std::nullopt);
}

net::Task<base::Status> KeysClient::move_pair(std::string from, std::string to) const {
    json::value body{{"from", from}};
    auto answered =
        co_await call_local(service_, http::Verb::post, "/keypair/" + path_segment(to), std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base::Status{};
}

net::Task<base::Status> KeysClient::remove_pair(std::string handle) const {
    json::value body{{"keyHandle", handle}};
    auto answered = co_await call_local(service_, http::Verb::delete_, "/keypair", std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base::Status{};
}

net::Task<base::Result<std::string>> KeysClient::derive(std::string base_handle, base::Bytes data) const {
    json::value body{{"baseKeyHandle", base_handle}, {"derivationData", base::to_base64(data)}};
    return handle_from(http::Verb::post, "/derivedkey", std::move(body));
}

net::Task<base::Result<base::SecretBytes>> KeysClient::export_derived(std::string handle) const {
    json::value body{{"keyHandle", handle}};
    auto bytes = co_await bytes_from("/derivedkey/export", std::move(body), "key");
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    base::SecretBytes secret{std::span<const std::byte>(*bytes)};
    base::wipe(bytes->data(), bytes->size());
    co_return secret;
}

net::Task<base::Result<base::Bytes>> KeysClient::hmac(std::string handle, base::Bytes message) const {
    json::value body{{"keyHandle", handle},
                     {"algorithm", "HMAC-SHA256"},
                     {"parameters", {{"message", base::to_base64(message)}}}};
    return bytes_from("/sign", std::move(body), "signature");
}

net::Task<base::Result<base::Bytes>> KeysClient::seal(std::string handle, base::Bytes iv,
                                                      base::Bytes additional, base::Bytes plaintext) const {
    json::value body{{"keyHandle", handle},
                     {"algorithm", "AEAD"},
                     {"parameters", {{"iv", base::to_base64(iv)}, {"aad", base::to_base64(additional)}}},
                     {"plaintext", base::to_base64(plaintext)}};
    return bytes_from("/encrypt", std::move(body), "ciphertext");
}

net::Task<base::Result<base::Bytes>> KeysClient::open(std::string handle, base::Bytes iv,
                                                      base::Bytes additional, base::Bytes ciphertext) const {
    json::value body{{"keyHandle", handle},
                     {"algorithm", "AEAD"},
                     {"parameters", {{"iv", base::to_base64(iv)}, {"aad", base::to_base64(additional)}}},
                     {"ciphertext", base::to_base64(ciphertext)}};
    return bytes_from("/decrypt", std::move(body), "plaintext");
}

net::Task<base::Result<std::string>> KeysClient::parameter(std::string name, std::string handle) const {
    json::value body{{"keyHandle", handle}};
    auto answered = co_await call_local(service_, http::Verb::post, "/parameters/" + name, std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return text_member(*answered, "value");
}

net::Task<base::Result<pki::PrivateKey>> KeysClient::private_key(std::string handle) const {
    auto algorithm = co_await parameter("algorithm", handle);
    if (!algorithm) co_return std::unexpected(std::move(algorithm).error());
    const bool ec = *algorithm == "ECDSA";
    auto first = co_await parameter(ec ? "ec-curve-oid" : "rsa-modulus", handle);
    if (!first) co_return std::unexpected(std::move(first).error());
    auto second = co_await parameter(ec ? "ec-point" : "rsa-exponent", handle);
    if (!second) co_return std::unexpected(std::move(second).error());
    const auto one = base::from_base64(*first);
    const auto two = base::from_base64(*second);
    if (!one || !two)
        co_return base::fail(base::Code::malformed, "answer of the keys service", "is not base64");
    pki::PublicNumbers numbers{};
    numbers.algorithm = ec ? pki::KeyAlgorithm::ecdsa : pki::KeyAlgorithm::rsa;
    (ec ? numbers.curve_oid : numbers.modulus) = *one;
    (ec ? numbers.point : numbers.exponent) = *two;
    const auto known = pki::public_key_from(numbers);
    if (!known) co_return std::unexpected(known.error());
    auto remote = private_key_of(std::move(handle), *known);
    if (!remote) co_return std::unexpected(std::move(remote).error());
    co_return std::move(remote->key);
}

}  // namespace edge
