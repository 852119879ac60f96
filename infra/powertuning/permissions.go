package powertuning

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/nag"
)

// A managed policy holds 6,144 characters and a role ten of them; a function's ARN has 124 at most and stands there twice.
const (
	functionsPerPolicy = 20
	maxFunctions       = 10 * functionsPerPolicy
)

// permit lets the steps' function tune what it is given, by its role.
func permit(scope constructs.Construct, role awsiam.IRole, props *PowerTuningProps) {
	number := 0
	for some := range slices.Chunk(props.Functions, functionsPerPolicy) {
		var functions, versions []*string
		for _, f := range some {
			functions, versions = append(functions, f.FunctionArn()), append(versions, qualified(f))
		}
		number++
		attach(scope, fmt.Sprintf("Functions%d", number), role,
			allow(functions, "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:ListVersionsByFunction", "lambda:ListAliases",
				"lambda:GetFunctionConfiguration", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"),
			// Versions and aliases only: without a qualifier deleting would be about the function.
			allow(versions, "lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "lambda:DeleteFunction", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"))
	}
	var others []awsiam.PolicyStatement
	for _, f := range props.Processors {
		others = append(others, allow([]*string{f.FunctionArn(), qualified(f)}, "lambda:InvokeFunction"))
	}
	if props.PayloadBucket != nil {
		others = append(others, allow([]*string{props.PayloadBucket.ArnForObjects(jsii.String("*"))}, "s3:GetObject"))
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
func qualified(f awslambda.IFunction) *string { return jsii.String(*f.FunctionArn() + ":*") }

func allow(resources []*string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &resources})
}
