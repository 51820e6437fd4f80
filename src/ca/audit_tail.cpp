// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/result.hpp"
#include "ca/audit_head.hpp"
#include "ca/audit_line.hpp"
#include "pki/digest.hpp"

namespace ca {
namespace {

constexpr auto look_closer = "run sallyport ca audit verify, which names the first entry that was changed";

/// Up to here the newest file is read whole at each start.
constexpr std::uint64_t small_file = 4ULL * 1024 * 1024;

std::uint64_t size_of(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    return error ? 0 : size;
}

auto damaged_log(const std::filesystem::path& file, std::string reason) {
    return base::fail(base::Code::malformed, "audit log " + file.string(), std::move(reason), look_closer);
}

base::Result<std::string> read_from(const std::filesystem::path& file, std::uint64_t at, std::uint64_t end) {
    std::ifstream in(file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(at));
    std::string text(end - at, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in || in.gcount() != static_cast<std::streamsize>(text.size()))
        return base::fail(base::Code::io, "audit log " + file.string(), "could not be read");
    return text;
}

base::Status check_size(const std::filesystem::path& file, std::uint64_t known) {
    const auto size = size_of(file);
    if (size == known) return {};
    if (size < known)
        return damaged_log(file, fmt::format("ends after {} octets, {} are known", size, known));
    return damaged_log(file, fmt::format("goes on for {} octets behind its known end", size - known));
}

/// Whether a write of `text` can have left this behind: a disk that lost its power may have zeros in places.
bool is_beginning(std::string_view there, std::string_view text) {
    for (std::size_t i = 0; i < there.size(); ++i)
        if (there[i] != text[i] && there[i] != '\0') return false;
    return true;
}

base::Result<std::string> check_newest_head(const AuditFiles& files, const LogState& state,
                                            const pki::PublicKey& audit_key) {
    const auto file = files.path(AuditFiles::heads);
    if (auto fine = check_size(file, state.heads_size); !fine) return std::unexpected(fine.error());
    if (state.head_seq == 0) return std::string{};
    SP_TRY(return, auto line, read_from(file, state.heads_last, state.heads_size));
    if (!line.ends_with('\n')) return damaged_log(file, "has an unfinished last line");
    line.pop_back();
    SP_TRY(return, const auto head, read_signed_head(line, audit_key));
    if (head.seq != state.head_seq || head.hash != state.head_hash ||
        pki::sha256(base::as_bytes(line)) != state.head_line)
        return damaged_log(file, "does not end with the head that the inventory knows");
    return line;
}

/// Behind the newest head, or from the beginning of the newest file where that costs nothing: since each
/// entry holds the hash of the one before, the last hash proves them all.
base::Status check_entries(const AuditFiles& files, const LogState& state) {
    const auto file = files.path(state.file);
    const bool whole = state.size <= small_file;
    SP_TRY(return, const auto text, read_from(file, whole ? 0 : state.head_at, state.size));
    auto seq = state.head_seq;
    auto hash = state.head_hash;
    bool first = whole;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = rest.find('\n');
        const auto line = parse_audit_line(rest.substr(0, end));
        if (line && first) {
            seq = line->seq - 1;
            hash = line->prev;
        }
        first = false;
        ++seq;
        if (end == rest.npos || !line || line->seq != seq || line->prev != hash)
            return damaged_log(file, fmt::format("does not verify at entry {}", seq));
        hash = line->hash;
        rest.remove_prefix(end + 1);
    }
    if (seq == state.seq && hash == state.hash) return {};
    return damaged_log(file, fmt::format("ends with entry {}, and {} is known", seq, state.seq));
}

}  // namespace

base::Status check_before_repair(const AuditFiles& files, const LogState& state,
                                 const std::vector<Outbox>& outbox) {
    std::vector<std::uint64_t> seen;
    for (const auto& row : outbox) {
        const auto file = files.path(row.file);
        const auto size = size_of(file);
        if (std::ranges::find(seen, row.file) == seen.end() && size < row.at)
            return damaged_log(file,
                               fmt::format("ends after {} octets, at least {} are known", size, row.at));
        seen.push_back(row.file);
        if (size <= row.at) continue;
        const auto end = std::min<std::uint64_t>(size, row.at + row.text.size());
        SP_TRY(return, const auto there, read_from(file, row.at, end));
        if (!is_beginning(there, row.text))
            return damaged_log(file, fmt::format("was changed behind octet {}", row.at));
    }
    if (std::ranges::find(seen, state.file) == seen.end())
        if (auto fine = check_size(files.path(state.file), state.size); !fine) return fine;
    return {};
}

base::Result<std::string> check_tail(const AuditFiles& files, const LogState& state,
                                     const pki::PublicKey& audit_key) {
    if (auto fine = check_size(files.path(state.file), state.size); !fine)
        return std::unexpected(fine.error());
    SP_TRY(return, auto line, check_newest_head(files, state, audit_key));
    if (auto fine = check_entries(files, state); !fine) return std::unexpected(fine.error());
    return line;
}

}  // namespace ca
