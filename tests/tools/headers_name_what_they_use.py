# SPDX-License-Identifier: Apache-2.0
"""Where a source has a precompiled header in front, or other sources of its batch, compiling it does not prove that its
header includes what it needs. This looks instead: whatever of the standard library, fmt or Asio a header names must come
from an include of its own or of a header of ours that it includes.

usage: headers_name_what_they_use.py SOURCE
"""

import pathlib
import re
import sys

USES = {  # what a header may name: the includes that bring it
    r"std::(function|hash|invoke|move_only_function)\b": {"functional"},
    r"std::(map|multimap)\b": {"map"},
    r"std::(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared|enable_shared_from_this)\b": {"memory"},
    r"std::(optional|nullopt)\b": {"optional"},
    r"std::(string|to_string)\b": {"string"},
    r"std::string_view\b": {"string_view", "string"},
    r"std::vector\b": {"vector"},
    r"std::array\b": {"array"},
    r"std::atomic\b": {"atomic"},
    r"std::chrono::": {"chrono"},
    r"std::deque\b": {"deque"},
    r"std::set\b": {"set"},
    r"std::unordered_map\b": {"unordered_map"},
    r"std::unordered_set\b": {"unordered_set"},
    r"std::list\b": {"list"},
    r"std::span\b": {"span"},
    r"std::(variant|visit|monostate)\b": {"variant"},
    r"std::filesystem::": {"filesystem"},
    r"std::(mutex|lock_guard|unique_lock|scoped_lock)\b": {"mutex"},
    r"std::condition_variable\b": {"condition_variable"},
    r"std::(thread|jthread)\b": {"thread"},
    r"std::(expected|unexpected)\b": {"expected"},
    r"std::exception_ptr\b": {"exception"},
    r"\bstd::u?int\d+_t\b": {"cstdint"},
    r"std::tuple\b": {"tuple"},
    r"\bfmt::": {"fmt/format.h", "fmt/core.h"},
    r"\bboost::asio::awaitable\b": {"boost/asio/awaitable.hpp"},
}
INCLUDE = re.compile(r'^#include\s+["<]([^">]+)', re.MULTILINE)


def includes(file, source, seen):
    """Everything that a header includes, through our own headers."""
    for name in INCLUDE.findall(file.read_text()):
        if name in seen:
            continue
        seen.add(name)
        ours = source / "src" / name
        if ours.exists():
            includes(ours, source, seen)
    return seen


source = pathlib.Path(sys.argv[1])
wrong, checked = [], 0
for header in sorted((source / "src").glob("*/*.hpp")):
    checked += 1
    text = re.sub(r"//[^\n]*", "", header.read_text())
    brought = includes(header, source, set())
    for use, sources in USES.items():
        found = re.search(use, text)
        if found and not brought & sources:
            wrong.append(f"{header}: {found[0]} without <{sorted(sources)[0]}>")
print("\n".join(wrong) or f"{checked} headers name what they use")
sys.exit(1 if wrong or checked == 0 else 0)
