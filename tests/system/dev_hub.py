# SPDX-License-Identifier: Apache-2.0
"""A hub made by `sallyport hub dev`, for tests that need one and nothing else."""

import http.client
import json
import os
import pathlib
import shlex
import signal
import ssl
import subprocess

import sas
from harness import GENEROUS, SALLYPORT, sallyport

NAMES = ["IOTHUB_HOSTNAME", "IOTHUB_CONNECTION_STRING", "IOTHUB_CA_FILE", "IOTHUB_MQTT_PORT", "IOTHUB_HTTPS_PORT",
         "SALLYPORT_READY"]


class DevHub:
    """A hub that runs; its variables as it printed them."""

    def __init__(self, data, *options, output="env", ports=("0", "0"), env=None):
        self.argv = [SALLYPORT, "hub", "dev", "--data", str(data), "--mqtt-port", ports[0], "--https-port", ports[1],
                     "--output", output, *map(str, options)]
        self.log = open(f"{data}.log", "ab")
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL,
                                        text=True, env={**os.environ, **(env or {})})
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if "SALLYPORT_READY" in line:
                break
        if self.process.poll() is not None:
            raise AssertionError(f"hub dev ended\n{pathlib.Path(self.log.name).read_text()}")
        self.values = json.loads(self.lines[0]) if output == "json" else parse(self.lines)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(GENEROUS)
        self.process.stdout.close()
        self.log.close()
        return code

    def ask(self, path, name="localhost", method="GET", body=None, token=None, identity=None):
        """One request with certificate and name verified, by the hub's owner, a token, or a certificate and key."""
        context = ssl.create_default_context(cafile=self.values["IOTHUB_CA_FILE"])
        headers = {}
        if identity:
            context.load_cert_chain(*identity)
        else:
            headers["Authorization"] = token or sas.service_token(self.values["IOTHUB_CONNECTION_STRING"])
        connection = http.client.HTTPSConnection(name, int(self.values["IOTHUB_HTTPS_PORT"]), context=context,
                                                 timeout=GENEROUS)
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def command(self, *argv, **options):
        return sallyport("hub", *argv, env=self.values, **options)


def parse(lines):
    """The variables that a shell reads from such lines."""
    values = {}
    for line in lines:
        name, value = line.split("=", 1)
        words = shlex.split(value)
        assert len(words) == 1, line
        values[name] = words[0]
    return values
