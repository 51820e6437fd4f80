// SPDX-License-Identifier: Apache-2.0
#include "gateway/token_source.hpp"

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "trust/sas_token.hpp"

namespace gateway {

namespace {

constexpr std::chrono::hours lifetime{1};

}  // namespace

// Each id is encoded first and the whole again by the token, as edgeHub does it (gateway.md 3.5).
TokenSource::TokenSource(const Config& config, WorkloadClient& workload, const base::Clock& clock)
    : resource_(config.hub.name + "/devices/" + base::percent_encode(config.module.device_id) + "/modules/" +
                base::percent_encode(config.module.module_id)),
      workload_(workload),
      clock_(clock) {}

net::Task<base::Result<std::string>> TokenSource::token(std::chrono::milliseconds limit) {
    const auto now = clock_.now();
    // A clock that was set back makes a token from "later" useless too.
    if (cached_ && now >= cached_->made && now < cached_->made + lifetime / 2) co_return cached_->text;
    const auto unfinished = trust::unsigned_token(resource_, now + lifetime);
    SP_TRY(co_return, const auto signature, co_await workload_.sign(unfinished.to_sign(), limit));
    cached_ = Cached{unfinished.finish(signature), now};
    co_return cached_->text;
}

}  // namespace gateway
