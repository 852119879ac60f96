// Package powertuning is a CDK construct that finds the best memory size of Lambda functions: a state machine with the input and the
// output of AWS Lambda Power Tuning.
//
//	powertuning.NewPowerTuning(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
//		Functions: []awslambda.IFunction{hello},
//	})
//
//	aws stepfunctions start-execution --state-machine-arn ... --input '{"lambdaARN": "...", "num": 50, "payload": {}}'
//
// It may change, publish and invoke the functions that it is given and no others, and may delete their versions but not the functions.
// An execution that fails, or that is stopped, leaves nothing behind: a rule on the execution's status cleans up after what no state
// can catch.
package powertuning
