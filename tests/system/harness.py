# SPDX-License-Identifier: Apache-2.0
"""Real processes for system and interop tests: a CA, a hub, an edge device, its gateway, each in its own directory.

Nothing here sleeps for luck: starting waits for the ready file, everything else for a line of a log, an exit or a
message, with a generous limit. On failure the logs of all roles are printed.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SALLYPORT = os.environ["SALLYPORT"]
# The same program with --clock-file.
SALLYPORT_TESTING = os.environ.get("SALLYPORT_TESTING", SALLYPORT + "-testing")
TEMPSENSOR = os.environ["TEMPSENSOR"]
SOURCE = pathlib.Path(os.environ["SALLYPORT_SOURCE"])

HUB_NAME = "ContosoIotHub"
HOSTNAME = "edgegateway.local"
DEVICE_ID = "deviceid-bd732105ef89cf8edd2606a5309c8a26b7b5599a4e124a0fe6199b6b2f60e655"
GENEROUS = 60


def until(limit, what, ask):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + limit
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {limit} s")
        time.sleep(0.02)


def run(*argv, env=None, check=True, stdin=None, timeout=GENEROUS):
    """Runs a program to its end. check: fail the test unless it exits 0."""
    done = subprocess.run(
        [str(a) for a in argv],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(env or {})},
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))} exited {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def sallyport(*argv, **options):
    return run(SALLYPORT, *argv, **options)


def ended(pid):
    """True where no such process runs, or it has ended and nobody has asked for its result."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Process:
    """A role that runs: started when its ready file is there."""

    def __init__(self, name, directory, argv):
        self.name = name
        self.log = directory / f"{name}.log"
        self.ready = directory / f"{name}.ready"
        self.argv = [str(a) for a in argv]
        self.process = None
        self.values = {}

    def start(self):
        self.ready.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.argv + ["--ready-file", str(self.ready)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

        def serves():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} exited {self.process.returncode} before it served\n{self.text()}")
            return self.ready.exists()

        until(GENEROUS, f"{self.name} serving", serves)
        self.values = dict(line.split("=", 1) for line in self.ready.read_text().split("\n") if "=" in line)
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(how)
        code = self.process.wait(GENEROUS)
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def port(self, which):
        return int(self.values[which])

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def mark(self):
        """A place in the log; `wait_for` looks behind it."""
        return len(self.text())

    def wait_for(self, *words, since=0, limit=GENEROUS):
        """The first line behind `since` that holds all words."""

        def look():
            for line in self.text()[since:].split("\n"):
                if all(word in line for word in words):
                    return line
            return None

        try:
            return until(limit, f"a line of the {self.name} with {words}", look)
        except AssertionError as why:
            raise AssertionError(f"{why}\n{self.text()[-4000:]}") from None


class World:
    """One PKI, hub, edge device and gateway. Pieces are made as a test asks for them.

    clock: everything runs in sallyport-testing, by a time that `set_clock` moves.
    """

    def __init__(self, clock=False):
        # A short path: Unix sockets lie below it.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.ca = self.dir / "ca"
        self.root = self.ca / "certs" / "my_private_root_CA.pem"
        self.edge_root = self.dir / "edge"
        self.processes = []
        self.hub = None
        self.program = [SALLYPORT]
        if clock:
            self.clock_file = self.dir / "clock"
            self.set_clock("0")
            self.program = [SALLYPORT_TESTING, "--clock-file", self.clock_file]
        self.sallyport("ca", "init", "--data", self.ca)

    def set_clock(self, ahead):
        """Moves the time of every process and command of this world: "90d", "-12h", "0"."""
        beside = self.dir / "clock.new"
        beside.write_text(ahead)
        beside.rename(self.clock_file)

    def sallyport(self, *argv, **options):
        return run(*self.program, *argv, **options)

    def close(self):
        for process in reversed(self.processes):
            try:
                process.stop()
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def print_logs(self):
        for process in self.processes:
            print(f"--- {process.name}\n{process.text()[-6000:]}", file=sys.stderr)

    def issue(self, profile, subject, name=None, *options):
        """A certificate and key out of our CA: their paths."""
        name = name or subject
        cert, key = self.dir / "issued" / f"{name}.pem", self.dir / "issued" / f"{name}.key"
        cert.parent.mkdir(mode=0o700, exist_ok=True)
        self.sallyport("ca", "issue", "--data", self.ca, "--profile", profile, "--subject", subject, *options,
                       "--key-out", key, "--out", cert)
        return cert, key

    def thumbprint(self, cert):
        return run("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256").stdout.strip().split("=", 1)[1]

    # --- hub

    def make_hub(self, address="127.0.0.1", mqtt_port=0, https_port=0, days=90):
        data = self.dir / "hub"
        self.sallyport("hub", "init", "--data", data, "--name", HUB_NAME, "--name", address)
        cert, key = self.issue("server", HUB_NAME, "hub", "--san", f"DNS:{HUB_NAME}", "--san", f"IP:{address}",
                               "--days", str(days))
        shutil.copy(cert, data / "hub.pem")
        shutil.copy(key, data / "hub.key")
        os.chmod(data / "hub.key", 0o600)
        self.hub = self.process("hub", "hub", "run", "--data", data, "--listen", address, "--mqtt-port", mqtt_port,
                                "--https-port", https_port).start()
        # The ports stay when the hub is started again.
        for option, value in (("--mqtt-port", "MQTT_PORT"), ("--https-port", "HTTPS_PORT")):
            self.hub.argv[self.hub.argv.index(option) + 1] = self.hub.values[value]
        shown = self.sallyport("hub", "connection-string", "show", "--data", data, "--host",
                               f"{address}:{self.hub.port('HTTPS_PORT')}")
        self.connection_string = shown.stdout.strip()
        return self.hub

    def process(self, name, *argv):
        process = Process(name, self.dir, [*self.program, *argv])
        self.processes.append(process)
        return process

    def service(self, *argv, **options):
        """A command that speaks to the hub's service API."""
        return self.sallyport("hub", *argv, env={"IOTHUB_CONNECTION_STRING": self.connection_string,
                                                  "IOTHUB_CA_FILE": str(self.root)}, **options)

    def show_device(self, device):
        return json.loads(self.service("device", "show", "--device-id", device, "--output", "json").stdout)

    def register_edge(self, cert, *more):
        self.service("device", "create", "--device-id", "EdgeGateway", "--edge-enabled", "--auth-method",
                     "x509_thumbprint", "--primary-thumbprint", self.thumbprint(cert), *more)

    def register_leaf(self, device, cert, *more, parent="EdgeGateway"):
        options = ["--parent", parent] if parent else []
        self.service("device", "create", "--device-id", device, "--auth-method", "x509_thumbprint",
                     "--primary-thumbprint", self.thumbprint(cert), *options, *more)

    def events(self, count, *options, limit=GENEROUS):
        """The first `count` events of the hub's log, as objects."""
        shown = self.service("monitor", "--from-beginning", "--output", "json", "--properties", "all", "--count",
                             str(count), "--timeout", str(limit), *options, timeout=limit + 30)
        return [json.loads(line)["event"] for line in shown.stdout.splitlines()]

    # --- edge device and gateway

    def make_edge(self, edge_ca=True, trusted_certs=True, more="", first=""):
        identity = self.issue("device", "EdgeGateway", "edge-identity")
        self.register_edge(identity[0])
        certs = self.edge_root / "var/lib/aziot/certd/certs"
        keys = self.edge_root / "var/lib/aziot/keyd/keys"
        for directory in (certs, keys, self.edge_root / "etc/aziot"):
            directory.mkdir(parents=True, mode=0o700)
        for home in (certs.parent, keys.parent):  # parents are made with the umask's mode
            home.chmod(0o700)
        shutil.copy(identity[0], certs / f"{DEVICE_ID}.cer")
        shutil.copy(identity[1], keys / f"{DEVICE_ID}.key")
        text = f"""{first}hostname = "{HOSTNAME}"
trust_bundle_cert = "file://{self.root}"
[provisioning]
source = "manual"
iothub_hostname = "{HUB_NAME}"
iothub_address = "127.0.0.1"
iothub_mqtt_port = {self.hub.port('MQTT_PORT')}
iothub_https_port = {self.hub.port('HTTPS_PORT')}
{f'trusted_certs = ["file://{self.root}"]' if trusted_certs else ''}
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
identity_cert = "file://{certs}/{DEVICE_ID}.cer"
identity_pk = "file://{keys}/{DEVICE_ID}.key"
"""
        if edge_ca:
            ca_cert, ca_key = self.issue("edge-ca", "iotedged workload ca edgegateway", "edge-ca")
            text += f'[edge_ca]\ncert = "file://{ca_cert}"\npk = "file://{ca_key}"\n'
        config = self.edge_root / "etc/aziot/config.toml"
        config.write_text(text + more)
        config.chmod(0o600)
        self.edge = self.process("edge", "edge", "run", "--root", self.edge_root)
        return self.edge.start()

    def make_gateway(self):
        self.gateway = self.process("gateway", "gateway", "run", "--root", self.edge_root, "--listen", "127.0.0.1",
                                    "--mqtt-port", "0").start()
        self.gateway.argv[self.gateway.argv.index("--mqtt-port") + 1] = self.gateway.values["MQTT_PORT"]
        return self.gateway

    # --- devices

    def sensor(self, device, cert, key, *more, port=None, check=True, name=HOSTNAME, trust=None):
        """Runs TempSensor's program against the gateway."""
        port = port or self.gateway.port("MQTT_PORT")
        return run(TEMPSENSOR, "--gateway", f"127.0.0.1:{port}", "--name", name, "--hub", HUB_NAME, "--device", device,
                   "--cert", cert, "--key", key, "--trust", trust or self.root, *more, check=check)

    def mosquitto_pub(self, device, port, cert, key, payload, *more, topic=None, check=True):
        return run("mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-V", "mqttv311", "-i", device,
                   "-u", f"{HUB_NAME}/{device}/?api-version=2021-04-12", "--cafile", self.root, "--cert", cert,
                   "--key", key, "-t", topic or f"devices/{device}/messages/events/", "-m", payload, "-q", "1", *more,
                   check=check)


class SystemTest(unittest.TestCase):
    """A test with a World of its own."""

    MOVES_CLOCK = False

    def setUp(self):
        self.world = World(clock=self.MOVES_CLOCK)
        self.addCleanup(self.world.close)
        self.failed_before = len(getattr(self._outcome.result, "failures", [])) + len(
            getattr(self._outcome.result, "errors", []))

    def run(self, result=None):
        outcome = super().run(result)
        return outcome

    def tearDown(self):
        result = self._outcome.result
        bad = len(result.failures) + len(result.errors) > self.failed_before
        if bad or any(error for _, error in getattr(self._outcome, "errors", []) if error):
            self.world.print_logs()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
