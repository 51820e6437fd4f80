// SPDX-License-Identifier: Apache-2.0
// What every script of this folder starts from: the hub that test_sdk.py runs, and patience for events.
import { once } from "node:events";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { afterEach } from "node:test";

const require = createRequire(import.meta.url);
export const { Client, ModuleClient, Message } = require("azure-iot-device");
export const { Mqtt, MqttWs } = require("azure-iot-device-mqtt");
export const { Http } = require("azure-iot-device-http");
export const { NoRetry } = require("azure-iot-common");
export const { Registry, Client: ServiceClient, ConnectionString } = require("azure-iothub");

export const service = process.env.IOTHUB_CONNECTION_STRING;
export const host = process.env.IOTHUB_HOSTNAME;
export const registry = Registry.fromConnectionString(service);
export const ca = readFileSync(process.env.IOTHUB_CA_FILE, "utf8");

const open = [];
/** A client of the device SDK; closed when its test ends, however it ends. */
export function fromString(kind, connectionString, transport) {
  const client = kind.fromConnectionString(connectionString, transport);
  open.push(client);
  return client;
}
/** The client of a module that runs on an edge device; closed likewise. */
export async function fromEnvironment(transport) {
  const client = await ModuleClient.fromEnvironment(transport);
  open.push(client);
  return client;
}
afterEach(async () => {
  for (const client of open.splice(0)) await Promise.race([client.close().catch(() => {}), delay(2000)]);
});
const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref());

const limit = 20_000;
export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${limit} ms`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The next event `name` of the emitter: its first argument. */
export const next = (emitter, name) => within(once(emitter, name), name).then((all) => all[0]);

/** A device of the registry with keys made by the hub; the connection string that its client takes. */
export async function makeDevice(id, more = {}) {
  const { responseBody } = await registry.create({ deviceId: id, ...more });
  return { ...responseBody, connectionString: deviceString(id, responseBody) };
}
export const deviceString = (id, { authentication }) =>
  `HostName=${host};DeviceId=${id};SharedAccessKey=${authentication.symmetricKey.primaryKey}`;

/** A call of our own routes, signed by the service policy. */
export async function call(verb, path, { body, headers = {} } = {}) {
  const { SharedAccessSignature } = require("azure-iot-common");
  const { SharedAccessKeyName, SharedAccessKey } = ConnectionString.parse(service);
  const token = SharedAccessSignature.create(host, SharedAccessKeyName, SharedAccessKey,
    Math.floor(Date.now() / 1000) + 600).toString();
  const answer = await fetch(`https://${host}${path}`, { method: verb, body, headers: { Authorization: token, ...headers } });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: () => JSON.parse(text) };
}

/** Events of a device out of the hub's log, from the beginning, until `count` are there. */
export async function events(device, count) {
  const found = [];
  let from = "beginning";
  const deadline = Date.now() + limit;
  while (Date.now() < deadline) {
    const answer = await call("GET", `/messages/events?from=${from}&wait=1`);
    if (answer.status !== 200) throw new Error(`GET /messages/events: ${answer.status} ${answer.text}`);
    for (const line of answer.text.split("\n").filter(Boolean)) {
      const { event } = JSON.parse(line);
      if (event.origin === device) found.push(event);
    }
    if (found.length >= count) return found;
    from = answer.headers.get("sallyport-next-offset");
  }
  throw new Error(`${found.length} of ${count} events of ${device} arrived`);
}

/** Sends a cloud-to-device message by our own route (the SDK does so over AMQP). */
export async function sendToDevice(id, text, headers = {}) {
  const answer = await call("POST", `/devices/${encodeURIComponent(id)}/messages/devicebound`, { body: text, headers });
  if (answer.status >= 300) throw new Error(`sending to ${id}: ${answer.status} ${answer.text}`);
}

/** Where something must fail: the error. */
export async function failure(promise) {
  try {
    await within(promise, "a refusal");
  } catch (error) {
    return error;
  }
  throw new Error("was accepted");
}
export const refusal = async (promise) => (await failure(promise)).name;
