// SPDX-License-Identifier: Apache-2.0
#include "edge/est_record.hpp"

#include <boost/json/serialize.hpp>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/json.hpp"
#include "edge/kept_files.hpp"
#include "edge/paths.hpp"

namespace edge {
namespace {

std::filesystem::path record_file(const std::filesystem::path& directory, std::string_view id) {
    return directory / (file_stem(id) + ".json");
}

base::Result<base::Instant> time_member(const json::value& from, std::string_view name) {
    SP_TRY(return, const auto text, text_member(from, name));
    return base::parse_rfc3339(text);
}

base::Result<EstRecord> parse_record(std::string_view text) {
    SP_TRY(return, const auto document, parse_json(text, "EST record"));
    EstRecord out;
    SP_TRY(return, out.id, text_member(document, "id"));
    SP_TRY(return, out.url, text_member(document, "url"));
    SP_TRY(return, const auto kind, text_member(document, "kind"));
    SP_TRY(return, out.why.thing, text_member(document, "thing"));
    SP_TRY(return, out.why.reason, text_member(document, "reason"));
    SP_TRY(return, out.why.fix, text_member(document, "fix"));
    SP_TRY(return, out.last, time_member(document, "last"));
    SP_TRY(return, out.next, time_member(document, "next"));
    SP_TRY(return, out.request, text_member(document, "request"));
    const auto known = est::parse_failure(kind);
    const auto* failures = document.as_object().if_contains("failures");
    if (!known || !failures || !failures->is_int64())
        return base::fail(base::Code::malformed, "EST record", "has an unknown kind or no count");
    out.kind = *known;
    out.why.code = base::Code::rate_limited;
    out.failures = static_cast<int>(failures->get_int64());
    return out;
}

}  // namespace

std::filesystem::path est_record_directory(const std::filesystem::path& home) {
    return home / "est";
}

base::Status write_est_record(const std::filesystem::path& directory, const EstRecord& record) {
    const json::object document{{"id", record.id},
                                {"url", record.url},
                                {"kind", est::to_string(record.kind)},
                                {"thing", record.why.thing},
                                {"reason", record.why.reason},
                                {"fix", record.why.fix},
                                {"failures", record.failures},
                                {"last", base::format_rfc3339(record.last)},
                                {"next", base::format_rfc3339(record.next)},
                                {"request", record.request}};
    return base::write_atomically(record_file(directory, record.id), json::serialize(document) + "\n",
                                  base::secret_mode);
}

base::Status remove_est_record(const std::filesystem::path& directory, std::string_view id) {
    return remove_durably(record_file(directory, id), "EST record");
}

std::vector<EstRecord> read_est_records(const std::filesystem::path& directory) {
    std::vector<EstRecord> out;
    std::error_code why;
    for (const auto& entry : std::filesystem::directory_iterator(directory, why)) {
        if (entry.path().extension() != ".json") continue;
        const auto text = base::read_file(entry.path(), "EST record");
        if (!text) continue;
        if (auto record = parse_record(*text)) out.push_back(*std::move(record));
    }
    return out;
}

}  // namespace edge
