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
        if f" -o CMakeFiles/{module}.dir/" in entry["command"]:
            return [w for w in shlex.split(entry["command"]) if w.startswith(("-I", "-isystem", "-D", "-std"))]
    raise SystemExit(f"no source of module {module} is built")


def reachable(module, headers):
    """Which of {other module: a header of it} an include in `module` finds. One run tells: a compiler takes its time to start."""
    asked = "".join(f'#if __has_include("{other}/{header}")\nfound {other}\n#endif\n' for other, header in headers.items())
    done = subprocess.run([compiler, *flags_of(module), "-E", "-P", "-x", "c++", "-"], input=asked, capture_output=True,
                          text=True, check=True)
    return set(re.findall(r"found (\w+)", done.stdout))


arrows = allowed()
headers = {m: min(f.name for f in (source / "src" / m).glob("*.hpp")) for m in modules
           if m != "app" and list((source / "src" / m).glob("*.hpp"))}
wrong, checked = [], 0
for module in arrows:
    if not list((source / "src" / module).glob("*.cpp")):
        continue
    found = reachable(module, headers)
    checked += len(headers)
    wrong += [f"{module} -> {other}: compiles but is forbidden" for other in found - arrows[module]]
    wrong += [f"{module} -> {other}: does not compile" for other in (arrows[module] & headers.keys()) - found]
roles = {"ca", "hub", "edge", "gateway"}
wrong += [f"role {a} may include role {b}" for a in roles for b in roles if a != b and b in arrows[a]]
print("\n".join(wrong) or f"{checked} pairs of modules: only the arrows of the design compile")
sys.exit(1 if wrong or checked == 0 else 0)
