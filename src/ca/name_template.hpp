// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace ca {

/// What a template is filled in with.
struct NameValues {
    std::string_view device;  ///< the device that the caller is bound to; empty: no template with it matches
    std::string_view common_name;  ///< that of the request, for `{cn}`
};

/// Refuses a template with a placeholder other than `{device}`, `{device_lower}`, `{cn}` and `{any}`.
base::Status check_template(std::string_view pattern);

/// Whether `name` is what `pattern` allows. `{device}`, `{device_lower}` and `{cn}` stand for their values,
/// `{any}` for at least one character. Compared byte by byte: device ids are case-sensitive (est-and-pki.md
/// 3.4).
bool template_matches(std::string_view pattern, std::string_view name, const NameValues& values);

/// Whether the pattern leaves the name to whoever asks.
bool is_open_template(std::string_view pattern);

}  // namespace ca
