package powertuning

import (
	_ "embed"
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

//go:embed definition.asl.json
var definition []byte

// Definition is the state machine in the Amazon States Language (https://states-language.net). Initialise, Publish as
// often as it takes, a Map over groups of power values, Clean, Analyse, Optimise. Any failure goes through
// CleanAfterFailure. Values go from state to state in variables, so no state's output repeats the next one's input.
//
// The states of a Map see no variables, because those of a distributed Map run in executions of their own: the item
// has what they need. While there is more to measure, the item goes on. At its end only its values do, because the
// results of all items come out of the Map together.
//
// ${Function} becomes the ARN of the function that all tasks call, ${Partition} aws, aws-cn or aws-us-gov.
func Definition() string {
	var states any
	if err := json.Unmarshal(definition, &states); err != nil {
		panic(err) // a test reads the file
	}
	text, _ := json.Marshal(states) // without the file's white space, which a deployed definition would keep
	return string(text)
}

// A managed policy has at most 6,144 characters, and a role has ten of them. The ARN of a function has at most 124
// characters and occurs twice.
const (
	functionsPerPolicy = 20
	maxFunctions       = 10 * functionsPerPolicy
)

// permit gives the role of the steps' function the rights that a tuning needs.
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

// attach adds a policy with the statements.
func attach(scope constructs.Construct, id string, role awsiam.IRole, statements ...awsiam.PolicyStatement) {
	policy := awsiam.NewManagedPolicy(scope, &id, &awsiam.ManagedPolicyProps{Roles: &[]awsiam.IRole{role}, Statements: &statements})
	nag.Suppress(policy, nag.Suppression{
		Rule:   "AwsSolutions-IAM5",
		Reason: "The wildcards stand for versions and aliases of the functions that are named, or for objects of the bucket that is: tuning publishes versions whose numbers nobody knows beforehand.",
	})
}

// qualified returns the ARN of a function's versions and aliases.
func qualified(functionARN *string) *string { return jsii.String(*functionARN + ":*") }

// patternARN returns the ARN of functions by their name. It does not change an ARN. Only ARNs with another colon
// may be deleted, which no name has.
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
