# SPDX-License-Identifier: Apache-2.0
"""The packaged units: what systemd itself says of them, that their users exist, and that the program serves a socket
that was opened for it. None of it needs systemd to run."""

import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

from harness import GENEROUS, SALLYPORT, SOURCE, run, until
from test_edge_services import ask

PACKAGING = SOURCE / "packaging"
UNITS = PACKAGING / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
# 1.5 on the scale of systemd-analyze, which goes to 10.
THRESHOLD = "15"
# The one that reads config.toml, which is root's, and gives each service its own file.
AS_ROOT = ["sallyport-edge-config.service"]
GROUPS = {"aziotks": {"aziotcs", "aziotid", "iotedge"}, "aziotcs": {"aziotid", "iotedge"}, "aziotid": {"iotedge"}}
SOCKETS = {"sallyport-keys": ("keyd", "aziotks"), "sallyport-certificates": ("certd", "aziotcs"),
           "sallyport-identity": ("identityd", "aziotid")}


def value(unit, key):
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


class Directory(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, True)


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze (Debian package systemd) is not installed")
class Units(Directory):
    def test_there_is_a_unit_for_each_service(self):
        names = {unit.name for unit in SERVICES}
        for word in ("keys", "certificates", "identity", "workload", "gateway", "hub"):
            self.assertIn(f"sallyport-{word}.service", names)

    def test_systemd_accepts_every_unit(self):
        # The program lies where it was built.
        for unit in UNITS.iterdir():
            (self.dir / unit.name).write_text(unit.read_text().replace("/usr/bin/sallyport", SALLYPORT_PATH))
        done = run("systemd-analyze", "verify", "--man=no", *sorted(self.dir.iterdir()), check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_no_service_is_exposed(self):
        for unit in SERVICES:
            with self.subTest(unit=unit.name):
                done = run("systemd-analyze", "security", "--offline=yes", f"--threshold={THRESHOLD}", unit, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_unit_without_its_hardening_is_found_exposed(self):
        bare = self.dir / "sallyport-keys.service"
        bare.write_text(re.sub(r"^(Protect|Private|Restrict|SystemCall|Capability).*\n", "",
                               (UNITS / bare.name).read_text(), flags=re.MULTILINE))
        done = run("systemd-analyze", "security", "--offline=yes", f"--threshold={THRESHOLD}", bare, check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_only_who_asks_or_serves_others_has_a_network(self):
        # The certificates service asks an EST server, identity the hub.
        for name in ("certificates", "identity", "gateway", "hub"):
            unit = UNITS / f"sallyport-{name}.service"
            self.assertEqual(value(unit, "RestrictAddressFamilies"), ["AF_UNIX AF_INET AF_INET6"], name)
            self.assertEqual(value(unit, "PrivateNetwork") + value(unit, "IPAddressDeny"), [], name)
        for name in ("keys", "workload"):
            unit = UNITS / f"sallyport-{name}.service"
            self.assertEqual(value(unit, "RestrictAddressFamilies"), ["AF_UNIX"], name)
            self.assertEqual(value(unit, "PrivateNetwork"), ["yes"], name)

    def test_who_tells_callers_apart_has_no_user_namespace(self):
        # The kernel would tell every other user as nobody.
        for name in ("keys", "certificates", "identity", "workload"):
            self.assertEqual(value(UNITS / f"sallyport-{name}.service", "PrivateUsers"), [])

    def test_the_sockets_are_those_of_the_specification(self):
        for name, (daemon, user) in SOCKETS.items():
            unit = UNITS / f"{name}.socket"
            self.assertEqual(value(unit, "ListenStream"), [f"/run/aziot/{daemon}.sock"])
            self.assertEqual(value(unit, "SocketMode"), ["0660"])
            self.assertEqual(value(unit, "SocketUser"), [user])
            self.assertEqual(value(unit, "SocketGroup"), [user])
            self.assertEqual(value(UNITS / f"{name}.service", "User"), [user])


@unittest.skipUnless(shutil.which("systemd-sysusers"), "systemd-sysusers (Debian package systemd) is not installed")
class Users(Directory):
    def setUp(self):
        super().setUp()
        (self.dir / "etc").mkdir()
        run("systemd-sysusers", f"--root={self.dir}", PACKAGING / "sysusers.d/sallyport.conf")
        self.users = {line.split(":")[0]: line.split(":") for line in (self.dir / "etc/passwd").read_text().splitlines()}
        self.groups = {line.split(":")[0]: set(line.split(":")[3].split(",")) - {""}
                       for line in (self.dir / "etc/group").read_text().splitlines()}

    def test_each_service_has_a_user_of_its_own_that_the_package_makes(self):
        seen = []
        for unit in SERVICES:
            users = value(unit, "User")
            if unit.name in AS_ROOT:
                self.assertEqual(users, [])
                continue
            self.assertEqual(len(users), 1, unit.name)
            self.assertIn(users[0], self.users)
            self.assertNotEqual(self.users[users[0]][2], "0")
            self.assertEqual(value(unit, "Group"), users)
            seen += users
        self.assertEqual(len(seen), len(set(seen)))

    def test_the_groups_open_the_sockets_of_those_that_a_service_calls(self):
        for group, members in self.groups.items():
            self.assertEqual(members, GROUPS.get(group, set()), group)

    def test_directories_have_owners_that_exist(self):
        lines = [line.split() for line in (PACKAGING / "tmpfiles.d/sallyport.conf").read_text().splitlines()
                 if line and not line.startswith("#")]
        self.assertTrue(lines)
        for kind, path, mode, user, group in lines:
            self.assertEqual(kind, "d")
            self.assertIn(user, {**self.users, "root": None})
            self.assertIn(group, {**self.groups, "root": None})
            self.assertTrue(path.startswith("/"))
            # What a service keeps is its own; what several pass through is root's.
            if user == "root":
                self.assertEqual(mode, "0755", path)
        modes = {path: mode for _, path, mode, _, _ in lines}
        for unit in SERVICES:
            for state in value(unit, "StateDirectory"):
                if state.startswith("aziot/"):
                    self.assertEqual(modes[f"/var/lib/{state}"], value(unit, "StateDirectoryMode")[0])

    @unittest.skipUnless(os.geteuid() == 0, "only root gives directories away")
    def test_systemd_tmpfiles_makes_them(self):
        (self.dir / "var/lib").mkdir(parents=True, exist_ok=True)
        run("systemd-tmpfiles", "--create", f"--root={self.dir}", PACKAGING / "tmpfiles.d/sallyport.conf")
        keys = (self.dir / "var/lib/aziot/keyd").stat()
        self.assertEqual((stat.S_IMODE(keys.st_mode), str(keys.st_uid)), (0o700, self.users["aziotks"][2]))
        gateway = (self.dir / "etc/aziot/gateway/config.d").stat()
        self.assertEqual((stat.S_IMODE(gateway.st_mode), str(gateway.st_uid), str(gateway.st_gid)),
                         (0o2750, self.users["iotedge"][2], self.users["edgehubuser"][3]))


class SocketActivation(Directory):
    """A service as systemd starts it: its socket is descriptor 3, and it says READY=1."""

    def setUp(self):
        super().setUp()
        etc = self.dir / "etc/aziot/keyd/config.d"
        etc.mkdir(parents=True)
        (etc / "00-super.toml").write_text(f"""[aziot_keys]
homedir_path = "{self.dir}/var/lib/aziot/keyd"
[[principal]]
uid = {os.geteuid()}
keys = ["*"]
""")
        (self.dir / "run/aziot").mkdir(parents=True)
        self.path = self.dir / "run/aziot/keyd.sock"
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(self.dir / "notify"))
        self.manager.settimeout(GENEROUS)
        self.addCleanup(self.manager.close)
        self.log = self.dir / "keys.log"

    def listen(self, path):
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listening.close)
        listening.bind(str(path))
        os.chmod(path, 0o640)
        listening.listen(16)
        return listening

    def start(self, listening, pid=None):
        """A child that gets the socket as its descriptor 3, as sd_listen_fds(3) wants it."""
        process = os.fork()
        if process == 0:
            try:
                with open(self.log, "ab") as log:
                    os.dup2(log.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                os.dup2(listening.fileno(), 3)
                os.set_inheritable(3, True)
                os.execve(SALLYPORT_PATH,
                          ["sallyport", "edge", "run", "--service", "keys", "--root", str(self.dir)],
                          {**os.environ, "LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": "1",
                           "NOTIFY_SOCKET": str(self.dir / "notify")})
            finally:
                os._exit(127)
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process):
        try:
            os.kill(process, 15)
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        except (ProcessLookupError, ChildProcessError):
            return None

    def create_key(self):
        return ask(self.path, "POST", "/key", {"keyId": "k", "usage": "derive,sign"})

    def test_the_passed_socket_is_served_and_left_in_place(self):
        listening = self.listen(self.path)
        before = self.path.stat()
        process = self.start(listening)
        status, answer = self.create_key()  # waits in the socket's queue until the service accepts
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.manager.recv(64), b"READY=1")
        self.assertEqual(self.stop(process), 0, self.log.read_text())
        after = self.path.stat()
        self.assertEqual((before.st_ino, before.st_mode), (after.st_ino, after.st_mode))
        # Started again on the next connection, as systemd does.
        self.start(listening)
        self.assertEqual(self.create_key()[0], 200)

    def test_a_socket_at_another_path_is_not_taken_for_ours(self):
        self.start(self.listen(self.dir / "other.sock"))
        self.assertEqual(self.manager.recv(64), b"READY=1")
        self.assertEqual(self.create_key()[0], 200)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o660)

    def test_descriptors_of_another_process_are_not_ours(self):
        elsewhere = self.dir / "run/aziot/elsewhere.sock"
        listening = self.listen(elsewhere)
        elsewhere.rename(self.path)  # bound by its old name, so that ours can only come from a bind of our own
        self.path.unlink()
        self.start(listening, pid=os.getpid())
        self.assertEqual(self.manager.recv(64), b"READY=1")
        self.assertEqual(self.create_key()[0], 200)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o660)

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd-socket-activate is not installed")
    def test_systemds_own_activation_starts_it_on_the_first_connection(self):
        with open(self.log, "ab") as log:
            activator = subprocess.Popen(["systemd-socket-activate", "-l", str(self.path), SALLYPORT_PATH, "edge", "run",
                                          "--service", "keys", "--root", str(self.dir)],
                                         stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(activator.wait, GENEROUS)
        self.addCleanup(activator.terminate)
        until(GENEROUS, "the socket", lambda: self.path.exists() and "Listening on" in self.log.read_text())
        self.assertEqual(self.create_key()[0], 200, self.log.read_text())


SALLYPORT_PATH = str(pathlib.Path(SALLYPORT).resolve())

if __name__ == "__main__":
    unittest.main(verbosity=2)
