// SPDX-License-Identifier: Apache-2.0
#include "ca/est_answers.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace ca {
namespace {

constexpr const char* realm = "Basic realm=\"sallyport-est\", charset=\"UTF-8\"";

}  // namespace

http::Response refusal_answer(const Refusal& refusal) {
    const auto rule = rule_of(refusal.id);
    http::Response answer;
    answer.status = refusal.status.value_or(rule.status);
    answer.headers.add("Content-Type", "text/plain; charset=utf-8");
    answer.headers.add("Cache-Control", "no-store");
    if (answer.status == 401) answer.headers.add("WWW-Authenticate", realm);
    // Seconds alone: strongSwan and libest read no dates (est-and-pki.md 1.8).
    if (refusal.retry_after) answer.headers.add("Retry-After", std::to_string(refusal.retry_after->count()));
    answer.body = fmt::format("{}: {}\n", refusal.id, refusal.text);
    return answer;
}

http::Response base64_answer(std::string_view type, std::string body, std::string_view cache_control) {
    http::Response answer;
    answer.headers.add("Content-Type", std::string(type));
    // Receivers ignore it but for one that demands it (est-and-pki.md 1.3).
    answer.headers.add("Content-Transfer-Encoding", "base64");
    answer.headers.add("Cache-Control", std::string(cache_control));
    answer.body = std::move(body);
    return answer;
}

std::string address_alone(std::string_view peer) {
    const auto colon = peer.rfind(':');
    if (colon == std::string_view::npos) return std::string(peer);
    auto address = peer.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    return std::string(address);
}

std::string_view path_of_target(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!base::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        const auto path = target.find('/', scheme.size());
        target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    return target.substr(0, target.find('?'));
}

}  // namespace ca
