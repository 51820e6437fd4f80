# SPDX-License-Identifier: Apache-2.0
"""An edge device whose certificates all come from `sallyport ca dev` by EST: from the bootstrap certificate to renewed
certificates with the clock moved, and what it does without its EST server."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import unittest

from harness import GENEROUS, HOSTNAME, HUB_NAME, SystemTest, run, until
from test_year import Device

DAY = 24 * 3600
# Later than any pause that a service or the gateway has before it looks again.
NEXT_LOOK = 65 * 60


def certificates(text):
    return re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", text, re.S)


def about(pem, *what):
    return run("openssl", "x509", "-noout", *what, stdin=pem).stdout.strip()


def thumbprint(pem):
    return about(pem, "-fingerprint", "-sha256").split("=")[1].replace(":", "")


class DevCa:
    """`sallyport ca dev`, with the values that it prints."""

    def __init__(self, world):
        self.world = world
        self.data = world.dir / "est"
        self.env_file = world.dir / "est.env"
        self.log = world.dir / "est.log"
        self.port = "0"
        self.process = None
        self.values = {}

    def start(self):
        self.env_file.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in (*self.world.program, "ca", "dev", "--data", self.data, "--port", self.port,
                                        "--env-file", self.env_file)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

        def serves():
            if self.process.poll() is not None:
                raise AssertionError(f"ca dev exited {self.process.returncode}\n{self.text()}")
            return self.env_file.exists()

        until(GENEROUS, "ca dev serving", serves)
        self.values = dict(shlex.split(line)[0].split("=", 1) for line in self.env_file.read_text().splitlines())
        self.port = self.values["EST_URL"].rsplit(":", 1)[1]
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(GENEROUS)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def url(self, label):
        return f"{self.values['EST_URL']}/.well-known/est/{label}"


class EdgeEst(SystemTest):
    MOVES_CLOCK = True

    def setUp(self):
        super().setUp()
        self.ahead = 0
        self.est = DevCa(self.world)
        self.addCleanup(self.est.stop)

    def tearDown(self):
        if self._outcome and getattr(self._outcome, "errors", None):
            print(f"--- ca dev\n{self.est.text()[-4000:]}")
        super().tearDown()

    def advance(self, seconds):
        self.ahead += seconds
        self.world.set_clock(f"{self.ahead}s")

    def stored(self, stem):
        found = list((self.world.edge_root / "var/lib/aziot/certd/certs").glob(f"{stem}-*.cer"))
        return certificates(found[0].read_text()) if found else [""]

    def records(self):
        directory = self.world.edge_root / "var/lib/aziot/certd/est"
        return {record["id"]: record for record in
                (json.loads(file.read_text()) for file in directory.glob("*.json"))} if directory.exists() else {}

    def configure(self, more=""):
        w = self.world
        secrets = w.dir / "given"
        secrets.mkdir(mode=0o700)
        for name, source in (("bootstrap.pem", "EST_BOOTSTRAP_CERT"), ("bootstrap.key", "EST_BOOTSTRAP_KEY"),
                             ("root.pem", "EST_CA_FILE")):
            shutil.copy(self.est.values[source], secrets / name)
        os.chmod(secrets / "bootstrap.key", 0o600)
        renewal = 'auto_renew = { rotate_key = true, threshold = "80%", retry = "4%" }'
        (w.edge_root / "etc/aziot").mkdir(parents=True, mode=0o700)
        config = w.edge_root / "etc/aziot/config.toml"
        config.write_text(f"""hostname = "{HOSTNAME}"
trust_bundle_cert = "file://{secrets}/root.pem"
[provisioning]
source = "manual"
iothub_hostname = "{HUB_NAME}"
iothub_address = "127.0.0.1"
iothub_mqtt_port = {w.hub.port('MQTT_PORT')}
iothub_https_port = {w.hub.port('HTTPS_PORT')}
trusted_certs = ["file://{w.root}"]
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
[provisioning.authentication.identity_cert]
method = "est"
url = "{self.est.url('device')}"
{renewal}
[edge_ca]
method = "est"
url = "{self.est.url('edge-ca')}"
{renewal}
[module_certs]
method = "est"
url = "{self.est.url('server')}"
[cert_issuance.est]
trusted_certs = ["file://{secrets}/root.pem"]
[cert_issuance.est.auth]
bootstrap_identity_cert = "file://{secrets}/bootstrap.pem"
bootstrap_identity_pk = "file://{secrets}/bootstrap.key"
{more}""")
        config.chmod(0o600)

    def register_next_certificate(self, mark):
        """The operator: the thumbprint that the log tells goes into the slot that is free."""
        line = self.world.edge.wait_for("certificate.announced", "register=", since=mark)
        self.slot = "--secondary-thumbprint" if self.slot == "--primary-thumbprint" else "--primary-thumbprint"
        self.world.service("device", "update", "--device-id", "EdgeGateway", self.slot,
                           re.search(r"thumbprint=([0-9A-F]{64})", line).group(1))

    def build(self):
        w = self.world
        self.est.start()
        w.make_hub(days=3650)
        self.configure()
        w.sallyport("edge", "config", "apply", "--root", w.edge_root, "--dry-run")
        w.edge = w.process("edge", "edge", "run", "--root", w.edge_root).start()
        self.slot = "--primary-thumbprint"
        w.service("device", "create", "--device-id", "EdgeGateway", "--edge-enabled", "--auth-method", "x509_thumbprint",
                  self.slot, thumbprint(self.stored("deviceid")[0]))
        w.edge.wait_for("module.environment_written")
        w.make_gateway()
        self.leaf = w.issue("device", "TempSensor", None, "--days", "800")
        w.register_leaf("TempSensor", self.leaf[0])

    def send(self, *more):
        """A downstream device trusts the EST server's root and nothing else."""
        return self.world.sensor("TempSensor", *self.leaf, "--count", "1", *more,
                                 trust=self.est.values["EST_CA_FILE"])

    def presented(self):
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.world.gateway.port('MQTT_PORT')}",
                    "-servername", HOSTNAME, "-showcerts", stdin="", check=False)
        return certificates(shown.stdout)

    def expect_good(self, chain):
        """`openssl verify` accepts it under the EST server's root, by the time of this world."""
        leaf, above = self.world.dir / "leaf.pem", self.world.dir / "above.pem"
        leaf.write_text(chain[0])
        above.write_text("".join(chain[1:]))
        run("openssl", "verify", "-purpose", "sslserver", "-attime", int(time.time() + self.ahead), "-CAfile",
            self.est.values["EST_CA_FILE"], "-untrusted", above, leaf)

    def lasts(self, chain, seconds):
        """Whether its leaf is valid for so long, by the time of this world."""
        return bool(chain) and run("openssl", "x509", "-noout", "-checkend", str(self.ahead + seconds), stdin=chain[0],
                                   check=False).returncode == 0

    def checks(self):
        done = run(*self.world.program, "check", "--root", self.world.edge_root, "--output", "json", check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stdout + done.stderr)
        return {each["id"]: each for each in json.loads(done.stdout)["checks"]}

    def test_from_the_bootstrap_certificate_to_renewed_certificates(self):
        self.build()
        device, edge_ca, identity = (self.stored(stem)[0] for stem in ("deviceid", "aziotedgedca", "estid"))
        self.assertIn("EdgeGateway", about(device, "-subject"))
        self.assertIn("CA:TRUE", about(edge_ca, "-ext", "basicConstraints"))
        self.assertIn("TLS Web Client Authentication", about(identity, "-ext", "extendedKeyUsage"))
        self.assertEqual(about(self.presented()[0], "-issuer").split("=", 1)[1],
                         about(self.presented()[1], "-subject").split("=", 1)[1])
        sensor = Device(self.world.gateway.port("MQTT_PORT"), *self.leaf, self.est.values["EST_CA_FILE"])
        self.addCleanup(sensor.close)
        sensor.publish()
        self.assertEqual(len(self.world.events(1)), 1)
        self.assertEqual(self.records(), {})
        for id in ("est-server-https", "host-connect-est-server", "est-requests",
                   "est-identity-and-bootstrap-certificate-expiry", "identity-certificate-expiry"):
            self.assertEqual(self.checks()[id]["result"], "ok", self.checks()[id])

        # The EST identity renews itself.
        self.advance(25 * DAY)
        until(GENEROUS, "another EST identity", lambda: self.stored("estid")[0] != identity)
        self.assertEqual(about(self.stored("estid")[0], "-subject"), about(identity, "-subject"))

        # So are device certificate and Edge CA, and the gateway goes on.
        mark = self.world.edge.mark()
        for _ in range(3):
            self.advance(17 * DAY)
            self.advance(NEXT_LOOK)
            until(GENEROUS, "a server certificate that lasts", lambda: self.lasts(self.presented(), DAY))
        self.register_next_certificate(mark)
        self.advance(NEXT_LOOK)
        until(GENEROUS, "another device certificate", lambda: self.stored("deviceid")[0] != device)
        until(GENEROUS, "another Edge CA", lambda: self.stored("aziotedgedca")[0] != edge_ca)
        self.expect_good(self.presented())
        sensor.publish()
        self.assertEqual(len(self.world.events(2)), 2)

    def test_identity_that_has_expired_is_obtained_anew_with_the_bootstrap_certificate(self):
        self.build()
        identity, edge_ca = self.stored("estid")[0], self.stored("aziotedgedca")[0]
        self.world.edge.stop()
        self.advance(120 * DAY)  # a summer on a shelf: nothing of it is valid any more
        mark = self.world.edge.mark()
        self.world.edge.start()
        self.register_next_certificate(mark)
        until(GENEROUS, "another EST identity", lambda: self.stored("estid")[0] != identity)
        until(GENEROUS, "another Edge CA", lambda: self.stored("aziotedgedca")[0] != edge_ca)
        self.world.edge.wait_for("certificate.renewed", "EST identity", since=mark)
        self.advance(NEXT_LOOK)
        until(GENEROUS, "a device certificate that is valid", lambda: self.lasts(self.stored("deviceid"), 0))

    def test_without_its_server_the_device_goes_on_and_says_so(self):
        self.build()
        self.send()
        self.est.stop()
        self.send()
        found = self.checks()["host-connect-est-server"]
        self.assertEqual(found["result"], "error")
        self.assertIn("cannot be reached", found["reason"])
        self.advance(25 * DAY)
        until(GENEROUS, "a record of what did not come", lambda: "est-id-temp" in self.records())
        self.assertEqual(self.records()["est-id-temp"]["kind"], "unreachable")
        found = self.checks()["est-requests"]
        self.assertEqual(found["result"], "warning")
        self.assertIn("est-id-temp", found["reason"])
        identity = self.stored("estid")[0]
        self.est.start()
        self.advance(16 * 60)
        until(GENEROUS, "another EST identity", lambda: self.stored("estid")[0] != identity)
        until(GENEROUS, "nothing to say any more", lambda: "est-id-temp" not in self.records())


if __name__ == "__main__":
    unittest.main(verbosity=2)
