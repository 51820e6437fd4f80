// SPDX-License-Identifier: Apache-2.0
#include "app/ca_serve.hpp"

#include "base/clock.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/loop.hpp"
#include "net/service_manager.hpp"

namespace app {

base::Status serve_ca(const std::filesystem::path& data, const ca::ServerOptions& options,
                      const std::function<base::Status(ca::Server&)>& serving) {
    net::Loops loops;
    SP_TRY(return, const auto server, ca::Server::open(data, options, loops, base::system_clock()));
    base::log::info(base::events::role_started, {{"name", server->ledger().config().issuing()},
                                                 {"version", SALLYPORT_VERSION},
                                                 {"port", std::to_string(server->port())},
                                                 {"data", data.string()}});
    base::Status told;
    loops.at(0).post([&] {
        told = net::notify_ready();
        if (told && serving) told = serving(*server);
        if (!told) loops.stop();
    });
    loops.run([&] { server->stop(); });
    base::log::info(base::events::role_stopped, {{"name", server->ledger().config().issuing()}});
    return told;
}

}  // namespace app
