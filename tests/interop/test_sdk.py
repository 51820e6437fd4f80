# SPDX-License-Identifier: Apache-2.0
"""The Azure IoT SDKs for Node, unmodified and at pinned versions, against a hub at its standard ports.

Over MQTT the SDK takes a port in HostName, over HTTPS and WebSockets it always goes to 443: so each hub here has a
loopback address of its own, which stands in its certificate.
"""

import os
import pathlib
import random
import shutil
import unittest

from harness import HOSTNAME, SOURCE, SystemTest, run, sallyport

SCRIPTS = SOURCE / "tests" / "interop" / "sdk"
MODULES = SOURCE / "build" / "interop-sdk"  # scripts/install puts them there


def may_bind_443():
    floor = pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return os.geteuid() == 0 or int(floor.read_text()) <= 443


class Sdk(SystemTest):
    def setUp(self):
        if not may_bind_443():
            self.skipTest("the SDKs go to port 443, which only root may bind here")
        super().setUp()
        self.address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(2, 254)}"
        self.world.make_hub(self.address, mqtt_port=8883, https_port=443)
        self.certificates = self.world.dir / "issued"
        self.certificates.mkdir(mode=0o700, exist_ok=True)

    def node(self, script, *before, **env):
        """Runs a script; before: the words of a command that runs it."""
        w = self.world
        shutil.copytree(SCRIPTS, MODULES, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        done = run(*before, "node", "--test", "--test-reporter=spec", MODULES / script, check=False, timeout=150, env={
            "IOTHUB_CONNECTION_STRING": self.string("iothubowner"),
            "IOTHUB_HOSTNAME": self.address,
            "IOTHUB_CA_FILE": str(w.root),
            "NODE_EXTRA_CA_CERTS": str(w.root),
            "SDK_CERTIFICATES": str(self.certificates),
            **env})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"pass [1-9]")
        self.assertRegex(done.stdout, r"skipped 0")

    def string(self, policy):
        return sallyport("hub", "connection-string", "show", "--data", self.world.dir / "hub", "--policy-name", policy,
                         "--host", self.address).stdout.strip()


class SdkDevice(Sdk):
    def device_certificates(self, transport):
        w = self.world
        thumbprint, by_ca = f"{transport}-thumbprint", f"{transport}-ca"
        cert, _ = w.issue("device", thumbprint)
        (self.certificates / f"{thumbprint}.thumbprint").write_text(w.thumbprint(cert))
        w.issue("device", by_ca)
        w.service("certificate", "create", "--name", "root", "--path", w.root, "--verified", "true")

    def test_device_over_mqtt(self):
        self.device_certificates("mqtt")
        self.node("device.mjs", SDK_TRANSPORT="mqtt")

    def test_device_over_websockets(self):
        self.device_certificates("ws")
        self.node("device.mjs", SDK_TRANSPORT="ws")

    def test_module_client(self):
        self.node("module.mjs")

    def test_device_over_https(self):
        self.node("http.mjs")


class SdkEdgeModule(Sdk):
    def make_device(self):
        w = self.world
        identity = w.issue("device", "EdgeGateway", "edge-identity")
        w.register_edge(identity[0])
        etc = w.edge_root / "etc/aziot"
        etc.mkdir(parents=True, mode=0o700)
        config = etc / "config.toml"
        config.write_text(f"""hostname = "{HOSTNAME}"
trust_bundle_cert = "file://{w.root}"
[provisioning]
source = "manual"
iothub_hostname = "{self.address}"
trusted_certs = ["file://{w.root}"]
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
identity_cert = "file://{identity[0]}"
identity_pk = "file://{identity[1]}"
[[principal]]
name = "mod1"
uid = {os.geteuid()}
idtype = ["module"]
""")
        config.chmod(0o600)
        return w.process("edge", "edge", "run", "--root", w.edge_root).start()

    def test_module_client_from_the_environment(self):
        self.make_device()
        environment = self.world.edge_root / "var/lib/aziot/edged/env/mod1.env"
        # Without the gateway's name the SDK speaks to the hub.
        self.node("edge-module.mjs", "sh", "-c",
                  'set -a; . "$0"; set +a; unset IOTEDGE_GATEWAYHOSTNAME; exec "$@"', environment)


class SdkService(Sdk):
    def test_registry(self):
        self.node("registry.mjs", SDK_REGISTRY_READ=self.string("registryRead"))

    def test_arm_certificates(self):
        d = self.certificates
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            d / "proof-root.key", "-out", d / "proof-root.pem", "-days", "30", "-subj", "/CN=proof root",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        sign = d / "sign-proof"
        sign.write_text(f"""#!/bin/sh
set -e
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {d}/proof.key -out {d}/proof.csr -subj "/CN=$1" 2>/dev/null
openssl x509 -req -in {d}/proof.csr -CA {d}/proof-root.pem -CAkey {d}/proof-root.key -CAcreateserial -days 1 2>/dev/null
""")
        sign.chmod(0o700)
        self.node("arm.mjs", SDK_SIGN_PROOF=str(sign))


if __name__ == "__main__":
    unittest.main()
