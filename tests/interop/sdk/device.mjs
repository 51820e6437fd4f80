// SPDX-License-Identifier: Apache-2.0
// azure-iot-device over the transport that is named, with each authentication: telemetry, twin, methods and
// cloud-to-device messages, both ways.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as lib from "./lib.mjs";

const transport = { mqtt: lib.Mqtt, ws: lib.MqttWs }[process.env.SDK_TRANSPORT];
const name = (what) => `${process.env.SDK_TRANSPORT}-${what}`;
const pem = (file) => readFileSync(`${process.env.SDK_CERTIFICATES}/${file}`, "utf8");

async function open(connectionString, options = {}) {
  const client = lib.fromString(lib.Client, connectionString, transport);
  await client.setOptions({ ca: lib.ca, ...options });
  await lib.within(client.open(), "open");
  return client;
}

test("telemetry with properties arrives and is attributed to its device", async () => {
  const id = name("telemetry");
  const { connectionString } = await lib.makeDevice(id);
  const client = await open(connectionString);
  const message = new lib.Message(JSON.stringify({ t: 21 }));
  message.messageId = "id 1";
  message.contentType = "application/json";
  message.contentEncoding = "utf-8";
  message.properties.add("alert", "a&b=c d");
  message.properties.add("é", "ü");
  await client.sendEvent(message);
  const [event] = await lib.events(id, 1);
  assert.deepEqual(event.payload, { t: 21 });
  assert.deepEqual(event.properties.application, { alert: "a&b=c d", é: "ü" });
  assert.equal(event.properties.system.message_id ?? event.properties.system["message-id"], "id 1");
});

test("a wrong key is refused as unauthorized", async () => {
  const id = name("wrong-key");
  await lib.makeDevice(id);
  const wrong = `HostName=${lib.host};DeviceId=${id};SharedAccessKey=${Buffer.alloc(32, 1).toString("base64")}`;
  const client = lib.fromString(lib.Client, wrong, transport);
  client.setRetryPolicy(new lib.NoRetry());
  await client.setOptions({ ca: lib.ca });
  assert.equal(await lib.refusal(client.open()), "UnauthorizedError");
});

for (const [type, id] of [["selfSigned", name("thumbprint")], ["certificateAuthority", name("ca")]]) {
  test(`a certificate of type ${type} opens`, async () => {
    const authentication = type === "selfSigned"
      ? { type, x509Thumbprint: { primaryThumbprint: pem(`${id}.thumbprint`).trim(), secondaryThumbprint: "" } }
      : { type };
    await lib.registry.create({ deviceId: id, authentication });
    const client = await open(`HostName=${lib.host};DeviceId=${id};x509=true`, { cert: pem(`${id}.pem`), key: pem(`${id}.key`) });
    await client.sendEvent(new lib.Message("hello"));
    assert.equal((await lib.events(id, 1))[0].payload, "hello");
    });
}

test("twin goes both ways", async () => {
  const id = name("twin");
  const { connectionString } = await lib.makeDevice(id);
  const client = await open(connectionString);
  const twin = await lib.within(client.getTwin(), "twin");
  assert.equal(twin.properties.desired.$version, 1);
  const report = (patch) => new Promise((resolve, reject) =>
    twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve())));
  const changed = lib.next(twin, "properties.desired.telemetry");
  // The subscription to desired properties went ahead of this on the same connection.
  await lib.within(report({ firmware: "1.2", old: null }), "report");
  const service = (await lib.registry.getTwin(id)).responseBody;
  await lib.registry.updateTwin(id, { properties: { desired: { telemetry: { every: 5 } } } }, service.etag);
  assert.equal((await changed).every, 5);
  const after = (await lib.registry.getTwin(id)).responseBody;
  assert.equal(after.properties.reported.firmware, "1.2");
  assert.equal(after.properties.reported.$version, 2);
  assert.equal(after.properties.desired.telemetry.every, 5);
  const stale = await lib.refusal(lib.registry.updateTwin(id, { tags: { a: 1 } }, service.etag));
  assert.equal(stale, "InvalidEtagError");
  assert.match(await lib.refusal(report({ "a.b": 1 })), /Error$/);
});

test("a direct method is called and answered", async () => {
  const id = name("method");
  const { connectionString } = await lib.makeDevice(id);
  const client = await open(connectionString);
  const service = lib.ServiceClient.fromConnectionString(lib.service);
  const invoke = (methodName, payload) => service.invokeDeviceMethod(id,
    { methodName, payload, responseTimeoutInSeconds: 10, connectTimeoutInSeconds: 5 });
  client.onDeviceMethod("reboot", (request, response) => response.send(202, { got: request.payload }, () => {}));
  const { result } = await lib.within(invoke("reboot", { delay: 3 }), "answer");
  assert.deepEqual(result, { status: 202, payload: { got: { delay: 3 } } });
  await client.close();
  const away = await lib.failure(service.invokeDeviceMethod(id,
    { methodName: "reboot", responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 0 }));
  assert.equal(away.response.statusCode, 404);
  assert.match(away.responseBody, /404103/);
});

test("a cloud-to-device message arrives, is completed, and its feedback says so", async () => {
  const id = name("c2d");
  const { connectionString } = await lib.makeDevice(id);
  const client = await open(connectionString);
  const arrived = lib.next(client, "message");
  await lib.sendToDevice(id, "turn on", { "iothub-messageid": "m1", "iothub-ack": "full", "iothub-app-room": "a/b" });
  const message = await arrived;
  assert.equal(message.data.toString(), "turn on");
  assert.equal(message.messageId, "m1");
  assert.equal(message.properties.getValue("room"), "a/b");
  await client.complete(message);
  const records = await feedbackOf("m1", id);
  assert.equal(records[0].statusCode, "Success");
  await client.close();
  // What is sent while it is away waits for it.
  await lib.sendToDevice(id, "later");
  const again = lib.fromString(lib.Client, connectionString, transport);
  await again.setOptions({ ca: lib.ca });
  const waited = lib.next(again, "message");
  await again.open();
  assert.equal((await waited).data.toString(), "later");
});

async function feedbackOf(messageId, device) {
  const deadline = Date.now() + 40_000;
  while (Date.now() < deadline) {
    const answer = await lib.call("GET", "/messages/serviceBound/feedback?wait=20");
    if (answer.status === 204) continue;
    assert.equal(answer.status, 200, answer.text);
    const token = answer.headers.get("etag").replaceAll('"', "");
    await lib.call("DELETE", `/messages/serviceBound/feedback/${encodeURIComponent(token)}`);
    const mine = answer.json().filter((r) => r.originalMessageId === messageId && r.deviceId === device);
    if (mine.length > 0) return mine;
  }
  throw new Error(`no feedback about ${messageId}`);
}

test("a second connection displaces the first", async () => {
  const id = name("twice");
  const { connectionString } = await lib.makeDevice(id);
  const first = lib.fromString(lib.Client, connectionString, transport);
  first.setRetryPolicy(new lib.NoRetry());
  await first.setOptions({ ca: lib.ca });
  await first.open();
  const ended = lib.next(first, "disconnect");
  const second = await open(connectionString);
  await ended;
  await second.sendEvent(new lib.Message("mine"));
});
