// SPDX-License-Identifier: Apache-2.0
#include "app/hub_device_fields.hpp"

#include <fmt/format.h>

#include <CLI/Validators.hpp>

#include "base/encoding.hpp"
#include "pki/certificate.hpp"

namespace app {

namespace {

namespace json = boost::json;

std::string_view type_of(std::string_view method) {
    if (method == "x509_thumbprint") return "selfSigned";
    if (method == "x509_ca") return "certificateAuthority";
    return "sas";
}

const json::object* object_member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

void set_if(json::object& object, std::string_view name, const std::optional<std::string>& value) {
    if (!value) return;
    if (value->empty())
        object[name] = nullptr;
    else
        object[name] = *value;
}

std::string colons(const std::string& hex) {
    const auto bytes = base::from_hex(hex);
    return bytes ? pki::with_colons(*bytes) : hex;
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
    out += fmt::format("  {:<22}{}\n", name, value);
}

}  // namespace

std::string text_member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void add_auth_options(CLI::App& command, AuthOptions& options) {
    command
        .add_option("--auth-method,--am", options.method, "x509_thumbprint, x509_ca or shared_private_key")
        ->check(CLI::IsMember({"x509_thumbprint", "x509_ca", "shared_private_key"}));
    command.add_option("--primary-thumbprint,--ptp", options.primary_thumbprint,
                       "SHA-256 or SHA-1 of the certificate, with or without colons");
    command.add_option("--secondary-thumbprint,--stp", options.secondary_thumbprint,
                       "that of the next certificate");
    command.add_option("--primary-key,--pk", options.primary_key,
                       "base64 of 16 to 64 octets; made where not given");
    command.add_option("--secondary-key,--sk", options.secondary_key, "likewise");
}

base::Status check_auth_options(const AuthOptions& options) {
    const bool thumbprints = options.primary_thumbprint || options.secondary_thumbprint;
    const bool keys = options.primary_key || options.secondary_key;
    if (thumbprints && !options.method.empty() && options.method != "x509_thumbprint") {
        return base::fail(base::Code::usage, "a thumbprint",
                          "does not go with --auth-method " + options.method,
                          "use --auth-method x509_thumbprint");
    }
    if (keys && !options.method.empty() && options.method != "shared_private_key") {
        return base::fail(base::Code::usage, "a key", "does not go with --auth-method " + options.method,
                          "use --auth-method shared_private_key");
    }
    if (thumbprints && keys) {
        return base::fail(base::Code::usage, "thumbprints and keys", "exclude each other", "give one kind");
    }
    return {};
}

void apply_auth(const AuthOptions& options, json::object& document) {
    const bool thumbprints = options.primary_thumbprint || options.secondary_thumbprint;
    const bool keys = options.primary_key || options.secondary_key;
    if (options.method.empty() && !thumbprints && !keys) return;
    json::object before;
    if (const auto* known = object_member(document, "authentication")) before = *known;
    json::object key_member{{"primaryKey", nullptr}, {"secondaryKey", nullptr}};
    json::object print_member{{"primaryThumbprint", nullptr}, {"secondaryThumbprint", nullptr}};
    std::string type = text_member(before, "type");
    if (!options.method.empty())
        type = type_of(options.method);
    else if (thumbprints)
        type = "selfSigned";
    else
        type = "sas";
    // What belongs to another way of authentication is left behind.
    if (type == "sas") {
        if (const auto* known = object_member(before, "symmetricKey")) key_member = *known;
        set_if(key_member, "primaryKey", options.primary_key);
        set_if(key_member, "secondaryKey", options.secondary_key);
    }
    if (type == "selfSigned") {
        if (const auto* known = object_member(before, "x509Thumbprint")) print_member = *known;
        set_if(print_member, "primaryThumbprint", options.primary_thumbprint);
        set_if(print_member, "secondaryThumbprint", options.secondary_thumbprint);
    }
    document["authentication"] = json::object{
        {"symmetricKey", std::move(key_member)}, {"x509Thumbprint", std::move(print_member)}, {"type", type}};
}

std::string describe_identity(const json::object& document) {
    const auto module = text_member(document, "moduleId");
    const auto device = text_member(document, "deviceId");
    std::string out =
        module.empty() ? "device " + device + "\n" : "module " + module + " of device " + device + "\n";
    if (module.empty()) {
        auto status = text_member(document, "status");
        const auto reason = text_member(document, "statusReason");
        if (!reason.empty()) status += " (" + reason + ")";
        add_line(out, "status", status);
    }
    add_line(out, "connection", text_member(document, "connectionState"));
    if (const auto* authentication = object_member(document, "authentication")) {
        const auto type = text_member(*authentication, "type");
        add_line(out, "authentication", type);
        if (const auto* prints = object_member(*authentication, "x509Thumbprint");
            prints && type == "selfSigned") {
            add_line(out, "primary thumbprint", colons(text_member(*prints, "primaryThumbprint")));
            add_line(out, "secondary thumbprint", colons(text_member(*prints, "secondaryThumbprint")));
        }
    }
    if (const auto* capabilities = object_member(document, "capabilities")) {
        const auto* edge = capabilities->if_contains("iotEdge");
        add_line(out, "edge-enabled", edge != nullptr && edge->is_bool() && edge->get_bool() ? "yes" : "no");
    }
    if (const auto scope = text_member(document, "deviceScope"); !scope.empty())
        add_line(out, "device scope", scope);
    const auto* parents = document.if_contains("parentScopes");
    if (parents != nullptr && parents->is_array()) {
        for (const auto& scope : parents->get_array()) {
            if (scope.is_string()) add_line(out, "parent scope", std::string_view(scope.get_string()));
        }
    }
    if (const auto manager = text_member(document, "managedBy"); !manager.empty())
        add_line(out, "managed by", manager);
    add_line(out, "generation", text_member(document, "generationId"));
    add_line(out, "etag", text_member(document, "etag"));
    return out;
}

std::string list_line(const json::object& document) {
    const auto module = text_member(document, "moduleId");
    std::string type;
    if (const auto* authentication = object_member(document, "authentication"))
        type = text_member(*authentication, "type");
    std::string edge;
    if (const auto* capabilities = object_member(document, "capabilities")) {
        const auto* flag = capabilities->if_contains("iotEdge");
        if (flag != nullptr && flag->is_bool() && flag->get_bool()) edge = "edge";
    }
    return fmt::format("{:<32}{:<10}{:<14}{:<22}{}",
                       module.empty() ? text_member(document, "deviceId") : module,
                       text_member(document, "status"), text_member(document, "connectionState"), type, edge);
}

}  // namespace app
