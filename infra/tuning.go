package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/infra/powertuning"
)

// addTuning defines the state machine that tunes the experiment's functions, and no others. It costs nothing until it is started.
func addTuning(stack awscdk.Stack, s settings, arms []dashboard.Arm) error {
	functions := make([]awslambda.IFunction, len(arms))
	for i, a := range arms {
		functions[i] = a.Function
	}
	tuning, err := powertuning.New(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
		Functions:    functions,
		Architecture: architectures[s.Architecture](), // of which the machine that builds has the standard library compiled
		Tracing:      s.Options.Tracing == awslambda.Tracing_ACTIVE,
		Code:         s.tuningCode,
	})
	if err != nil {
		return err
	}
	awscdk.NewCfnOutput(stack, jsii.String("PowerTuning"), &awscdk.CfnOutputProps{
		Value: tuning.StateMachine.StateMachineArn(), Description: jsii.String("State machine with the input of AWS Lambda Power Tuning"),
	})
	return nil
}
