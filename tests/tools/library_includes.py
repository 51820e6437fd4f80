# SPDX-License-Identifier: Apache-2.0
"""Heavy and dangerous libraries stay behind their doors: who includes Beast, Asio, OpenSSL, SQLite, CLI11 and spdlog.

Counted are a library's headers and ours that lead to them. usage: library_includes.py SOURCE
"""

import pathlib
import re
import sys

src = pathlib.Path(sys.argv[1]) / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)

# library: what its headers begin with; the files that may see it; our headers that others may include though they
# lead there; the most files that may name it.
RULES = {
    "Beast": ("boost/beast", r"http/\w+\.cpp", set(), 3),
    "Asio": ("boost/asio", r"net/.*|http/\w+\.cpp", {"net/task.hpp"}, None),
    "OpenSSL": ("openssl/", r"(pki|net)/.*", set(), None),
    "SQLite": (("sqlite3", "SQLiteCpp/"), r"store/.*", set(), None),
    "CLI11": ("CLI/", r"(app|testing)/.*", set(), None),
    "spdlog": ("spdlog/", r"base/.*", set(), None),
}
# Asio itself: Beast brings it to http, which names none of it.
NAMES_ASIO = r"net/.*"

includes = {f.relative_to(src).as_posix(): INCLUDE.findall(f.read_text()) for f in sorted(src.rglob("*.[hi]pp"))}
includes |= {f.relative_to(src).as_posix(): INCLUDE.findall(f.read_text()) for f in sorted(src.rglob("*.cpp"))}

wrong, told = [], []
for library, (begins, may_see, doors, most) in RULES.items():
    naming = {file for file, names in includes.items() if any(name.startswith(begins) for name in names)}
    seeing = set(naming)
    while True:
        more = {f for f, names in includes.items() if any(name in seeing - doors for name in names)} - seeing
        if not more:
            break
        seeing |= more
    if not naming:
        wrong.append(f"nobody includes {library}: this check no longer sees it")
    if most is not None and len(naming) > most:
        wrong.append(f"{len(naming)} files include {library}, at most {most} may: {', '.join(sorted(naming))}")
    wrong += [f"{file} sees {library}, which only {may_see} may" for file in sorted(seeing) if not re.fullmatch(may_see, file)]
    if library == "Asio":
        wrong += [f"{file} includes Asio, which only {NAMES_ASIO} may" for file in sorted(naming)
                  if not re.fullmatch(NAMES_ASIO, file)]
    told.append(f"{library}: {len(naming)} files")
print("\n".join(wrong or told))
sys.exit(1 if wrong else 0)
