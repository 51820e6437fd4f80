// SPDX-License-Identifier: Apache-2.0
// @azure/arm-iothub: CA certificates with proof of possession.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as lib from "./lib.mjs";

const require = createRequire(import.meta.url);
const { IotHubClient } = require("@azure/arm-iothub");
const { SharedAccessSignature } = require("azure-iot-common");

test("a CA certificate is uploaded, proven, listed and deleted", async () => {
  const { SharedAccessKeyName, SharedAccessKey } = lib.ConnectionString.parse(lib.service);
  const expiresOn = Date.now() + 600_000;
  const token = SharedAccessSignature.create(lib.host, SharedAccessKeyName, SharedAccessKey, Math.floor(expiresOn / 1000)).toString();
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: expiresOn }) };
  const client = new IotHubClient(credential, "any-subscription", { endpoint: `https://${lib.host}` });
  const at = ["any-group", "ContosoIotHub", "proof"];
  const certificate = readFileSync(`${process.env.SDK_CERTIFICATES}/proof-root.pem`, "utf8");
  const made = await client.certificates.createOrUpdate(...at, { properties: { certificate: Buffer.from(certificate).toString("base64") } });
  assert.equal(made.properties.isVerified, false);
  assert.equal(made.properties.subject.includes("proof root"), true);
  const coded = await client.certificates.generateVerificationCode(...at, made.etag);
  const code = coded.properties.verificationCode;
  assert.match(code, /^[0-9A-F]{48}$/);
  const proof = execFileSync(process.env.SDK_SIGN_PROOF, [code], { encoding: "utf8" });
  const stale = await lib.refusal(client.certificates.verify(...at, made.etag, { certificate: Buffer.from(proof).toString("base64") }));
  assert.equal(stale, "RestError");
  const verified = await client.certificates.verify(...at, coded.etag, { certificate: Buffer.from(proof).toString("base64") });
  assert.equal(verified.properties.isVerified, true);
  const { value } = await client.certificates.listByIotHub("any-group", "ContosoIotHub");
  assert.ok(value.some((one) => one.name === "proof"));
  await client.certificates.delete(...at, verified.etag);
});
