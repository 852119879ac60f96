// Command tuneapp is a CDK app with nothing but a power tuning, for make test-deploy.
//
//	-c function=ARN -c endpoint=URL -c architecture=arm64|x86_64
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/powertuning"
	_ "github.com/twinstart/twinstart/infra/quietnode"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	given := func(key string) *string {
		text, _ := app.Node().GetContext(jsii.String(key)).(string)
		return &text
	}
	stack := awscdk.NewStack(app, jsii.String("Twinstart-tuning"), nil)
	architecture := awslambda.Architecture_ARM_64()
	if *given("architecture") == "x86_64" {
		architecture = awslambda.Architecture_X86_64()
	}
	powertuning.NewPowerTuning(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
		Functions:    []awslambda.IFunction{awslambda.Function_FromFunctionArn(stack, jsii.String("Tuned"), given("function"))},
		Architecture: architecture,
		Environment:  map[string]*string{"AWS_ENDPOINT_URL_LAMBDA": given("endpoint")},
	})
	app.Synth(nil)
}
