// SPDX-License-Identifier: Apache-2.0
#include "ca/audit_reader.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/audit_files.hpp"
#include "ca/inventory_rows.hpp"
#include "ca/layout.hpp"

namespace ca {
namespace {

/// Above what a file reaches before the next one begins: its last group of entries comes on top.
constexpr std::size_t longest_file = 256UL * 1024 * 1024;

std::uint64_t size_now(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    return error ? 0 : size;
}

bool each_line(std::string_view text, const std::function<bool(std::string_view)>& take) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (!take(text.substr(0, end))) return false;
        if (end == text.npos) break;
        text.remove_prefix(end + 1);
    }
    return true;
}

}  // namespace

base::Result<AuditReader> AuditReader::open(const std::filesystem::path& data) {
    const auto directory = audit_directory(data);
    std::error_code ignored;
    if (!std::filesystem::exists(inventory_file(data), ignored))
        return base::fail(
            base::Code::not_found, "data directory " + data.string(),
            "has no inventory to compare an audit log with",
            "the first command that writes makes it: sallyport ca issue --data " + data.string());
    // The files first: what is in them was in the database before, so nothing may be longer than it knows.
    std::map<std::uint64_t, std::uint64_t> sizes{{AuditFiles::heads, size_now(audit_heads_file(data))}};
    for (std::uint64_t file = 1; std::filesystem::exists(AuditFiles::path(directory, file), ignored); ++file)
        sizes[file] = size_now(AuditFiles::path(directory, file));
    SP_TRY(return, auto database,
                 store::Database::open(inventory_file(data), store::Database::Access::read_only,
                                       rows::schema()));
    AuditReader reader(directory, std::move(database));
    // One transaction for everything that is read from now on.
    if (auto begun = reader.database_->statement("BEGIN").run(); !begun)
        return std::unexpected(begun.error());
    SP_TRY(return, auto state, load_log_state(*reader.database_));
    if (!state)
        return base::fail(base::Code::not_found, "data directory " + data.string(), "has no audit log yet");
    reader.state_ = *std::move(state);
    SP_TRY(return, reader.outbox_, load_outbox(*reader.database_));
    reader.sizes_ = std::move(sizes);
    return reader;
}

base::Result<std::string> AuditReader::text_of(std::uint64_t file) const {
    const auto name = AuditFiles::path(directory_, file);
    std::string text;
    std::error_code ignored;
    if (std::filesystem::exists(name, ignored)) {
        SP_TRY(return, text, base::read_file(name, "audit log", longest_file));
    }
    const auto known = file == AuditFiles::heads ? state_.heads_size : state_.size;
    // What a running CA has added since the moment that is looked at.
    const auto seen = sizes_.find(file);
    if ((file == AuditFiles::heads || file == state_.file) && text.size() > known &&
        (seen == sizes_.end() || seen->second <= known))
        text.resize(known);
    for (const auto& row : outbox_)
        if (row.file == file && text.size() >= row.at && text.size() < row.at + row.text.size())
            text += row.text.substr(text.size() - row.at);
    return text;
}

base::Status AuditReader::each_entry(const std::function<bool(std::string_view)>& take) const {
    for (std::uint64_t file = 1; file <= state_.file; ++file) {
        SP_TRY(return, const auto text, text_of(file));
        if (!each_line(text, take)) break;
    }
    return {};
}

base::Status AuditReader::each_head(const std::function<bool(std::string_view)>& take) const {
    SP_TRY(return, const auto text, text_of(AuditFiles::heads));
    (void)each_line(text, take);
    return {};
}

std::optional<std::string> AuditReader::wrong_length() const {
    const auto judge = [&](std::uint64_t file, std::uint64_t known) -> std::optional<std::string> {
        const auto text = text_of(file);
        const auto name = AuditFiles::path(directory_, file).filename().string();
        if (!text) return text.error().text();
        if (text->size() < known)
            return fmt::format("{} ends after {} octets, {} are known", name, text->size(), known);
        if (text->size() > known)
            return fmt::format("{} goes on for {} octets behind its known end", name, text->size() - known);
        return std::nullopt;
    };
    if (auto wrong = judge(state_.file, state_.size)) return wrong;
    if (sizes_.contains(state_.file + 1))
        return fmt::format("there is a file of entries behind the newest that is known, {}",
                           AuditFiles::path({}, state_.file + 1).string());
    return judge(AuditFiles::heads, state_.heads_size);
}

}  // namespace ca
