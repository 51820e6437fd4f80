// SPDX-License-Identifier: Apache-2.0
#include "edge/keys_service.hpp"

#include <fmt/format.h>

#include "base/result.hpp"
#include "edge/key_stores.hpp"
#include "edge/keys_operations.hpp"

namespace edge {
namespace {

constexpr std::string_view validation_key_id = "handle-validation-key";

// The field is required and its words are checked; a file store makes no difference between them.
base::Status check_usage(std::string_view usage) {
    bool signs = false, encrypts = false;
    for (const auto word : base::split(usage, ',')) {
        if (word == "derive" || word == "sign")
            signs = true;
        else if (word == "encrypt")
            encrypts = true;
        else
            return base::fail(base::Code::malformed, "request body",
                              fmt::format("has an unknown usage \"{}\"", word));
    }
    if (signs && encrypts) return bad_parameter("usage", "encrypt may not be combined with derive and sign");
    return {};
}

}  // namespace

base::Result<std::unique_ptr<KeysService>> KeysService::make(KeysConfig config) {
    SP_TRY(return, auto store, KeyStores::open(config.home, config.preloaded));
    if (auto made = store->create_symmetric(validation_key_id); !made) return std::unexpected(made.error());
    SP_TRY(return, auto validation_key, store->symmetric(validation_key_id));
    return std::unique_ptr<KeysService>(
        new KeysService(std::move(config), std::move(store), std::move(validation_key)));
}

KeysService::KeysService(KeysConfig config, std::unique_ptr<KeyStore> store, SymmetricKeyPtr validation_key)
    : config_(std::move(config)), store_(std::move(store)), validation_key_(std::move(validation_key)) {
    using Kind = KeyReference::Kind;
    using http::Verb;
    const std::string_view first = "2020-09-01";
    std::vector<Route> routes{
        {Verb::post, "/key", first, Body::required, [this](Call c) { return ready(create_key(c)); }},
        {Verb::get, "/key/{id}", first, Body::none,
         [this](Call c) { return ready(load(c, Kind::symmetric)); }},
        {Verb::post, "/key/{id}", first, Body::required,
         [](Call) { return ready(bad_parameter("type", "invalid type \"key\"")); }},
        {Verb::delete_, "/key", first, Body::required,
         [this](Call c) { return ready(remove(c, Kind::symmetric)); }},
        {Verb::post, "/keypair", first, Body::required, [this](Call c) { return ready(create_pair(c)); }},
        {Verb::get, "/keypair/{id}", first, Body::none,
         [this](Call c) { return ready(load(c, Kind::pair)); }},
        {Verb::post, "/keypair/{id}", first, Body::required, [this](Call c) { return ready(move(c)); }},
        {Verb::delete_, "/keypair", first, Body::required,
         [this](Call c) { return ready(remove(c, Kind::pair)); }},
        {Verb::post, "/parameters/{name}", first, Body::required,
         [this](Call c) { return ready(parameter(c)); }},
        {Verb::post, "/derivedkey", first, Body::required, [this](Call c) { return ready(derive(c)); }},
        {Verb::post, "/derivedkey/export", first, Body::required,
         [this](Call c) { return ready(export_derived(c)); }},
        {Verb::post, "/sign", first, Body::required, [this](Call c) { return ready(sign(c)); }},
        {Verb::post, "/encrypt", first, Body::required, [this](Call c) { return ready(encrypt(c)); }},
        {Verb::post, "/decrypt", first, Body::required, [this](Call c) { return ready(decrypt(c)); }},
    };
    api_ = std::make_unique<LocalApi>("keys", std::vector<std::string>{"2020-09-01", "2021-05-01"},
                                      std::move(routes), status_of_store);
}

base::Status KeysService::may_use(const Call& call, std::string_view id) const {
    // Whoever could read or replace this key could forge every handle.
    if (id == validation_key_id || !is_allowed(config_.rules, call.caller.user, id))
        return base::fail(
            base::Code::unauthenticated,
            fmt::format("user {} is not authorized to access the key {}", call.caller.user.value_or(0), id),
            "");
    return {};
}

base::Result<KeyReference> KeysService::opened(const json::value& body, std::string_view member) const {
    SP_TRY(return, const auto handle, text_member(body, member));
    return open_handle(handle, *validation_key_);
}

Answer KeysService::handle_answer(const KeyReference& reference) const {
    SP_TRY(return, const auto handle, make_handle(reference, *validation_key_));
    return ok({{"keyHandle", handle}});
}

Answer KeysService::create_key(const Call& call) {
    SP_TRY(return, auto id, text_member(call.body, "keyId"));
    SP_TRY(return, const auto usage, text_member(call.body, "usage"));
    SP_TRY(return, auto imported, optional_base64_member(call.body, "keyBytes"));
    if (auto good = check_usage(usage); !good) return std::unexpected(good.error());
    if (auto allowed = may_use(call, id); !allowed) return std::unexpected(allowed.error());
    base::Status made;
    if (imported) {
        made = store_->import_symmetric(id, base::SecretBytes(std::span(*imported)));
        base::wipe(imported->data(), imported->size());
    } else {
        made = store_->create_symmetric(id);
    }
    if (!made) return std::unexpected(made.error());
    // Fails here and not at the first use where the file is no key or others may read it.
    SP_TRY(return, const auto checked, store_->symmetric(id));
    return handle_answer({KeyReference::Kind::symmetric, std::move(id), {}});
}

Answer KeysService::create_pair(const Call& call) {
    SP_TRY(return, auto id, text_member(call.body, "keyId"));
    SP_TRY(return, const auto preferred, optional_text_member(call.body, "preferredAlgorithms"));
    SP_TRY(return, const auto type, preferred_algorithm(preferred));
    if (auto allowed = may_use(call, id); !allowed) return std::unexpected(allowed.error());
    if (auto made = store_->create_pair(id, type); !made) return std::unexpected(made.error());
    SP_TRY(return, const auto checked, store_->pair(id));
    return handle_answer({KeyReference::Kind::pair, std::move(id), {}});
}

Answer KeysService::load(const Call& call, KeyReference::Kind kind) {
    const auto& id = call.ids[0];
    if (auto allowed = may_use(call, id); !allowed) return std::unexpected(allowed.error());
    if (kind == KeyReference::Kind::pair) {
        SP_TRY(return, const auto checked, store_->pair(id));
    } else {
        SP_TRY(return, const auto checked, store_->symmetric(id));
    }
    return handle_answer({kind, id, {}});
}

Answer KeysService::move(const Call& call) {
    SP_TRY(return, const auto from, text_member(call.body, "from"));
    for (const std::string_view id : {std::string_view(from), std::string_view(call.ids[0])})
        if (auto allowed = may_use(call, id); !allowed) return std::unexpected(allowed.error());
    if (auto moved = store_->move_pair(from, call.ids[0]); !moved) return std::unexpected(moved.error());
    return no_content();
}

Answer KeysService::remove(const Call& call, KeyReference::Kind kind) {
    SP_TRY(return, const auto reference, opened(call.body, "keyHandle"));
    if (reference.kind != kind) return bad_parameter("handle", "is one of another kind of key");
    if (auto removed = store_->remove(reference.id); !removed) return std::unexpected(removed.error());
    return no_content();
}

Answer KeysService::parameter(const Call& call) {
    SP_TRY(return, const auto reference, opened(call.body, "keyHandle"));
    SP_TRY(return, const auto value, key_parameter(*store_, reference, call.ids[0]));
    return ok({{"value", value}});
}

Answer KeysService::derive(const Call& call) {
    SP_TRY(return, auto reference, opened(call.body, "baseKeyHandle"));
    SP_TRY(return, auto data, base64_member(call.body, "derivationData"));
    if (reference.kind != KeyReference::Kind::symmetric)
        return bad_parameter("baseKeyHandle",
                             "only a symmetric key that is not derived itself can be derived from");
    return handle_answer({KeyReference::Kind::derived, std::move(reference.id), std::move(data)});
}

Answer KeysService::export_derived(const Call& call) {
    SP_TRY(return, const auto reference, opened(call.body, "keyHandle"));
    SP_TRY(return, const auto bytes, derived_bytes(*store_, reference));
    return ok({{"key", base::to_base64(bytes.bytes())}});
}

Answer KeysService::sign(const Call& call) {
    SP_TRY(return, const auto reference, opened(call.body, "keyHandle"));
    SP_TRY(return, const auto signature, sign_with(*store_, reference, call.body));
    return ok({{"signature", base::to_base64(signature)}});
}

Answer KeysService::encrypt(const Call& call) {
    SP_TRY(return, const auto reference, opened(call.body, "keyHandle"));
    SP_TRY(return, const auto ciphertext, encrypt_with(*store_, reference, call.body));
    return ok({{"ciphertext", base::to_base64(ciphertext)}});
}

Answer KeysService::decrypt(const Call& call) {
    SP_TRY(return, const auto reference, opened(call.body, "keyHandle"));
    SP_TRY(return, const auto plaintext, decrypt_with(*store_, reference, call.body));
    return ok({{"plaintext", base::to_base64(plaintext.bytes())}});
}

}  // namespace edge
