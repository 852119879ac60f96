package bashfunction

import (
	"archive/zip"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/nag"
)

// Limits of a function's properties from Lambda's own model, so that a mistake is found here and not in the middle
// of a deployment.
// See https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html.
var lambdaName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

const (
	maxDescription = 256 // characters
	maxLayers      = 5
	maxUnzipped    = 250 << 20 // bytes of a ZIP's files, layers apart
)

func (p BashFunctionProps) validateModel() error {
	known := func(s *string) bool { return s != nil && !*awscdk.Token_IsUnresolved(*s) }
	if known(p.Description) && utf8.RuneCountInString(*p.Description) > maxDescription {
		return fmt.Errorf("prop Description has %d characters: Lambda takes up to %d", utf8.RuneCountInString(*p.Description), maxDescription)
	}
	if known(p.FunctionName) && !lambdaName.MatchString(*p.FunctionName) {
		return fmt.Errorf("prop FunctionName %q: use up to 64 letters, digits, hyphens and underscores", *p.FunctionName)
	}
	if p.Layers != nil && len(*p.Layers) > maxLayers {
		return fmt.Errorf("prop Layers has %d: Lambda takes up to %d", len(*p.Layers), maxLayers)
	}
	if p.Environment == nil {
		return nil
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(*p.Environment)) {
		switch {
		case *awscdk.Token_IsUnresolved(name):
			continue
		case !arm.VariableName.MatchString(name):
			return fmt.Errorf("prop Environment: %q is not a name that Lambda takes: use at least two letters, digits and underscores, a letter first", name)
		case slices.Contains(arm.ReservedVariables, name):
			return fmt.Errorf("prop Environment: Lambda sets %s itself: choose another name", name)
		}
		size += len(name)
		if value := (*p.Environment)[name]; known(value) {
			size += len(*value)
		}
	}
	if size > arm.MaxVariables {
		return fmt.Errorf("prop Environment has %d bytes of names and values: Lambda takes up to %d; keep large values in a file or a parameter", size, arm.MaxVariables)
	}
	return nil
}

// checkSize refuses a ZIP that Lambda would not unpack.
func checkSize(path string, most uint64) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil // another Builder may make other files; the CDK reads this one next
	}
	defer archive.Close()
	var size uint64
	for _, f := range archive.File {
		size += f.UncompressedSize64
	}
	if size > most {
		return fmt.Errorf("the package %s has %d MB unpacked, and Lambda takes %d MB: leave files out (prop Exclude), or use package image", path, size>>20, most>>20)
	}
	return nil
}

// newRole makes the role of a function with these options. AWSLambdaBasicExecutionRole, which the CDK would attach,
// may create log groups and write to all of them. This role may write to LogGroup only.
//
// Each function has its own role. A shared role would let each function write to the log groups of all, would grow
// towards IAM's limit of 10,240 characters, and would have to exist before the first function. Separate roles are
// made at the same time, so a deployment does not take longer for 24 of them than for one. The policy is inline for
// the same reason: an AWS::IAM::Policy would be one more resource between role and function.
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
			// Lambda needs these rights, the function's code does not. Only requests of the code have the
			// function's ARN.
			// See
			// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice.
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Effect: awsiam.Effect_DENY, Actions: actions, Resources: jsii.Strings("*"),
				Conditions: &map[string]any{"Null": map[string]string{"lambda:SourceFunctionArn": "false"}},
			}))
	}
	if key := options.EnvironmentEncryption; key != nil {
		// Lambda reads the variables by a grant that it makes with the rights of whoever deploys. If those are not
		// enough, or the role is replaced, there is no grant, and each invocation would fail with
		// KMSAccessDeniedException.
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
