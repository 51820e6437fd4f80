// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/result.hpp"
#include "ca/audit_head.hpp"
#include "ca/audit_line.hpp"
#include "ca/audit_reader.hpp"
#include "ca/inventory_rows.hpp"
#include "ca/layout.hpp"
#include "pki/digest.hpp"
#include "pki/signature.hpp"

namespace ca {
namespace {

constexpr std::string_view key_mark = "key ";

/// Goes through the log once. The first thing that is wrong stays what is reported.
class AuditWalk {
  public:
    explicit AuditWalk(const AuditReader& reader) : reader_(reader), issued_(reader.database()) {}

    base::Status take_genesis() {
        std::optional<AuditLine> first;
        auto read = reader_.each_entry([&](std::string_view line) {
            if (auto parsed = parse_audit_line(line)) first = *std::move(parsed);
            return false;
        });
        if (!read) return read;
        const auto der = first && first->kind == "genesis" && first->detail.starts_with(key_mark)
                             ? base::from_base64(std::string_view(first->detail).substr(key_mark.size()))
                             : std::nullopt;
        if (!der) {
            blame(1, "is not the beginning of an audit log");
            return {};
        }
        auto key = pki::read_public_key(*der, "audit key");
        if (!key)
            blame(1, "has no audit key");
        else
            key_ = *std::move(key);
        genesis_ = first->hash;
        return {};
    }

    base::Status take_heads(const std::vector<std::string>& anchors) {
        if (!key_) return {};
        Sha256 prev{};
        std::uint64_t number = 0;
        auto read = reader_.each_head([&](std::string_view line) {
            ++number;
            auto head = read_signed_head(line, *key_);
            if (!head || head->prev != prev || head->log != base::to_hex(genesis_)) {
                blame_head(
                    fmt::format("head {} {}", number,
                                head ? "does not follow the one before" : "is not signed by the audit key"));
                return false;
            }
            prev = pki::sha256(base::as_bytes(line));
            report.newest_head = line;
            heads_[head->seq].push_back(*std::move(head));
            return true;
        });
        if (!read) return read;
        report.heads = number;
        if (prev != reader_.state().head_line)
            blame_head(
                fmt::format("the heads end with number {}, and another is known as the newest", number));
        for (const auto& line : anchors) {
            auto head = read_signed_head(line, *key_);
            if (!head || head->log != base::to_hex(genesis_))
                blame_head("an anchor is not a head of this log: " + line.substr(0, 120));
            else
                heads_[head->seq].push_back(*std::move(head));
        }
        return {};
    }

    base::Status take_entries() {
        base::Status trouble;
        auto read = reader_.each_entry([&](std::string_view text) {
            const auto expected = seq_ + 1;
            auto line = parse_audit_line(text);
            if (!line) {
                blame(expected, line.error().reason);
            } else if (line->seq != expected) {
                blame(expected, fmt::format("is missing: entry {} stands in its place", line->seq));
            } else if (line->prev != hash_) {
                // Its own hash is right, so it is the one before that is no longer what it was.
                blame(expected == 1 ? 1 : seq_, "is not the one that the next entry follows");
            } else {
                trouble = accept(*line);
            }
            return report.clean() && trouble.has_value();
        });
        if (!trouble) return trouble;
        report.entries = seq_;
        return read;
    }

    base::Status finish() {
        if (!report.clean()) return {};
        const auto& state = reader_.state();
        if (seq_ < state.seq)
            blame(seq_ + 1, fmt::format("is missing: the log ends at {}, {} is known", seq_, state.seq));
        else if (seq_ > state.seq)
            blame(state.seq + 1, "is behind the end that the inventory knows");
        else if (hash_ != state.hash)
            blame(seq_, "is not the one that the inventory knows as the last");
        if (!heads_.empty())
            blame(seq_ + 1, fmt::format("is missing: the log ends at {}, a signed head knows {}", seq_,
                                        heads_.rbegin()->first));
        if (!head_problem_.empty()) blame(0, head_problem_);
        if (auto wrong = reader_.wrong_length()) blame(0, *wrong);
        if (!report.clean()) return {};
        SP_TRY(return, const auto more, issued_.next());
        if (more) blame(more->id, fmt::format("does not tell of certificate {}", more->serial));
        for (const auto& [serial, reason] : revoked_)
            if (!in_inventory_.contains(serial))
                blame(0,
                      fmt::format("certificate {} was revoked by the log, and the inventory has it as good",
                                  serial));
        for (const auto& [serial, reason] : in_inventory_)
            if (const auto known = revoked_.find(serial);
                known == revoked_.end() || known->second != to_string(reason))
                blame(0, fmt::format("certificate {} is revoked in the inventory, and the log says otherwise",
                                     serial));
        return {};
    }

    AuditReport report;

  private:
    void blame(std::uint64_t entry, std::string what) {
        if (!report.clean()) return;
        report.entry = entry;
        report.problem = entry == 0 ? std::move(what) : fmt::format("entry {} {}", entry, what);
    }

    /// Told only where no entry is to blame.
    void blame_head(std::string what) {
        if (head_problem_.empty()) head_problem_ = std::move(what);
    }

    base::Status accept(const AuditLine& line) {
        seq_ = line.seq;
        hash_ = line.hash;
        tree_.append(line.hash);
        if (const auto here = heads_.find(seq_); here != heads_.end()) {
            for (const auto& head : here->second)
                if (head.hash != hash_ || head.root != tree_.root())
                    blame(good_until_ + 1,
                          fmt::format("to {} are not what the head of entry {} signs", seq_, seq_));
            heads_.erase(here);
            good_until_ = seq_;
        }
        if (line.kind == "issue" || line.kind == "import") return compare(line);
        if (line.kind == "revoke") revoked_[line.serial] = line.reason;
        if (line.kind == "unrevoke") revoked_.erase(line.serial);
        return {};
    }

    base::Status compare(const AuditLine& line) {
        SP_TRY(return, const auto issued, issued_.next());
        ++report.certificates;
        if (!issued || issued->id > line.seq)
            blame(line.seq,
                  fmt::format("tells of certificate {}, which the inventory does not have", line.serial));
        else if (issued->id < line.seq)
            blame(issued->id, fmt::format("does not tell of certificate {}", issued->serial));
        else if (issued->serial != line.serial || issued->certificate != line.certificate)
            blame(line.seq, "tells of another certificate than the inventory");
        if (issued && issued->revoked) in_inventory_[issued->serial] = *issued->revoked;
        return {};
    }

    const AuditReader& reader_;
    rows::IssuedCursor issued_;
    std::optional<pki::PublicKey> key_;
    std::string head_problem_;
    Sha256 genesis_{};
    std::uint64_t seq_ = 0, good_until_ = 0;
    Sha256 hash_{};
    AuditTree tree_;
    std::map<std::uint64_t, std::vector<SignedHead>> heads_;  ///< those not reached yet
    std::map<std::string, std::string> revoked_;              ///< by the log: serial, reason
    std::map<std::string, Reason> in_inventory_;
};

/// The key that the directory holds must be the one that the log began with.
base::Status check_own_key(const std::filesystem::path& data, AuditReport& report, std::string_view head) {
    std::error_code ignored;
    if (!report.clean() || head.empty() || !std::filesystem::exists(audit_key_file(data), ignored)) return {};
    SP_TRY(return, const auto key, pki::PrivateKey::load(audit_key_file(data).string(), "audit key"));
    SP_TRY(return, const auto newest, parse_head(head));
    if (newest.key != base::to_hex(pki::sha256(key.public_key().der())))
        report.problem = "the log is signed with another key than the audit key of this CA";
    return {};
}

}  // namespace

base::Result<AuditReport> verify_audit(const std::filesystem::path& data,
                                       const std::vector<std::string>& anchors) {
    SP_TRY(return, const auto reader, AuditReader::open(data));
    SP_TRY(return, auto report, verify_audit(reader, anchors));
    if (auto done = check_own_key(data, report, report.newest_head); !done)
        return std::unexpected(done.error());
    return report;
}

base::Result<AuditReport> verify_audit(const AuditReader& reader, const std::vector<std::string>& anchors) {
    AuditWalk walk(reader);
    if (auto done = walk.take_genesis(); !done) return std::unexpected(done.error());
    if (auto done = walk.take_heads(anchors); !done) return std::unexpected(done.error());
    if (auto done = walk.take_entries(); !done) return std::unexpected(done.error());
    if (auto done = walk.finish(); !done) return std::unexpected(done.error());
    return std::move(walk.report);
}

base::Result<std::string> prove_entry(const std::filesystem::path& data, std::uint64_t seq) {
    SP_TRY(return, const auto reader, AuditReader::open(data));
    std::vector<Sha256> hashes;
    std::string entry;
    std::string trouble;
    auto read = reader.each_entry([&](std::string_view text) {
        const auto line = parse_audit_line(text);
        if (!line || line->seq != hashes.size() + 1) {
            trouble = fmt::format("does not verify at entry {}", hashes.size() + 1);
            return false;
        }
        hashes.push_back(line->hash);
        if (line->seq == seq) entry = text;
        return true;
    });
    if (!read) return std::unexpected(read.error());
    if (!trouble.empty())
        return base::fail(base::Code::malformed, "audit log", trouble, "run sallyport ca audit verify");
    if (entry.empty())
        return base::fail(base::Code::not_found, fmt::format("audit entry {}", seq), "does not exist");
    std::string head_line;
    SignedHead newest;
    read = reader.each_head([&](std::string_view text) {
        if (auto head = parse_head(text); head && head->seq >= seq && head->seq <= hashes.size()) {
            newest = *std::move(head);
            head_line = text;
        }
        return true;
    });
    if (!read) return std::unexpected(read.error());
    if (head_line.empty())
        return base::fail(base::Code::not_found, fmt::format("audit entry {}", seq),
                          "is covered by no signed head yet", "run sallyport ca audit head, which signs one");
    const auto covered = std::span(hashes).first(newest.seq);
    boost::json::array path;
    for (const auto& hash : inclusion_proof(covered, seq - 1)) path.emplace_back(base::to_hex(hash));
    return boost::json::serialize(boost::json::object{{"seq", seq},
                                                      {"count", newest.seq},
                                                      {"entry", entry},
                                                      {"hash", base::to_hex(hashes[seq - 1])},
                                                      {"path", std::move(path)},
                                                      {"root", base::to_hex(newest.root)},
                                                      {"head", head_line}});
}

}  // namespace ca
