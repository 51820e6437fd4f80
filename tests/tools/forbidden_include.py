# SPDX-License-Identifier: Apache-2.0
"""An include that no arrow of the design allows does not compile, with the very flags of the module; an allowed one does.

The flags come from compile_commands.json, so a module that gets a wider include path is noticed here.
usage: forbidden_include.py SOURCE BUILD COMPILER
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys

source, build, compiler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
modules = sorted(d.name for d in (source / "src").iterdir() if d.is_dir())


def allowed():
    """module -> everything it may include, by the USES of CMakeLists.txt (they are transitive)."""
    uses = {}
    for name, words in re.findall(r"sallyport_module\((\w+)([^)]*)\)", (source / "CMakeLists.txt").read_text()):
        found = re.search(r"USES([a-z \n]*)", words)
        uses[name] = set(found.group(1).split()) if found else set()
    for name in uses:
        uses[name] = uses[name].union(*[uses[u] for u in uses[name]] or [set()]) | {name}
    return uses


def flags_of(module):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]).parent == source / "src" / module:
            return [w for w in shlex.split(entry["command"]) if w.startswith(("-I", "-isystem", "-D", "-std"))]
    raise SystemExit(f"no source of module {module} is built")


def compiles(module, other):
    header = sorted((source / "src" / other).glob("*.hpp"))[0].name
    done = subprocess.run([compiler, *flags_of(module), "-E", "-x", "c++", "-", "-o", "/dev/null"],
                          input=f'#include "{other}/{header}"\n', capture_output=True, text=True)
    return done.returncode == 0


arrows = allowed()
wrong, checked = [], 0
for module in modules:
    if module not in arrows:
        continue
    for other in modules:
        if other == "app" or not list((source / "src" / other).glob("*.hpp")):
            continue
        checked += 1
        if compiles(module, other) != (other in arrows[module]):
            wrong.append(f"{module} -> {other}: {'compiles but is forbidden' if other not in arrows[module] else 'does not compile'}")
roles = {"ca", "hub", "edge", "gateway"}
wrong += [f"role {a} may include role {b}" for a in roles for b in roles if a != b and b in arrows[a]]
print("\n".join(wrong) or f"{checked} pairs of modules: only the arrows of the design compile")
sys.exit(1 if wrong or checked == 0 else 0)
