// SPDX-License-Identifier: Apache-2.0
#include "ca/rollover.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <set>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/inventory_reader.hpp"
#include "ca/layout.hpp"
#include "ca/rollover_files.hpp"

namespace ca {
namespace {

constexpr std::size_t most_named = 20;

constexpr std::array<std::pair<Rollover::Step, std::string_view>, 3> step_names{
    {{Rollover::Step::prepared, "prepared"},
     {Rollover::Step::switched, "switched"},
     {Rollover::Step::retired, "retired"}}};

base::Result<pki::Certificate> read_certificate(const Path& file) {
    SP_TRY(return, const auto pem, base::read_file(file, "CA certificate"));
    return pki::Certificate::from_pem(pem, "CA certificate " + file.string());
}

/// Counts what was issued before `since` and still is somewhere: valid, not revoked, not replaced.
base::Status count_waiting(const Path& data, base::Instant since, base::Instant now, RolloverStatus& status) {
    SP_TRY(return, const auto reader, InventoryReader::open(data));
    std::set<std::string> devices;
    Ledger::Wish wish{.expiring_within = std::chrono::days{100 * 366}};
    while (true) {
        SP_TRY(return, const auto page, reader.list(wish, now));
        for (const auto& entry : page) {
            const bool ca =
                entry.profile == pki::Profile::root || entry.profile == pki::Profile::intermediate;
            if (ca || entry.issued_at >= since || entry.revocation || entry.replaced_by) continue;
            ++status.waiting;
            status.latest_end = entry.not_after;
            if (devices.size() < most_named) devices.insert(entry.device);
        }
        if (page.size() < wish.most) break;
        wish.after = page.back().serial;
    }
    status.devices.assign(devices.begin(), devices.end());
    return {};
}

}  // namespace

std::string rollover_text(const Rollover& rollover) {
    std::string_view step = "none";
    for (const auto& [each, name] : step_names)
        if (each == rollover.step) step = name;
    return boost::json::serialize(boost::json::object{{"step", step},
                                                      {"from", rollover.from},
                                                      {"to", rollover.to},
                                                      {"prepared", base::format_rfc3339(rollover.prepared)},
                                                      {"switched", base::format_rfc3339(rollover.switched)},
                                                      {"retired", base::format_rfc3339(rollover.retired)}}) +
           "\n";
}

base::Result<Rollover> read_rollover(const std::filesystem::path& data) {
    const auto file = rollover_file(data);
    Rollover rollover;
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return rollover;
    SP_TRY(return, const auto text, base::read_file(file, "rollover"));
    boost::system::error_code error;
    const auto value = boost::json::parse(text, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto member = [&](const char* name) -> std::string {
        const auto* found = object ? object->if_contains(name) : nullptr;
        return found && found->is_string() ? std::string(found->get_string()) : std::string{};
    };
    for (const auto& [step, name] : step_names)
        if (member("step") == name) rollover.step = step;
    rollover.from = member("from");
    rollover.to = member("to");
    const auto prepared = base::parse_rfc3339(member("prepared"));
    const auto switched = base::parse_rfc3339(member("switched"));
    const auto retired = base::parse_rfc3339(member("retired"));
    if (rollover.step == Rollover::Step::none || !check_ca_name(rollover.from) ||
        !check_ca_name(rollover.to) || !prepared || !switched || !retired)
        return base::fail(base::Code::malformed, "file " + file.string(),
                          "does not tell where a rollover stands", "put it back from a backup");
    rollover.prepared = *prepared;
    rollover.switched = *switched;
    rollover.retired = *retired;
    return rollover;
}

base::Result<RolloverCertificates> load_rollover(const std::filesystem::path& data, const Rollover& rollover,
                                                 base::Instant now) {
    SP_TRY(return, auto old_root, read_certificate(certificate_file(data, rollover.from)));
    SP_TRY(return, auto new_root, read_certificate(certificate_file(data, rollover.to)));
    SP_TRY(return, auto old_with_new, read_certificate(cross_file(data, rollover.from, rollover.to)));
    SP_TRY(return, auto new_with_old, read_certificate(cross_file(data, rollover.to, rollover.from)));
    if (rollover.step == Rollover::Step::retired) {
        RolloverCertificates after{new_root, std::nullopt, {}};
        if (now < old_root.not_after()) after.published.push_back(old_with_new);
        after.published.push_back(new_root);
        return after;
    }
    const bool switched = rollover.step == Rollover::Step::switched;
    RolloverCertificates now_valid{
        switched ? new_root : old_root, std::nullopt, {new_with_old, old_with_new, old_root, new_root}};
    if (switched) now_valid.above = new_with_old;
    return now_valid;
}

base::Result<RolloverStatus> rollover_status(const std::filesystem::path& data, base::Instant now) {
    RolloverStatus status;
    SP_TRY(return, status.rollover, read_rollover(data));
    switch (status.rollover.step) {
        case Rollover::Step::none:
        case Rollover::Step::retired:
            status.next = "prepare";
            return status;
        case Rollover::Step::prepared:
            status.next = "switch";
            if (auto done = count_waiting(data, status.rollover.prepared, now, status); !done)
                return std::unexpected(done.error());
            return status;
        case Rollover::Step::switched:
            status.next = "retire";
            if (auto done = count_waiting(data, status.rollover.switched, now, status); !done)
                return std::unexpected(done.error());
            return status;
    }
    return status;
}

std::string next_root_name(const std::string& name) {
    const auto mark = name.rfind(" G");
    unsigned generation = 1;
    if (mark != name.npos) {
        const auto* end = name.data() + name.size();
        const auto [at, error] = std::from_chars(name.data() + mark + 2, end, generation);
        if (error == std::errc{} && at == end && generation < 1000)
            return fmt::format("{} G{}", name.substr(0, mark), generation + 1);
    }
    return name + " G2";
}

}  // namespace ca
