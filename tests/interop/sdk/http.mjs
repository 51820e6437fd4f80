// SPDX-License-Identifier: Apache-2.0
// azure-iot-device over HTTPS: events single and in batches, and messages received and settled.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as lib from "./lib.mjs";

async function open(id) {
  const { connectionString } = await lib.makeDevice(id);
  const client = lib.fromString(lib.Client, connectionString, lib.Http);
  await lib.within(client.open(), "open");
  return client;
}

test("one event and a batch arrive with their properties", async () => {
  const client = await open("http-events");
  const one = new lib.Message("one");
  one.properties.add("n", "1");
  await client.sendEvent(one);
  await client.sendEventBatch(["two", "three"].map((text) => new lib.Message(text)));
  const events = await lib.events("http-events", 3);
  assert.deepEqual(events.map((e) => e.payload).sort(), ["one", "three", "two"]);
  assert.deepEqual(events.find((e) => e.payload === "one").properties.application, { n: "1" });
});

test("messages are received, completed, rejected and abandoned", async () => {
  const client = await open("http-receive");
  client.setOptions({ http: { receivePolicy: { interval: 1 } } });
  for (const text of ["complete", "abandon"]) await lib.sendToDevice("http-receive", text);
  const seen = [];
  await lib.within(new Promise((resolve, reject) => {
    client.on("error", reject);
    client.on("message", (message) => {
      const text = message.data.toString();
      const first = !seen.includes(text);
      seen.push(text);
      if (text === "abandon" && first) client.abandon(message, (error) => error && reject(error));
      else if (text === "abandon") client.reject(message, (error) => (error ? reject(error) : resolve()));
      else client.complete(message, (error) => error && reject(error));
    });
  }), "messages");
  assert.deepEqual(seen.sort(), ["abandon", "abandon", "complete"]);
});

test("an unknown device is refused", async () => {
  const client = lib.fromString(lib.Client, `HostName=${lib.host};DeviceId=nobody;SharedAccessKey=${Buffer.alloc(32, 1).toString("base64")}`, lib.Http);
  client.setRetryPolicy(new lib.NoRetry());
  assert.equal(await lib.refusal(client.sendEvent(new lib.Message("x"))), "UnauthorizedError");
});
