# SPDX-License-Identifier: Apache-2.0
"""The local APIs as callers on the machine see them: framing, refusals in the log, a full disk, many at once."""

import concurrent.futures
import http.client
import json
import os
import socket
import unittest

from full_disk import PRIVATE_MOUNTS, SmallDisk
from harness import GENEROUS, SystemTest, until
from test_edge_services import UnixConnection, ask


def send(path, text):
    """Sends octets as they are; the status line, the header and the body of what comes back."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(30)
        stream.connect(str(path))
        stream.sendall(text.encode())
        answer = http.client.HTTPResponse(stream)
        answer.begin()
        body = answer.read()
        return answer, json.loads(body) if body else None


def as_user(user, asked):
    """The statuses of calls that a process of another user makes."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            os.write(writer, json.dumps([ask(*each)[0] for each in asked]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        text = answers.read()
    os.waitpid(child, 0)
    return json.loads(text)


class EdgeApi(SystemTest):
    def setUp(self):
        super().setUp()
        self.world.make_hub()
        self.world.make_edge(edge_ca=False)
        root = self.world.edge_root
        self.keys, self.certificates, self.identity = (root / f"run/aziot/{name}.sock"
                                                       for name in ("keyd", "certd", "identityd"))
        self.workload = root / "var/lib/aziot/edged/mnt/edgeHub.sock"

    def test_malformed_requests_have_their_status_and_a_message(self):
        version = "?api-version=2020-09-01"
        body = '{"keyId":"k","usage":"sign"}'
        long = f"Content-Length: {len(body)}"
        json_type = "Content-Type: application/json; charset=utf-8"
        for service, first, more, status, words in (
                (self.keys, f"POST /key{version}", f"{long}\r\n{json_type}\r\n\r\n{body}", 200, None),
                (self.keys, f"POST /key{version}", f"{long}\r\n\r\n{body}", 200, None),  # no type is JSON's
                (self.keys, f"POST /key{version}", f"{long}\r\nContent-Type: text/plain\r\n\r\n{body}", 400,
                 "missing request body"),
                (self.keys, f"POST /key{version}", "\r\n", 400, "missing request body"),
                (self.keys, f"POST /key{version}", f"Content-Length: 1\r\n\r\n{{", 422, "not JSON"),
                (self.keys, "POST /key", f"{long}\r\n\r\n{body}", 400, "api-version not specified"),
                (self.keys, "GET /key/k?api-version=2019-01-01", "\r\n", 400, 'invalid api-version "2019-01-01"'),
                (self.keys, f"GET /nothing{version}", "\r\n", 404, "not found"),
                (self.keys, f"PATCH /key{version}", f"{long}\r\n\r\n{body}", 400, "method not allowed"),
                (self.certificates, f"PUT /certificates/x{version}", "Content-Length: 2\r\nContent-Type: text/plain\r\n\r\n{}",
                 415, "request body must be application/json"),
                (self.certificates, f"PUT /certificates/x{version}", "\r\n", 422, "not JSON"),
                (self.identity, f"PUT /identities/modules/x{version}&type=aziot", "Content-Length: 2\r\nContent-Type: x/y\r\n\r\n{}",
                 415, "request body must be application/json"),
                (self.workload, f"POST /modules/$edgeHub/genid/1/sign{version}", "\r\n", 400, "invalid api-version"),
                (self.workload, "POST /modules/$edgeHub/genid/1/sign?api-version=2020-07-07", "\r\n", 400,
                 "missing request body"),
                (self.keys, f"GET /key/%zz{version}", "\r\n", 400, ""),
                (self.keys, f"GET /key/k{version}", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, ""),
        ):
            with self.subTest(request=first, more=more[:40]):
                answer, document = send(service, f"{first} HTTP/1.1\r\nHost: localhost\r\n{more}")
                self.assertEqual(answer.status, status, document)
                self.assertEqual(answer.getheader("Content-Type").split(";")[0], "application/json")
                self.assertIsNotNone(answer.getheader("Content-Length"))
                if words is not None:
                    self.assertIn(words, document["message"])

    def test_a_body_that_does_not_come_is_408(self):
        for service in (self.keys, self.workload):
            answer, document = send(service, "POST /key?api-version=2020-09-01 HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
            self.assertEqual(answer.status, 408)
            self.assertIn("body", document["message"])

    def test_connections_stay_open_but_at_the_workload_api(self):
        for service, stays in ((self.keys, True), (self.certificates, True), (self.identity, True), (self.workload, False)):
            connection = UnixConnection(service)
            for _ in range(2):
                connection.request("GET", "/trust-bundle?api-version=2018-06-28")  # whatever the answer is
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.getheader("Connection"), None if stays else "close")
                if not stays:
                    break
            connection.close()

    def test_a_refusal_names_the_process_in_the_log(self):
        here = self.world.edge.mark()
        status, answer = ask(self.keys, "GET", "/key/handle-validation-key")
        self.assertEqual(status, 401)
        self.assertIn("is not authorized to access the key handle-validation-key", answer["message"])
        me = f'process={os.getpid()}'
        line = self.world.edge.wait_for("caller.refused", "service=keys", "status=401", since=here)
        self.assertIn(me, line)
        self.assertIn("program=python3", line)
        self.assertIn(f"user={os.geteuid()}", line)
        status, answer = ask(self.workload, "POST", "/modules/other/genid/1/sign", {"data": ""}, "2020-07-07")
        self.assertEqual(status, 403)
        self.assertTrue(answer["message"].startswith("forbidden"))
        line = self.world.edge.wait_for("caller.refused", "service=workload", "status=403", since=here)
        self.assertIn(me, line)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_another_user_is_refused_everywhere(self):
        here = self.world.edge.mark()
        asked = [(str(self.keys), "GET", "/key/aziot_identityd_master_id", None),
                 (str(self.keys), "POST", "/keypair", {"keyId": "mine"}),
                 (str(self.certificates), "DELETE", "/certificates/aziot-edged-ca", None),
                 (str(self.certificates), "GET", "/certificates/aziot-edged-ca", None),
                 (str(self.identity), "POST", "/identities/device", {"type": "aziot"}),
                 (str(self.identity), "GET", "/trust-bundle", None)]
        for path in (self.world.dir, self.world.edge_root, *(self.world.edge_root / p for p in ("run", "run/aziot"))):
            path.chmod(0o755)
        for path in (self.keys, self.certificates, self.identity):
            path.chmod(0o666)
        self.assertEqual(as_user(4242, asked), [401, 401, 401, 200, 401, 200])
        for service in ("keys", "certificates", "identity"):
            self.world.edge.wait_for("caller.refused", f"service={service}", "user=4242", since=here)

    def test_callers_who_create_the_same_id_at_once_get_the_same_key(self):
        def point(_):
            _, made = ask(self.keys, "POST", "/keypair", {"keyId": "same"})
            return ask(self.keys, "POST", "/parameters/ec-point", {"keyHandle": made["keyHandle"]})[1]["value"]

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            points = set(pool.map(point, range(16)))
        self.assertEqual(len(points), 1)


@unittest.skipUnless(PRIVATE_MOUNTS, "this user may not mount a disk of its own (unshare --mount)")
class EdgeFullDisk(SystemTest):
    def test_nothing_is_half_written_and_it_goes_on_with_room(self):
        w = self.world
        w.make_hub()
        edge = w.make_edge(edge_ca=False)
        edge.stop()
        disk = SmallDisk(edge, w.edge_root / "var/lib/aziot", "4m")
        edge.start()
        keys, certificates = (w.edge_root / f"run/aziot/{name}.sock" for name in ("keyd", "certd"))
        edged = disk.inside() / "edged"
        workload, environment = edged / "mnt/edgeHub.sock", edged / "env/edgeHub.env"
        pem = ask(certificates, "GET", "/certificates/aziot-edged-ca")[1]["pem"]
        environment = until(GENEROUS, "the module's environment", lambda: environment.exists() and environment.read_text())
        module = "/modules/%24edgeHub/genid/" + environment.split('IOTEDGE_MODULEGENERATIONID="')[1].split('"')[0]
        disk.fill()
        for service, method, target, body in (
                (keys, "POST", "/keypair", {"keyId": "new"}),
                (keys, "POST", "/key", {"keyId": "new", "usage": "sign"}),
                (certificates, "PUT", "/certificates/new", {"pem": pem})):
            status, answer = ask(service, method, target, body)
            self.assertEqual(status, 500, answer)
            self.assertIn("No space left on device", answer["message"])
            self.assertIn("free some space", answer["message"])
        self.assertEqual(ask(keys, "GET", "/keypair/new")[0], 400)
        self.assertEqual(ask(certificates, "GET", "/certificates/new")[0], 400)
        # What needs no room goes on.
        status, answer = ask(workload, "POST", f"{module}/sign", {"data": ""}, "2020-07-07")
        self.assertEqual(status, 200, answer)
        self.assertEqual(ask(certificates, "GET", "/certificates/aziot-edged-ca")[0], 200)
        disk.free()
        self.assertEqual(ask(keys, "POST", "/keypair", {"keyId": "new"})[0], 200)
        self.assertEqual(ask(certificates, "PUT", "/certificates/new", {"pem": pem})[0], 201)
        self.assertIsNone(edge.process.poll())


if __name__ == "__main__":
    unittest.main()
