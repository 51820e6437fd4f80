// SPDX-License-Identifier: Apache-2.0
// ModuleClient.fromEnvironment of azure-iot-device, as a module of an edge device runs it: its trust bundle and the
// signatures of its tokens come from the workload API, whose addresses stand in the environment.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import * as lib from "./lib.mjs";

const { IOTEDGE_DEVICEID: device, IOTEDGE_MODULEID: module } = process.env;

test("a module finds everything in its environment and renews its token", async () => {
  assert.equal(process.env.IOTEDGE_GATEWAYHOSTNAME, undefined);
  const client = await lib.within(lib.fromEnvironment(lib.Mqtt), "the trust bundle");
  await lib.within(client.open(), "open");
  await client.sendEvent(new lib.Message("first"));
  const twin = await lib.within(client.getTwin(), "twin");
  await lib.within(new Promise((resolve, reject) =>
    twin.properties.reported.update({ renewed: false }, (error) => (error ? reject(error) : resolve()))), "report");

  // What its timer does three quarters of an hour later.
  const provider = client._transport._authenticationProvider;
  const renewed = once(provider, "newTokenAvailable");
  provider.setTokenRenewalValues(3600, 900);
  const [{ sharedAccessSignature }] = await lib.within(renewed, "a new token");
  assert.match(sharedAccessSignature, /^SharedAccessSignature sr=/);
  await lib.within(client.sendEvent(new lib.Message("second")), "sending with the new token");
  await lib.within(new Promise((resolve, reject) =>
    twin.properties.reported.update({ renewed: true }, (error) => (error ? reject(error) : resolve()))), "report");

  const events = await lib.events(device, 2);
  assert.deepEqual(events.map((event) => [event.module, event.payload]), [[module, "first"], [module, "second"]]);
  const { responseBody: seen } = await lib.registry.getModuleTwin(device, module);
  assert.equal(seen.properties.reported.renewed, true);
});
