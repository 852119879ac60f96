package dashboard_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// The dashboard shows one function, which logs in JSON to its own log group.
func ExampleNewDashboard() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Greetings"), nil)
	hello := bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
		Entry: jsii.String("handlers/hello"),
	})
	dashboard.NewDashboard(stack, jsii.String("Dashboard"), &dashboard.DashboardProps{
		Experiment: "greetings",
		Arms:       []dashboard.Arm{{Function: hello, LogGroup: hello.LogGroup(), Identity: arm.Identity{Arm: "hello"}}},
		Parts:      []dashboard.Part{dashboard.Widgets, dashboard.Queries},
	})
	app.Synth(nil)
}
