package powertuning

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/bench/measure/power/step"
	"github.com/twinstart/twinstart/infra/nag"
)

// object is a JSON object of the Amazon States Language. https://states-language.net
type object map[string]any

// Expressions of JSONata that several states use.
const (
	executionID    = "{% $states.context.Execution.Id %}"
	executionInput = "{% $states.context.Execution.Input %}"
	result         = "{% $states.result.Payload %}"
	plan           = "{% $plan %}"
)

// functionPlaceholder becomes the function's ARN at deployment.
const functionPlaceholder = "${Function}"

// Definition is the state machine in the Amazon States Language: Initialise, Publish as often as it takes, a Map over groups of power
// values, Clean, Analyse, Optimise. What fails anywhere goes through CleanAfterFailure. What passes from state to state is kept in variables, so
// that no state's output repeats what the next one's input holds anyway.
func Definition() string {
	states := object{
		"Initialise": task(step.Initialise, nil).comment("Checks the input, with all mistakes in one message, and plans. Changes nothing.").assign("plan").next("Publish"),
		"Publish":    task(step.Publish, object{"plan": plan}).comment("A version and an alias for each power value, as many as fit into a call.").assign("plan").next("Published?"),
		"Published?": object{"Type": "Choice", "Choices": []object{
			{"Condition": "{% $plan.unpublished %}", "Next": "Publish"},
			{"Condition": "{% $plan.distributed %}", "Next": "MeasureApart"},
		}, "Default": "Measure"},
		"Measure":      measure("", "Up to 1,000 invocations: one group, in which power values take turns in rounds.", object{"Mode": "INLINE"}),
		"MeasureApart": measure("Apart", "Beyond: an execution, and a history, for each power value, side by side.", object{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}),
		"Clean":        task(step.Clean, object{"plan": plan}).next("Analyse"),
		"Analyse":      task(step.Analyse, object{"plan": plan, "measured": "{% $measured %}"}).assign("output").next("Optimise"),
		"Optimise":     task(step.Optimise, object{"plan": plan, "output": "{% $output %}"}).with("Output", result).with("End", true),
		"CleanAfterFailure": task(step.Clean, object{"stopped": true}).comment("Restores the memory and deletes versions and aliases; then the execution fails with what went wrong.").
			with("Catch", []object{{"ErrorEquals": []string{"States.ALL"}, "Next": "Failed",
				"Assign": object{"error": object{"Error": "{% $error.Error %}", "Cause": "{% $error.Cause & '; and cleaning up failed: ' & $states.errorOutput.Cause %}"}}}}).
			next("Failed"),
		"Failed": object{"Type": "Fail", "Error": "{% $error.Error %}", "Cause": "{% $error.Cause %}"},
	}
	text, err := json.Marshal(object{
		"Comment":       "Power tuning of a Lambda function. Every state calls one function, cmd/tunestep.",
		"QueryLanguage": "JSONata", "StartAt": "Initialise", "States": states,
	})
	if err != nil {
		panic(err) // maps, lists and text
	}
	return string(text)
}

// task is one that calls the function.
func task(name step.Name, more object) object {
	payload := object{"step": string(name), "execution": executionID, "input": executionInput}
	for key, value := range more {
		payload[key] = value
	}
	return object{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": object{"FunctionName": functionPlaceholder, "Payload": payload},
		"Output": object{}, "Retry": retry(), "Catch": toCleanUp()}
}

func (o object) with(key string, value any) object { o[key] = value; return o }
func (o object) comment(text string) object        { return o.with("Comment", text) }
func (o object) next(state string) object          { return o.with("Next", state) }
func (o object) assign(variable string) object     { return o.with("Assign", object{variable: result}) }

// retry is for errors of the service: every step may be run again.
func retry() []object {
	return []object{{"ErrorEquals": []string{"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
		"Lambda.TooManyRequestsException", "Lambda.ClientExecutionTimeoutException"},
		"IntervalSeconds": 2, "MaxAttempts": step.Retries, "BackoffRate": 2, "JitterStrategy": "FULL"}}
}

func toCleanUp() []object {
	return []object{{"ErrorEquals": []string{"States.ALL"}, "Assign": object{"error": "{% $states.errorOutput %}"}, "Next": "CleanAfterFailure"}}
}

// measure is a Map over the plan's groups. Its states see no variables, for a distributed one's run in executions of their own: the
// item holds what they need. suffix keeps names unique in the whole machine.
func measure(suffix, comment string, mode object) object {
	execute, done, measured := "Execute"+suffix, "Done"+suffix+"?", "Measured"+suffix
	call := task(step.Execute, object{
		"execution": "{% $states.input.plan.id %}", "input": "{% $states.input.input %}", "plan": "{% $states.input.plan %}", "group": "{% $states.input.group %}",
		"progress": "{% $exists($states.input.progress) ? $states.input.progress : null %}",
	})
	// While there is more the item is carried on; at its end only the values are, for the results of all come out of the Map together.
	call["Output"] = "{% $states.result.Payload.more ? $merge([$states.input, $states.result.Payload]) : $states.result.Payload %}"
	delete(call, "Catch") // the Map has one
	return object{"Type": "Map", "Comment": comment, "Items": "{% [$plan.groups] %}", "MaxConcurrency": "{% $plan.concurrency %}",
		"ItemSelector": object{"plan": plan, "group": "{% $states.context.Map.Item.Value %}", "input": executionInput},
		"ItemProcessor": object{"ProcessorConfig": mode, "StartAt": execute, "States": object{
			execute:  call.next(done),
			done:     object{"Type": "Choice", "Choices": []object{{"Condition": "{% $states.input.more %}", "Next": execute}}, "Default": measured},
			measured: object{"Type": "Succeed"},
		}},
		"Assign": object{"measured": "{% [$states.result] %}"}, "Output": object{}, "Catch": toCleanUp(), "Next": "Clean"}
}

// A managed policy holds 6,144 characters and a role ten of them; a function's ARN has 124 at most and stands there twice.
const (
	functionsPerPolicy = 20
	maxFunctions       = 10 * functionsPerPolicy
)

// permit lets the steps' function tune what it is given, by its role.
func permit(scope constructs.Construct, role awsiam.IRole, props *PowerTuningProps) {
	var all []*string
	for _, f := range props.Functions {
		all = append(all, f.FunctionArn())
	}
	for _, pattern := range props.Patterns {
		all = append(all, patternARN(scope, pattern))
	}
	number := 0
	for some := range slices.Chunk(all, functionsPerPolicy) {
		functions, versions := some, make([]*string, len(some))
		for i, f := range some {
			versions[i] = qualified(f)
		}
		number++
		attach(scope, fmt.Sprintf("Functions%d", number), role,
			allow(functions, step.OnFunctions...), allow(versions, step.OnVersions...))
	}
	var others []awsiam.PolicyStatement
	for _, f := range props.Processors {
		others = append(others, allow([]*string{f.FunctionArn(), qualified(f.FunctionArn())}, "lambda:InvokeFunction"))
	}
	if props.PayloadBucket != nil {
		others = append(others, allow([]*string{props.PayloadBucket.ArnForObjects(jsii.String("*"))}, "s3:GetObject"))
	}
	for _, key := range props.EnvironmentKeys {
		others = append(others, allow([]*string{key.KeyArn()}, "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant"))
	}
	if len(props.AssumeRoles) > 0 {
		others = append(others, allow(*jsii.Strings(props.AssumeRoles...), "sts:AssumeRole"))
	}
	if len(others) > 0 {
		attach(scope, "Others", role, others...)
	}
}

// attach makes a policy of the statements.
func attach(scope constructs.Construct, id string, role awsiam.IRole, statements ...awsiam.PolicyStatement) {
	policy := awsiam.NewManagedPolicy(scope, &id, &awsiam.ManagedPolicyProps{Roles: &[]awsiam.IRole{role}, Statements: &statements})
	nag.Suppress(policy, nag.Suppression{
		Rule:   "AwsSolutions-IAM5",
		Reason: "The wildcards stand for versions and aliases of the functions that are named, or for objects of the bucket that is: tuning publishes versions whose numbers nobody knows beforehand.",
	})
}

// qualified are a function's versions and aliases.
func qualified(functionARN *string) *string { return jsii.String(*functionARN + ":*") }

// patternARN is the ARN of functions by their name; an ARN is one already. Deleting is allowed of ARNs with a colon more alone, which
// no name holds.
func patternARN(scope constructs.Construct, pattern string) *string {
	if strings.HasPrefix(pattern, "arn:") {
		return &pattern
	}
	return awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{Service: jsii.String("lambda"), Region: jsii.String("*"), Resource: jsii.String("function"),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME, ResourceName: &pattern})
}

func allow(resources []*string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &resources})
}
