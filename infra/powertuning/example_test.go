package powertuning_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/powertuning"
)

// The state machine may tune the functions whose names begin with orders-.
func ExampleNewPowerTuning() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Tuner"), nil)
	tuning := powertuning.NewPowerTuning(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
		Patterns: []string{"orders-*"},
	})
	awscdk.NewCfnOutput(stack, jsii.String("ARN"), &awscdk.CfnOutputProps{Value: tuning.StateMachine.StateMachineArn()})
	app.Synth(nil)
}
