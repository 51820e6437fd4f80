// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_head.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "pki/digest.hpp"
#include "pki/signature.hpp"

namespace ca {
namespace {

constexpr std::string_view signature_field = "\"sig\":\"";

std::string head_body(const SignedHead& head) {
    return fmt::format(
        "{{\"v\":1,\"log\":\"{}\",\"seq\":{},\"hash\":\"{}\",\"root\":\"{}\",\"t\":\"{}\",\"key\":\"{}\","
        "\"prev\":\"{}\",",
        head.log, head.seq, base::to_hex(head.hash), base::to_hex(head.root), head.time, head.key,
        base::to_hex(head.prev));
}

Sha256 head_digest(std::string_view body) {
    // Another prefix than that of entries and nodes: a head can be taken for neither.
    std::string whole(1, '\x02');
    whole += body;
    return pki::sha256(base::as_bytes(whole));
}

bool take_hash(const boost::json::object& from, std::string_view key, Sha256& into) {
    const auto* value = from.if_contains(key);
    const auto bytes =
        value && value->is_string() ? base::from_hex(std::string_view(value->get_string())) : std::nullopt;
    if (!bytes || bytes->size() != into.size()) return false;
    std::copy(bytes->begin(), bytes->end(), into.begin());
    return true;
}

bool take_string(const boost::json::object& from, std::string_view key, std::string& into) {
    const auto* value = from.if_contains(key);
    if (!value || !value->is_string()) return false;
    into = value->get_string();
    return true;
}

auto bad_head(std::string reason) {
    return base::fail(base::Code::malformed, "audit head", std::move(reason));
}

}  // namespace

base::Result<std::string> sign(const SignedHead& head, const pki::PrivateKey& key) {
    auto text = head_body(head);
    SP_TRY(return, const auto signature, key.sign_digest(head_digest(text)));
    return text + std::string(signature_field) + base::to_base64(signature) + "\"}";
}

base::Result<SignedHead> parse_head(std::string_view line) {
    boost::system::error_code error;
    const auto value = boost::json::parse(boost::json::string_view(line.data(), line.size()), error);
    if (error || !value.is_object()) return bad_head("is not a JSON object");
    const auto& object = value.get_object();
    SignedHead head;
    const auto* seq = object.if_contains("seq");
    if (!seq || !seq->is_int64() || seq->get_int64() < 1 || !take_string(object, "log", head.log) ||
        !take_hash(object, "hash", head.hash) || !take_hash(object, "root", head.root) ||
        !take_string(object, "t", head.time) || !take_string(object, "key", head.key) ||
        !take_hash(object, "prev", head.prev))
        return bad_head("lacks a field");
    head.seq = static_cast<std::uint64_t>(seq->get_int64());
    return head;
}

base::Result<SignedHead> read_signed_head(std::string_view line, const pki::PublicKey& key) {
    SP_TRY(return, auto head, parse_head(line));
    const auto body = head_body(head);
    if (!line.starts_with(body)) return bad_head("is not in the form that heads have");
    auto rest = line.substr(body.size());
    if (!rest.starts_with(signature_field) || !rest.ends_with("\"}"))
        return bad_head("is not in the form that heads have");
    rest.remove_prefix(signature_field.size());
    rest.remove_suffix(2);
    const auto signature = base::from_base64(rest);
    if (!signature || base::to_base64(*signature) != rest ||
        !pki::verify_digest(key, head_digest(body), *signature))
        return bad_head("does not have a signature of the audit key");
    return head;
}

}  // namespace ca
