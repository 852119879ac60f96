package bashfunction_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/bashfunction"
)

// The folder handlers/hello holds handler.sh, which defines run().
func ExampleNewBashFunction() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Greetings"), nil)
	hello := bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
		Entry:   jsii.String("handlers/hello"),
		Handler: jsii.String("handler.run"),
	})
	awscdk.NewCfnOutput(stack, jsii.String("Name"), &awscdk.CfnOutputProps{Value: hello.FunctionName()})
	app.Synth(nil)
}
