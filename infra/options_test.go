package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
)

// Each option adds the resources that it names and no others.
func TestOptions(t *testing.T) {
	function := func(property string, want any) func(*testing.T, template) {
		return func(t *testing.T, template template) {
			if diff := cmp.Diff(want, template.ofType(functionType)[0].Properties[property]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", property, diff)
			}
		}
	}
	for _, test := range []struct {
		name    string
		context map[string]any
		more    map[string]int // resources beside those of one function
		check   func(*testing.T, template)
	}{
		{"none", nil, map[string]int{}, function("TracingConfig", nil)},
		{"tracing", map[string]any{"tracing": "active"}, map[string]int{"AWS::IAM::Policy": 1}, function("TracingConfig", map[string]any{"Mode": "Active"})},
		{"pass through", map[string]any{"tracing": "passthrough"}, map[string]int{"AWS::IAM::Policy": 1}, function("TracingConfig", map[string]any{"Mode": "PassThrough"})},
		{"reserved", map[string]any{"reserved": 5.0}, map[string]int{}, function("ReservedConcurrentExecutions", 5.0)},
		{"tmp", map[string]any{"tmp": "2048"}, map[string]int{}, function("EphemeralStorage", map[string]any{"Size": 2048.0})},
		{"provisioned", map[string]any{"provisioned": "3"}, map[string]int{"AWS::Lambda::Version": 1, "AWS::Lambda::Alias": 1}, func(t *testing.T, template template) {
			alias := template.ofType("AWS::Lambda::Alias")[0].Properties
			if alias["Name"] != "live" || fmt.Sprint(alias["ProvisionedConcurrencyConfig"]) != "map[ProvisionedConcurrentExecutions:3]" {
				t.Errorf("alias %v", alias)
			}
		}},
		{"target tracking", map[string]any{"provisioned": "2-10"}, map[string]int{"AWS::Lambda::Version": 1, "AWS::Lambda::Alias": 1,
			"AWS::ApplicationAutoScaling::ScalableTarget": 1, "AWS::ApplicationAutoScaling::ScalingPolicy": 1}, func(t *testing.T, template template) {
			target := template.ofType("AWS::ApplicationAutoScaling::ScalableTarget")[0].Properties
			policy := template.ofType("AWS::ApplicationAutoScaling::ScalingPolicy")[0].Properties
			tracking := policy["TargetTrackingScalingPolicyConfiguration"].(map[string]any)
			if target["MinCapacity"] != 2.0 || target["MaxCapacity"] != 10.0 || tracking["TargetValue"] != 0.7 {
				t.Errorf("target %v, policy %v: want 70 %% between 2 and 10", target, policy)
			}
		}},
		{"url", map[string]any{"url": "iam"}, map[string]int{"AWS::Lambda::Url": 1}, func(t *testing.T, template template) {
			if url := template.ofType("AWS::Lambda::Url")[0].Properties; url["AuthType"] != "AWS_IAM" || url["Qualifier"] != nil {
				t.Errorf("URL %v", url)
			}
		}},
		{"url of an alias", map[string]any{"url": "iam", "provisioned": "1"}, map[string]int{"AWS::Lambda::Url": 1, "AWS::Lambda::Version": 1, "AWS::Lambda::Alias": 1},
			func(t *testing.T, template template) {
				if url := template.ofType("AWS::Lambda::Url")[0].Properties; url["Qualifier"] != "live" {
					t.Errorf("URL %v: its environments would not be the provisioned ones", url)
				}
			}},
		{"kms", map[string]any{"kms": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}, map[string]int{},
			function("KmsKeyArn", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")},
		{"own kms", map[string]any{"kms": "new"}, map[string]int{"AWS::KMS::Key": 1}, func(t *testing.T, template template) {
			for _, r := range template.Resources {
				if r.Type == "AWS::KMS::Key" && (r.DeletionPolicy != "Delete" || r.Properties["EnableKeyRotation"] != true) {
					t.Errorf("key %+v", r)
				}
			}
		}},
		{"logs", map[string]any{"logs": "experiment"}, map[string]int{}, nil},
		{"dlq", map[string]any{"dlq": "sqs"}, map[string]int{"AWS::SQS::Queue": 1, "AWS::SQS::QueuePolicy": 1, "AWS::IAM::Policy": 1}, nil},
		{"vpc", map[string]any{"vpc": "vpc-0123456789abcdef0", "subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1"}, map[string]int{"AWS::EC2::SecurityGroup": 1},
			func(t *testing.T, template template) {
				config := template.ofType(functionType)[0].Properties["VpcConfig"].(map[string]any)
				if fmt.Sprint(config["SubnetIds"]) != "[subnet-0123456789abcdef0 subnet-0123456789abcdef1]" {
					t.Errorf("VpcConfig %v", config)
				}
			}},
		{"own vpc", map[string]any{"vpc": "new"}, map[string]int{"AWS::EC2::VPC": 1, "AWS::EC2::Subnet": 2, "AWS::EC2::RouteTable": 2,
			"AWS::EC2::SubnetRouteTableAssociation": 2, "AWS::EC2::SecurityGroup": 1}, nil}, // no gateway, no address, nothing that costs
	} {
		t.Run(test.name, func(t *testing.T) {
			template, _ := synth(t, merge(map[string]any{"arms": "nethttp/zip", "observe": "none"}, test.context), nil)
			more := map[string]int{}
			for _, r := range template.Resources {
				more[r.Type]++
			}
			for _, kind := range []string{functionType, roleType, logGroupType} {
				if more[kind] != 1 {
					t.Errorf("%d of %s, want 1", more[kind], kind)
				}
				delete(more, kind)
			}
			if diff := cmp.Diff(test.more, more); diff != "" {
				t.Errorf("resources (-want +got):\n%s", diff)
			}
			if test.check != nil {
				test.check(t, template)
			}
		})
	}
}

// Several functions share what they can share.
func TestOptionsAreShared(t *testing.T) {
	template, _ := synth(t, merge(allOptions, map[string]any{"arms": "nethttp,rawtcp", "observe": "none"}), nil)
	for _, kind := range []string{"AWS::EC2::VPC", "AWS::EC2::SecurityGroup", "AWS::KMS::Key", "AWS::SQS::Queue"} {
		if n := len(template.ofType(kind)); n != 1 {
			t.Errorf("%d of %s for 6 functions, want 1", n, kind)
		}
	}
}

func TestOptionMistakes(t *testing.T) {
	for _, test := range []struct{ given, want string }{
		{"tracing=on", "-c tracing=on: use active or passthrough, or leave it out"},
		{"provisioned=0", "-c provisioned=0: use a whole number such as 2, or a range such as 2-10"},
		{"provisioned=5-2", "-c provisioned=5-2: use a whole number such as 2, or a range such as 2-10"},
		{"provisioned=2,3", "-c provisioned=2,3: it takes one value: synth once for each"},
		{"provisioned=2-10 reserved=5", "-c provisioned with up to 10 environments and -c reserved=5: the function may not have so many: raise reserved, or provision fewer"},
		{"reserved=0", "-c reserved=0: use a whole number, 1 at least"},
		{"vpc=default", "-c vpc=default: use new, or the ID of a VPC such as vpc-0123456789abcdef0"},
		{"vpc=vpc-0123456789abcdef0", "-c vpc=vpc-0123456789abcdef0: its subnets are not named: add -c subnets=subnet-ID,subnet-ID"},
		{"vpc=new subnets=subnet-0123456789abcdef0", "-c vpc=new brings its own subnets: leave -c subnets out, or name the VPC that has them"},
		{"subnets=subnet-0123456789abcdef0", "-c subnets: subnets were given without a VPC: add -c vpc=vpc-ID"},
		{"vpc=vpc-0123456789abcdef0 subnets=a", `-c subnets=a: "a": use IDs such as subnet-0123456789abcdef0`},
		{"url=public", "-c url=public: use iam, or leave it out"},
		{"kms=alias/mine", "-c kms=alias/mine: use new, or the ARN of a key such as arn:aws:kms:REGION:ACCOUNT:key/ID"},
		{"logs=arm", "-c logs=arm: use experiment, or leave it out"},
		{"dlq=sns", "-c dlq=sns: use sqs, or leave it out"},
		{"tmp=511", "-c tmp=511: use whole MB from 512 to 10240"},
		{"tmp=10241", "-c tmp=10241: use whole MB from 512 to 10240"},
	} {
		context := map[string]any{}
		for pair := range strings.FieldsSeq(test.given) {
			key, value, _ := strings.Cut(pair, "=")
			context[key] = value
		}
		if _, err := readSettings(context); err == nil || err.Error() != test.want {
			t.Errorf("%s:\ngot  %v\nwant %s", test.given, err, test.want)
		}
	}
}

func TestBashFunctionOptionMistakes(t *testing.T) {
	stack, builder := someStack(t)
	queue := awssqs.NewQueue(stack, jsii.String("Queue"), nil)
	before := len(*stack.Node().Children())
	with := func(o awslambda.FunctionOptions) *bashfunction.BashFunctionProps {
		return &bashfunction.BashFunctionProps{FunctionOptions: o}
	}
	for _, test := range []struct {
		props *bashfunction.BashFunctionProps
		want  string
	}{
		{&bashfunction.BashFunctionProps{Provisioned: &bashfunction.Provisioned{Min: jsii.Number(1), Alias: jsii.String("$LATEST")}},
			"prop Provisioned.Alias is $LATEST, which cannot have provisioned concurrency: name an alias, or leave it out for live"},
		{&bashfunction.BashFunctionProps{Provisioned: &bashfunction.Provisioned{Min: jsii.Number(1), Alias: jsii.String("12")}}, `prop Provisioned.Alias is "12": ...`},
		{&bashfunction.BashFunctionProps{Provisioned: &bashfunction.Provisioned{}}, "prop Provisioned is 0 to 0: use whole numbers from 1, with Max not below Min"},
		{&bashfunction.BashFunctionProps{Provisioned: &bashfunction.Provisioned{Min: jsii.Number(3), Max: jsii.Number(2)}}, "prop Provisioned is 3 to 2: ..."},
		{&bashfunction.BashFunctionProps{Provisioned: &bashfunction.Provisioned{Min: jsii.Number(3)}, FunctionOptions: awslambda.FunctionOptions{ReservedConcurrentExecutions: jsii.Number(2)}},
			"prop Provisioned asks for 3 environments and prop ReservedConcurrentExecutions allows 2: raise the latter, or ask for fewer environments"},
		{with(awslambda.FunctionOptions{ReservedConcurrentExecutions: jsii.Number(-1)}), "prop ReservedConcurrentExecutions is -1: ..."},
		{with(awslambda.FunctionOptions{EphemeralStorageSize: awscdk.Size_Gibibytes(jsii.Number(11))}), "prop EphemeralStorageSize is 11264: use a whole number of MB from 512 to 10240"},
		{with(awslambda.FunctionOptions{VpcSubnets: &awsec2.SubnetSelection{}}), "props VpcSubnets, SecurityGroups and AllowPublicSubnet need a VPC: set Vpc, or leave them out"},
		{with(awslambda.FunctionOptions{DeadLetterQueue: queue, DeadLetterQueueEnabled: jsii.Bool(false)}), "props DeadLetterQueue, DeadLetterTopic and DeadLetterQueueEnabled conflict: set one of them"},
		{&bashfunction.BashFunctionProps{Package: arm.Image, FunctionOptions: awslambda.FunctionOptions{Layers: &[]awslambda.ILayerVersion{
			awslambda.LayerVersion_FromLayerVersionArn(stack, jsii.String("Layer"), jsii.String("arn:aws:lambda:us-east-1:111122223333:layer:a:1"))}}},
			"prop Layers is for ZIP files and prop Package is image: copy the layers' files into the image, or use package zip"},
	} {
		test.props.Entry, test.props.Builder = jsii.String("handlers/hello"), builder
		_, err := bashfunction.New(stack, jsii.String("F"), test.props)
		if err == nil {
			t.Errorf("no error, want %s", test.want)
		} else if got := strings.TrimPrefix(err.Error(), `bash function "F": `); !resembles(got, test.want) {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	if after := len(*stack.Node().Children()); after != before+1 { // the layer that this test made
		t.Errorf("%d constructs are left of functions that were refused, want 0", after-before-1)
	}
}

// AliasOf and URLOf find an alias and a URL, and both take grants.
func TestAliasAndURL(t *testing.T) {
	stack, builder := someStack(t)
	plainOne := bashfunction.NewBashFunction(stack, jsii.String("Plain"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder})
	if bashfunction.AliasOf(plainOne) != nil || bashfunction.URLOf(plainOne) != nil {
		t.Error("a function without Provisioned and URL has an alias or a URL")
	}
	for id, provisioned := range map[string]*bashfunction.Provisioned{"Alone": nil, "Behind": {Min: jsii.Number(1)}} {
		f := bashfunction.NewBashFunction(stack, jsii.String(id), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder, URL: jsii.Bool(true), Provisioned: provisioned})
		if bashfunction.URLOf(f) == nil || (bashfunction.AliasOf(f) == nil) != (provisioned == nil) {
			t.Fatalf("%s: URL %v, alias %v", id, bashfunction.URLOf(f), bashfunction.AliasOf(f))
		}
		awscdk.NewCfnOutput(stack, jsii.String(id+"URL"), &awscdk.CfnOutputProps{Value: bashfunction.URLOf(f).Url()})
	}
}
