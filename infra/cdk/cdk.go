// Package cdk has the uses of the CDK that this project's constructs and stacks share: resources, policies, outputs.
package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AppProps leaves out stack traces. They come from the jsii kernel, not from the app, and contain names of the
// kernel's temporary folders.
func AppProps() *awscdk.AppProps {
	return &awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false),
		StackTraces:        jsii.Bool(false),
		Context:            &map[string]any{"aws:cdk:disable-creation-stack-traces": true},
	}
}

// Must returns a construct. If there is an error, it panics, as the CDK's own constructs do.
func Must[T any](construct T, err error) T {
	if err != nil {
		panic(err)
	}
	return construct
}

// Resource returns the CloudFormation resource of a function.
func Resource(function awslambda.Function) awslambda.CfnFunction {
	return function.Node().DefaultChild().(awslambda.CfnFunction)
}

// LogGroup defines a log group that keeps events for a week and is deleted with its stack.
func LogGroup(scope constructs.Construct, id string) awslogs.LogGroup {
	return awslogs.NewLogGroup(scope, &id, &awslogs.LogGroupProps{
		Retention: awslogs.RetentionDays_ONE_WEEK, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

// Allow returns a statement that allows actions on resources.
func Allow(resources []*string, actions ...string) awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: &resources}
	return awsiam.NewPolicyStatement(props)
}

// Role defines the role of a function, with one inline policy.
func Role(scope constructs.Construct, policy string, statements ...awsiam.PolicyStatement) awsiam.Role {
	document := awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
	return awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{policy: document},
	})
}

// ARN returns the ARN of a resource in the stack's account. A nil region is the stack's own.
func ARN(scope constructs.Construct, service string, region *string, resource string) *string {
	return awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
		Service: &service, Region: region, Resource: &resource, ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME,
	})
}

// Output defines an output of the stack. The output's name is its id, whatever construct it is in.
func Output(scope constructs.Construct, id string, value *string, description string) {
	props := &awscdk.CfnOutputProps{Value: value, Description: &description}
	awscdk.NewCfnOutput(scope, &id, props).OverrideLogicalId(&id)
}

// Suppress writes into the Metadata of the construct's resource why a rule of cdk-nag, such as AwsSolutions-IAM5, does
// not apply. If findings, such as Resource::*, are given, only these are suppressed. Only tests link cdk-nag, because
// otherwise every synth would have to load it. See https://github.com/cdklabs/cdk-nag#suppressing-a-rule.
func Suppress(construct constructs.IConstruct, rule, reason string, findings ...string) {
	const list = "rules_to_suppress"
	resource, key := construct.Node().DefaultChild().(awscdk.CfnResource), jsii.String("cdk_nag")
	known, _ := resource.GetMetadata(key).(map[string]any)
	rules, _ := known[list].([]any)
	entry := map[string]any{"id": rule, "reason": reason}
	if findings != nil {
		entry["applies_to"] = findings
	}
	resource.AddMetadata(key, map[string]any{list: append(rules, entry)})
}

// Wildcards is cdk-nag's rule on policies with wildcards.
const Wildcards = "AwsSolutions-IAM5"
