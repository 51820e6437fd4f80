# SPDX-License-Identifier: Apache-2.0
"""Every source includes the header of its own name before anything else, so that compiling it proves that the header
needs nothing before it.

usage: own_header_first.py SOURCE
"""

import pathlib
import re
import sys

wrong, checked = [], 0
for header in sorted(pathlib.Path(sys.argv[1], "src").glob("*/*.hpp")):
    source = header.with_suffix(".cpp")
    if not source.exists():
        continue
    checked += 1
    own = f"{header.parent.name}/{header.name}"
    first = re.search(r'^#include\s+["<]([^">]+)', source.read_text(), re.MULTILINE)
    if not first or first[1] != own:
        wrong.append(f"{source} includes {first[1] if first else 'nothing'} before {own}")
print("\n".join(wrong) or f"{checked} sources include their own header first")
sys.exit(1 if wrong or checked == 0 else 0)
