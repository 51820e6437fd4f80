// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace net {

namespace detail {
template <class T>
Task<> store_result(Task<T> task, std::optional<T>& into) {
    into.emplace(co_await std::move(task));
}
}  // namespace detail

template <class T>
T run_task_for(Task<T> task) {
    std::optional<T> result;
    run_task(detail::store_result(std::move(task), result));
    return std::move(*result);
}

}  // namespace net
