// SPDX-License-Identifier: Apache-2.0
#include "edge/json.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <new>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace edge {
namespace {

std::unexpected<base::Error> missing(std::string_view name) {
    return base::fail(base::Code::malformed, "request body", fmt::format("has no member \"{}\"", name));
}

std::unexpected<base::Error> wrong(std::string_view name, std::string_view expected) {
    return base::fail(base::Code::malformed, "request body",
                      fmt::format("member \"{}\" must be {}", name, expected));
}

const json::value* find(const json::value& from, std::string_view name) {
    const auto* object = from.if_object();
    const auto* value = object ? object->if_contains(name) : nullptr;
    return value && !value->is_null() ? value : nullptr;
}

class WipingMemory final : public json::memory_resource {
    void* do_allocate(std::size_t size, std::size_t alignment) override {
        return ::operator new(size, std::align_val_t{alignment});
    }
    void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override {
        base::wipe(memory, size);
        ::operator delete(memory, std::align_val_t{alignment});
    }
    bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

json::storage_ptr wiping() {
    static WipingMemory memory;
    return json::storage_ptr(&memory);
}

base::Result<json::value> parse_json(std::string_view text, std::string thing) {
    boost::system::error_code why;
    auto value = json::parse({text.data(), text.size()}, why, wiping());
    if (why) return base::fail(base::Code::malformed, std::move(thing), "is not JSON: " + why.message());
    return value;
}

base::Result<std::optional<std::string>> optional_text_member(const json::value& from,
                                                              std::string_view name) {
    const auto* value = find(from, name);
    if (!value) return std::nullopt;
    if (!value->is_string()) return wrong(name, "a string");
    return std::string(value->get_string());
}

base::Result<std::string> text_member(const json::value& from, std::string_view name) {
    SP_TRY(return, auto found, optional_text_member(from, name));
    if (!found) return missing(name);
    return *std::move(found);
}

base::Result<std::optional<base::Bytes>> optional_base64_member(const json::value& from,
                                                                std::string_view name) {
    const auto* found = find(from, name);
    if (!found) return std::nullopt;
    if (!found->is_string()) return wrong(name, "a string");
    // Straight from the document, whose memory is wiped: the text may be that of a key.
    const auto& text = found->get_string();
    auto bytes = base::from_base64(std::string_view(text.data(), text.size()));
    if (!bytes) return wrong(name, "base64");
    return bytes;
}

base::Result<base::Bytes> base64_member(const json::value& from, std::string_view name) {
    SP_TRY(return, auto found, optional_base64_member(from, name));
    if (!found) return missing(name);
    return *std::move(found);
}

bool has_member(const json::value& from, std::string_view name) {
    return find(from, name) != nullptr;
}

base::Result<json::value> object_member(const json::value& from, std::string_view name) {
    const auto* value = find(from, name);
    if (!value) return missing(name);
    if (!value->is_object()) return wrong(name, "an object");
    return json::value(*value, wiping());
}

}  // namespace edge
