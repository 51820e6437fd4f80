// SPDX-License-Identifier: Apache-2.0
#include "ca/inventory_reader.hpp"

#include "base/result.hpp"
#include "ca/inventory_rows.hpp"
#include "ca/layout.hpp"

namespace ca {

base::Result<InventoryReader> InventoryReader::open(const std::filesystem::path& data) {
    const auto file = inventory_file(data);
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return InventoryReader(nullptr);
    return InventoryReader(std::make_unique<Readers>(file));
}

base::Result<std::vector<Entry>> InventoryReader::list(const Ledger::Wish& wish, base::Instant now) const {
    std::vector<Entry> entries;
    if (!readers_) return entries;
    auto read = readers_->read([&](store::Database& database) -> base::Status {
        SP_TRY(return, entries, rows::list(database, wish, now));
        return {};
    });
    if (!read) return std::unexpected(read.error());
    return entries;
}

base::Result<std::optional<Entry>> InventoryReader::find(const std::string& serial) const {
    std::optional<Entry> entry;
    if (!readers_) return entry;
    auto read = readers_->read([&](store::Database& database) -> base::Status {
        SP_TRY(return, entry, rows::find(database, serial));
        return {};
    });
    if (!read) return std::unexpected(read.error());
    return entry;
}

}  // namespace ca
