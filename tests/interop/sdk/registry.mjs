// SPDX-License-Identifier: Apache-2.0
// azure-iothub over HTTPS: devices, modules, bulk, lists, queries, twins, statistics, configurations.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as lib from "./lib.mjs";

const { registry } = lib;
const body = async (promise) => (await lib.within(promise, "answer")).responseBody;

test("a device is created, read, changed by etag and deleted", async () => {
  const made = await body(registry.create({ deviceId: "crud", status: "enabled" }));
  assert.equal(made.deviceId, "crud");
  assert.equal(Buffer.from(made.authentication.symmetricKey.primaryKey, "base64").length, 32);
  assert.equal(await lib.refusal(registry.create({ deviceId: "crud" })), "DeviceAlreadyExistsError");
  const read = await body(registry.get("crud"));
  const changed = await body(registry.update({ ...read, status: "disabled", statusReason: "stolen" }));
  assert.equal(changed.status, "disabled");
  assert.notEqual(changed.etag, read.etag);
  assert.deepEqual(changed.authentication.symmetricKey, read.authentication.symmetricKey);
  await body(registry.delete("crud"));
  assert.equal(await lib.refusal(registry.get("crud")), "DeviceNotFoundError");
});

test("modules are created, listed, changed and deleted", async () => {
  await body(registry.create({ deviceId: "host" }));
  const made = await body(registry.addModule({ deviceId: "host", moduleId: "mod1" }));
  assert.equal(made.moduleId, "mod1");
  assert.equal((await body(registry.getModulesOnDevice("host"))).length, 1);
  const read = await body(registry.getModule("host", "mod1"));
  assert.equal(read.generationId, made.generationId);
  await body(registry.updateModule({ ...read, managedBy: "me" }));
  assert.equal((await body(registry.getModule("host", "mod1"))).managedBy, "me");
  await body(registry.removeModule("host", "mod1"));
  assert.equal((await body(registry.getModulesOnDevice("host"))).length, 0);
});

test("bulk adds, updates and removes, and names what failed", async () => {
  const ids = ["b1", "b2", "b3"];
  assert.equal((await body(registry.addDevices(ids.map((deviceId) => ({ deviceId }))))).isSuccessful, true);
  const again = await registry.addDevices([{ deviceId: "b1" }, { deviceId: "b4" }]).then(
    (answer) => answer.responseBody, (error) => JSON.parse(error.responseBody));
  assert.equal(again.isSuccessful, false);
  assert.equal(again.errors.length, 1);
  assert.equal(again.errors[0].deviceId, "b1");
  await body(registry.updateDevices(ids.map((deviceId) => ({ deviceId, status: "disabled" })), true));
  assert.equal((await body(registry.get("b2"))).status, "disabled");
  await body(registry.removeDevices([...ids, "b4"].map((deviceId) => ({ deviceId })), true));
  assert.equal(await lib.refusal(registry.get("b3")), "DeviceNotFoundError");
});

test("queries answer in pages, over devices and modules", async () => {
  const ids = Array.from({ length: 7 }, (_, i) => `q${i}`);
  await body(registry.addDevices(ids.map((deviceId) => ({ deviceId }))));
  for (const [i, id] of ids.entries()) {
    await body(registry.updateTwin(id, { tags: { floor: i % 2, building: "b'1" } }, "*"));
  }
  const query = registry.createQuery("SELECT * FROM devices WHERE tags.building = 'b''1' AND tags.floor = 1", 2);
  const found = [];
  while (query.hasMoreResults) found.push(...(await lib.within(query.nextAsTwin(), "page")).result);
  assert.deepEqual(found.map((twin) => twin.deviceId).sort(), ["q1", "q3", "q5"]);
  const count = registry.createQuery("SELECT COUNT() AS n FROM devices WHERE STARTSWITH(deviceId, 'q')", 10);
  assert.equal((await count.next()).result[0].n, 7);
  assert.equal(await lib.refusal(registry.createQuery("SELECT FROM WHERE", 10).next()), "ArgumentError");
  await body(registry.addModule({ deviceId: "q0", moduleId: "m" }));
  const modules = registry.createQuery("SELECT * FROM devices.modules WHERE moduleId = 'm' AND deviceId = 'q0'", 10);
  assert.equal((await modules.nextAsTwin()).result[0].moduleId, "m");
});

test("twins are patched and replaced by etag", async () => {
  await body(registry.create({ deviceId: "twin" }));
  const twin = await body(registry.getTwin("twin"));
  assert.equal(twin.version, 2);
  const patched = await body(registry.updateTwin("twin",
    { tags: { place: "roof" }, properties: { desired: { a: { b: 1, c: 2 } } } }, twin.etag));
  assert.equal(patched.properties.desired.$version, 2);
  const merged = await body(registry.updateTwin("twin", { properties: { desired: { a: { b: null } } } }, patched.etag));
  assert.deepEqual({ ...merged.properties.desired.a }, { c: 2 });
  assert.equal(await lib.refusal(registry.updateTwin("twin", { tags: { x: 1 } }, twin.etag)), "InvalidEtagError");
  await body(registry.addModule({ deviceId: "twin", moduleId: "m" }));
  const module = await body(registry.getModuleTwin("twin", "m"));
  assert.equal(module.moduleId, "m");
  await body(registry.updateModuleTwin("twin", "m", { properties: { desired: { x: 1 } } }, module.etag));
});

test("statistics count", async () => {
  const statistics = await body(registry.getRegistryStatistics());
  assert.equal(statistics.totalDeviceCount, statistics.enabledDeviceCount + statistics.disabledDeviceCount);
  assert.ok(statistics.totalDeviceCount > 0);
  assert.deepEqual((await lib.call("GET", "/statistics/service")).json(), { connectedDeviceCount: 0 });
});

test("configurations are kept, and content is applied to an edge device", async () => {
  const content = { deviceContent: { "properties.desired.level": 3 } };
  const made = await body(registry.addConfiguration({
    id: "c1", schemaVersion: "1.0", labels: {}, content, targetCondition: "tags.a='b'", priority: 1,
    systemMetrics: { results: {}, queries: {} }, metrics: { results: {}, queries: {} }, createdTimeUtc: "",
    lastUpdatedTimeUtc: "", etag: "" }));
  assert.equal(made.id, "c1");
  assert.equal((await body(registry.getConfigurations())).length, 1);
  await body(registry.updateConfiguration({ ...made, priority: 7 }));
  assert.equal((await body(registry.getConfiguration("c1"))).priority, 7);
  await body(registry.removeConfiguration("c1"));
  await body(registry.create({ deviceId: "edge", capabilities: { iotEdge: true } }));
  await body(registry.applyConfigurationContentOnDevice("edge", { modulesContent: {
    $edgeAgent: { "properties.desired": { schemaVersion: "1.1" } }, mod1: { "properties.desired": { every: 5 } } } }));
  assert.equal((await body(registry.getModuleTwin("edge", "mod1"))).properties.desired.every, 5);
  assert.equal((await body(registry.getModuleTwin("edge", "$edgeAgent"))).properties.desired.schemaVersion, "1.1");
});

test("a policy may do what its rights say and no more", async () => {
  const read = lib.Registry.fromConnectionString(process.env.SDK_REGISTRY_READ);
  await body(read.create ? read.list() : read.list());
  assert.equal(await lib.refusal(read.create({ deviceId: "no" })), "UnauthorizedError");
});
