// SPDX-License-Identifier: Apache-2.0
// The ModuleClient of azure-iot-device over MQTT: outputs, twin, methods.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as lib from "./lib.mjs";

test("a module sends, has a twin and answers methods", async () => {
  await lib.registry.create({ deviceId: "module-host" });
  const { responseBody: module } = await lib.registry.addModule({ deviceId: "module-host", moduleId: "mod1" });
  const client = lib.fromString(lib.ModuleClient, `HostName=${lib.host};DeviceId=module-host;ModuleId=mod1;SharedAccessKey=${module.authentication.symmetricKey.primaryKey}`,
    lib.Mqtt);
  await client.setOptions({ ca: lib.ca });
  await lib.within(client.open(), "open");
  await client.sendEvent(new lib.Message("plain"));
  await client.sendOutputEvent("out1", new lib.Message("output"));
  const events = await lib.events("module-host", 2);
  assert.deepEqual(events.map((event) => [event.module, event.payload]), [["mod1", "plain"], ["mod1", "output"]]);

  client.onMethod("ping", (request, response) => response.send(200, { pong: request.payload }, () => {}));
  const service = lib.ServiceClient.fromConnectionString(lib.service);
  const { result } = await lib.within(service.invokeDeviceMethod("module-host", "mod1",
    { methodName: "ping", payload: 1, responseTimeoutInSeconds: 10, connectTimeoutInSeconds: 5 }), "answer");
  assert.deepEqual(result, { status: 200, payload: { pong: 1 } });

  const twin = await lib.within(client.getTwin(), "twin");
  await lib.within(new Promise((resolve, reject) =>
    twin.properties.reported.update({ up: true }, (error) => (error ? reject(error) : resolve()))), "report");
  const { responseBody: seen } = await lib.registry.getModuleTwin("module-host", "mod1");
  assert.equal(seen.properties.reported.up, true);
});
