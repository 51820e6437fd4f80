// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include "store/database_impl.hpp"

namespace store {

Statement::Statement(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Statement::Statement(Statement&&) noexcept = default;

Statement::~Statement() {
    if (impl_) impl_->cache->give_back(impl_->sql, std::move(impl_->prepared));
}

Statement& Statement::bind(int at, std::string_view text) {
    impl_->prepared->bind(at, std::string(text));
    return *this;
}

Statement& Statement::bind(int at, std::int64_t number) {
    impl_->prepared->bind(at, number);
    return *this;
}

Statement& Statement::bind(int at, std::span<const std::byte> blob) {
    // A null pointer would bind NULL in place of an empty blob.
    impl_->prepared->bind(at, blob.empty() ? static_cast<const void*>("") : blob.data(),
                          static_cast<int>(blob.size()));
    return *this;
}

Statement& Statement::bind_null(int at) {
    impl_->prepared->bind(at);
    return *this;
}

base::Result<bool> Statement::step() {
    const int code = impl_->prepared->tryExecuteStep();
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(impl_->cache->file, impl_->prepared->getExtendedErrorCode(),
                        impl_->prepared->getErrorMsg());
}

base::Result<int> Statement::run() {
    while (true) {
        auto row = step();
        if (!row) return std::unexpected(row.error());
        if (!*row) return impl_->prepared->getChanges();
    }
}

std::string Statement::text(int column) const {
    return impl_->prepared->getColumn(column).getString();
}
std::int64_t Statement::integer(int column) const {
    return impl_->prepared->getColumn(column).getInt64();
}
bool Statement::is_null(int column) const {
    return impl_->prepared->getColumn(column).isNull();
}

base::Bytes Statement::blob(int column) const {
    const auto value = impl_->prepared->getColumn(column);
    const auto* first = static_cast<const std::byte*>(value.getBlob());
    if (first == nullptr) return {};
    return {first, first + value.getBytes()};
}

}  // namespace store
