// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ca/ledger.hpp"
#include "ca/readers.hpp"

namespace ca {

/// The inventory for those who only look: needs no lock, so it works beside `ca run`.
class InventoryReader {
  public:
    /// A CA without books yet has an empty inventory.
    static base::Result<InventoryReader> open(const std::filesystem::path& data);
    base::Result<std::vector<Entry>> list(const Ledger::Wish& wish, base::Instant now) const;
    base::Result<std::optional<Entry>> find(const std::string& serial) const;

  private:
    explicit InventoryReader(std::unique_ptr<Readers> readers) : readers_(std::move(readers)) {}
    std::unique_ptr<Readers> readers_;  ///< null where there is no inventory
};

}  // namespace ca
