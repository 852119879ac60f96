package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/nag"
)

// options is what every function of the experiment has beyond the ordinary. All are off unless given; docs/options.md names the cost of
// each.
type options struct {
	Tracing     awslambda.Tracing         // "" for Lambda's default
	Provisioned *bashfunction.Provisioned // nil: none
	Reserved    int                       // 0: none
	VPC         string                    // "new", an ID, "" for none
	Subnets     []string                  // of the VPC that VPC names
	URL         bool
	KMS         string // "new", a key's ARN, "" for Lambda's own
	DLQ         bool
	TmpMB       int // 0: Lambda's 512
}

// The context keys of options, with what each takes.
const (
	keyTracing     = "tracing"     // active|passthrough
	keyProvisioned = "provisioned" // N|MIN-MAX
	keyReserved    = "reserved"    // N
	keyVPC         = "vpc"         // new|vpc-ID
	keySubnets     = "subnets"     // subnet-ID[,subnet-ID]
	keyURL         = "url"         // iam
	keyKMS         = "kms"         // new|ARN
	keyDLQ         = "dlq"         // sqs
	keyTmp         = "tmp"         // MB
)

var optionKeys = []string{keyTracing, keyProvisioned, keyReserved, keyVPC, keySubnets, keyURL, keyKMS, keyDLQ, keyTmp}

var (
	vpcID    = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
	subnetID = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
	keyARN   = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
)

// set reads one option.
func (o *options) set(key string, text []string) (err error) {
	if key == keySubnets {
		o.Subnets = text
		return nil
	}
	value, err := single(text)
	if err != nil {
		return err
	}
	switch key {
	case keyTracing:
		o.Tracing, err = oneOf(value, map[string]awslambda.Tracing{"active": awslambda.Tracing_ACTIVE, "passthrough": awslambda.Tracing_PASS_THROUGH})
	case keyProvisioned:
		o.Provisioned, err = provisioned(value)
	case keyReserved:
		o.Reserved, err = count(value, 1)
	case keyVPC:
		if o.VPC = value; value != "new" && !vpcID.MatchString(value) {
			err = errors.New("use new, or the ID of a VPC such as vpc-0123456789abcdef0")
		}
	case keyURL:
		o.URL, err = oneOf(value, map[string]bool{"iam": true})
	case keyKMS:
		if o.KMS = value; value != "new" && !keyARN.MatchString(value) {
			err = errors.New("use new, or the ARN of a key such as arn:aws:kms:REGION:ACCOUNT:key/ID")
		}
	case keyDLQ:
		o.DLQ, err = oneOf(value, map[string]bool{"sqs": true})
	case keyTmp:
		if o.TmpMB, err = count(value, arm.MinTmpMB); err != nil || o.TmpMB > arm.MaxTmpMB {
			err = fmt.Errorf("use whole MB from %d to %d", arm.MinTmpMB, arm.MaxTmpMB)
		}
	}
	return err
}

// validate refuses what cannot be together, before anything is built.
func (o *options) validate() error {
	p := o.Provisioned
	switch {
	case p != nil && o.Reserved > 0 && max(p.Min, p.Max) > o.Reserved:
		return fmt.Errorf("-c %s=%s and -c %s=%d: more environments provisioned than the function may have: raise %s, or provision fewer",
			keyProvisioned, bounds(p), keyReserved, o.Reserved, keyReserved)
	case o.VPC == "" && o.Subnets != nil:
		return fmt.Errorf("-c %s: subnets were given without a VPC: add -c %s=vpc-ID", keySubnets, keyVPC)
	case o.VPC == "new" && o.Subnets != nil:
		return fmt.Errorf("-c %s=new brings subnets of its own: leave -c %s out, or name the VPC that has them", keyVPC, keySubnets)
	case o.VPC != "" && o.VPC != "new" && o.Subnets == nil:
		return fmt.Errorf("-c %s=%s: in which of its subnets? add -c %s=subnet-ID,subnet-ID", keyVPC, o.VPC, keySubnets)
	}
	for _, id := range o.Subnets {
		if !subnetID.MatchString(id) {
			return fmt.Errorf("-c %s=%s: %q is no subnet's ID: it looks like subnet-0123456789abcdef0", keySubnets, strings.Join(o.Subnets, ","), id)
		}
	}
	return nil
}

// bounds are a number or a range, as -c takes them.
func bounds(p *bashfunction.Provisioned) string {
	if p.Max <= p.Min {
		return strconv.Itoa(p.Min)
	}
	return fmt.Sprintf("%d-%d", p.Min, p.Max)
}

func oneOf[T any](value string, choices map[string]T) (T, error) {
	chosen, ok := choices[value]
	if !ok {
		var names []string
		for name := range choices {
			names = append(names, name)
		}
		slices.Sort(names)
		return chosen, fmt.Errorf("use %s, or leave it out", strings.Join(names, " or "))
	}
	return chosen, nil
}

func count(text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, fmt.Errorf("use a whole number, %d at least", least)
	}
	return n, nil
}

func provisioned(text string) (*bashfunction.Provisioned, error) {
	low, high, isRange := strings.Cut(text, "-")
	least, err := count(low, 1)
	most := least
	if err == nil && isRange {
		most, err = count(high, least)
	}
	if err != nil {
		return nil, errors.New("use a whole number such as 2, or a range such as 2-10")
	}
	return &bashfunction.Provisioned{Min: least, Max: most}, nil
}

// apply returns a function that gives a function the options. What several functions share, a VPC, a key, a queue, is defined here, once.
func (o *options) apply(stack awscdk.Stack) func(*awslambda.FunctionOptions) {
	var shared awslambda.FunctionOptions
	shared.Tracing = o.Tracing
	if o.Reserved > 0 {
		shared.ReservedConcurrentExecutions = jsii.Number(o.Reserved)
	}
	if o.TmpMB > 0 {
		shared.EphemeralStorageSize = awscdk.Size_Mebibytes(jsii.Number(o.TmpMB))
	}
	if o.VPC != "" {
		shared.Vpc = o.vpc(stack)
		shared.VpcSubnets = &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED}
		// The handlers of the experiment call nobody; Lambda itself reaches an environment by other ways.
		shared.SecurityGroups = &[]awsec2.ISecurityGroup{awsec2.NewSecurityGroup(stack, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
			Vpc: shared.Vpc, AllowAllOutbound: jsii.Bool(false), Description: jsii.String("Functions of a Twinstart experiment: neither in nor out"),
		})}
	}
	switch o.KMS {
	case "":
	case "new":
		shared.EnvironmentEncryption = awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{
			EnableKeyRotation: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_DESTROY, PendingWindow: awscdk.Duration_Days(jsii.Number(7)),
			Description: jsii.String("Environment variables of a Twinstart experiment"),
		})
	default:
		shared.EnvironmentEncryption = awskms.Key_FromKeyArn(stack, jsii.String("Key"), &o.KMS)
	}
	if o.DLQ {
		shared.DeadLetterQueue = awssqs.NewQueue(stack, jsii.String("DeadLetters"), &awssqs.QueueProps{
			Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true), RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		})
	}
	return func(props *awslambda.FunctionOptions) {
		props.Tracing, props.ReservedConcurrentExecutions, props.EphemeralStorageSize = shared.Tracing, shared.ReservedConcurrentExecutions, shared.EphemeralStorageSize
		props.Vpc, props.VpcSubnets, props.SecurityGroups = shared.Vpc, shared.VpcSubnets, shared.SecurityGroups
		props.EnvironmentEncryption, props.DeadLetterQueue = shared.EnvironmentEncryption, shared.DeadLetterQueue
	}
}

// explain gives cdk-nag the reason for the one wildcard that tracing adds to a function's role.
func (o *options) explain(function awslambda.Function) {
	if o.Tracing == "" {
		return
	}
	nag.Suppress(function.Role().Node().FindChild(jsii.String("DefaultPolicy")), nag.Suppression{
		Rule: "AwsSolutions-IAM5", AppliesTo: []string{"Resource::*"},
		Reason: "xray:PutTraceSegments and xray:PutTelemetryRecords know no resources; tracing is on because -c tracing=active asked for it.",
	})
}

// vpc is a new one with isolated subnets in two availability zones, no gateways and nothing that costs, or the one that is named.
func (o *options) vpc(stack awscdk.Stack) awsec2.IVpc {
	if o.VPC == "new" {
		vpc := awsec2.NewVpc(stack, jsii.String("VPC"), &awsec2.VpcProps{
			MaxAzs: jsii.Number(2), NatGateways: jsii.Number(0),
			// Nothing is in the default group. To empty it would take a function of CDK's own with rights over security groups.
			RestrictDefaultSecurityGroup: jsii.Bool(false),
			SubnetConfiguration:          &[]*awsec2.SubnetConfiguration{{Name: jsii.String("functions"), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: jsii.Number(24)}},
		})
		nag.Suppress(vpc, nag.Suppression{
			Rule:   "AwsSolutions-VPC7",
			Reason: "Nothing flows: the subnets are isolated, there is no gateway, and the one security group lets nothing in or out. Flow logs would cost and be empty.",
		})
		return vpc
	}
	zones := make([]string, len(o.Subnets))
	for i := range zones {
		zones[i] = fmt.Sprintf("zone-%d", i) // nothing asks: Lambda knows a subnet by its ID
	}
	return awsec2.Vpc_FromVpcAttributes(stack, jsii.String("VPC"), &awsec2.VpcAttributes{
		VpcId: &o.VPC, AvailabilityZones: jsii.Strings(zones...), IsolatedSubnetIds: jsii.Strings(o.Subnets...),
	})
}
