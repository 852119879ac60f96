package powertuning

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// statements are what the steps' function may do, besides writing its log.
func statements(props *PowerTuningProps) []awsiam.PolicyStatement {
	var functions, versions, processors []*string
	for _, f := range props.Functions {
		functions = append(functions, f.FunctionArn())
		versions = append(versions, qualified(f))
	}
	for _, f := range props.Processors {
		processors = append(processors, f.FunctionArn(), qualified(f))
	}
	both := append(append([]*string{}, functions...), versions...)
	out := []awsiam.PolicyStatement{
		allow(functions, "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:ListVersionsByFunction", "lambda:ListAliases"),
		allow(both, "lambda:GetFunctionConfiguration", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"),
		// Versions only: without a qualifier each of these would be about the function.
		allow(versions, "lambda:InvokeFunction", "lambda:DeleteFunction"),
	}
	if len(processors) > 0 {
		out = append(out, allow(processors, "lambda:InvokeFunction"))
	}
	if props.PayloadBucket != nil {
		out = append(out, allow([]*string{props.PayloadBucket.ArnForObjects(jsii.String("*"))}, "s3:GetObject"))
	}
	return out
}

// qualified are a function's versions and aliases.
func qualified(f awslambda.IFunction) *string { return jsii.String(*f.FunctionArn() + ":*") }

func allow(resources []*string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &resources})
}
