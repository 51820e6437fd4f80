// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "check/check.hpp"
#include "edge/certificates_client.hpp"
#include "edge/clock_floor.hpp"
#include "edge/local_client.hpp"
#include "edge/service_config.hpp"
#include "pki/certificate.hpp"

namespace check {
namespace {

using edge::Service;

constexpr const char* start_it =
    "start it: sallyport edge run, or systemctl start sallyport-edge.target; its log says why it ended";

edge::LocalService service_at(const Device& device, std::string name, const std::filesystem::path& socket,
                              std::string version) {
    return edge::local_service(std::move(name), socket.string(), std::move(version), device.clock, 0);
}

/// Any answer counts: a path that no service has is answered with "not found" by one that works.
net::Task<Finding> answers(Device& device, std::string name, std::filesystem::path socket,
                           std::string version) {
    auto service = service_at(device, name, socket, std::move(version));
    auto answered = co_await edge::call_local(std::move(service), http::Verb::get, "/", {}, patience);
    if (answered || answered.error().code == base::Code::not_found)
        co_return ok(fmt::format("the {} answers at {}", name, socket.string()));
    const auto& why = answered.error();
    if (why.code == base::Code::permission_denied)
        co_return unknown(fmt::format("socket {} does not let this user in", socket.string()),
                          "run sallyport check as root, or as a member of the socket's group");
    co_return error(fmt::format("the {} does not answer at {}: {}", name, socket.string(), why.reason),
                    start_it);
}

net::Task<Finding> keyd_running(Device& device) {
    return answers(device, "keys service", device.paths.socket(Service::keys), "2020-09-01");
}
net::Task<Finding> certd_running(Device& device) {
    return answers(device, "certificates service", device.paths.socket(Service::certificates), "2020-09-01");
}
net::Task<Finding> identityd_running(Device& device) {
    return answers(device, "identity service", device.paths.socket(Service::identity), "2020-09-01");
}

struct ModuleSocket {
    std::string module;
    std::filesystem::path path;
};

/// One socket a module: the gateway's, and those of the principals that are modules.
std::vector<ModuleSocket> module_sockets(const Device& device) {
    const auto home = device.paths.home(Service::workload);
    std::vector<ModuleSocket> sockets{{"$edgeHub", edge::module_socket(home, "$edgeHub")}};
    for (const auto& principal : device.configuration->principals)
        if (principal.name != "$edgeHub" &&
            std::ranges::find(principal.idtype, "module") != principal.idtype.end())
            sockets.push_back({principal.name, edge::module_socket(home, principal.name)});
    return sockets;
}

net::Task<Finding> edged_running(Device& device) {
    std::vector<Finding> all;
    for (const auto& socket : module_sockets(device)) {
        auto finding = co_await answers(device, fmt::format("workload service of {}", socket.module),
                                        socket.path, "2020-07-07");
        all.push_back(std::move(finding));
    }
    co_return worst(all, fmt::format("the workload service answers at {} module sockets", all.size()));
}

Finding tpmd_running(const Device&) {
    return ignored("no key of this device is in a TPM: there is no TPM service");
}

Finding sockets(const Device& device) {
    std::vector<Finding> all;
    const auto look = [&](const std::filesystem::path& path, mode_t mode, Service service) {
        const auto entry = look_at(path);
        const auto user = device.user_of(service);
        if (entry)
            all.push_back(judge_mode("socket", *entry, mode, user ? std::optional(user->uid) : std::nullopt,
                                     std::string(edge::user_name(service))));
    };
    for (const auto service : {Service::keys, Service::certificates, Service::identity})
        look(device.paths.socket(service), 0660, service);
    for (const auto& socket : module_sockets(device)) look(socket.path, 0666, Service::workload);
    if (all.empty()) return skipped("there are no sockets: see keyd-running");
    return worst(all, fmt::format("{} sockets have their owner and mode", all.size()));
}

Finding homes(const Device& device) {
    std::vector<Finding> all;
    // Module sockets lie below edged's, and the clock floor in identityd's, which others must be able to
    // pass.
    const std::map<Service, mode_t> modes{{Service::keys, 0700},
                                          {Service::certificates, 0700},
                                          {Service::identity, edge::clock_floor_directory_mode},
                                          {Service::workload, 0755}};
    for (const auto& [service, mode] : modes) {
        const auto path = device.paths.home(service);
        const auto entry = look_at(path);
        const auto user = device.user_of(service);
        if (entry)
            all.push_back(judge_mode("directory", *entry, mode,
                                     user ? std::optional(user->uid) : std::nullopt,
                                     std::string(edge::user_name(service))));
        else
            all.push_back(failed(entry.error(), "start sallyport edge run, which makes it"));
    }
    return worst(all, "each service's directory is its own");
}

net::Task<Finding> certs_read(Device& device) {
    const edge::CertificatesClient certificates(device.paths.socket(Service::certificates).string(),
                                                device.clock);
    std::vector<Finding> all;
    for (const auto& held : device.certificates) {
        if (held.not_made_yet()) continue;
        auto read = co_await certificates.read_chain(held.id);
        if (read && held.chain && *read != *held.chain)
            all.push_back(
                error(fmt::format("the certificates service has another {} than {}", held.thing, held.uri),
                      "run sallyport edge config apply, or start sallyport edge run again"));
        else if (!read)
            all.push_back(failed(
                read.error(), fmt::format("see that {} can be read by the certificates service", held.uri)));
    }
    co_return worst(all, fmt::format("{} certificates can be read through the certificates service",
                                     device.certificates.size()));
}

net::Task<Finding> device_provisioned(Device& device) {
    if (!device.configuration->device) co_return ignored("[provisioning] source is none");
    auto identity =
        service_at(device, "identity service", device.paths.socket(Service::identity), "2020-09-01");
    auto listed = co_await edge::call_local(std::move(identity), http::Verb::get,
                                            "/identities/modules/%24edgeHub?type=aziot", {}, patience);
    if (listed) co_return ok("the device and its gateway module are known at the hub");
    co_return failed(listed.error(),
                     "see the identity service's log (device.not_provisioned) and host-connect-iothub-https");
}

net::Task<Finding> workload_trust_bundle(Device& device) {
    const auto sockets = module_sockets(device);
    auto service = service_at(device, "workload service", sockets.front().path, "2020-07-07");
    auto answered =
        co_await edge::call_local(std::move(service), http::Verb::get, "/trust-bundle", {}, patience);
    if (!answered) co_return skipped("the workload service does not answer: see aziot-edged-running");
    const auto pem = edge::text_member(*answered, "certificate");
    if (!pem) co_return failed(pem.error(), start_it);
    const auto served = pki::certificates_from_pem(*pem, "trust bundle of the workload service");
    if (!served) co_return failed(served.error(), "put certificates into the file of trust_bundle_cert");
    const auto wanted = device.trust_bundle();
    for (const auto& anchor : wanted.anchors())
        if (std::ranges::find(*served, anchor) == served->end())
            co_return error(
                fmt::format("modules are not given {}, which the trust bundle holds", anchor.subject()),
                "run sallyport edge config apply, or start sallyport edge run again");
    co_return ok(fmt::format("modules are given {} certificates to trust", served->size()));
}

}  // namespace

std::span<const Check> service_checks() {
    constexpr const char* group = "services";
    static constexpr std::array table{
        Check{"keyd-running", group, "the keys service answers", Check::Needs::nothing, keyd_running},
        Check{"certd-running", group, "the certificates service answers", Check::Needs::nothing,
              certd_running},
        Check{"tpmd-running", group, "the TPM service answers", Check::Needs::nothing, tpmd_running},
        Check{"identityd-running", group, "the identity service answers", Check::Needs::nothing,
              identityd_running},
        Check{"aziot-edged-running", group, "the workload service answers", Check::Needs::configuration,
              edged_running},
        Check{"socket-permissions", group, "sockets have their owner and mode", Check::Needs::configuration,
              sockets},
        Check{"home-permissions", group, "each service's directory is its own", Check::Needs::nothing, homes},
        Check{"certs-read", group, "the certificates service can read its certificates",
              Check::Needs::configuration, certs_read},
        Check{"device-provisioned", group, "the device and its gateway module are known at the hub",
              Check::Needs::configuration, device_provisioned},
        Check{"workload-trust-bundle", group, "modules are given the whole trust bundle",
              Check::Needs::configuration, workload_trust_bundle},
    };
    return table;
}

}  // namespace check
