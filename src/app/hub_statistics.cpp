// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "app/hub_client.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;

base::Status show(const HubLogin& login) {
    SP_TRY(return, const auto client, HubClient::make(login));
    json::object all;
    for (const auto* path : {"/statistics/devices", "/statistics/service"}) {
        SP_TRY(return, const auto answer,
                     client.send({.target = std::string(path) + "?api-version=2021-04-12"}));
        SP_TRY(return, const auto value, parse_answer(answer));
        if (!value.is_object())
            return base::fail(base::Code::unavailable, "answer of the hub", "is no object");
        for (const auto& [name, count] : value.get_object()) all[name] = count;
    }
    if (login.json()) {
        print_json(all);
    } else {
        for (const auto& [name, count] : all)
            fmt::print("{}: {}\n", std::string(name), json::serialize(count));
    }
    return {};
}

}  // namespace

void add_hub_statistics(CLI::App& hub, Run& run) {
    auto login = std::make_shared<HubLogin>();
    auto* command = hub.add_subcommand("statistics", "how many devices there are, and are connected");
    add_login_options(*command, *login);
    on_run(*command, run, login, &show);
}

}  // namespace app
