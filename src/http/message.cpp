// SPDX-License-Identifier: Apache-2.0
#include "http/message.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace http {

std::string_view to_string(Verb verb) {
    switch (verb) {
        case Verb::get:
            return "GET";
        case Verb::head:
            return "HEAD";
        case Verb::post:
            return "POST";
        case Verb::put:
            return "PUT";
        case Verb::patch:
            return "PATCH";
        case Verb::delete_:
            return "DELETE";
        case Verb::options:
            return "OPTIONS";
        case Verb::other:
            return "OTHER";
    }
    return "OTHER";
}

void Headers::set(std::string_view name, std::string value) {
    const auto same = [&](const auto& field) { return base::equal_ignoring_case(field.first, name); };
    const auto first = std::ranges::find_if(fields_, same);
    if (first == fields_.end()) return add(std::string(name), std::move(value));
    first->second = std::move(value);
    fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
    for (const auto& [key, value] : fields_) {
        if (base::equal_ignoring_case(key, name)) return value;
    }
    return std::nullopt;
}

std::optional<std::string> Target::value(std::string_view key) const {
    for (auto pair = query.rbegin(); pair != query.rend(); ++pair) {
        if (pair->first == key) return pair->second.value_or("");
    }
    return std::nullopt;
}

bool Target::has(std::string_view key) const {
    return std::ranges::any_of(query, [&](const auto& pair) { return pair.first == key; });
}

namespace {

std::optional<std::string> decode(std::string_view text) {
    auto decoded = base::percent_decode(text);
    if (!decoded || !base::is_utf8(*decoded) || decoded->find('\0') != std::string::npos) return std::nullopt;
    return decoded;
}

}  // namespace

std::optional<Target> Target::parse(std::string_view text) {
    if (!text.starts_with('/')) return std::nullopt;
    const auto question = text.find('?');
    const auto path = text.substr(1, question == std::string_view::npos ? question : question - 1);
    Target target;
    for (const auto segment : base::split(path, '/')) {
        auto decoded = decode(segment);
        if (!decoded) return std::nullopt;
        target.segments.push_back(std::move(*decoded));
    }
    if (question == std::string_view::npos) return target;
    for (const auto pair : base::split(text.substr(question + 1), '&')) {
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto key = decode(pair.substr(0, equals));
        if (!key) return std::nullopt;
        if (equals == std::string_view::npos) {
            target.query.emplace_back(std::move(*key), std::nullopt);
            continue;
        }
        auto value = decode(pair.substr(equals + 1));
        if (!value) return std::nullopt;
        target.query.emplace_back(std::move(*key), std::move(*value));
    }
    return target;
}

Response Response::json(int status, std::string body) {
    Response response{.status = status, .headers = {}, .body = std::move(body)};
    response.headers.add("Content-Type", "application/json; charset=utf-8");
    return response;
}

Response Response::text(int status, std::string body) {
    Response response{.status = status, .headers = {}, .body = std::move(body)};
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    return response;
}

Response Response::empty(int status) {
    return {.status = status, .headers = {}, .body = {}};
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Payload Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Entity";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            break;
    }
    switch (status / 100) {
        case 1:
            return "Informational";
        case 2:
            return "Success";
        case 3:
            return "Redirection";
        case 4:
            return "Client Error";
        default:
            return "Server Error";
    }
}

}  // namespace http
