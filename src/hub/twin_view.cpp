// SPDX-License-Identifier: Apache-2.0
#include "hub/twin_view.hpp"

#include "azure/documents.hpp"

namespace hub {

namespace {

namespace json = boost::json;

}  // namespace

base::Result<TwinView> view_twin(registry::Reader&, const Sessions& sessions, const azure::Device& device) {
    auto shown = device;
    shown.connected = sessions.connected_since(device.record.identity).has_value();
    return TwinView{device.record.identity, json::parse(azure::to_json(shown)).get_object()};
}

base::Result<TwinView> view_twin(registry::Reader&, const Sessions& sessions, const azure::Module& module) {
    auto shown = module;
    shown.connected = sessions.connected_since(module.record.identity).has_value();
    return TwinView{module.record.identity, json::parse(azure::to_json(shown)).get_object()};
}

}  // namespace hub
