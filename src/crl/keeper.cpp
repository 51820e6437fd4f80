// SPDX-License-Identifier: Apache-2.0
#include "crl/keeper.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/clock_watch.hpp"
#include "net/timer.hpp"
#include "pki/verify.hpp"

namespace crl {
namespace {

constexpr std::chrono::milliseconds exchange_limit{20'000};
constexpr std::size_t largest_certificate = 64 * 1024;
/// A source that stays away is told of again after this.
constexpr std::chrono::hours told_again{1};

}  // namespace

struct Keeper::Source {
    Url url;
    std::filesystem::path file;
    std::optional<pki::Crl> crl;
    std::string etag;
    std::string trouble;
    base::Instant told{};
    std::unique_ptr<net::Event> wake;  ///< lives on the loop, while it is followed
};

Keeper::Keeper(Options options, const base::Clock& clock) : options_(std::move(options)), clock_(clock) {}
Keeper::~Keeper() = default;

base::Result<std::unique_ptr<Keeper>> Keeper::open(Options options, const base::Clock& clock) {
    std::unique_ptr<Keeper> keeper(new Keeper(std::move(options), clock));
    const auto& settings = keeper->options_.settings;
    if (settings.urls.empty()) return keeper;
    if (auto made = base::make_private_directories(keeper->options_.directory); !made)
        return std::unexpected(std::move(made).error());
    for (const auto& text : settings.urls) {
        SP_TRY(return, auto url, parse_url(text));
        auto source = std::make_unique<Source>();
        source->url = std::move(url);
        source->file = kept_file(keeper->options_.directory, text);
        if (auto loaded = keeper->load(*source); !loaded)
            base::log::write(base::log::Level::warning, base::events::crl_refused, loaded.error(),
                             {{"url", text}});
        keeper->sources_.push_back(std::move(source));
    }
    keeper->rebuild();
    return keeper;
}

base::Status Keeper::load(Source& source) {
    const auto content = base::read_file(source.file, "CRL", largest_crl);
    if (!content) {
        if (content.error().code == base::Code::not_found) return {};
        return std::unexpected(content.error());
    }
    // Its signature is checked by whoever decides by it (pki::verify).
    SP_TRY(return, auto crl, pki::Crl::from_der(base::as_bytes(*content), "CRL " + source.file.string()));
    base::log::info(base::events::crl_loaded,
                    {{"url", source.url.text},
                     {"issuer", crl.issuer()},
                     {"number", crl.number()},
                     {"revoked", std::to_string(crl.size())},
                     {"age", base::format_duration(clock_.now() - crl.this_update())}});
    source.crl = std::move(crl);
    return {};
}

std::shared_ptr<const pki::CrlSet> Keeper::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void Keeper::rebuild() {
    std::vector<pki::Crl> all;
    for (const auto& source : sources_)
        if (source->crl) all.push_back(*source->crl);
    const bool complete = all.size() == sources_.size();
    auto next = std::make_shared<const pki::CrlSet>(std::move(all), complete);
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
}

void Keeper::start(net::Loop& loop) {
    if (sources_.empty()) return;
    loop_ = &loop;
    loop.post([this] {
        tasks_ = std::make_unique<net::TaskGroup>();
        for (const auto& source : sources_) tasks_->spawn("crl.pull", follow(*source));
    });
}

void Keeper::stop() {
    if (loop_ == nullptr) return;
    loop_->post([this] {
        stopping_ = true;
        if (tasks_) tasks_->cancel_all();
    });
}

void Keeper::pull_now() {
    if (loop_ == nullptr) return;
    loop_->post([this] {
        for (const auto& source : sources_)
            if (source->wake) source->wake->notify();
    });
}

net::Task<> Keeper::follow(Source& source) {
    source.wake = std::make_unique<net::Event>();
    const net::ClockWatch watch([&source] { source.wake->notify(); });
    while (!stopping_) {
        const auto pulled = co_await pull(source);
        if (stopping_) break;
        if (pulled)
            source.trouble.clear();
        else
            tell_failure(source, pulled.error());
        co_await source.wake->wait(pull_rhythm);
    }
    source.wake.reset();
}

net::Task<base::Status> Keeper::pull(Source& source) {
    const auto etag = source.crl ? source.etag : std::string();
    auto answer = co_await get(source.url, etag, largest_crl);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    const std::string thing = "CRL " + source.url.text;
    if (answer->status == 304 && source.crl) {
        // The time of the file is when it was last known to be the newest.
        ::utimensat(AT_FDCWD, source.file.c_str(), nullptr, 0);
        co_return base::Status{};
    }
    if (answer->status != 200)
        co_return base::fail(base::Code::unavailable, thing,
                             "was answered with status " + std::to_string(answer->status));
    SP_TRY(co_return, const auto crl, pki::Crl::read(base::as_bytes(answer->body), thing));
    if (auto good = co_await check(crl, source.url); !good) co_return good;
    if (auto taken = take(source, crl); !taken) co_return taken;
    source.etag = std::string(answer->headers.get("etag").value_or(""));
    co_return base::Status{};
}

net::Task<base::Result<http::Response>> Keeper::get(Url url, std::string etag, std::size_t limit) {
    http::Request request;
    request.raw_target = url.target;
    if (!etag.empty()) request.headers.set("If-None-Match", etag);
    http::Endpoint endpoint = http::PlainEndpoint{url.host, url.port};
    if (url.tls) {
        SP_TRY(co_return, auto tls, options_.tls());
        net::TlsTarget target{url.host, url.port, url.host};
        endpoint = http::TlsEndpoint{std::move(target), std::move(tls)};
    }
    auto answer =
        co_await http::request(std::move(endpoint), std::move(request), exchange_limit, clock_, limit);
    co_return answer;
}

/// Whether a CA that is trusted issued it: an anchor, or the CA whose certificate the CRL points to, where it
/// leads to an anchor. What somebody else signed may not take the place of what is in force.
net::Task<base::Status> Keeper::check(pki::Crl crl, Url url) {
    const auto anchors = options_.anchors();
    base::Error why{base::Code::unauthenticated, "CRL of " + crl.issuer(),
                    "is of none of the CAs that devices are judged by",
                    "upload that CA (sallyport hub certificate), or remove the URL from crl_urls"};
    for (const auto& anchor : anchors->anchors()) {
        auto good = crl.check_issuer(anchor);
        if (good) co_return base::Status{};
        if (anchor.subject() == crl.issuer()) why = std::move(good).error();
    }
    if (crl.ca_issuers_url().empty()) co_return std::unexpected(why);
    SP_TRY(co_return, const auto issuer, co_await fetch_issuer(crl, url));
    const pki::Chain chain{issuer};
    const auto known = current();
    const auto judged =
        pki::verify({.chain = chain, .trust = *anchors, .now = clock_.now(), .crls = known.get()});
    if (!judged.verdict.accepted()) {
        why.reason =
            "comes from a CA that leads to none that devices are judged by: " + pki::summary(judged.verdict);
        co_return std::unexpected(why);
    }
    co_return crl.check_issuer(issuer);
}

net::Task<base::Result<pki::Certificate>> Keeper::fetch_issuer(pki::Crl crl, Url url) {
    SP_TRY(co_return, const auto where, parse_url(crl.ca_issuers_url()));
    // Nobody has vouched for this text yet: it may send us to where we ask anyway, and nowhere else.
    if (!base::equal_ignoring_case(where.host, url.host))
        co_return base::fail(base::Code::unauthenticated, "CRL of " + crl.issuer(),
                             "points for its CA's certificate to another host, " + where.host);
    auto answer = co_await get(where, {}, largest_certificate);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    if (answer->status != 200)
        co_return base::fail(base::Code::unavailable, "CA certificate " + where.text,
                             "was answered with status " + std::to_string(answer->status));
    co_return pki::Certificate::read(base::as_bytes(answer->body), "CA certificate " + where.text);
}

base::Status Keeper::take(Source& source, pki::Crl crl) {
    if (source.crl && source.crl->der() == crl.der()) {
        ::utimensat(AT_FDCWD, source.file.c_str(), nullptr, 0);
        return {};
    }
    if (source.crl && source.crl->issuer() == crl.issuer() && !crl.supersedes(*source.crl))
        return base::fail(
            base::Code::precondition_failed, "CRL of " + crl.issuer(),
            "is older than the one in force, of " + base::format_rfc3339(source.crl->this_update()));
    const bool other = !source.crl || !source.crl->same_entries(crl);
    // In force before it is on disk: a full disk must not let anybody in.
    source.crl = crl;
    rebuild();
    base::log::info(base::events::crl_taken, {{"url", source.url.text},
                                              {"issuer", crl.issuer()},
                                              {"number", crl.number()},
                                              {"revoked", std::to_string(crl.size())},
                                              {"made", base::format_rfc3339(crl.this_update())}});
    if (other && observer_) observer_();
    return base::write_atomically(source.file, crl.der(), base::public_mode);
}

void Keeper::tell_failure(Source& source, const base::Error& why) {
    const auto now = clock_.now();
    const auto text = why.text();
    if (text == source.trouble && now - source.told < told_again) return;
    source.trouble = text;
    source.told = now;
    const auto age = source.crl ? base::format_duration(now - source.crl->this_update()) : "none";
    const auto next = source.crl ? source.crl->next_update() : std::nullopt;
    base::log::write(base::log::Level::warning, base::events::crl_failed, why,
                     {{"url", source.url.text},
                      {"in_force", source.crl ? "CRL " + source.crl->number() : "none"},
                      {"age", age},
                      {"next_update", next ? base::format_rfc3339(*next) : ""}});
}

}  // namespace crl
