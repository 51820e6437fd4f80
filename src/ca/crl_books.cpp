// SPDX-License-Identifier: Apache-2.0
#include "ca/crl_books.hpp"

#include "base/result.hpp"

namespace ca {
namespace {

class LedgerBooks final : public CrlBooks {
  public:
    explicit LedgerBooks(Ledger& ledger) : ledger_(ledger) {
        const auto& config = ledger.config();
        const auto& issuers = ledger.issuers();
        for (std::size_t at = 0; at < issuers.size(); ++at)
            authorities_.push_back({config.chain[config.chain.size() - 1 - at], issuers[at]});
        authorities_.push_back({config.root, ledger.root()});
    }

    const std::vector<Authority>& authorities() const override { return authorities_; }
    const pki::PrivateKey& key() const override { return ledger_.key(); }
    const HttpConfig& http() const override { return ledger_.config().http; }
    std::vector<Ledger::Revoked> revoked(const std::string& issuer) const override {
        return ledger_.revoked(issuer);
    }
    base::Result<std::uint64_t> next_crl_number(const std::string& issuer) override {
        return ledger_.next_crl_number(issuer);
    }
    std::optional<Known> find(const std::string& serial) const override {
        auto entry = ledger_.find(serial);
        if (!entry) return std::nullopt;
        return Known{std::move(entry->issuer), entry->revocation};
    }
    base::Result<pki::Certificate> issue_responder(const pki::PublicKey& key) override {
        Order order{.profile = pki::Profile::ocsp,
                    .key = key,
                    .common_name = "OCSP responder",
                    .device = "ocsp-responder",
                    .actor = {.kind = Actor::Kind::command, .id = "ca-run", .peer = {}}};
        order.allow_short = true;
        SP_TRY(return, const auto chain, ledger_.issue(order));
        return chain.front();
    }
    void write(Event event) override { ledger_.write(std::move(event)); }
    void on_revoked(std::function<void(const std::string&)> observer) override {
        ledger_.on_revoked(std::move(observer));
    }

  private:
    Ledger& ledger_;
    std::vector<Authority> authorities_;
};

}  // namespace

std::unique_ptr<CrlBooks> books_of(Ledger& ledger) {
    return std::make_unique<LedgerBooks>(ledger);
}

}  // namespace ca
