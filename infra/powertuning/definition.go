package powertuning

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/measure/power/step"
	"github.com/twinstart/twinstart/infra/cdk"
)

//go:embed definition.asl.json
var definition []byte

// Definition is the state machine in the Amazon States Language (https://states-language.net). Its states are
// Initialise, Publish as often as needed, a Map over groups of power values, Clean, Analyse and Optimise. After any
// failure the state is CleanAfterFailure. Values go from state to state in variables, so no state's output repeats the
// next one's input.
//
// The states of a distributed Map run in other executions and see no variables, so each item holds what they need. As
// long as there is more to measure, the states pass the whole item on. The last one passes on the item's values only,
// because the results of all items come out of the Map together.
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
	all := list.Map(props.Functions, func(f awslambda.IFunction) *string { return f.FunctionArn() })
	for _, pattern := range props.Patterns {
		all = append(all, patternARN(scope, pattern))
	}
	number := 0
	for some := range slices.Chunk(all, functionsPerPolicy) {
		number++
		attach(scope, fmt.Sprintf("Functions%d", number), role,
			cdk.Allow(some, step.OnFunctions...), cdk.Allow(list.Map(some, qualified), step.OnVersions...))
	}
	var others []awsiam.PolicyStatement
	for _, f := range props.Processors {
		others = append(others, cdk.Allow([]*string{f.FunctionArn(), qualified(f.FunctionArn())}, "lambda:InvokeFunction"))
	}
	if props.PayloadBucket != nil {
		others = append(others, cdk.Allow([]*string{props.PayloadBucket.ArnForObjects(jsii.String("*"))}, "s3:GetObject"))
	}
	for _, key := range props.EnvironmentKeys {
		others = append(others, cdk.Allow([]*string{key.KeyArn()},
			"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant"))
	}
	if len(props.AssumeRoles) > 0 {
		others = append(others, cdk.Allow(*jsii.Strings(props.AssumeRoles...), "sts:AssumeRole"))
	}
	if len(others) > 0 {
		attach(scope, "Others", role, others...)
	}
}

func attach(scope constructs.Construct, id string, role awsiam.IRole, statements ...awsiam.PolicyStatement) {
	props := &awsiam.ManagedPolicyProps{Roles: &[]awsiam.IRole{role}, Statements: &statements}
	policy := awsiam.NewManagedPolicy(scope, &id, props)
	cdk.Suppress(policy, cdk.Wildcards, "The wildcards stand for versions and aliases of the named functions, or for "+
		"objects of the named bucket. Nobody knows the versions that a tuning will publish.")
}

// qualified returns the ARN of a function's versions and aliases.
func qualified(functionARN *string) *string { return jsii.String(*functionARN + ":*") }

// patternARN returns the ARN of functions by their name, in every region. It returns an ARN unchanged. The steps may
// delete only ARNs with one more colon, which are versions: no function's name has a colon.
func patternARN(scope constructs.Construct, pattern string) *string {
	if strings.HasPrefix(pattern, "arn:") {
		return &pattern
	}
	return cdk.ARN(scope, "lambda", jsii.String("*"), "function:"+pattern)
}
