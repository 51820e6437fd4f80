// SPDX-License-Identifier: Apache-2.0
#include "ca/plain_http.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ca/layout.hpp"
#include "http/date.hpp"
#include "pki/digest.hpp"

namespace ca {
namespace {

constexpr std::size_t longest_get = 4 * 1024;
constexpr std::size_t largest_post = 64 * 1024;
constexpr std::chrono::seconds longest_kept{3600};

std::string max_age_text(std::chrono::seconds left, std::chrono::seconds most) {
    return "max-age=" + std::to_string(std::clamp(left, std::chrono::seconds(0), most).count());
}

http::Response refuse_plainly(int status, std::string reason) {
    return http::Response::text(status, reason + "\n");
}

http::Response not_allowed(const char* allowed) {
    auto response = refuse_plainly(405, "method not allowed here");
    response.headers.set("Allow", allowed);
    return response;
}

bool reads(const http::Request& request) {
    return request.verb == http::Verb::get || request.verb == http::Verb::head;
}

/// RFC 9110 13.1.2, 13.1.3: a date counts where no tag is given.
bool has_it_already(const http::Request& request, std::string_view etag, base::Instant changed) {
    if (const auto tags = request.headers.get("if-none-match")) {
        for (auto tag : base::split(*tags, ',')) {
            tag = base::trim(tag);
            if (tag.starts_with("W/")) tag.remove_prefix(2);
            if (tag == etag || tag == "*") return true;
        }
        return false;
    }
    const auto since = request.headers.get("if-modified-since");
    const auto when = since ? http::parse_date(*since) : std::nullopt;
    return when && changed <= *when;
}

/// "NAME" of "/crl/NAME.crl"; nullopt where the path is another.
std::optional<std::string> name_in(std::string_view path, std::string_view prefix, std::string_view suffix) {
    if (!path.starts_with(prefix) || !path.ends_with(suffix) || path.size() <= prefix.size() + suffix.size())
        return std::nullopt;
    return base::percent_decode(path.substr(prefix.size(), path.size() - prefix.size() - suffix.size()));
}

/// What stands behind the host, where a proxy sends the whole URL.
std::string_view path_of(std::string_view target) {
    constexpr std::string_view scheme = "http://";
    if (!target.starts_with(scheme)) return target;
    const auto slash = target.find('/', scheme.size());
    return slash == std::string_view::npos ? "/" : target.substr(slash);
}

}  // namespace

PlainHttp::PlainHttp(std::unique_ptr<CrlBooks> books, const base::Clock& clock)
    : books_(std::move(books)), clock_(clock) {}

PlainHttp::~PlainHttp() {
    books_->on_revoked({});
}

base::Result<std::unique_ptr<PlainHttp>> PlainHttp::open(Ledger& ledger, const std::filesystem::path& data,
                                                         const base::Clock& clock) {
    return open(books_of(ledger), data, clock);
}

base::Result<std::unique_ptr<PlainHttp>> PlainHttp::open(std::unique_ptr<CrlBooks> books,
                                                         const std::filesystem::path& data,
                                                         const base::Clock& clock) {
    std::unique_ptr<PlainHttp> all(new PlainHttp(std::move(books), clock));
    SP_TRY(return, all->responder_,
                 OcspResponder::open(
                     *all->books_,
                     {key_file(data, "ocsp-responder"), certificate_file(data, "ocsp-responder")}, clock));
    SP_TRY(return, all->publisher_,
                 CrlPublisher::open(*all->books_, crl_directory(data), key_directory(data), clock));
    all->books_->on_revoked([here = all.get()](const std::string&) {
        here->responder_->forget();
        here->publisher_->revoked();
    });
    // Between publishing and following nobody was told.
    all->publisher_->catch_up();
    all->publisher_->start([here = all.get()] {
        if (auto done = here->responder_->renew_if_due(); !done)
            base::log::error(base::events::ocsp_responder_failed, done.error());
    });
    return all;
}

PlainRoutes PlainHttp::routes() {
    return [this](const http::Request& request) { return answer(request); };
}

std::optional<http::Response> PlainHttp::answer(const http::Request& request) {
    const auto target = path_of(request.raw_target);
    constexpr std::string_view ocsp_path = "/ocsp";
    if (target == ocsp_path) return ocsp(request, {});
    // Everything behind it belongs to the request, as it stands: proxies must not have tidied it.
    if (target.starts_with("/ocsp/")) return ocsp(request, target.substr(ocsp_path.size() + 1));
    const auto path = target.substr(0, target.find('?'));
    if (path.starts_with("/crl/")) return crl(request, path);
    if (path.starts_with("/ca/")) return certificate(request, path);
    return std::nullopt;
}

std::optional<http::Response> PlainHttp::crl(const http::Request& request, std::string_view path) {
    auto name = name_in(path, "/crl/", ".crl");
    const bool pem = !name.has_value();
    if (pem) name = name_in(path, "/crl/", ".pem");
    const auto published = name ? publisher_->current(*name) : nullptr;
    if (!published) return std::nullopt;
    if (!reads(request)) return not_allowed("GET, HEAD");
    const auto etag =
        pem ? published->etag.substr(0, published->etag.size() - 1) + "-pem\"" : published->etag;
    const auto& crl = published->crl;
    const bool unchanged = has_it_already(request, etag, crl.this_update());
    auto response = http::Response::empty(unchanged ? 304 : 200);
    response.headers.set("ETag", etag);
    response.headers.set("Last-Modified", base::format_rfc1123(crl.this_update()));
    if (const auto next = crl.next_update()) {
        response.headers.set("Expires", base::format_rfc1123(*next));
        response.headers.set("Cache-Control", max_age_text(*next - clock_.now(), longest_kept));
    }
    if (unchanged) return response;
    response.headers.set("Content-Type", pem ? "application/x-pem-file" : "application/pkix-crl");
    response.body = pem ? pki::crl_to_pem(crl.der()) : std::string(base::as_text(crl.der()));
    return response;
}

std::optional<http::Response> PlainHttp::certificate(const http::Request& request, std::string_view path) {
    const auto name = name_in(path, "/ca/", ".crt");
    if (!name) return std::nullopt;
    const auto& all = books_->authorities();
    const auto found = std::ranges::find(all, *name, &CrlBooks::Authority::name);
    if (found == all.end()) return std::nullopt;
    if (!reads(request)) return not_allowed("GET, HEAD");
    auto response = http::Response::empty(200);
    response.headers.set("Content-Type", "application/pkix-cert");
    response.headers.set("Cache-Control", max_age_text(longest_kept, longest_kept));
    response.body = base::as_text(found->certificate.der());
    return response;
}

http::Response PlainHttp::ocsp(const http::Request& request, std::string_view behind) {
    OcspResponder::Answer answer;
    const bool get = request.verb == http::Verb::get;
    if (get) {
        if (behind.size() > longest_get)
            return refuse_plainly(413, "the request is too long for GET: use POST");
        const auto der = pki::ocsp_request_of_path(behind);
        answer = responder_->answer(der ? *der : base::Bytes());
    } else if (request.verb == http::Verb::post) {
        auto type = request.headers.get("content-type").value_or("");
        type = base::trim(type.substr(0, type.find(';')));
        if (!base::equal_ignoring_case(type, "application/ocsp-request"))
            return refuse_plainly(415, "the body must be an application/ocsp-request");
        if (request.body.size() > largest_post) return refuse_plainly(413, "the request is too large");
        answer = responder_->answer(base::as_bytes(request.body));
    } else {
        return not_allowed("GET, POST");
    }
    auto response = http::Response::empty(200);
    response.headers.set("Content-Type", "application/ocsp-response");
    if (get && answer.cacheable) {
        const auto& when = *answer.cacheable;
        const auto half = when.produced_at + (when.next_update - when.produced_at) / 2;
        response.headers.set("Last-Modified", base::format_rfc1123(when.produced_at));
        response.headers.set("Expires", base::format_rfc1123(when.next_update));
        response.headers.set("ETag", "\"" + base::to_hex(pki::sha1(answer.der)) + "\"");
        response.headers.set("Cache-Control", max_age_text(half - clock_.now(), longest_kept) +
                                                  ", public, no-transform, must-revalidate");
    } else {
        response.headers.set("Cache-Control", "no-store");
    }
    response.body = base::as_text(answer.der);
    return response;
}

}  // namespace ca
