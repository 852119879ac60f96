package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/nag"
	"github.com/twinstart/twinstart/infra/powertuning"
)

// define defines what the functions share (a VPC, a log group, a key, a queue). It returns the options of each
// function, and the key.
func (s *settings) define(stack awscdk.Stack) (o awslambda.FunctionOptions, keys []awskms.IKey) {
	o.Architecture, o.Timeout, o.Tracing = architectures[s.Architecture](), awscdk.Duration_Seconds(jsii.Number(timeoutSeconds)), s.Tracing
	if s.Reserved > 0 {
		o.ReservedConcurrentExecutions = jsii.Number(s.Reserved)
	}
	if s.TmpMB > 0 {
		o.EphemeralStorageSize = awscdk.Size_Mebibytes(jsii.Number(s.TmpMB))
	}
	if s.VPC != "" {
		s.enter(stack, &o)
	}
	if s.Logs {
		o.LogGroup = awslogs.NewLogGroup(stack, jsii.String("Logs"), &awslogs.LogGroupProps{
			Retention: awslogs.RetentionDays_ONE_WEEK, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		})
	}
	if s.KMS != "" {
		key := s.key(stack)
		o.EnvironmentEncryption, keys = key, []awskms.IKey{key}
	}
	if s.DLQ {
		o.DeadLetterQueue = awssqs.NewQueue(stack, jsii.String("DeadLetters"), &awssqs.QueueProps{
			Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true), RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		})
	}
	return o, keys
}

func (o *options) key(stack awscdk.Stack) awskms.IKey {
	if o.KMS != "new" {
		return awskms.Key_FromKeyArn(stack, jsii.String("Key"), &o.KMS)
	}
	return awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{
		EnableKeyRotation: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_DESTROY, PendingWindow: awscdk.Duration_Days(jsii.Number(7)),
		Description: jsii.String("Environment variables of a Twinstart experiment"),
	})
}

// explain gives cdk-nag the reason for the wildcard that tracing adds to a function's role.
func (o *options) explain(function awslambda.Function) {
	if o.Tracing == "" {
		return
	}
	nag.Suppress(function.Role().Node().FindChild(jsii.String("DefaultPolicy")), nag.Suppression{
		Rule: "AwsSolutions-IAM5", AppliesTo: []string{"Resource::*"},
		Reason: "xray:PutTraceSegments and xray:PutTelemetryRecords know no resources; tracing is on because -c tracing=active asked for it.",
	})
}

// enter puts functions into the VPC. The handlers of the experiment make no calls, and Lambda itself reaches an
// environment in other ways.
func (o *options) enter(stack awscdk.Stack, f *awslambda.FunctionOptions) awsec2.SecurityGroup {
	f.Vpc, f.VpcSubnets = o.vpc(stack), &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED}
	group := awsec2.NewSecurityGroup(stack, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc: f.Vpc, AllowAllOutbound: jsii.Bool(false), Description: jsii.String("Functions of a Twinstart experiment: none in"),
	})
	f.SecurityGroups = &[]awsec2.ISecurityGroup{group}
	return group
}

// vpc returns the VPC that is named, or a new one: isolated subnets in two availability zones, without gateways, so
// that it costs nothing.
func (o *options) vpc(stack awscdk.Stack) awsec2.IVpc {
	if o.VPC == "new" {
		vpc := awsec2.NewVpc(stack, jsii.String("VPC"), &awsec2.VpcProps{
			MaxAzs: jsii.Number(2), NatGateways: jsii.Number(0),
			// Nothing uses the default group. To empty it, the CDK would add a function with rights on security
			// groups.
			RestrictDefaultSecurityGroup: jsii.Bool(false),
			SubnetConfiguration:          &[]*awsec2.SubnetConfiguration{{Name: jsii.String("functions"), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: jsii.Number(24)}},
		})
		nag.Suppress(vpc, nag.Suppression{
			Rule:   "AwsSolutions-VPC7",
			Reason: "The subnets are isolated, there is no way to the internet, and the one security group lets nothing in. Flow logs would cost and be empty.",
		})
		return vpc
	}
	zones := make([]string, len(o.Subnets))
	for i := range zones {
		zones[i] = fmt.Sprintf("zone-%d", i) // never used, because Lambda knows a subnet by its ID
	}
	return awsec2.Vpc_FromVpcAttributes(stack, jsii.String("VPC"), &awsec2.VpcAttributes{
		VpcId: &o.VPC, AvailabilityZones: jsii.Strings(zones...), IsolatedSubnetIds: jsii.Strings(o.Subnets...),
	})
}

// contextVariable is the environment variable with which the CDK CLI passes its context, as JSON. See
// https://docs.aws.amazon.com/cdk/v2/guide/context.html.
const contextVariable = "CDK_CONTEXT_JSON"

// headStart builds what the constructs will ask for while jsii loads the CDK in its own process, which leaves one
// CPU idle for a second. The builder keeps what is built. Errors are ignored: the constructs ask again and report
// them. So are contexts that the app will refuse.
func headStart(ctx context.Context, contextJSON string, builder bashfunction.Builder) {
	var given map[string]any
	if json.Unmarshal([]byte(contextJSON), &given) != nil {
		return // not started by the CDK CLI, or the context does not fit into the environment
	}
	s, err := readSettings(given)
	if err != nil {
		return
	}
	entry := filepath.Join(handlersDir, s.Handler)
	for _, a := range s.Arms {
		if ctx.Err() != nil {
			return
		}
		if a.Package == arm.ZIP {
			_, _ = builder.ZIP(ctx, a.Bootstrap.Name, s.Architecture, entry)
		} else {
			_, _ = builder.ImageContext(ctx, a.Package, a.Bootstrap.Name, s.Architecture, entry)
		}
	}
}

// stepsProgram returns the folder of the program behind the tuning's steps. A program that is newer than this app
// is up to date, because infra/app builds the app again when a source of either has changed. To ask Go each time
// would make a warm synth a quarter longer.
func stepsProgram(a arm.Architecture) (string, error) {
	link := filepath.Join(buildDir, "tunestep-"+string(a))
	if name, err := os.Executable(); err == nil {
		app, err1 := os.Stat(name)
		built, err2 := os.Lstat(link)
		dir, err3 := filepath.EvalSymlinks(link)
		if err1 == nil && err2 == nil && err3 == nil && built.ModTime().After(app.ModTime()) {
			return dir, nil
		}
	}
	dir, err := powertuning.Build("", string(a))
	if err != nil {
		return "", fmt.Errorf("power tuning: %w", err)
	}
	_ = os.Remove(link)
	_ = os.Symlink(dir, link) // without it the next synth builds again
	return dir, nil
}

// join joins names of any text type.
func join[T ~string](names []T, separator string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, separator)
}

// handlerFolder accepts the name of a folder below handlers/, but no path.
func handlerFolder(name string) error {
	entries, err := os.ReadDir(handlersDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listing handlers: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("there is no handler %s: use %s", filepath.Join(handlersDir, name), strings.Join(names, ", "))
	}
	return nil
}
