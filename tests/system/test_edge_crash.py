# SPDX-License-Identifier: Apache-2.0
"""Each service of the edge device is killed in the middle of every change that it makes on the disk.

A first run without an end counts the changes; then one run a change ends there, the device starts again, and its data
directory is looked at: every key and certificate whole, every certificate its key's, nothing left over, all services
serving.
"""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import HOSTNAME, HUB_NAME, SystemTest, run, until
from test_edge_services import ask

LIBRARY = pathlib.Path(os.environ["SALLYPORT_BUILD"]) / "tests" / "system" / "libcrash_at_write.so"


class Crash(SystemTest):
    service = None

    def setUp(self):
        if self.service is None:
            self.skipTest("only for what derives from it")
        super().setUp()
        self.world.make_hub()
        identity = self.world.issue("device", "EdgeGateway", "edge-identity")
        self.world.register_edge(identity[0])
        self.template = self.world.dir / "t"
        etc = self.template / "etc/aziot"
        etc.mkdir(parents=True, mode=0o700)
        config = etc / "config.toml"
        config.write_text(f"""hostname = "{HOSTNAME}"
[provisioning]
source = "manual"
iothub_hostname = "{HUB_NAME}"
iothub_address = "127.0.0.1"
iothub_https_port = {self.world.hub.port('HTTPS_PORT')}
trusted_certs = ["file://{self.world.root}"]
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
identity_cert = "file://{identity[0]}"
identity_pk = "file://{identity[1]}"
""")
        config.chmod(0o600)
        self.count = self.world.dir / "count"

    def device(self, number):
        self.root = self.world.dir / f"e{number}"
        shutil.copytree(self.template, self.root)
        self.world.edge_root = self.root
        edge = self.world.process(f"edge-{self.service}-{number}", "edge", "run", "--root", self.root)
        return edge

    # --- what is done to a device, in the same order each time

    def generation(self):
        text = (self.root / "var/lib/aziot/edged/env/edgeHub.env").read_text()
        return text.split('IOTEDGE_MODULEGENERATIONID="')[1].split('"')[0]

    def sockets(self):
        run_directory = self.root / "run/aziot"
        return {name: run_directory / f"{name}.sock" for name in ("keyd", "certd", "identityd")} | {
            "workload": self.root / "var/lib/aziot/edged/mnt/edgeHub.sock"}

    def work(self):
        """Every kind of change that a caller can ask for; each answer must be a success."""
        s = self.sockets()
        module = f"/modules/%24edgeHub/genid/{self.generation()}"

        def good(socket, method, target, body=None, version="2020-09-01"):
            status, answer = ask(s[socket], method, target, body, version)
            self.assertLess(status, 300, answer)
            return answer

        good("keyd", "POST", "/key", {"keyId": "imported", "usage": "sign", "keyBytes": "b25l"})
        good("keyd", "POST", "/key", {"keyId": "imported", "usage": "sign", "keyBytes": "dHdv"})
        for name in ("first", "second"):
            good("keyd", "POST", "/keypair", {"keyId": name})
        good("keyd", "POST", "/keypair/first", {"from": "second"})
        handle = good("keyd", "GET", "/keypair/first")["keyHandle"]
        good("keyd", "DELETE", "/keypair", {"keyHandle": handle})
        good("workload", "POST", f"{module}/certificate/server", {"commonName": HOSTNAME}, "2020-07-07")
        good("workload", "POST", f"{module}/certificate/server", {"commonName": "edgeHub"}, "2020-07-07")
        secret = {"plaintext": "c2VjcmV0", "initializationVector": "aXY="}
        good("workload", "POST", f"{module}/encrypt", secret, "2020-07-07")
        pem = good("certd", "GET", "/certificates/aziot-edged-ca")["pem"]
        good("certd", "PUT", "/certificates/imported", {"pem": pem})
        good("certd", "DELETE", "/certificates/imported")
        good("identityd", "POST", "/identities/modules", {"type": "aziot", "moduleId": "extra"})
        good("identityd", "DELETE", "/identities/modules/extra?type=aziot")

    def interrupted(self, edge, at):
        """Runs the device until its service is killed at its at-th change; False where it never came to that."""
        self.count.unlink(missing_ok=True)
        env = {**os.environ, "LD_PRELOAD": str(LIBRARY), "CRASH_SERVICE": self.service, "CRASH_UNDER": str(self.root),
               "CRASH_AT": str(at), "CRASH_COUNT": str(self.count)}
        ready = self.root / "ready"
        with open(edge.log, "ab") as log:
            process = subprocess.Popen([*edge.argv, "--ready-file", str(ready)], stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, env=env)
        try:
            until(60, "ready or killed", lambda: ready.exists() or process.poll() is not None)
            if process.poll() is None:
                try:
                    self.work()
                except (OSError, AssertionError, http.client.HTTPException) as why:
                    # Only because the service was killed in between.
                    try:
                        process.wait(60)
                    except subprocess.TimeoutExpired:
                        raise why from None
            if process.poll() is None:
                # A record may still be written after the answers.
                process.terminate()
            code = process.wait(60)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(60)
        hit = self.count.exists() and self.count.stat().st_size >= at
        if not hit:
            self.assertEqual(code, 0, "it ended by itself")
        return hit

    # --- what must be true afterwards

    def check(self, edge):
        edge.start()
        homes = self.root / "var/lib/aziot"
        until(60, "the module's environment", lambda: (homes / "edged/env/edgeHub.env").exists())
        self.work()
        # At rest: whoever is served writes meanwhile.
        self.assertEqual(edge.stop(), 0)
        left = [str(path) for path in self.root.rglob("*") if path.name.endswith((".new", ".damaged"))]
        self.assertEqual(left, [])
        for key in (homes / "keyd/keys").glob("*.key"):
            self.assertEqual(key.stat().st_mode & 0o777, 0o600, key)
            self.assertGreater(key.stat().st_size, 0, key)
            if key.read_bytes().startswith(b"-----"):
                run("openssl", "pkey", "-in", key, "-check", "-noout")
        for certificate in (homes / "certd/certs").glob("*.cer"):
            self.assertEqual(certificate.stat().st_mode & 0o777, 0o644, certificate)
            run("openssl", "x509", "-in", certificate, "-noout")
            key = homes / "keyd/keys" / certificate.with_suffix(".key").name
            if key.exists():
                self.assertEqual(run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout,
                                 run("openssl", "pkey", "-in", key, "-pubout").stdout, certificate)
        ca = next((homes / "certd/certs").glob("aziotedgedca-*.cer"))
        for chain in (homes / "certd/certs").glob("aziotedgedmoduleedgeHub*server-*.cer"):
            run("openssl", "verify", "-CAfile", ca, chain)
        for record in (homes / "identityd/modules").rglob("*-*"):
            if record.is_file():
                json.loads(record.read_text())

    def test_at_every_change(self):
        at = 1
        while True:
            edge = self.device(at)
            hit = self.interrupted(edge, at)
            with self.subTest(change=at):
                self.check(edge)
            edge.stop()
            shutil.rmtree(self.root)
            if not hit:
                break
            self.world.processes.remove(edge)
            at += 1
        self.assertGreater(at, self.least, "changes that were counted")


class CrashKeys(Crash):
    service, least = "keys", 40


class CrashCertificates(Crash):
    service, least = "certificates", 20


class CrashIdentity(Crash):
    service, least = "identity", 10


class CrashWorkload(Crash):
    service, least = "workload", 10


if __name__ == "__main__":
    unittest.main()
