package bashfunction

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/cdk"
)

// newRole makes the role of a function with these options. AWSLambdaBasicExecutionRole, which the CDK would attach,
// may create log groups and write to all of them. This role may write to LogGroup only.
//
// Each function has its own role. A shared role would let each function write to the log groups of all, would grow
// towards IAM's limit of 10,240 characters, and would have to exist before the first function. Separate roles are
// made at the same time, so a deployment does not take longer for many of them than for one. The policy is inline for
// the same reason: an AWS::IAM::Policy would be one more resource between role and function.
func newRole(scope constructs.Construct, options awslambda.FunctionOptions) awsiam.Role {
	inVPC := options.Vpc != nil
	group := options.LogGroup.LogGroupRef().LogGroupArn // ends in ":*": the group's streams
	statements := []awsiam.PolicyStatement{cdk.Allow([]*string{group}, "logs:CreateLogStream", "logs:PutLogEvents")}
	if inVPC {
		// Lambda makes the network interfaces with the function's role. Nobody knows their names beforehand.
		// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions.
		actions := []string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"}
		statements = append(statements, cdk.Allow(*jsii.Strings("*"), actions...),
			// Lambda needs these rights, but the function's code does not. lambda:SourceFunctionArn is set only in
			// requests that the code makes.
			// See
			// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice.
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Effect: awsiam.Effect_DENY, Actions: jsii.Strings(actions...), Resources: jsii.Strings("*"),
				Conditions: &map[string]any{"Null": map[string]string{"lambda:SourceFunctionArn": "false"}},
			}))
	}
	if key := options.EnvironmentEncryption; key != nil {
		// Lambda reads the variables by a grant that it makes with the rights of whoever deploys. If those are not
		// enough, or the role is replaced, there is no grant, and each invocation would fail with
		// KMSAccessDeniedException.
		functions := cdk.ARN(scope, "lambda", nil, "function:*")
		decrypt := cdk.Allow([]*string{key.KeyRef().KeyArn}, "kms:Decrypt")
		context := "kms:EncryptionContext:aws:lambda:FunctionArn"
		decrypt.AddCondition(jsii.String("StringLike"), map[string]*string{context: functions})
		statements = append(statements, decrypt)
	}
	role := cdk.Role(scope, "run", statements...)
	if inVPC {
		cdk.Suppress(role, cdk.Wildcards, "Lambda's guide asks for these actions on all resources: nobody knows the names "+
			"of network interfaces that Lambda will make, and ec2:Describe* takes no resources.", "Resource::*")
	}
	return role
}
