package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/infra/cdk"
)

// define defines what the functions share (a VPC, a log group, a key, a queue). It returns the options of each
// function, and the key.
func (s *settings) define(stack awscdk.Stack) (o awslambda.FunctionOptions, keys []awskms.IKey) {
	o.Architecture, o.Tracing = cdkArchitecture(s.Architecture), s.Tracing
	o.Timeout = awscdk.Duration_Seconds(jsii.Number(timeoutSeconds))
	if s.Reserved > 0 {
		o.ReservedConcurrentExecutions = jsii.Number(s.Reserved)
	}
	if s.TmpMB > 0 {
		o.EphemeralStorageSize = awscdk.Size_Mebibytes(jsii.Number(s.TmpMB))
	}
	if s.VPC != "" {
		s.joinVPC(stack, &o)
	}
	if s.Logs {
		o.LogGroup = cdk.LogGroup(stack, "Logs")
	}
	if s.KMS != "" {
		key := s.key(stack)
		o.EnvironmentEncryption, keys = key, []awskms.IKey{key}
	}
	if s.DLQ {
		o.DeadLetterQueue = awssqs.NewQueue(stack, jsii.String("DeadLetters"), &awssqs.QueueProps{
			Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
			RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		})
	}
	return o, keys
}

func (o *options) key(stack awscdk.Stack) awskms.IKey {
	if o.KMS != "new" {
		return awskms.Key_FromKeyArn(stack, jsii.String("Key"), &o.KMS)
	}
	return awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{
		Description:       jsii.String("Environment variables of a Twinstart experiment"),
		EnableKeyRotation: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		PendingWindow: awscdk.Duration_Days(jsii.Number(7)),
	})
}

// explain gives cdk-nag the reason for the wildcard that tracing adds to a function's role.
func (o *options) explain(function awslambda.Function) {
	if o.Tracing == "" {
		return
	}
	policy := function.Role().Node().FindChild(jsii.String("DefaultPolicy"))
	cdk.Suppress(policy, cdk.Wildcards, "X-Ray's actions take no resources; -c tracing asked for them.", "Resource::*")
}

// joinVPC puts functions into the VPC, with a security group that lets nothing in or out. The experiment's handlers
// make no calls, and Lambda does not reach an environment through the VPC.
func (o *options) joinVPC(stack awscdk.Stack, f *awslambda.FunctionOptions) awsec2.SecurityGroup {
	f.Vpc, f.VpcSubnets = o.vpc(stack), &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED}
	group := awsec2.NewSecurityGroup(stack, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc: f.Vpc, AllowAllOutbound: jsii.Bool(false),
		Description: jsii.String("Functions of a Twinstart experiment: no inbound rules"),
	})
	f.SecurityGroups = &[]awsec2.ISecurityGroup{group}
	return group
}

// vpc returns the VPC that is named, or a new one. A new one has isolated subnets in two availability zones and no
// gateways, so it costs nothing.
func (o *options) vpc(stack awscdk.Stack) awsec2.IVpc {
	if o.VPC != "new" {
		return awsec2.Vpc_FromVpcAttributes(stack, jsii.String("VPC"), &awsec2.VpcAttributes{
			VpcId: &o.VPC, IsolatedSubnetIds: jsii.Strings(o.Subnets...),
			AvailabilityZones: jsii.Strings("any"), // never used, because Lambda knows a subnet by its ID
		})
	}
	isolated := awsec2.SubnetConfiguration{
		Name: jsii.String("functions"), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: jsii.Number(24),
	}
	vpc := awsec2.NewVpc(stack, jsii.String("VPC"), &awsec2.VpcProps{
		MaxAzs: jsii.Number(2), NatGateways: jsii.Number(0),
		// Nothing uses the default group. To empty it, the CDK would add a function with rights on security
		// groups.
		RestrictDefaultSecurityGroup: jsii.Bool(false),
		SubnetConfiguration:          &[]*awsec2.SubnetConfiguration{&isolated},
	})
	cdk.Suppress(vpc, "AwsSolutions-VPC7", "The subnets are isolated, there is no way to the internet, and the one "+
		"security group lets nothing in. Flow logs would cost and be empty.")
	return vpc
}

// network puts a function into a new VPC. Its only way out is a gateway endpoint of DynamoDB, which costs nothing.
func (l *leverBench) network(o *awslambda.FunctionOptions) {
	group := (&options{VPC: "new"}).joinVPC(l.stack, o)
	group.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("To DynamoDB, the only route"), nil)
	tables := cdk.ARN(l.stack, "dynamodb", nil, "table/*")
	if l.table != nil {
		tables = l.table.TableArn()
	}
	actions := list.Map(habitsCalls, func(call string) string { return "dynamodb:" + call })
	endpoint := o.Vpc.AddGatewayEndpoint(jsii.String("DynamoDB"), &awsec2.GatewayVpcEndpointOptions{
		Service: awsec2.GatewayVpcEndpointAwsService_DYNAMODB(),
	})
	own := cdk.Allow([]*string{tables}, actions...)
	own.AddAnyPrincipal()
	own.AddCondition(jsii.String("StringEquals"), map[string]*string{"aws:PrincipalAccount": l.stack.Account()})
	endpoint.AddToPolicy(own)
}
