// twinstart package ../handler --bootstrap rawsyscall --arch arm64 -o fn.zip
import * as path from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Architecture, Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";

const stack = new Stack(new App(), "Greeter");
new Function(stack, "Function", {
  code: Code.fromAsset(path.join(__dirname, "fn.zip")),
  runtime: Runtime.PROVIDED_AL2023,
  handler: "handler.run",
  architecture: Architecture.ARM_64,
  memorySize: 256,
});
