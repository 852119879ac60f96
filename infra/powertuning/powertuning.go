// Package powertuning is a CDK construct that finds the best memory size of Lambda functions: a state machine with the
// input and the output of AWS Lambda Power Tuning.
//
//	powertuning.NewPowerTuning(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
//		Functions: []awslambda.IFunction{hello},
//	})
//
//	aws stepfunctions start-execution --state-machine-arn ... --input '{"lambdaARN": "...", "num": 50, "payload": {}}'
//
// It may change, publish and invoke the functions that it is given and no others, and may delete their versions but not
// the functions. An execution that fails, or that is stopped, leaves nothing behind: a rule on the execution's status
// cleans up after what no state can catch.
package powertuning

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/infra/nag"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// PowerTuning has the parts that others need.
type PowerTuning struct {
	StateMachine awsstepfunctions.StateMachine // its input and output are those of Power Tuning
	Function     awslambda.Function            // behind every state
}

// The function of the steps mostly waits, so it needs little memory and Lambda's longest time-out.
const (
	memorySizeMB   = 256
	timeoutMinutes = 15
)

// NewPowerTuning does what New does, and panics if there is an error, as constructs do.
func NewPowerTuning(scope constructs.Construct, id *string, props *PowerTuningProps) *PowerTuning {
	t, err := New(scope, id, props)
	if err != nil {
		panic(err)
	}
	return t
}

// New defines a state machine below scope/id with its function, log group, roles and the rule that cleans up after
// stopped executions. Nothing has been added to the scope when it returns an error, which is one line.
func New(scope constructs.Construct, id *string, props *PowerTuningProps) (*PowerTuning, error) {
	if err := props.validate(); err != nil {
		return nil, fmt.Errorf("power tuning %q: %w", *id, err)
	}
	architecture := props.Architecture
	if architecture == nil {
		architecture = awslambda.Architecture_ARM_64()
	}
	code := props.Code
	if code == nil {
		dir, err := Build(props.ModuleDir, *architecture.Name())
		if err != nil {
			return nil, fmt.Errorf("power tuning %q: %w", *id, err)
		}
		code = awslambda.Code_FromAsset(&dir, nil)
	}
	this := constructs.NewConstruct(scope, id)
	function := newFunction(this, props, architecture, code)
	machine := awsstepfunctions.NewStateMachine(this, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(Definition())),
		DefinitionSubstitutions: &map[string]*string{"Function": function.FunctionArn(), "Partition": awscdk.Aws_PARTITION()},
		StateMachineType:        awsstepfunctions.StateMachineType_STANDARD,
		Role:                    machineRole(this),
		Comment:                 jsii.String("Power tuning of Lambda functions"),
		TracingEnabled:          jsii.Bool(props.Tracing),
	})
	machine.AddToRolePolicy(allow([]*string{function.FunctionArn()}, "lambda:InvokeFunction")) // GrantInvoke would allow versions, of which it has none
	explain(machine, props)
	allowChildren(this, machine)
	cleanUpAfterStopping(this, machine, function)
	return &PowerTuning{machine, function}, nil
}

// machineRole can be assumed only for state machines of the stack's own account, not through Step Functions on
// behalf of another.
// See
// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html#prevent-cross-service-confused-deputy.
func machineRole(scope constructs.Construct) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String("MachineRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:SourceAccount": awscdk.Stack_Of(scope).Account()}},
		}),
	})
}

func newFunction(scope constructs.Construct, props *PowerTuningProps, architecture awslambda.Architecture, code awslambda.Code) awslambda.Function {
	group := awslogs.NewLogGroup(scope, jsii.String("LogGroup"), &awslogs.LogGroupProps{
		Retention: awslogs.RetentionDays_ONE_WEEK, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	environment := map[string]*string{}
	if len(props.PowerValues) > 0 {
		environment["POWER_VALUES"] = jsii.String(strings.Join(list.Map(props.PowerValues, strconv.Itoa), ","))
	}
	role := awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"log": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
			Statements: &[]awsiam.PolicyStatement{allow([]*string{group.LogGroupArn()}, "logs:CreateLogStream", "logs:PutLogEvents")},
		})},
	})
	permit(scope, role, props)
	function := awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		Description:  jsii.String("The steps of a power tuning"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Handler:      jsii.String("bootstrap"),
		Architecture: architecture,
		MemorySize:   jsii.Number(memorySizeMB),
		Timeout:      awscdk.Duration_Minutes(jsii.Number(timeoutMinutes)),
		Code:         code,
		Environment:  &environment,
		LogGroup:     group,
		Role:         role,
	})
	// It measures others and is not an arm of the experiment.
	function.Node().DefaultChild().(awslambda.CfnFunction).AddMetadata(jsii.String(arm.MetadataKey), map[string]any{"helper": true})
	return function
}

// allowChildren lets the state machine start and stop executions of itself, which a distributed Map uses. This is a
// separate policy, because the role exists before the state machine.
func allowChildren(scope constructs.Construct, machine awsstepfunctions.StateMachine) {
	stack := awscdk.Stack_Of(scope)
	executions := stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("states"), Resource: jsii.String("execution"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		ResourceName: jsii.String(*machine.StateMachineName() + "/*")})
	policy := awsiam.NewPolicy(scope, jsii.String("Children"), &awsiam.PolicyProps{
		Roles: &[]awsiam.IRole{machine.Role()},
		Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("states:StartExecution"), Resources: &[]*string{machine.StateMachineArn()}}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("states:DescribeExecution", "states:StopExecution"), Resources: &[]*string{executions}}),
		},
	})
	nag.Suppress(policy, nag.Suppression{
		Rule:   "AwsSolutions-IAM5",
		Reason: "A distributed Map starts executions of this state machine, whose names nobody knows beforehand.",
	})
}

// explain gives cdk-nag the reasons for what the state machine does not have.
func explain(machine awsstepfunctions.StateMachine, props *PowerTuningProps) {
	rules := []nag.Suppression{{
		Rule:   "AwsSolutions-SF1",
		Reason: "The history of an execution holds every event for 90 days; logging them would take rights on all log groups, and write payloads into a log.",
	}}
	if !props.Tracing {
		rules = append(rules, nag.Suppression{Rule: "AwsSolutions-SF2", Reason: "X-Ray takes rights on everything; prop Tracing switches it on."})
	} else {
		nag.Suppress(machine.Role().Node().FindChild(jsii.String("DefaultPolicy")), nag.Suppression{
			Rule: "AwsSolutions-IAM5", AppliesTo: []string{"Resource::*"},
			Reason: "The actions of X-Ray know no resources; prop Tracing asked for them.",
		})
	}
	nag.Suppress(machine, rules...)
}

// cleanUpAfterStopping calls the function when an execution has ended in a way that no state can catch: its user
// stopped it, it timed out, or Step Functions itself failed. Only these calls are asynchronous; Lambda repeats one
// that fails or is throttled twice.
func cleanUpAfterStopping(scope constructs.Construct, machine awsstepfunctions.StateMachine, function awslambda.Function) {
	// This does not use the library of targets, which imports half of AWS and would be a quarter of what is
	// compiled.
	rule := awsevents.NewCfnRule(scope, jsii.String("Stopped"), &awsevents.CfnRuleProps{
		Description: jsii.String("Cleans up after power tunings that were stopped"),
		State:       jsii.String("ENABLED"),
		EventPattern: &map[string]any{
			"source":      jsii.Strings("aws.states"),
			"detail-type": jsii.Strings("Step Functions Execution Status Change"),
			"detail": &map[string]any{
				"stateMachineArn": &[]*string{machine.StateMachineArn()},
				"status":          jsii.Strings("ABORTED", "TIMED_OUT", "FAILED"),
			},
		},
		Targets: &[]any{&awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Target0"), Arn: function.FunctionArn(), RetryPolicy: &awsevents.CfnRule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(3)},
		}},
	})
	function.AddPermission(jsii.String("Stopped"), &awslambda.Permission{
		Principal: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil), SourceArn: rule.AttrArn(),
	})
}

// program is asked for by its import path, so that it builds from the module cache of somebody who only requires this
// module.
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
		err := (&packages.Workspace{ModuleDir: moduleDir}).Program(context.Background(), program, a, filepath.Join(dir, "bootstrap"))
		if err != nil && strings.Contains(err.Error(), "missing go.sum entry") {
			return fmt.Errorf("building %s: the module in %s lacks sums of what it is made of: run `go mod tidy` there, once", program, cmp.Or(moduleDir, "this folder"))
		}
		return err
	})
}
