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
inline constexpr std::string_view log_tail_cut = "log.tail_cut";

// sessions, at hub and gateway
inline constexpr std::string_view session_started = "session.started";
inline constexpr std::string_view session_refused = "session.refused";
inline constexpr std::string_view session_ended = "session.ended";
inline constexpr std::string_view session_displaced = "session.displaced";

// hub

// edge

// gateway

// ca

}  // namespace base::events
