# SPDX-License-Identifier: Apache-2.0
"""Messages out of the hub with real processes: a reader whose place the hub keeps, and what explains a refusal."""

import json
import re
import subprocess

from harness import GENEROUS, HUB_NAME, SystemTest, sallyport


class Messages(SystemTest):
    def build(self):
        w = self.world
        w.make_hub()
        self.cert, self.key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", self.cert, parent=None)
        return w

    def send(self, *numbers):
        for number in numbers:
            self.world.mosquitto_pub("TempSensor", self.world.hub.port("MQTT_PORT"), self.cert, self.key,
                                     json.dumps({"n": number}))

    def monitor(self, *options, check=True):
        """What one run of the monitor shows, as numbers."""
        shown = self.world.service("monitor", "--output", "json", *options, check=check)
        return [json.loads(line)["event"]["payload"]["n"] for line in shown.stdout.splitlines()]

    def test_monitor_goes_on_where_the_consumer_was(self):
        w = self.build()
        self.send(1, 2, 3)
        self.assertEqual(self.monitor("--consumer", "billing", "--from-beginning", "--count", "2"), [1, 2])
        self.assertEqual(self.monitor("--consumer", "billing", "--count", "1"), [3])
        self.send(4)
        w.hub.kill()
        w.hub.start()
        self.send(5)
        self.assertEqual(self.monitor("--consumer-group", "billing", "--count", "2"), [4, 5])
        self.assertEqual(self.monitor("--consumer", "another", "--from-beginning", "--count", "5"), [1, 2, 3, 4, 5])

    def test_consumer_that_has_seen_nothing_yet_misses_nothing_from_its_first_run_on(self):
        self.build()
        self.send(1)
        self.assertEqual(self.monitor("--consumer", "billing", "--timeout", "1", check=False), [])
        self.send(2)
        self.assertEqual(self.monitor("--consumer", "billing", "--count", "1"), [2])

    def test_refused_connect_is_explained_by_the_id_of_its_log_line(self):
        w = self.build()
        cert, key = w.issue("device", "TempSensor", "stranger")
        w.mosquitto_pub("TempSensor", w.hub.port("MQTT_PORT"), cert, key, "{}", check=False)
        line = w.hub.wait_for("session.refused", "device=TempSensor")
        tracking = re.search(r"tracking=(\S+)", line).group(1)
        shown = w.service("explain", tracking).stdout
        self.assertRegex(shown, r"failed +leaf\.thumbprint")
        self.assertRegex(shown, r"identity +TempSensor\n")
        self.assertRegex(shown, r"fix +\S")
        asked = json.loads(w.service("explain", f"Tracking ID:{tracking}-TimeStamp:x", "--output", "json").stdout)
        self.assertEqual(asked["trackingId"], tracking)
        newest = json.loads(w.service("explain", "--device-id", "TempSensor", "--top", "1", "--output", "json").stdout)
        self.assertEqual(newest, asked)
        # Days later, at the machine of a hub that is down.
        w.hub.stop()
        beside = sallyport("hub", "explain", tracking, "--data", w.dir / "hub", "--output", "json")
        self.assertEqual(json.loads(beside.stdout), asked)
        unknown = sallyport("hub", "explain", "0" * 32, "--data", w.dir / "hub", check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertEqual(sallyport("hub", "explain", "abc", "--data", w.dir / "hub", check=False).returncode, 2)


class Acknowledged(SystemTest):
    """What a device was told is stored outlives the hub, however it ends."""

    COUNT = 10_000

    def publish(self, numbers):
        """Publishes with twenty in flight until the client ends; yields each number that was acknowledged."""
        w = self.world
        lines = w.dir / "lines"
        lines.write_text("".join(f'{{"n": {n}}}\n' for n in numbers))
        with open(lines, "rb") as stdin:
            client = subprocess.Popen(
                ["stdbuf", "-oL", "mosquitto_pub", "-h", "127.0.0.1", "-p", str(w.hub.port("MQTT_PORT")), "-V", "mqttv311",
                 "-i", "TempSensor", "-u", f"{HUB_NAME}/TempSensor/?api-version=2021-04-12", "--cafile", w.root, "--cert",
                 self.cert, "--key", self.key, "-t", "devices/TempSensor/messages/events/", "-l", "-q", "1", "-d"],
                stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.kill)
        for line in client.stdout:
            if acknowledged := re.search(r"received PUBACK \(Mid: (\d+), RC:0\)", line):
                yield numbers[int(acknowledged.group(1)) - 1]
        client.wait(GENEROUS)

    def test_no_message_is_lost_over_a_restart_and_a_kill(self):
        w = self.world
        w.make_hub()
        self.cert, self.key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", self.cert, parent=None)
        acknowledged = set()
        ends = [(self.COUNT // 3, w.hub.stop), (2 * self.COUNT // 3, w.hub.kill)]
        while len(acknowledged) < self.COUNT:
            before = len(acknowledged)
            for number in self.publish([n for n in range(self.COUNT) if n not in acknowledged]):
                acknowledged.add(number)
                if ends and len(acknowledged) >= ends[0][0]:
                    ends.pop(0)[1]()
                    w.hub.start()
            self.assertGreater(len(acknowledged), before, "a client that gets nowhere")
        self.assertFalse(ends)
        shown = w.service("monitor", "--from-beginning", "--output", "json", "--timeout", "2", timeout=300, check=False)
        stored = [json.loads(line)["event"]["payload"]["n"] for line in shown.stdout.splitlines()]
        self.assertEqual(set(stored), set(range(self.COUNT)))


if __name__ == "__main__":
    import unittest

    unittest.main()
