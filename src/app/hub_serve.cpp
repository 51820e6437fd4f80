// SPDX-License-Identifier: Apache-2.0
#include "app/hub_serve.hpp"

#include "base/clock.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/loop.hpp"
#include "net/service_manager.hpp"

namespace app {

hub::ListenOptions ListenWish::options() const {
    hub::ListenOptions wish;
    if (!address.empty()) wish.address = address;
    wish.mqtt_port = mqtt_port;
    wish.https_port = https_port;
    return wish;
}

hub::Listen ListenWish::over(hub::Listen listen) const {
    if (!address.empty()) listen.address = address;
    listen.mqtt_port = mqtt_port.value_or(listen.mqtt_port);
    listen.https_port = https_port.value_or(listen.https_port);
    return listen;
}

void add_listen_options(CLI::App& command, ListenWish& listen, const std::string& default_address) {
    command.add_option("--listen", listen.address,
                       "IP address to listen on, or localhost (default " + default_address + ")");
    command.add_option("--mqtt-port", listen.mqtt_port,
                       "port for MQTT over TLS (default 8883; 0: any free one)");
    command.add_option("--https-port", listen.https_port, "port for HTTPS (default 443; 0: any free one)");
}

base::Status serve_hub(hub::Config config, const ServeHooks& hooks) {
    const auto address = config.listen.address;
    const auto name = config.name();
    const auto data = config.data.string();
    net::Loops loops;
    SP_TRY(return, const auto hub, hub::Hub::open(std::move(config), loops, base::system_clock()));
    if (hooks.prepare) {
        if (auto fine = hooks.prepare(*hub); !fine) return fine;
    }
    base::log::info(base::events::role_started, {{"name", name},
                                                 {"version", SALLYPORT_VERSION},
                                                 {"address", address},
                                                 {"mqtt_port", std::to_string(hub->mqtt_port())},
                                                 {"https_port", std::to_string(hub->https_port())},
                                                 {"data", data}});
    base::Status told;
    loops.at(0).post([&] {
        told = net::notify_ready();
        if (told && hooks.serving) told = hooks.serving(*hub);
        if (!told) loops.stop();
    });
    loops.run([&] { hub->stop(); });
    base::log::info(base::events::role_stopped, {{"name", name}});
    return told;
}

}  // namespace app
