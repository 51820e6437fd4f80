# SPDX-License-Identifier: Apache-2.0
"""Messages out of the hub with real processes: a reader whose place the hub keeps, and what explains a refusal."""

import json
import re

from harness import SystemTest, sallyport


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


if __name__ == "__main__":
    import unittest

    unittest.main()
