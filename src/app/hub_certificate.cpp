// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "app/hub_device_calls.hpp"
#include "app/hub_device_fields.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

constexpr std::string_view certificates_version = "?api-version=2023-06-30";
constexpr std::size_t largest_certificate_file = 64 * 1024;

struct CertificateOptions {
    HubLogin login;
    std::string name;
    std::string path;
    bool verified = false;
    std::string etag;
};

/// The resource manager's path on our own host; it takes any subscription and group (hub.md 8).
std::string target(const HubClient& client, const std::string& name, std::string_view action = {}) {
    std::string path = path_of({"subscriptions", "sallyport", "resourceGroups", "sallyport", "providers",
                                "Microsoft.Devices", "IotHubs", client.host(), "certificates"});
    if (!name.empty()) path += "/" + base::percent_encode(name);
    if (!action.empty()) path += "/" + std::string(action);
    return path + std::string(certificates_version);
}

std::string describe(const json::object& document) {
    const auto* properties = document.if_contains("properties");
    const json::object none;
    const auto& facts = properties != nullptr && properties->is_object() ? properties->get_object() : none;
    const auto* verified = facts.if_contains("isVerified");
    return fmt::format(
        "{:<28}{:<12}{:<44}expires {}  sha1 {}", text_member(document, "name"),
        verified != nullptr && verified->is_bool() && verified->get_bool() ? "verified" : "unverified",
        text_member(facts, "subject"), text_member(facts, "expiry"), text_member(facts, "thumbprint"));
}

base::Status show_certificate(const HubLogin& login, const http::Response& answer) {
    SP_TRY(return, const auto value, parse_answer(answer));
    if (login.json())
        print_json(value);
    else if (value.is_object())
        fmt::print("{}\n", describe(value.get_object()));
    return {};
}

base::Result<json::object> fetch(const HubClient& client, const std::string& name) {
    SP_TRY(return, const auto answer, client.send({.target = target(client, name)}));
    SP_TRY(return, auto value, parse_answer(answer));
    if (!value.is_object())
        return base::fail(base::Code::unavailable, "answer of the hub", "is no certificate");
    return std::move(value.get_object());
}

/// The etag that was given, or the one that the certificate has now.
base::Result<std::string> etag_for(const HubClient& client, const CertificateOptions& options) {
    if (!options.etag.empty()) return quoted_etag(options.etag);
    SP_TRY(return, const auto known, fetch(client, options.name));
    return quoted_etag(text_member(known, "etag"));
}

base::Result<std::string> read_certificate_file(const std::string& path) {
    SP_TRY(return, auto file, base::read_file(path, "certificate", largest_certificate_file));
    if (file.find("PRIVATE KEY") != std::string::npos) {
        return base::fail(base::Code::invalid_argument, "certificate " + path, "holds a private key",
                          "give the certificate alone; a key never leaves its owner");
    }
    return file;
}

base::Status create(const CertificateOptions& options) {
    SP_TRY(return, const auto file, read_certificate_file(options.path));
    SP_TRY(return, const auto client, HubClient::make(options.login));
    const json::object body{
        {"properties", json::object{{"certificate", base::to_base64(base::as_bytes(file))},
                                    {"isVerified", options.verified}}}};
    HubClient::Ask ask{
        .verb = http::Verb::put, .target = target(client, options.name), .body = json::serialize(body)};
    if (!options.etag.empty()) ask.if_match = quoted_etag(options.etag);
    SP_TRY(return, const auto answer, client.send(ask));
    return show_certificate(options.login, answer);
}

base::Status show(const CertificateOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer, client.send({.target = target(client, options.name)}));
    return show_certificate(options.login, answer);
}

base::Status list(const CertificateOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto answer, client.send({.target = target(client, {})}));
    SP_TRY(return, const auto value, parse_answer(answer));
    if (options.login.json()) {
        print_json(value);
        return {};
    }
    const auto* object = value.if_object();
    const auto* certificates = object == nullptr ? nullptr : object->if_contains("value");
    if (certificates == nullptr || !certificates->is_array()) return {};
    for (const auto& one : certificates->get_array()) {
        if (one.is_object()) fmt::print("{}\n", describe(one.get_object()));
    }
    return {};
}

base::Status remove(const CertificateOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto etag, etag_for(client, options));
    SP_TRY(
        return, const auto answer,
              client.send(
                  {.verb = http::Verb::delete_, .target = target(client, options.name), .if_match = etag}));
    (void)answer;
    return {};
}

base::Status generate_code(const CertificateOptions& options) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto etag, etag_for(client, options));
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::post,
                              .target = target(client, options.name, "generateVerificationCode"),
                              .if_match = etag}));
    SP_TRY(return, const auto value, parse_answer(answer));
    if (options.login.json()) {
        print_json(value);
        return {};
    }
    const auto* object = value.if_object();
    const auto* properties = object == nullptr ? nullptr : object->if_contains("properties");
    if (properties == nullptr || !properties->is_object())
        return base::fail(base::Code::unavailable, "answer of the hub", "has no verification code");
    fmt::print("{}\n", text_member(properties->get_object(), "verificationCode"));
    return {};
}

base::Status verify(const CertificateOptions& options) {
    SP_TRY(return, const auto file, read_certificate_file(options.path));
    SP_TRY(return, const auto client, HubClient::make(options.login));
    SP_TRY(return, const auto etag, etag_for(client, options));
    const json::object body{{"certificate", base::to_base64(base::as_bytes(file))}};
    SP_TRY(return, const auto answer,
                 client.send({.verb = http::Verb::post,
                              .target = target(client, options.name, "verify"),
                              .body = json::serialize(body),
                              .if_match = etag}));
    return show_certificate(options.login, answer);
}

CLI::App* add_verb(CLI::App& group, Run& run, const std::shared_ptr<CertificateOptions>& options,
                   const char* name, const char* what, base::Status (*work)(const CertificateOptions&)) {
    auto* command = group.add_subcommand(name, what);
    add_login_options(*command, options->login);
    if (std::string_view(name) != "list") {
        command->add_option("--name,-n", options->name, "name of the certificate")->required();
    }
    on_run(*command, run, options, work);
    return command;
}

}  // namespace

void add_hub_certificate(CLI::App& hub, Run& run) {
    auto* group = hub.add_subcommand("certificate", "CA certificates for X.509 CA authentication")
                      ->require_subcommand(1);
    auto creating = std::make_shared<CertificateOptions>();
    auto* command = add_verb(*group, run, creating, "create", "upload one, or replace it", &create);
    command->add_option("--path,-p", creating->path, "the certificate, PEM or DER")->required();
    add_truth_option(
        *command, "--verified,-v", [creating](bool verified) { creating->verified = verified; },
        "trust it without proof of possession");
    command->add_option("--etag,-e", creating->etag, "replace the one that has this etag");

    auto opening = std::make_shared<CertificateOptions>();
    add_verb(*group, run, opening, "generate-verification-code",
             "the common name for a certificate that proves possession of the CA's key", &generate_code)
        ->add_option("--etag,-e", opening->etag, "fail unless it still has this etag");

    auto proving = std::make_shared<CertificateOptions>();
    auto* proof = add_verb(*group, run, proving, "verify",
                           "prove possession: devices below it are let in from then on", &verify);
    proof->add_option("--path,-p", proving->path, "certificate with the code as CN, issued by the CA")
        ->required();
    proof->add_option("--etag,-e", proving->etag, "fail unless it still has this etag");

    add_verb(*group, run, std::make_shared<CertificateOptions>(), "show", "one certificate", &show);
    add_verb(*group, run, std::make_shared<CertificateOptions>(), "list", "all certificates", &list);

    auto deleting = std::make_shared<CertificateOptions>();
    add_verb(*group, run, deleting, "delete",
             "remove one: devices that it vouches for are refused from then on", &remove)
        ->add_option("--etag,-e", deleting->etag, "fail unless it still has this etag");
}

}  // namespace app
