// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_error.hpp"

#include <sqlite3.h>

namespace store {

std::unexpected<base::Error> sqlite_error(const std::string& file, int extended_code, std::string_view text) {
    const auto thing = "database " + file;
    const auto fail = [&](base::Code code, std::string_view doing, std::string fix = {}) {
        return base::fail(code, thing, std::string(doing) + ": " + std::string(text), std::move(fix));
    };
    switch (extended_code & 0xff) {
        case SQLITE_FULL:
            return fail(base::Code::disk_full, "has no space left to write", "free disk space");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return fail(base::Code::unavailable, "is locked", "end the other process that uses it");
        case SQLITE_CONSTRAINT:
            if (extended_code == SQLITE_CONSTRAINT_UNIQUE || extended_code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                extended_code == SQLITE_CONSTRAINT_ROWID)
                return fail(base::Code::already_exists, "holds such a row already");
            return fail(base::Code::invalid_argument, "refuses the row");
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return fail(base::Code::permission_denied, "may not be written", "check its owner and mode");
        case SQLITE_CANTOPEN:
            return fail(base::Code::io, "could not be opened", "check its directory's owner and mode");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return fail(base::Code::io, "is damaged", "restore it from a backup");
        default:
            return fail(base::Code::io, "failed");
    }
}

}  // namespace store
