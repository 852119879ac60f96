// Calls the lab with the unmodified AWS SDK for JavaScript. The arguments are the lab's address, a ZIP and an architecture. It prints "ok" or ends with an error.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import * as sdk from "@aws-sdk/client-lambda";

const [endpoint, archive, architecture] = process.argv.slice(2);
const c = new sdk.Lambda({ endpoint, region: "us-east-1", credentials: { accessKeyId: "x", secretAccessKey: "x" } });
const FunctionName = "js", ZipFile = readFileSync(archive), text = (bytes) => Buffer.from(bytes).toString();
await c.createFunction({ FunctionName, Role: "arn:aws:iam::000000000000:role/r", Runtime: "provided.al2023", Handler: "h", Architectures: [architecture], Code: { ZipFile } });
await sdk.waitUntilFunctionActiveV2({ client: c, maxWaitTime: 60 }, { FunctionName });
assert.equal(text((await c.invoke({ FunctionName, Payload: '{"a":1}' })).Payload), '{"a":1}');
await c.updateFunctionCode({ FunctionName, ZipFile, Publish: true });
let streamed = "";
for await (const e of (await c.invokeWithResponseStream({ FunctionName, Payload: '{"b":2}' })).EventStream) {
  if (e.PayloadChunk) streamed += text(e.PayloadChunk.Payload);
}
assert.equal(streamed, '{"b":2}');
await c.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 0 });
const throttled = await c.invoke({ FunctionName }).catch((e) => e);
assert.equal(throttled.name, "TooManyRequestsException");
assert.equal(throttled.Reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
assert.equal((await c.getFunctionConcurrency({ FunctionName })).ReservedConcurrentExecutions, 0);
await c.deleteFunctionConcurrency({ FunctionName });
const { Status } = await c.putProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1", ProvisionedConcurrentExecutions: 1 });
assert.ok(["IN_PROGRESS", "READY"].includes(Status), Status);
await c.deleteProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1" });
const { FunctionUrl } = await c.createFunctionUrlConfig({ FunctionName, AuthType: "NONE" });
assert.equal((await (await fetch(FunctionUrl + "path", { method: "POST", body: "hi" })).json()).body, "hi");
assert.ok((await c.getAccountSettings({})).AccountLimit.ConcurrentExecutions > 0);
await c.deleteFunction({ FunctionName });
assert.equal((await c.getFunction({ FunctionName }).catch((e) => e)).name, "ResourceNotFoundException");
console.log("ok");
