# SPDX-License-Identifier: Apache-2.0
"""A role whose data directory is a small disk of its own, which a test fills up and frees again.

The disk is a tmpfs in a mount namespace of the role alone, so nothing else on the machine sees it.
"""

import os
import pathlib
import shutil
import subprocess

_ON_A_SMALL_DISK = 'mount -t tmpfs -o size="$1",mode=700 none "$2" && cp -a "$3"/. "$2" && shift 3 && exec "$@"'


def _private_mounts():
    """The words before a command that may mount; None where this user may not."""
    for words in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
            return words
    return None


PRIVATE_MOUNTS = _private_mounts()


class SmallDisk:
    """`process` (stopped) starts on a copy of `data` from now on; size as mount takes it."""

    def __init__(self, process, data, size):
        self.process, self.data = process, pathlib.Path(data)
        saved = self.data.with_name(self.data.name + ".saved")
        shutil.copytree(self.data, saved, symlinks=True, ignore=lambda at, names: [n for n in names if n.endswith(".sock")])
        process.argv = [*PRIVATE_MOUNTS, "sh", "-c", _ON_A_SMALL_DISK, "sh", size, str(self.data), str(saved), *process.argv]

    def inside(self):
        return pathlib.Path(f"/proc/{self.process.process.pid}/root{self.data}")

    def fill(self):
        with open(self.inside() / "filler", "wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def free(self):
        os.unlink(self.inside() / "filler")
