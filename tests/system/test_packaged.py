# SPDX-License-Identifier: Apache-2.0
"""The packaged layout, as systemd starts it: each service as its own user with the socket it was given, the gateway as
its own, and `sallyport check` beside them. Needs root, and a mount namespace of its own in which /etc, /var and /run
are the test's."""

import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import unittest

import harness
from harness import GENEROUS, HUB_NAME, SOURCE, World, free_port, run, until

PRIVATE = "SALLYPORT_TEST_MOUNTS"
PROGRAM = "/run/sallyport"
SOCKETS = {"keys": ("aziotks", "keyd"), "certificates": ("aziotcs", "certd"), "identity": ("aziotid", "identityd")}


def have_namespace():
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "systemd-sysusers", "systemd-tmpfiles"))):
        return False
    return subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0


def become(user):
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def give(source, target, user, mode):
    shutil.copy(source, target)
    shutil.chown(target, user, user)
    os.chmod(target, mode)


def start(user, log, *argv, listening=None):
    """A process as a user, with a listening socket as its descriptor 3 where there is one."""
    with open(log, "ab") as out:
        process = os.fork()
        if process:
            return process
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            passed = {}
            if listening:
                os.dup2(listening.fileno(), 3)
                os.set_inheritable(3, True)
                passed = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
            become(user)
            os.umask(0o077)  # as in the units
            os.execve(PROGRAM, ["sallyport", *argv], {**os.environ, **passed})
        finally:
            os._exit(127)


@unittest.skipUnless(PRIVATE in os.environ, "needs root and a mount namespace (unshare --mount)")
class Packaged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World()
        cls.addClassCleanup(w.close)
        w.make_hub()
        identity = w.issue("device", "EdgeGateway", "edge-identity")
        w.register_edge(identity[0])
        edge_ca = w.issue("edge-ca", "iotedged workload ca edgegateway", "edge-ca")
        for mount in ("/var", "/run"):
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mount)
        os.makedirs("/var/lib")
        run("cp", "-a", "/etc", w.dir / "etc")
        run("mount", "--bind", w.dir / "etc", "/etc")
        run("systemd-sysusers", SOURCE / "packaging/sysusers.d/sallyport.conf")
        run("systemd-tmpfiles", "--create", SOURCE / "packaging/tmpfiles.d/sallyport.conf")
        shutil.copy(harness.SALLYPORT, PROGRAM)
        os.chmod(PROGRAM, 0o755)
        os.makedirs("/etc/keys")
        give(identity[0], "/etc/keys/id.pem", "root", 0o644)
        give(identity[1], "/etc/keys/id.key", "aziotks", 0o600)
        give(edge_ca[0], "/etc/keys/ca.pem", "root", 0o644)
        give(edge_ca[1], "/etc/keys/ca.key", "aziotks", 0o600)
        give(w.root, "/etc/keys/root.pem", "root", 0o644)
        cls.config = pathlib.Path("/etc/aziot/config.toml")
        cls.config.write_text(f"""hostname = "{socket.gethostname()}"
trust_bundle_cert = "file:///etc/keys/root.pem"
[provisioning]
source = "manual"
iothub_hostname = "{HUB_NAME}"
iothub_address = "127.0.0.1"
iothub_mqtt_port = {w.hub.port('MQTT_PORT')}
iothub_https_port = {w.hub.port('HTTPS_PORT')}
trusted_certs = ["file:///etc/keys/root.pem"]
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
identity_cert = "file:///etc/keys/id.pem"
identity_pk = "file:///etc/keys/id.key"
[edge_ca]
cert = "file:///etc/keys/ca.pem"
pk = "file:///etc/keys/ca.key"
[gateway]
address = "127.0.0.1"
mqtt_port = {free_port()}
""")
        cls.config.chmod(0o600)
        run(PROGRAM, "edge", "config", "apply")  # what sallyport-edge-config.service does
        cls.run_services()

    @classmethod
    def run_services(cls):
        logs = cls.world.dir
        for service, (user, daemon) in SOCKETS.items():
            path = f"/run/aziot/{daemon}.sock"
            listening = socket.socket(socket.AF_UNIX)
            cls.addClassCleanup(listening.close)
            listening.bind(path)
            os.chmod(path, 0o660)
            shutil.chown(path, user, user)
            listening.listen(16)
            cls.keep(start(user, logs / f"{service}.log", "edge", "run", "--service", service, listening=listening))
        cls.keep(start("iotedge", logs / "workload.log", "edge", "run", "--service", "workload"))
        until(GENEROUS, "the gateway's file", pathlib.Path("/etc/aziot/gateway/config.d/00-super.toml").exists)
        log = logs / "gateway.log"
        cls.keep(start("edgehubuser", log, "gateway", "run"))
        until(GENEROUS, "the gateway's listener", lambda: log.exists() and "listener.opened" in log.read_text())

    @classmethod
    def keep(cls, process):
        def end():
            os.kill(process, 15)
            os.waitpid(process, 0)

        cls.addClassCleanup(end)

    def check(self, *options):
        done = run(PROGRAM, "check", "--output", "json", *options, check=False)
        return done.returncode, {each["id"]: each for each in json.loads(done.stdout)["checks"]}

    def expect(self, id, *words):
        code, checks = self.check("--only", id)
        self.assertEqual((code, checks[id]["result"]), (1, "error"), checks)
        for word in words:
            self.assertIn(word, checks[id]["reason"] + checks[id]["fix"])

    def lend(self, path, user, mode):
        """Gives a file another owner and mode until the end of the test."""
        before = os.stat(path)
        self.addCleanup(os.chmod, path, before.st_mode & 0o7777)
        self.addCleanup(os.chown, path, before.st_uid, before.st_gid)
        shutil.chown(path, user, user)
        os.chmod(path, mode)

    def test_a_device_that_is_well_has_no_fault(self):
        code, checks = self.check("--warnings-as-errors")
        self.assertEqual([each for each in checks.values() if each["result"] not in ("ok", "ignored")], [])
        self.assertEqual(code, 0)

    def test_who_may_read_nothing_cannot_find_out(self):
        done = run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", PROGRAM, "check", "--output", "json",
                   check=False)
        self.assertEqual(done.returncode, 3, done.stdout)
        checks = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
        self.assertEqual([each for each in checks.values() if each["result"] == "error"], [])
        self.assertEqual(checks["config-well-formed"]["result"], "unknown")
        self.assertIn("root", checks["config-well-formed"]["fix"])

    def test_each_service_reads_its_own_file_alone(self):
        users = {"keyd": "aziotks", "certd": "aziotcs", "identityd": "aziotid", "edged": "iotedge"}
        for daemon, owner in users.items():
            for user in [*users.values(), "edgehubuser", "nobody"]:
                with self.subTest(daemon=daemon, user=user):
                    file = f"/etc/aziot/{daemon}/config.d/00-super.toml"
                    done = subprocess.run(["cat", file, "/dev/null"], preexec_fn=lambda: become(user), capture_output=True)
                    self.assertEqual(done.returncode == 0, user == owner)
        gateway = os.stat("/etc/aziot/gateway/config.d/00-super.toml")
        self.assertEqual((gateway.st_mode & 0o777, pwd.getpwuid(gateway.st_uid).pw_name), (0o640, "iotedge"))
        self.assertEqual(gateway.st_gid, pwd.getpwnam("edgehubuser").pw_gid)

    def test_a_key_of_another_user(self):
        self.lend("/etc/keys/id.key", "aziotcs", 0o600)
        self.expect("private-key-permissions", "/etc/keys/id.key", "chown")
        self.expect("key-pairs-read", "cannot be read by aziotks")

    def test_a_certificate_that_its_service_cannot_read(self):
        self.lend("/etc/keys/id.pem", "root", 0o600)
        self.expect("identity-certificate-expiry", "cannot be read by aziotcs")

    def test_a_directory_that_its_service_cannot_pass(self):
        self.lend("/etc/keys", "root", 0o700)
        self.expect("trust-bundle", "/etc/keys", "does not let it pass")

    def test_a_socket_of_another_user(self):
        self.lend("/run/aziot/certd.sock", "aziotid", 0o660)
        self.expect("socket-permissions", "certd.sock", "chown aziotcs:aziotcs")

    def test_a_home_of_another_user(self):
        self.lend("/var/lib/aziot/keyd", "root", 0o700)
        self.expect("home-permissions", "chown aziotks:aziotks")

    def test_a_configuration_that_is_not_roots(self):
        self.lend(self.config, "iotedge", 0o600)
        self.expect("config-permissions", "chown root:root")

    def test_a_host_name_that_is_not_the_machines(self):
        text = self.config.read_text()
        self.addCleanup(self.config.write_text, text)
        self.config.write_text(text.replace(f'hostname = "{socket.gethostname()}"', 'hostname = "another.local"', 1))
        self.expect("hostname", "another.local", socket.gethostname())


if __name__ == "__main__":
    if PRIVATE not in os.environ and have_namespace():
        os.environ[PRIVATE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])
    unittest.main(verbosity=2)
