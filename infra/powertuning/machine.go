package powertuning

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/cdk"
)

// machineRole returns a role that Step Functions can assume only for state machines of the stack's own account, and not
// on behalf of another account. See
// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html, "confused deputy".
func machineRole(scope constructs.Construct) awsiam.Role {
	account := map[string]*string{"aws:SourceAccount": awscdk.Stack_Of(scope).Account()}
	return awsiam.NewRole(scope, jsii.String("MachineRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": account},
		}),
	})
}

// allowChildren lets the state machine start and stop executions of itself, which a distributed Map uses. This is a
// separate policy, because the role exists before the state machine.
func allowChildren(scope constructs.Construct, machine awsstepfunctions.StateMachine) {
	executions := cdk.ARN(scope, "states", nil, "execution:"+*machine.StateMachineName()+"/*")
	policy := awsiam.NewPolicy(scope, jsii.String("Children"), &awsiam.PolicyProps{
		Roles: &[]awsiam.IRole{machine.Role()},
		Statements: &[]awsiam.PolicyStatement{
			cdk.Allow([]*string{machine.StateMachineArn()}, "states:StartExecution"),
			cdk.Allow([]*string{executions}, "states:DescribeExecution", "states:StopExecution"),
		},
	})
	cdk.Suppress(policy, cdk.Wildcards, "Nobody knows the names of the executions that a distributed Map will start.")
}

// explain gives cdk-nag the reasons why the state machine does not log and, unless props say so, is not traced.
func explain(machine awsstepfunctions.StateMachine, props *PowerTuningProps) {
	cdk.Suppress(machine, "AwsSolutions-SF1", "The history of an execution holds every event for 90 days. Logging them "+
		"would take rights on all log groups, and write payloads into a log.")
	if !props.Tracing {
		cdk.Suppress(machine, "AwsSolutions-SF2", "X-Ray takes rights on everything; prop Tracing switches it on.")
		return
	}
	policy := machine.Role().Node().FindChild(jsii.String("DefaultPolicy"))
	cdk.Suppress(policy, cdk.Wildcards, "X-Ray's actions take no resources; prop Tracing asked for them.", "Resource::*")
}

// cleanUpAfterStopping calls the function when an execution has ended in a way that no state can catch: its user
// stopped it, it timed out, or Step Functions itself failed. Only these calls are asynchronous: Lambda repeats such a
// call twice if it fails, and for up to six hours if it is throttled.
func cleanUpAfterStopping(
	scope constructs.Construct, machine awsstepfunctions.StateMachine, function awslambda.Function,
) {
	// This does not use the library awseventstargets, which imports half of AWS: a quarter of what would be compiled.
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
			Id: jsii.String("Target0"), Arn: function.FunctionArn(),
			RetryPolicy: &awsevents.CfnRule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(3)},
		}},
	})
	function.AddPermission(jsii.String("Stopped"), &awslambda.Permission{
		Principal: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil), SourceArn: rule.AttrArn(),
	})
}
