// SPDX-License-Identifier: Apache-2.0
#include "hub/query_scan.hpp"

#include <boost/json.hpp>

#include "azure/json_text.hpp"
#include "azure/twin.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "hub/presence.hpp"
#include "hub/query.hpp"
#include "pki/digest.hpp"

namespace hub {

namespace {

namespace json = boost::json;

constexpr std::size_t twins_a_step = 5'000;  // some tens of milliseconds
constexpr std::size_t twins_a_read = 200;    // held in memory at once
constexpr std::size_t octets_a_step = 4 * 1024 * 1024;
constexpr std::string_view version = "1";

/// Ties a token to its query; not a secret, who may query may query everything.
std::string mark_of(std::string_view query) {
    const auto digest = pki::sha256(base::as_bytes(query));
    return base::to_hex(std::span(digest).first(8));
}

/// The least id behind `id`.
std::string behind(const std::string& id) {
    return id + '\x01';
}

struct TwinView {
    trust::Identity identity;
    json::object document;  ///< as the service API shows it; empty: deleted since its identity was read
};

template <class Document>
base::Result<TwinView> view_twin(registry::Reader& reader, const Services& services, Document shown) {
    show_presence(shown, services);
    const auto& identity = shown.record.identity;
    SP_TRY(return, const auto twin, reader.twin(identity));
    if (!twin) return TwinView{identity, {}};
    return TwinView{identity, azure::to_value(*twin, shown)};
}

/// The twins of the query's source behind `after`, each with its identity.
base::Result<std::vector<TwinView>> read_twins(registry::Reader& reader, const Services& services,
                                               const azure::Query& query, const trust::Identity& after) {
    const auto ids = query.ids();
    std::vector<TwinView> out;
    if (query.source() == azure::QuerySource::devices) {
        const auto first = after.device.empty() ? ids.first : std::max(ids.first, behind(after.device));
        SP_TRY(return, const auto devices, reader.devices(first, ids.last, twins_a_read));
        for (const auto& device : devices) {
            SP_TRY(return, auto view, view_twin(reader, services, device));
            out.push_back(std::move(view));
        }
        return out;
    }
    // Behind (X, "") come all modules of X, and those of ids behind X.
    const auto from = after < trust::Identity{ids.first, {}} ? trust::Identity{ids.first, {}} : after;
    SP_TRY(return, const auto modules, reader.modules_behind(from, ids.last, twins_a_read));
    for (const auto& module : modules) {
        SP_TRY(return, auto view, view_twin(reader, services, module));
        out.push_back(std::move(view));
    }
    return out;
}

/// `back`: stop, and begin with this twin again.
enum class Go { on, stop, back };

/// Shows the twins from `step.position` on to `look`, until it says stop or the step has done its part.
template <class Look>
base::Status walk(registry::Reader& reader, const Services& services, const azure::Query& query,
                  QueryStep& step, Look look) {
    if (query.ids().empty()) {
        step.finished = true;
        return {};
    }
    for (std::size_t seen = 0; seen < twins_a_step; seen += twins_a_read) {
        SP_TRY(return, const auto twins, read_twins(reader, services, query, step.position.after));
        for (const auto& twin : twins) {
            if (twin.document.empty()) continue;
            SP_TRY(return, const Go go, look(twin.document));
            if (go == Go::back) return {};
            step.position.after = twin.identity;
            if (go == Go::stop) return {};
        }
        if (twins.size() < twins_a_read) {
            step.finished = true;
            return {};
        }
    }
    return {};
}

}  // namespace

std::string QueryPosition::token(std::string_view query) const {
    const auto text = std::string(version) + "/" + mark_of(query) + "/" +
                      (left ? std::to_string(*left) : std::string()) + "/" + after.device + "/" +
                      after.module;
    return base::to_base64(base::as_bytes(text));
}

base::Result<QueryPosition> QueryPosition::parse(std::string_view token, std::string_view query) {
    const auto bad = [](std::string reason) {
        return base::fail(base::Code::invalid_argument, "x-ms-continuation", std::move(reason),
                          "send it as the page before had it, with the same query");
    };
    const auto octets = base::from_base64(token);
    if (!octets) return bad("is no continuation token");
    // No id holds a slash.
    const auto parts = base::split(base::as_text(*octets), '/');
    if (parts.size() != 5 || parts[0] != version) return bad("is no continuation token of this hub");
    if (parts[1] != mark_of(query)) return bad("belongs to another query");
    QueryPosition position;
    position.after = {std::string(parts[3]), std::string(parts[4])};
    if (!parts[2].empty()) {
        position.left = to_number<std::uint64_t>(parts[2]);
        if (!position.left) return bad("is no continuation token of this hub");
    }
    return position;
}

base::Result<QueryStep> scan(registry::Reader& reader, const Services& services, const azure::Query& query,
                             QueryPosition from, std::size_t most) {
    QueryStep step;
    step.position = std::move(from);
    if (step.position.left == 0U) {
        step.finished = true;
        return step;
    }
    auto& left = step.position.left;
    auto walked = walk(reader, services, query, step, [&](const json::object& twin) -> base::Result<Go> {
        if (!query.matches(twin)) return Go::on;
        // A full page ends where the next one begins, so that the last page knows that it is the last.
        if (step.count == most || step.rows.size() >= octets_a_step) return Go::back;
        if (step.count > 0) step.rows += ',';
        step.rows += azure::json_text(query.selects_all() ? twin : query.project(twin));
        ++step.count;
        if (left && --*left == 0) {
            step.finished = true;
            return Go::stop;
        }
        return Go::on;
    });
    if (!walked) return std::unexpected(std::move(walked).error());
    return step;
}

base::Result<QueryStep> scan(registry::Reader& reader, const Services& services, const azure::Query& query,
                             QueryPosition from, azure::QueryGroups& groups) {
    QueryStep step;
    step.position = std::move(from);
    if (query.counts_everything()) {
        SP_TRY(return, const auto counts, reader.counts());
        groups.add_count(query.source() == azure::QuerySource::devices ? counts.devices : counts.modules);
        step.finished = true;
        return step;
    }
    auto walked = walk(reader, services, query, step, [&](const json::object& twin) -> base::Result<Go> {
        if (query.matches(twin))
            if (auto added = groups.add(twin); !added) return std::unexpected(added.error());
        return Go::on;
    });
    if (!walked) return std::unexpected(std::move(walked).error());
    return step;
}

}  // namespace hub
