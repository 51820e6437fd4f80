// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/routes.hpp"

/// The handlers of the route table. Each answers one call; the caller has been proven before.
namespace hub {

// device_routes.cpp (hub.md 5.3)
Answer list_devices(Call& call);
Answer get_device(Call& call);
Answer put_device(Call& call);
Answer delete_device(Call& call);

// bulk_routes.cpp (hub.md 5.3, 5.7)
Answer post_devices(Call& call);
Answer get_device_statistics(Call& call);
Answer get_service_statistics(Call& call);

// query_routes.cpp (hub.md 5.6)
Answer post_query(Call& call);

// configuration_routes.cpp (hub.md 5.7)
Answer list_configurations(Call& call);
Answer get_configuration(Call& call);
Answer put_configuration(Call& call);
Answer delete_configuration(Call& call);
Answer post_test_queries(Call& call);
Answer post_configuration_content(Call& call);

// module_routes.cpp (hub.md 5.4, 9.1)
Answer list_modules(Call& call);
Answer get_module(Call& call);
Answer put_module(Call& call);
Answer delete_module(Call& call);

// twin_routes.cpp (hub.md 5.5)
Answer get_twin(Call& call);
Answer patch_twin(Call& call);
Answer put_twin(Call& call);

// scope_routes.cpp (hub.md 9.2, 9.3)
Answer get_scope(Call& call);
Answer get_scope_member(Call& call);
Answer post_scope(Call& call);
Answer post_scope_member(Call& call);

// gateway_routes.cpp (interfaces.md 5)
Answer get_anchors(Call& call);
Answer get_scope_changes(Call& call);

// certificate_routes.cpp (hub.md 8)
Answer list_certificates(Call& call);
Answer get_certificate(Call& call);
Answer put_certificate(Call& call);
Answer delete_certificate(Call& call);
Answer post_verification_code(Call& call);
Answer post_verify(Call& call);

// method_routes.cpp (hub.md 5.8)
Answer post_method(Call& call);

// message_routes.cpp (interfaces.md 5, hub.md 4)
Answer get_events(Call& call);
Answer post_event(Call& call);

// consumer_routes.cpp (interfaces.md 5)
Answer list_consumers(Call& call);
Answer put_consumer(Call& call);
Answer delete_consumer(Call& call);

// explain_routes.cpp (issue 5)
Answer get_explanation(Call& call);
Answer list_explanations(Call& call);
// devicebound_routes.cpp (hub.md 4, 5.3)
Answer send_to_device(Call& call);
Answer receive_devicebound(Call& call);
Answer settle_devicebound(Call& call);
Answer abandon_devicebound(Call& call);
Answer purge_devicebound(Call& call);

// feedback_routes.cpp (hub.md 7)
Answer get_feedback(Call& call);
Answer complete_feedback(Call& call);
Answer abandon_feedback(Call& call);

}  // namespace hub
