// SPDX-License-Identifier: Apache-2.0
#include "edge/key_signer.hpp"

#include "base/result.hpp"

namespace edge {

KeySigner::KeySigner(LocalService service)
    : service_(std::move(service)), client_(service_.socket, std::chrono::seconds(5)) {}

base::Result<base::Bytes> KeySigner::sign(const std::string& handle, pki::KeyOperation operation,
                                          std::span<const std::byte> input) {
    const bool ec = operation == pki::KeyOperation::ecdsa;
    json::object body{{"keyHandle", handle}};
    if (ec) {
        body["algorithm"] = "ECDSA";
        body["parameters"] = json::object{{"digest", base::to_base64(input)}};
    } else {
        body["algorithm"] = operation == pki::KeyOperation::rsa_pkcs1 ? "RSA-PKCS1" : "RSA-NO-PADDING";
        body["plaintext"] = base::to_base64(input);
    }
    const auto request =
        local_request(service_, http::Verb::post, ec ? "/sign" : "/encrypt", json::value(std::move(body)));
    const std::lock_guard lock(mutex_);
    SP_TRY(return, const auto answer, read_local_answer(service_, client_.ask(request)));
    return base64_member(answer, ec ? "signature" : "ciphertext");
}

base::Result<RemoteKey> remote_key(std::shared_ptr<KeySigner> signer, std::string handle,
                                   const pki::PublicKey& known) {
    auto failure = std::make_shared<std::optional<base::Error>>();
    SP_TRY(return, auto key,
                 pki::callback_key(known, [signer = std::move(signer), handle = std::move(handle), failure](
                                              pki::KeyOperation operation, std::span<const std::byte> input) {
                     auto made = signer->sign(handle, operation, input);
                     if (!made) *failure = made.error();
                     return made;
                 }));
    return RemoteKey{std::move(key), std::move(failure)};
}

}  // namespace edge
