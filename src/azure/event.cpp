// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <cassert>
#include <limits>

#include "azure/json_text.hpp"
#include "azure/message.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

namespace json = boost::json;

// What is nested deeper is shown as text: no reader of ours or of others is made to recurse.
constexpr std::size_t deepest_payload = 64;

std::string json_string(std::string_view text) {
    return json::serialize(json::string_view(text.data(), text.size()));
}

/// The value as the device wrote it, on one line. Numbers stay digit for digit, which a parsed value would
/// lose.
std::string without_white_space(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    bool in_string = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (in_string) {
            out += c;
            if (c == '\\') out += value[++i];
            if (c == '"') in_string = false;
        } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            out += c;
            in_string = c == '"';
        }
    }
    return out;
}

std::string payload_json(const base::Bytes& body) {
    const auto text = base::as_text(body);
    if (is_json(text, deepest_payload)) return without_white_space(text);
    if (base::is_utf8(text)) return json_string(text);
    return json_string(base::to_base64(body));
}

std::string properties_json(const Properties& properties) {
    std::string out = "{";
    for (const auto& [name, value] : properties) {
        if (out.size() > 1) out += ',';
        out += json_string(name) + ':' + (value ? json_string(*value) : "null");
    }
    return out + '}';
}

constexpr std::byte version{1};

class Writer {
  public:
    void size(std::size_t value) {
        assert(value <= std::numeric_limits<std::uint32_t>::max());
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::byte>(value >> shift & 255));
    }
    void data(std::span<const std::byte> value) {
        size(value.size());
        bytes.insert(bytes.end(), value.begin(), value.end());
    }
    void text(std::string_view value) { data(base::as_bytes(value)); }
    void properties(const Properties& list) {
        size(list.size());
        for (const auto& [name, value] : list) {
            text(name);
            bytes.push_back(value ? std::byte{1} : std::byte{0});
            if (value) text(*value);
        }
    }
    base::Bytes bytes;
};

class Reader {
  public:
    explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

    static std::unexpected<base::Error> fail(std::string reason) {
        return base::fail(base::Code::malformed, "stored event", std::move(reason));
    }
    base::Result<std::byte> byte() {
        if (rest_.empty()) return fail("is cut");
        const auto value = rest_[0];
        rest_ = rest_.subspan(1);
        return value;
    }
    base::Result<std::size_t> size() {
        if (rest_.size() < 4) return fail("is cut");
        std::size_t value = 0;
        for (int i = 0; i < 4; ++i)
            value = value << 8 | std::to_integer<std::size_t>(rest_[static_cast<std::size_t>(i)]);
        rest_ = rest_.subspan(4);
        return value;
    }
    base::Result<std::span<const std::byte>> data() {
        SP_TRY(return, const auto length, size());
        if (length > rest_.size()) return fail("is cut");
        const auto found = rest_.first(length);
        rest_ = rest_.subspan(length);
        return found;
    }
    base::Result<std::string> text() {
        SP_TRY(return, const auto found, data());
        return std::string(base::as_text(found));
    }
    base::Result<Properties> properties() {
        SP_TRY(return, const auto count, size());
        Properties list;
        for (std::size_t i = 0; i < count; ++i) {
            SP_TRY(return, auto name, text());
            SP_TRY(return, const auto present, byte());
            if (present > std::byte{1}) return fail("has a property that is neither null nor a text");
            std::optional<std::string> value;
            if (present == std::byte{1}) {
                SP_TRY(return, value, text());
            }
            list.emplace_back(std::move(name), std::move(value));
        }
        return list;
    }
    bool empty() const { return rest_.empty(); }

  private:
    std::span<const std::byte> rest_;
};

}  // namespace

std::string event_json(const Event& event, ShowProperties show, std::optional<std::uint64_t> offset) {
    auto out = "{\"event\":{\"origin\":" + json_string(event.origin.device) +
               ",\"module\":" + json_string(event.origin.module) +
               ",\"payload\":" + payload_json(event.message.body);
    if (show == ShowProperties::all) {
        out += ",\"properties\":{\"system\":" + properties_json(event.message.system) +
               ",\"annotations\":" + properties_json(event.annotations) +
               ",\"application\":" + properties_json(event.message.application) + '}';
    }
    out += '}';
    if (offset) out += ",\"offset\":" + std::to_string(*offset);
    return out + '}';
}

base::Bytes encode_event(const Event& event) {
    Writer writer;
    writer.bytes.reserve(event.message.body.size() + 512);
    writer.bytes.push_back(version);
    writer.text(event.origin.device);
    writer.text(event.origin.module);
    writer.properties(event.message.system);
    writer.properties(event.message.application);
    writer.properties(event.annotations);
    writer.data(event.message.body);
    return std::move(writer.bytes);
}

base::Result<Event> decode_event(std::span<const std::byte> bytes) {
    Reader reader(bytes);
    SP_TRY(return, const auto found, reader.byte());
    if (found != version)
        return Reader::fail("has version " + std::to_string(std::to_integer<int>(found)) + ", not 1");
    Event event;
    SP_TRY(return, event.origin.device, reader.text());
    SP_TRY(return, event.origin.module, reader.text());
    SP_TRY(return, event.message.system, reader.properties());
    SP_TRY(return, event.message.application, reader.properties());
    SP_TRY(return, event.annotations, reader.properties());
    SP_TRY(return, const auto body, reader.data());
    event.message.body.assign(body.begin(), body.end());
    if (!reader.empty()) return Reader::fail("has bytes behind its last field");
    return event;
}

}  // namespace azure
