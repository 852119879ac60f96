// Command examples is a CDK app in its own Go module: a shell function with a schedule, an HTTPS endpoint and a
// table.
//
//	cdk deploy
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/bashfunction"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	NewVisits(app, "Visits")
	app.Synth(nil)
}

// NewVisits is the whole application.
func NewVisits(scope constructs.Construct, id string) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, nil)
	table := awsdynamodb.NewTable(stack, jsii.String("Table"), &awsdynamodb.TableProps{
		PartitionKey:  &awsdynamodb.Attribute{Name: jsii.String("page"), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:   awsdynamodb.BillingMode_PAY_PER_REQUEST,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	function := bashfunction.NewBashFunction(stack, jsii.String("Visits"), &bashfunction.BashFunctionProps{
		Entry: jsii.String("handlers/visits"),
		URL:   jsii.Bool(true),
		FunctionOptions: awslambda.FunctionOptions{
			MemorySize:  jsii.Number(256),
			Timeout:     awscdk.Duration_Seconds(jsii.Number(10)),
			Environment: &map[string]*string{"TABLE": table.TableName()},
		},
	})
	table.GrantReadData(function)
	awsevents.NewRule(stack, jsii.String("Hourly"), &awsevents.RuleProps{
		Schedule: awsevents.Schedule_Rate(awscdk.Duration_Hours(jsii.Number(1))),
		Targets:  &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(function, nil)},
	})
	awscdk.NewCfnOutput(stack, jsii.String("URL"), &awscdk.CfnOutputProps{Value: bashfunction.URLOf(function).Url()})
	return stack
}
