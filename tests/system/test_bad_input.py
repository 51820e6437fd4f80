# SPDX-License-Identifier: Apache-2.0
"""What bad input gets: one line that says what and what to do, the right exit code, and a process that lives on."""

import errno
import json
import os
import shutil
import socket
import ssl
import unittest
import urllib.error
import urllib.request

from harness import HOSTNAME, HUB_NAME, SystemTest, run, sallyport

from sas import service_token


class AtTheHub(SystemTest):
    def setUp(self):
        super().setUp()
        self.world.make_hub()

    def tls(self, port):
        context = ssl.create_default_context(cafile=str(self.world.root))
        raw = socket.create_connection(("127.0.0.1", port), timeout=30)
        return context.wrap_socket(raw, server_hostname=HUB_NAME)

    def alive(self):
        self.world.service("device", "list")

    def test_bytes_that_are_not_tls_close_the_connection_with_a_logged_reason(self):
        w = self.world
        for port in (w.hub.port("MQTT_PORT"), w.hub.port("HTTPS_PORT")):
            mark = w.hub.mark()
            with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
                raw.sendall(b"GET / HTTP/1.0\r\n\r\n" + b"\xff" * 64)
                try:
                    while raw.recv(4096):
                        pass
                except ConnectionResetError:
                    pass  # closed with our bytes unread
            w.hub.wait_for("connection.refused", since=mark)
        self.alive()

    def test_bytes_that_are_not_mqtt_close_the_connection_with_a_logged_reason(self):
        for sent in (b"\x00\x00", b"\x10\xff\xff\xff\xff\x7f", b"\x30\x02\x00\x01", b"\x10\x02\x00\x04", b"\xe0\x00"):
            mark = self.world.hub.mark()
            with self.tls(self.world.hub.port("MQTT_PORT")) as stream:
                stream.sendall(sent)
                stream.settimeout(30)
                self.assertEqual(stream.recv(10), b"", sent)
            self.world.hub.wait_for("connection.ended", since=mark)
        self.alive()

    def request(self, method, path, body=None, headers=None, token=True):
        w = self.world
        context = ssl.create_default_context(cafile=str(w.root))
        request = urllib.request.Request(f"https://127.0.0.1:{w.hub.port('HTTPS_PORT')}{path}", method=method,
                                         data=body, headers=headers or {})
        if token:
            request.add_header("Authorization", service_token(w.connection_string))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read()

    def assert_azure_error(self, answer, status, name):
        self.assertEqual(answer[0], status, answer[2])
        self.assertTrue(answer[1]["Content-Type"].startswith("application/json"))
        self.assertEqual(answer[1]["iothub-errorcode"], name)
        body = json.loads(answer[2])
        self.assertTrue(body["Message"].startswith(f"ErrorCode:{name};"), body)
        self.assertIn("Tracking ID:", body["ExceptionMessage"])

    def test_json_that_does_not_parse_is_a_400_in_azures_form(self):
        v = "?api-version=2021-04-12"
        json_type = {"Content-Type": "application/json"}
        for body in (b"{", b"[]", b'{"deviceId":1}', b'{"deviceId":"d1","status":"perhaps"}', b"\xff\xfe", b"[" * 100000):
            answer = self.request("PUT", f"/devices/d1{v}", body, json_type)
            self.assertEqual(answer[0], 400, body[:40])
            self.assertTrue(json.loads(answer[2])["Message"].startswith("ErrorCode:"))
        self.assert_azure_error(self.request("PUT", f"/devices/d1{v}", b'{"deviceId":"d2"}', json_type), 400, "ArgumentInvalid")
        self.assert_azure_error(
            self.request("PUT", f"/devices/d1{v}", b'{"deviceId":"d1","authentication":{"type":"selfSigned",'
                         b'"x509Thumbprint":{"primaryThumbprint":"12"}}}', json_type), 400, "ArgumentInvalid")
        self.assert_azure_error(self.request("GET", f"/devices/none{v}"), 404, "DeviceNotFound")
        self.assertEqual(self.request("GET", f"/devices/d1{v}", token=False)[0], 401)
        self.assertEqual(self.request("GET", f"/no/such/route{v}")[0], 404)
        self.assertEqual(self.request("PATCH", f"/devices{v}", b"{}", json_type)[0], 405)
        self.alive()

    def test_bytes_that_are_not_http_get_a_400(self):
        for sent in (b"NONSENSE\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"):
            with self.tls(self.world.hub.port("HTTPS_PORT")) as stream:
                stream.settimeout(30)
                stream.sendall(sent)
                self.assertTrue(stream.recv(4096).startswith(b"HTTP/1.1 400"), sent)
        self.alive()

    def test_second_hub_on_the_same_directory_or_port_fails_saying_so(self):
        w = self.world
        second = sallyport("hub", "run", "--data", w.dir / "hub", "--mqtt-port", "0", "--https-port", "0", check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("in use by process", second.stderr)
        other = w.dir / "hub2"
        sallyport("hub", "init", "--data", other, "--name", "other")
        for name in ("hub.pem", "hub.key"):
            shutil.copy(w.dir / "hub" / name, other / name)
        busy = sallyport("hub", "run", "--data", other, "--listen", "127.0.0.1", "--mqtt-port", w.hub.port("MQTT_PORT"),
                         "--https-port", "0", check=False)
        self.assertNotEqual(busy.returncode, 0)
        self.assertIn(str(w.hub.port("MQTT_PORT")), busy.stderr)
        self.assertIn("hint:", busy.stderr)


class AtTheGateway(SystemTest):
    def test_bytes_that_are_neither_tls_nor_mqtt_close_the_connection_with_a_logged_reason(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        w.make_gateway()
        port = w.gateway.port("MQTT_PORT")
        mark = w.gateway.mark()
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall(b"\x16\x03\x01\xff\xff" + b"\x00" * 100)
            try:
                raw.shutdown(socket.SHUT_WR)
            except OSError as gone:
                self.assertEqual(gone.errno, errno.ENOTCONN, "the gateway had closed it already")
            try:
                while raw.recv(4096):
                    pass
            except ConnectionResetError:
                pass
        w.gateway.wait_for("connection.refused", since=mark)
        context = ssl.create_default_context(cafile=str(w.root))
        for sent in (b"\x10\xff\xff\xff\xff\x7f", b"\x30\x02\x00\x01"):
            mark = w.gateway.mark()
            raw = socket.create_connection(("127.0.0.1", port), timeout=30)
            with context.wrap_socket(raw, server_hostname=HOSTNAME) as stream:
                stream.sendall(sent)
                stream.settimeout(30)
                self.assertEqual(stream.recv(10), b"", sent)
            w.gateway.wait_for("connection.refused", "code=malformed", since=mark)
        self.assertIsNone(w.gateway.process.poll())


class AtStart(SystemTest):
    def complaint(self, *argv):
        done = sallyport(*argv, check=False)
        self.assertIn(done.returncode, (1, 2, 3), done.stderr)
        self.assertNotIn("bug", done.stderr)
        self.assertIn("sallyport: error:", done.stderr)
        return done.stderr

    def test_key_that_others_may_read_is_refused_with_the_remedy(self):
        w = self.world
        data = w.dir / "hub"
        sallyport("hub", "init", "--data", data, "--name", HUB_NAME)
        cert, key = w.issue("server", HUB_NAME, "hub", "--san", f"DNS:{HUB_NAME}")
        shutil.copy(cert, data / "hub.pem")
        shutil.copy(key, data / "hub.key")
        os.chmod(data / "hub.key", 0o644)
        said = self.complaint("hub", "run", "--data", data, "--mqtt-port", "0", "--https-port", "0")
        self.assertIn("0644", said)
        self.assertIn("chmod 600", said)
        (data / "hub.key").unlink()
        said = self.complaint("hub", "run", "--data", data, "--mqtt-port", "0", "--https-port", "0")
        self.assertIn("hub.key", said)

    def test_misspelt_key_of_the_configuration_names_the_nearest(self):
        w = self.world
        data = w.dir / "hub"
        sallyport("hub", "init", "--data", data, "--name", HUB_NAME)
        with open(data / "hub.toml", "a") as config:
            config.write("\n[metrics]\nadress = \"127.0.0.1\"\n")
        self.assertIn("address", self.complaint("hub", "run", "--data", data))
        edge = w.dir / "edge/etc/aziot"
        edge.mkdir(parents=True, mode=0o700)
        config = edge / "config.toml"
        config.write_text('hostnam = "edgegateway.local"\n')
        config.chmod(0o600)
        self.assertIn("hostname", self.complaint("edge", "run", "--root", w.dir / "edge"))

    def test_toml_that_does_not_parse_names_the_line(self):
        w = self.world
        data = w.dir / "hub"
        sallyport("hub", "init", "--data", data, "--name", HUB_NAME)
        with open(data / "hub.toml", "a") as config:
            config.write("\n= broken\n")
        self.assertIn("line", self.complaint("hub", "run", "--data", data))

    def test_gateway_without_an_edge_device_says_what_runs_first(self):
        self.assertIn("edge run", self.complaint("gateway", "run", "--root", self.world.dir / "none"))

    def test_wrong_usage_is_exit_code_2(self):
        for argv in ([], ["nonsense"], ["hub", "run"], ["verify"], ["ca", "issue"]):
            self.assertEqual(sallyport(*argv, check=False).returncode, 2, argv)

    def test_full_disk_is_said(self):
        # A small file system, in a mount namespace of its own.
        if run("unshare", "-rm", "true", check=False).returncode != 0:
            self.skipTest("this machine gives no user namespace")
        w = self.world
        small = w.dir / "small"
        small.mkdir()
        script = (f'mount -t tmpfs -o size=256k none "{small}" && dd if=/dev/zero of="{small}/fill" bs=1k 2>/dev/null; '
                  f'exec "$0" ca init --data "{small}/ca"')
        done = run("unshare", "-rm", "sh", "-c", script, os.environ["SALLYPORT"], check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("No space left", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
