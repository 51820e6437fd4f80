// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/config.hpp"

// Whatever the bytes, reading a configuration ends in values or in an error with a place.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    auto table = base::ConfigTable::parse({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
    if (!table) return table.error().thing.empty() ? __builtin_trap(), 0 : 0;
    for (const auto& key : table->keys()) {
        if (auto inner = table->table(key))
            (void)inner->keys();
        else if (!table->string(key))
            (void)table->strings(key);
    }
    (void)table->integer("hostname", 0, 10);
    table->merge(base::ConfigTable::empty("other.toml"));
    (void)table->finish();
    return 0;
}
