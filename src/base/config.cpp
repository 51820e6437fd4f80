// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <toml.hpp>
#include <variant>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace base {

struct ConfigTable::Node {
    using Array = std::vector<std::shared_ptr<Node>>;
    using Table = std::map<std::string, std::shared_ptr<Node>, std::less<>>;
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table> value;
    std::string path;
    std::size_t line = 0;
    std::string file;
    std::set<std::string, std::less<>> asked;
};

struct ConfigTable::Shared {
    std::vector<std::string> problems;
    std::vector<std::shared_ptr<Node>> roots;
};

namespace {

constexpr std::size_t largest_document = 1024 * 1024;
// toml11 descends by recursion; a document that nests deeper than any configuration does is refused first.
constexpr int deepest_nesting = 64;

std::string_view type_name(std::size_t index) {
    static constexpr std::string_view names[] = {"a date",   "a boolean", "an integer", "a number",
                                                 "a string", "an array",  "a table"};
    return names[index];
}

bool nests_too_deep(std::string_view text) {
    int depth = 0;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') quote = 0;
        if (quote != 0) {
            if (c == '\\' && quote == '"')
                ++i;
            else if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest_nesting) return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return false;
}

// Dotted keys nest too, without a bracket.
bool has_long_dotted_key(std::string_view text) {
    for (const auto line : split(text, '\n')) {
        const auto key = line.substr(0, line.find_first_of("=#\"'"));
        if (std::ranges::count(key, '.') > deepest_nesting) return true;
    }
    return false;
}

}  // namespace

namespace {

template <class Node>
std::shared_ptr<Node> convert(const toml::value& from, const std::string& path, const std::string& file) {
    auto node = std::make_shared<Node>();
    node->path = path;
    node->file = file;
    node->line = from.location().line();
    switch (from.type()) {
        case toml::value_t::boolean:
            node->value = from.as_boolean();
            break;
        case toml::value_t::integer:
            node->value = static_cast<std::int64_t>(from.as_integer());
            break;
        case toml::value_t::floating:
            node->value = static_cast<double>(from.as_floating());
            break;
        case toml::value_t::string:
            node->value = static_cast<std::string>(from.as_string());
            break;
        case toml::value_t::array: {
            typename Node::Array array;
            for (const auto& item : from.as_array())
                array.push_back(convert<Node>(item, fmt::format("{}[{}]", path, array.size()), file));
            node->value = std::move(array);
            break;
        }
        case toml::value_t::table: {
            typename Node::Table table;
            for (const auto& [key, item] : from.as_table())
                table.emplace(key, convert<Node>(item, path.empty() ? key : path + "." + key, file));
            node->value = std::move(table);
            break;
        }
        default:
            break;
    }
    return node;
}

}  // namespace

ConfigTable::ConfigTable(std::shared_ptr<Shared> shared, std::shared_ptr<Node> node)
    : shared_(std::move(shared)), node_(std::move(node)) {}

Result<ConfigTable> ConfigTable::parse(std::string_view text, std::string name) {
    const std::string thing = "configuration " + name;
    if (text.size() > largest_document) return fail(Code::too_large, thing, "is larger than 1 MiB");
    if (text.find('\0') != std::string_view::npos) return fail(Code::malformed, thing, "contains a NUL byte");
    if (!is_utf8(text)) return fail(Code::malformed, thing, "is not UTF-8", "save it as UTF-8");
    if (nests_too_deep(text) || has_long_dotted_key(text))
        return fail(Code::malformed, thing, fmt::format("nests deeper than {} levels", deepest_nesting));
    try {
        std::istringstream stream{std::string(text)};
        const auto document = toml::parse(stream, name);
        auto shared = std::make_shared<Shared>();
        auto node = convert<Node>(document, "", name);
        if (!std::holds_alternative<Node::Table>(node->value)) node->value = Node::Table{};
        shared->roots.push_back(node);
        return ConfigTable(shared, node);
    } catch (const toml::exception& e) {
        std::string said = e.what();
        if (const auto bracket = said.find("[error] "); bracket != std::string::npos)
            said.erase(0, bracket + 8);
        said = said.substr(0, said.find('\n'));
        const auto line = e.location().line();
        return fail(Code::malformed, thing, fmt::format("is not TOML, line {}: {}", line, said));
    } catch (const std::exception& e) {
        return fail(Code::malformed, thing, fmt::format("is not TOML: {}", e.what()));
    }
}

Result<ConfigTable> ConfigTable::read(const std::filesystem::path& file) {
    SP_TRY(return, const auto text, read_file(file, "configuration", largest_document));
    return parse(text, file.string());
}

ConfigTable ConfigTable::empty(std::string name) {
    auto shared = std::make_shared<Shared>();
    auto node = std::make_shared<Node>();
    node->value = Node::Table{};
    node->file = std::move(name);
    shared->roots.push_back(node);
    return {shared, node};
}

void ConfigTable::merge(ConfigTable later) {
    const auto join = [](const auto& self, Node& into, const Node& from) -> void {
        auto* mine = std::get_if<Node::Table>(&into.value);
        const auto* theirs = std::get_if<Node::Table>(&from.value);
        if (!mine || !theirs) return;
        for (const auto& [key, node] : *theirs) {
            const auto found = mine->find(key);
            if (found == mine->end()) {
                mine->emplace(key, node);
            } else if (found->second->value.index() == node->value.index() &&
                       std::holds_alternative<Node::Table>(node->value)) {
                self(self, *found->second, *node);
            } else if (auto* array = std::get_if<Node::Array>(&found->second->value);
                       array && std::holds_alternative<Node::Array>(node->value)) {
                const auto& more = std::get<Node::Array>(node->value);
                array->insert(array->end(), more.begin(), more.end());
            } else {
                found->second = node;
            }
        }
    };
    join(join, *node_, *later.node_);
}

ConfigTable::Node* ConfigTable::find(std::string_view key) {
    node_->asked.emplace(key);
    auto& table = std::get<Node::Table>(node_->value);
    const auto found = table.find(key);
    return found == table.end() ? nullptr : found->second.get();
}

std::string ConfigTable::full(std::string_view key) const {
    return node_->path.empty() ? std::string(key) : node_->path + "." + std::string(key);
}

const std::string& ConfigTable::path() const {
    return node_->path;
}

bool ConfigTable::known(std::string_view key) {
    return find(key) != nullptr;
}

ConfigTable::Kind ConfigTable::kind(std::string_view key) {
    const auto* node = find(key);
    if (!node) return Kind::absent;
    if (std::holds_alternative<std::string>(node->value)) return Kind::text;
    if (std::holds_alternative<Node::Array>(node->value)) return Kind::array;
    if (std::holds_alternative<Node::Table>(node->value)) return Kind::table;
    return Kind::other;
}

void ConfigTable::complain(std::string_view key, std::string reason, std::string fix) {
    const auto* node = find(key);
    std::string line =
        fmt::format("{}{}: {} {}", node ? node->file : node_->file,
                    node && node->line ? fmt::format(" line {}", node->line) : "", full(key), reason);
    if (!fix.empty()) line += ": " + fix;
    shared_->problems.push_back(std::move(line));
}

std::optional<std::string> ConfigTable::string(std::string_view key) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    if (const auto* value = std::get_if<std::string>(&node->value)) return *value;
    complain(key, fmt::format("is {} and must be a string", type_name(node->value.index())));
    return std::nullopt;
}

std::optional<std::int64_t> ConfigTable::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    if (const auto* value = std::get_if<std::int64_t>(&node->value)) {
        if (*value >= least && *value <= most) return *value;
        complain(key, fmt::format("is {} and must be from {} to {}", *value, least, most));
        return std::nullopt;
    }
    complain(key, fmt::format("is {} and must be an integer", type_name(node->value.index())));
    return std::nullopt;
}

std::optional<bool> ConfigTable::boolean(std::string_view key) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    if (const auto* value = std::get_if<bool>(&node->value)) return *value;
    complain(key, fmt::format("is {} and must be true or false", type_name(node->value.index())));
    return std::nullopt;
}

std::optional<std::vector<std::string>> ConfigTable::strings(std::string_view key) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    const auto* array = std::get_if<Node::Array>(&node->value);
    std::vector<std::string> values;
    bool all = array != nullptr;
    if (array)
        for (const auto& item : *array) {
            if (const auto* value = std::get_if<std::string>(&item->value))
                values.push_back(*value);
            else
                all = false;
        }
    if (all) return values;
    complain(key, "must be an array of strings");
    return std::nullopt;
}

std::optional<ConfigTable> ConfigTable::table(std::string_view key) {
    node_->asked.emplace(key);
    auto& entries = std::get<Node::Table>(node_->value);
    const auto found = entries.find(key);
    if (found == entries.end()) return std::nullopt;
    if (std::holds_alternative<Node::Table>(found->second->value)) return ConfigTable(shared_, found->second);
    complain(key, fmt::format("is {} and must be a table", type_name(found->second->value.index())));
    return std::nullopt;
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key) {
    std::vector<ConfigTable> all;
    const auto* node = find(key);
    if (!node) return all;
    const auto* array = std::get_if<Node::Array>(&node->value);
    if (!array) {
        complain(key, fmt::format("must be an array of tables: write [[{}]]", full(key)));
        return all;
    }
    for (const auto& item : *array) {
        if (std::holds_alternative<Node::Table>(item->value))
            all.push_back(ConfigTable(shared_, item));
        else
            complain(key, "must be an array of tables");
    }
    return all;
}

std::vector<std::string> ConfigTable::keys() const {
    std::vector<std::string> all;
    for (const auto& [key, node] : std::get<Node::Table>(node_->value)) all.push_back(key);
    return all;
}

Status ConfigTable::finish() const {
    std::vector<std::string> problems = shared_->problems;
    const auto look = [&](const auto& self, const Node& node) -> void {
        if (const auto* array = std::get_if<Node::Array>(&node.value)) {
            for (const auto& item : *array) self(self, *item);
            return;
        }
        const auto* table = std::get_if<Node::Table>(&node.value);
        if (!table) return;
        const std::vector<std::string> known(node.asked.begin(), node.asked.end());
        for (const auto& [key, child] : *table) {
            if (node.asked.contains(key)) {
                self(self, *child);
                continue;
            }
            const auto near = nearest(key, known);
            problems.push_back(fmt::format("{} line {}: {} is not a known key{}", child->file, child->line,
                                           child->path,
                                           near.empty() ? "" : fmt::format(": did you mean {}?", near)));
        }
    };
    for (const auto& root : shared_->roots) look(look, *root);
    if (problems.empty()) return {};
    std::string all;
    for (const auto& problem : problems) all += (all.empty() ? "" : "\n") + problem;
    return fail(Code::invalid_argument, "configuration", "is not usable\n" + all);
}

}  // namespace base
