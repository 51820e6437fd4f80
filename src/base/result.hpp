// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"

#define SP_TRY_JOIN2(a, b) a##b
#define SP_TRY_JOIN(a, b) SP_TRY_JOIN2(a, b)

/// The early return on a failed Result, the only macro of its kind.
/// give: `return` or `co_return`. into: a declaration or an lvalue. Example: SP_TRY(return, auto key,
/// load(path));
#define SP_TRY(give, into, ...)                                                               \
    auto SP_TRY_JOIN(sp_try_, __LINE__) = __VA_ARGS__;                                        \
    if (!SP_TRY_JOIN(sp_try_, __LINE__))                                                      \
        give std::unexpected<base::Error>(std::move(SP_TRY_JOIN(sp_try_, __LINE__)).error()); \
    into = *std::move(SP_TRY_JOIN(sp_try_, __LINE__))
