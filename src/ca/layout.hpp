// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// Where things lie in a CA's data directory (docs/reference/ca.md).
namespace ca {

using Path = std::filesystem::path;

inline Path config_file(const Path& data) {
    return data / "ca.toml";
}
inline Path certificate_directory(const Path& data) {
    return data / "certs";
}
inline Path key_directory(const Path& data) {
    return data / "private";
}
/// The issuing CA first, the root last.
inline Path full_chain_file(const Path& data) {
    return data / "full-chain.pem";
}

/// What was issued, in SQLite.
inline Path inventory_file(const Path& data) {
    return data / "inventory.sqlite3";
}
inline Path audit_directory(const Path& data) {
    return data / "audit";
}
inline Path audit_heads_file(const Path& data) {
    return audit_directory(data) / "heads.jsonl";
}
/// Where `ca run` listens for commands.
inline Path admin_socket_file(const Path& data) {
    return data / "admin.sock";
}

inline Path certificate_file(const Path& data, std::string_view name) {
    return certificate_directory(data) / (std::string(name) + ".pem");
}
inline Path key_file(const Path& data, std::string_view name) {
    return key_directory(data) / (std::string(name) + ".key.pem");
}

/// Signs the heads of the audit log, and nothing else.
inline Path audit_key_file(const Path& data) {
    return key_directory(data) / "audit.key.pem";
}

}  // namespace ca
