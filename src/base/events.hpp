// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// The ids of all log events, once. An id is noun.past_participle; operators build alerts on them.
namespace base::events {

// every role
inline constexpr std::string_view role_started = "role.started";
inline constexpr std::string_view role_stopping = "role.stopping";
inline constexpr std::string_view role_stopped = "role.stopped";
inline constexpr std::string_view listener_opened = "listener.opened";
inline constexpr std::string_view listener_failed = "listener.failed";
inline constexpr std::string_view connection_refused = "connection.refused";
inline constexpr std::string_view connection_ended = "connection.ended";
inline constexpr std::string_view request_refused = "request.refused";
inline constexpr std::string_view task_failed = "task.failed";
inline constexpr std::string_view server_accepted = "server.accepted";
inline constexpr std::string_view server_refused = "server.refused";
inline constexpr std::string_view log_tail_cut = "log.tail_cut";

// sessions, at hub and gateway
inline constexpr std::string_view session_started = "session.started";
inline constexpr std::string_view session_refused = "session.refused";
inline constexpr std::string_view session_ended = "session.ended";
inline constexpr std::string_view session_displaced = "session.displaced";

// revocation, at hub and gateway
inline constexpr std::string_view crl_loaded = "crl.loaded";
inline constexpr std::string_view crl_taken = "crl.taken";
inline constexpr std::string_view crl_refused = "crl.refused";
inline constexpr std::string_view crl_failed = "crl.failed";

// hub
inline constexpr std::string_view caller_accepted = "caller.accepted";
inline constexpr std::string_view request_answered = "request.answered";
inline constexpr std::string_view device_changed = "device.changed";
inline constexpr std::string_view ca_certificate_changed = "ca_certificate.changed";
inline constexpr std::string_view twin_refused = "twin.refused";
inline constexpr std::string_view configuration_changed = "configuration.changed";
inline constexpr std::string_view message_refused = "message.refused";
inline constexpr std::string_view setting_ignored = "setting.ignored";
inline constexpr std::string_view store_failed = "store.failed";
inline constexpr std::string_view messages_expired = "messages.expired";
inline constexpr std::string_view explanations_dropped = "explanations.dropped";
inline constexpr std::string_view certificate_incomplete = "certificate.incomplete";

// edge
inline constexpr std::string_view service_ready = "service.ready";
inline constexpr std::string_view service_ended = "service.ended";
inline constexpr std::string_view service_restarted = "service.restarted";
inline constexpr std::string_view configuration_noticed = "configuration.noticed";
inline constexpr std::string_view configuration_taken_over = "configuration.taken_over";
inline constexpr std::string_view device_provisioned = "device.provisioned";
inline constexpr std::string_view device_not_provisioned = "device.not_provisioned";
inline constexpr std::string_view module_registered = "module.registered";
inline constexpr std::string_view module_thumbprint_registered = "module_thumbprint.registered";
inline constexpr std::string_view module_certificate_installed = "module_certificate.installed";
inline constexpr std::string_view module_certificate_failed = "module_certificate.failed";
inline constexpr std::string_view reload_command_run = "reload_command.run";
inline constexpr std::string_view reload_command_failed = "reload_command.failed";
inline constexpr std::string_view module_environment_written = "module.environment_written";
inline constexpr std::string_view module_generation_changed = "module.generation_changed";
inline constexpr std::string_view certificate_made = "certificate.made";
inline constexpr std::string_view certificate_used = "certificate.used";
inline constexpr std::string_view certificate_renewed = "certificate.renewed";
inline constexpr std::string_view certificate_renewal_failed = "certificate.renewal_failed";
inline constexpr std::string_view certificate_repaired = "certificate.repaired";
inline constexpr std::string_view certificate_key_lost = "certificate.key_lost";
inline constexpr std::string_view certificate_announced = "certificate.announced";
inline constexpr std::string_view certificate_expiring = "certificate.expiry_neared";
inline constexpr std::string_view certificate_expired = "certificate.expired";
inline constexpr std::string_view certificate_issued = "certificate.issued";
inline constexpr std::string_view backup_ignored = "backup.ignored";
inline constexpr std::string_view clock_wrong = "clock.wrong";
inline constexpr std::string_view clock_right = "clock.right";
inline constexpr std::string_view clock_floor_failed = "clock_floor.failed";
inline constexpr std::string_view certificate_not_kept = "certificate.not_kept";
inline constexpr std::string_view caller_refused = "caller.refused";
inline constexpr std::string_view file_set_aside = "file.set_aside";

// gateway
inline constexpr std::string_view workload_unreachable = "workload.unreached";
inline constexpr std::string_view server_certificate_issued = "server_certificate.issued";
inline constexpr std::string_view server_certificate_failed = "server_certificate.failed";
inline constexpr std::string_view trust_replaced = "trust.replaced";
inline constexpr std::string_view trust_failed = "trust.failed";
inline constexpr std::string_view scope_loaded = "scope.loaded";
inline constexpr std::string_view scope_discarded = "scope.discarded";
inline constexpr std::string_view scope_refreshed = "scope.refreshed";
inline constexpr std::string_view scope_changed = "scope.changed";
inline constexpr std::string_view scope_failed = "scope.failed";
inline constexpr std::string_view scope_record_skipped = "scope.record_skipped";
inline constexpr std::string_view hub_lost = "hub.lost";
inline constexpr std::string_view hub_found = "hub.found";
inline constexpr std::string_view upstream_opened = "upstream.opened";
inline constexpr std::string_view upstream_refused = "upstream.refused";
inline constexpr std::string_view messages_dropped = "messages.dropped";
inline constexpr std::string_view messages_failed = "messages.failed";

// ca
inline constexpr std::string_view crl_published = "crl.published";
inline constexpr std::string_view crl_not_published = "crl.not_published";
inline constexpr std::string_view ocsp_responder_certified = "ocsp_responder.certified";
inline constexpr std::string_view ocsp_responder_failed = "ocsp_responder.failed";

}  // namespace base::events
