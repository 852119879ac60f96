# twinstart package ../handler --bootstrap rawsyscall --arch arm64 -o fn.zip
from pathlib import Path

from aws_cdk import App, Stack, aws_lambda as lambda_

app = App()
stack = Stack(app, "Greeter")
lambda_.Function(
    stack, "Function",
    code=lambda_.Code.from_asset(str(Path(__file__).parent / "fn.zip")),
    runtime=lambda_.Runtime.PROVIDED_AL2023,
    handler="handler.run",
    architecture=lambda_.Architecture.ARM_64,
    memory_size=256,
)
app.synth()
