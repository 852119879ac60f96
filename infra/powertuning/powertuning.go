// Package powertuning is a CDK construct that finds the best memory size of Lambda functions: a state machine with the
// input and the output of AWS Lambda Power Tuning.
//
//	powertuning.NewPowerTuning(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
//		Functions: []awslambda.IFunction{hello},
//	})
//
//	aws stepfunctions start-execution --state-machine-arn ... --input '{"lambdaARN": "...", "num": 50, "payload": {}}'
//
// It may change, publish and invoke only the functions that its props name. It may delete their versions, but not the
// functions. An execution that fails or is stopped leaves nothing behind: if no state can catch its end, a rule on the
// execution's status cleans up.
package powertuning

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/infra/cdk"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// PowerTuning has the resources that a stack may refer to.
type PowerTuning struct {
	StateMachine awsstepfunctions.StateMachine // its input and output are those of Power Tuning
	Function     awslambda.Function            // its tasks call it
}

// The function of the steps mostly waits, so it needs little memory and Lambda's longest time-out.
const (
	memorySizeMB   = 256
	timeoutMinutes = 15
)

// NewPowerTuning does what New does, and panics if there is an error, as constructs do.
func NewPowerTuning(scope constructs.Construct, id *string, props *PowerTuningProps) *PowerTuning {
	return cdk.Must(New(scope, id, props))
}

// New defines a state machine below scope/id with its function, log group, roles and the rule that cleans up after
// stopped executions. If it returns an error, nothing has been added to the scope. The error is one line.
func New(scope constructs.Construct, id *string, props *PowerTuningProps) (*PowerTuning, error) {
	p, err := props.complete()
	if err != nil {
		return nil, fmt.Errorf("power tuning %q: %w", *id, err)
	}
	this := constructs.NewConstruct(scope, id)
	function := newFunction(this, p)
	machine := awsstepfunctions.NewStateMachine(this, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(Definition())),
		DefinitionSubstitutions: &map[string]*string{"Function": function.FunctionArn(), "Partition": awscdk.Aws_PARTITION()},
		StateMachineType:        awsstepfunctions.StateMachineType_STANDARD,
		Role:                    machineRole(this),
		Comment:                 jsii.String("Power tuning of Lambda functions"),
		TracingEnabled:          jsii.Bool(props.Tracing),
	})
	// GrantInvoke would also allow versions, which the function does not have.
	machine.AddToRolePolicy(cdk.Allow([]*string{function.FunctionArn()}, "lambda:InvokeFunction"))
	explain(machine, props)
	allowChildren(this, machine)
	cleanUpAfterStopping(this, machine, function)
	return &PowerTuning{machine, function}, nil
}

// newFunction defines the function of the steps.
func newFunction(scope constructs.Construct, props *PowerTuningProps) awslambda.Function {
	group := cdk.LogGroup(scope, "LogGroup")
	environment := map[string]*string{}
	if len(props.PowerValues) > 0 {
		environment["POWER_VALUES"] = jsii.String(strings.Join(list.Map(props.PowerValues, strconv.Itoa), ","))
	}
	log := cdk.Allow([]*string{group.LogGroupArn()}, "logs:CreateLogStream", "logs:PutLogEvents")
	role := cdk.Role(scope, "log", log)
	permit(scope, role, props)
	function := awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		Description:  jsii.String("The steps of a power tuning"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Handler:      jsii.String("bootstrap"),
		Architecture: props.Architecture,
		MemorySize:   jsii.Number(memorySizeMB), Timeout: awscdk.Duration_Minutes(jsii.Number(timeoutMinutes)),
		Code:        props.Code,
		Environment: &environment,
		LogGroup:    group, Role: role,
	})
	// It measures other functions and is not an arm of the experiment.
	cdk.Resource(function).AddMetadata(jsii.String(arm.MetadataKey), map[string]any{"helper": true})
	return function
}

// program is an import path, not a folder, so that it also builds from the module cache of a module that requires this
// one.
const program = "github.com/twinstart/twinstart/cmd/tunestep"

// Build makes the steps' program in the cache and returns its folder, which has the file bootstrap only. Its bytes
// depend on the sources and the toolchain only.
func Build(moduleDir, architecture string) (string, error) {
	a, err := arm.ParseArchitecture(architecture)
	if err != nil {
		return "", err
	}
	cache, err := archive.Cache("powertuning", architecture)
	if err != nil {
		return "", err
	}
	return archive.Keep(cache, func(dir string) error {
		workspace := packages.Workspace{ModuleDir: moduleDir}
		err := workspace.Program(context.Background(), program, a, filepath.Join(dir, "bootstrap"))
		if err != nil && strings.Contains(err.Error(), "missing go.sum entry") {
			return fmt.Errorf("building %s: go.sum in %s lacks sums of dependencies: run `go mod tidy` there, once",
				program, cmp.Or(moduleDir, "this folder"))
		}
		return err
	})
}
