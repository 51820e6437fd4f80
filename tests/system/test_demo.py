# SPDX-License-Identifier: Apache-2.0
"""./demo itself, as a reader uses it: played once, held up, plugs pulled from another terminal, played again."""

import os
import pathlib
import shlex
import signal
import stat
import subprocess
import unittest

from harness import SOURCE, ended, run, until

ENV_FILE = SOURCE / "build" / "demo" / "env"
PRESET = pathlib.Path(os.environ["SALLYPORT_BUILD"]).name


def environment():
    lines = ENV_FILE.read_text().splitlines()
    values = {}
    for line in lines:
        name, value = line.split("=", 1)
        values[name] = (shlex.split(value) or [""])[0]
    return values, lines


def demo(*argv, check=True, timeout=300):
    return run(SOURCE / "demo", *argv, env={"DEMO_PRESET": PRESET}, check=check, timeout=timeout)


class Demo(unittest.TestCase):
    def start(self):
        self.log = open(SOURCE / "build" / "demo-test.log", "wb+")
        self.addCleanup(self.log.close)
        self.process = subprocess.Popen([SOURCE / "demo"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "DEMO_PRESET": PRESET}, start_new_session=True)
        self.addCleanup(self.end)

        def ready():
            self.assertIsNone(self.process.poll(), self.said())
            return ENV_FILE.exists() and "DEMO_READY=1" in ENV_FILE.read_text().splitlines()

        until(300, "the demo being ready", ready)

    def said(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-5000:]

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def test_once_plays_and_exits_0_and_can_be_run_again_at_once(self):
        for options in (("--once", "--reset"), ("--once",)):
            done = demo(*options)
            self.assertIn("The scenario has been played.", done.stdout)
            self.assertNotIn("\x1b[", done.stdout)  # plain in a pipe
            # Each trust decision is told by its steps, the refusals with their reason.
            for step in ("leaf.thumbprint", "identity.registered", "chain.links", "token.signature", "leaf.san",
                         "path.anchor", "expected dNSName gateway.example", "expected Stranger in the registry"):
                self.assertIn(step, done.stdout)
            self.assertFalse(ENV_FILE.exists())

    def test_a_terminal_gets_colours(self):
        done = run("script", "-qec", f"{SOURCE}/demo --once", "/dev/null", env={"DEMO_PRESET": PRESET}, timeout=300)
        self.assertIn("\x1b[32m", done.stdout)

    def test_held_up_demo_lets_a_reader_look_and_pull_plugs(self):
        demo("--once", "--reset")
        self.start()
        values, lines = environment()
        self.assertEqual(lines[-1], "DEMO_READY=1")
        self.assertEqual(stat.S_IMODE(ENV_FILE.stat().st_mode), 0o600)
        for name in ("DEMO_DIR HUB_HOST HUB_ADDRESS HUB_MQTT_PORT HUB_HTTPS_PORT HUB_CA_FILE IOTHUB_CONNECTION_STRING "
                     "EDGE_ROOT GATEWAY_ADDRESS GATEWAY_MQTT_PORT ROOT_CA_FILE TEMPSENSOR_CERT TEMPSENSOR_KEY HUB_PID "
                     "EDGE_PID GATEWAY_PID").split():
            self.assertTrue(values.get(name), name)
        self.assertEqual(run("bash", "-c", f". {ENV_FILE} && echo $HUB_HOST").stdout.strip(), "ContosoIotHub")

        # openssl s_client prints depth 3 to depth 0 and ends well.
        gateway = f"{values['GATEWAY_ADDRESS']}:{values['GATEWAY_MQTT_PORT']}"
        shown = run("openssl", "s_client", "-connect", gateway, "-servername", "edgegateway.local", "-CAfile",
                    values["ROOT_CA_FILE"], stdin="")
        text = shown.stdout + shown.stderr
        for depth in (3, 2, 1, 0):
            self.assertRegex(text, rf"depth={depth} [^\n]*\nverify return:1")
        self.assertIn("Verify return code: 0 (ok)", text)

        # The fingerprint of the identity is what the hub shows.
        cert = next(pathlib.Path(values["EDGE_ROOT"]).glob("var/lib/aziot/certd/certs/deviceid-*.cer"))
        fingerprint = run("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256").stdout.strip().split("=")[1]
        service = {"IOTHUB_CONNECTION_STRING": values["IOTHUB_CONNECTION_STRING"], "IOTHUB_CA_FILE": values["HUB_CA_FILE"]}
        sallyport = os.environ["SALLYPORT"]
        self.assertIn(fingerprint, run(sallyport, "hub", "device", "show", "--device-id", "EdgeGateway", env=service).stdout)

        # The reader is TempSensor: nobody holds its connection.
        def publish(payload):
            return run("mosquitto_pub", "-h", values["GATEWAY_ADDRESS"], "--insecure", "-p", values["GATEWAY_MQTT_PORT"], "-V",
                       "mqttv311", "-i", "TempSensor", "-u", "ContosoIotHub/TempSensor/?api-version=2021-04-12", "--cafile",
                       values["ROOT_CA_FILE"], "--cert", values["TEMPSENSOR_CERT"], "--key", values["TEMPSENSOR_KEY"], "-t",
                       "devices/TempSensor/messages/events/", "-m", payload, "-q", "1", check=False)

        self.assertEqual(publish('{"reader":1}').returncode, 0)

        # Plugs: the hub goes, messages wait; it returns on its old address and port, and they arrive.
        inode = ENV_FILE.stat().st_ino
        demo("stop", "hub")
        self.assertNotEqual(ENV_FILE.stat().st_ino, inode)  # replaced by rename
        self.assertTrue(ended(values["HUB_PID"]))
        self.assertEqual(publish('{"reader":2}').returncode, 0)
        demo("start", "hub")
        again, lines = environment()
        self.assertEqual(lines[-1], "DEMO_READY=1")
        self.assertNotEqual(again["HUB_PID"], values["HUB_PID"])
        for name in ("HUB_ADDRESS", "HUB_MQTT_PORT", "HUB_HTTPS_PORT", "GATEWAY_MQTT_PORT", "GATEWAY_PID"):
            self.assertEqual(again[name], values[name])

        def arrived():
            seen = run(sallyport, "hub", "monitor", "--from-beginning", "--output", "json", "--timeout", "1", env=service,
                       check=False).stdout
            return '"reader":2' in seen.replace(" ", "")

        until(60, "the reader's second message", arrived)
        for role in ("gateway", "edge"):
            demo("stop", role)
            self.assertEqual(demo("stop", role, check=False).returncode, 1)
            demo("start", role)
        self.assertEqual(publish('{"reader":3}').returncode, 0)

        # A process that ends by itself is told with its last words.
        os.kill(int(environment()[0]["GATEWAY_PID"]), signal.SIGKILL)
        until(30, "the demo telling of the gateway's end", lambda: "The gateway has ended by itself" in self.said())
        self.assertIsNone(self.process.poll())
        demo("start", "gateway")

        pids = [int(environment()[0][f"{role}_PID"]) for role in ("HUB", "EDGE", "GATEWAY")]
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        for pid in pids:
            self.assertTrue(ended(pid), pid)
        self.assertFalse(ENV_FILE.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
