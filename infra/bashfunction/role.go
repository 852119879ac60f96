package bashfunction

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/nag"
)

// newRole makes the role of a function with these options, which logs to LogGroup. AWSLambdaBasicExecutionRole, which CDK would attach, may
// write to every log group of the account and create new ones; this role may write to one, which exists already.
//
// Each function has a role of its own: a shared one would let each function write to the log groups of all, would grow towards IAM's
// limit of 10,240 characters, and would have to be made before the first function. Roles of their own are made side by side, so a
// deployment waits no longer for 24 than for one. The policy is inline for the same reason: an AWS::IAM::Policy would be one more
// resource between role and function.
func newRole(scope constructs.Construct, options awslambda.FunctionOptions) awsiam.Role {
	inVPC := options.Vpc != nil
	statements := []awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("logs:CreateLogStream", "logs:PutLogEvents"),
		Resources: &[]*string{options.LogGroup.LogGroupRef().LogGroupArn}, // ends in ":*": the group's streams
	})}
	if inVPC {
		// Lambda makes the network interfaces with the function's role. They have no name beforehand.
		// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions.
		actions := jsii.Strings("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
		statements = append(statements,
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: actions, Resources: jsii.Strings("*")}),
			// Lambda itself needs them, the function's code does not: only its requests bear the function's ARN.
			// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice.
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Effect: awsiam.Effect_DENY, Actions: actions, Resources: jsii.Strings("*"),
				Conditions: &map[string]any{"Null": map[string]string{"lambda:SourceFunctionArn": "false"}},
			}))
	}
	if key := options.EnvironmentEncryption; key != nil {
		// Lambda reads the variables by a grant that it makes with the deployer's rights. Where those do not reach, or the role is made anew, the
		// grant is not there, and each invocation would be a KMSAccessDeniedException.
		functions := awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{Service: jsii.String("lambda"), Resource: jsii.String("function"),
			ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME, ResourceName: jsii.String("*")})
		statements = append(statements, awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("kms:Decrypt"), Resources: &[]*string{key.KeyRef().KeyArn},
			Conditions: &map[string]any{"StringLike": map[string]*string{"kms:EncryptionContext:aws:lambda:FunctionArn": functions}},
		}))
	}
	role := awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"run": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
		},
	})
	if inVPC {
		nag.Suppress(role, nag.Suppression{
			Rule: "AwsSolutions-IAM5", AppliesTo: []string{"Resource::*"},
			Reason: "Network interfaces that Lambda makes have no name beforehand, and ec2:Describe* knows no resources: these are the actions and the resource that Lambda's guide asks for.",
		})
	}
	return role
}
