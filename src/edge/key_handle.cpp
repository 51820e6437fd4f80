// SPDX-License-Identifier: Apache-2.0
#include "edge/key_handle.hpp"

#include <boost/json/serialize.hpp>

#include "base/result.hpp"
#include "edge/json.hpp"
#include "edge/local_api.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

std::unexpected<base::Error> invalid() {
    return bad_parameter("handle", "invalid handle");
}

base::Result<KeyReference> reference_of(const json::value& document) {
    SP_TRY(return, const auto key, object_member(document, "key_id"));
    KeyReference out;
    if (auto id = text_member(key, "Key")) {
        out.id = *std::move(id);
    } else if (auto pair = text_member(key, "KeyPair")) {
        out.kind = KeyReference::Kind::pair;
        out.id = *std::move(pair);
    } else {
        out.kind = KeyReference::Kind::derived;
        SP_TRY(return, out.id, text_member(key, "Derived"));
        SP_TRY(return, out.data, base64_member(key, "Data"));
    }
    return out;
}

}  // namespace

base::Result<std::string> make_handle(const KeyReference& reference, const SymmetricKey& validation_key) {
    json::object key;
    switch (reference.kind) {
        case KeyReference::Kind::symmetric:
            key["Key"] = reference.id;
            break;
        case KeyReference::Kind::pair:
            key["KeyPair"] = reference.id;
            break;
        case KeyReference::Kind::derived:
            key["Derived"] = reference.id;
            key["Data"] = base::to_base64(reference.data);
            break;
    }
    const json::object document{{"key_id", std::move(key)},
                                {"nonce", base::to_base64(pki::random_bytes(64))}};
    const auto text = json::serialize(document);
    SP_TRY(return, const auto signature, validation_key.hmac_sha256(base::as_bytes(text)));
    return "sr=" + base::to_base64(base::as_bytes(text)) + "&sig=" + base::to_base64(signature);
}

base::Result<KeyReference> open_handle(std::string_view handle, const SymmetricKey& validation_key) {
    const auto middle = handle.find("&sig=");
    if (!handle.starts_with("sr=") || middle == std::string_view::npos) return invalid();
    const auto text = base::from_base64(handle.substr(3, middle - 3));
    const auto signature = base::from_base64(handle.substr(middle + 5));
    if (!text || !signature) return invalid();
    SP_TRY(return, const auto expected, validation_key.hmac_sha256(*text));
    if (!base::equal_constant_time(expected, *signature)) return invalid();
    const auto document = parse_json(base::as_text(*text), "handle");
    if (!document) return invalid();
    auto reference = reference_of(*document);
    if (!reference) return invalid();
    return reference;
}

}  // namespace edge
