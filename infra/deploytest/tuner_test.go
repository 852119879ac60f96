//go:build deploy

package deploytest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/measure/power"
)

// tunerTemplate starts to write the files of a release's tuner archive: a plain template with its program.
func tunerTemplate(t *testing.T, a *account, dir string) running {
	t.Helper()
	return a.begin(t, "env", "TEMPLATE="+dir, "ARCHITECTURE="+hostArchitecture(), filepath.Join(tools, "tuner"))
}

// tunerAlone deploys the plain template with `aws cloudformation package` and deploy, in an account that the CDK CLI
// has never used. It tunes a function of the lab with it, and deletes the stack.
func tunerAlone(t *testing.T, a *account, dir, endpoint, function string) {
	t.Helper()
	ctx, cfg, name, bucket := context.Background(), a.config(t), aws.String("orders-tuner"), aws.String("programs-of-tuner")
	files := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	must(files.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	program := must(os.Open(filepath.Join(dir, "tunestep.zip")))(t)
	defer program.Close()
	must(files.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("tunestep.zip"), Body: program}))(t)
	text := string(must(os.ReadFile(filepath.Join(dir, "template.json")))(t))
	packaged := strings.Replace(text, `"tunestep.zip"`, `{"S3Bucket": "`+*bucket+`", "S3Key": "tunestep.zip"}`, 1)
	if len(text) > 51_200 || packaged == text {
		t.Fatalf("the template has %d bytes, want at most 51,200, and must name tunestep.zip: %s", len(text), text)
	}
	path := filepath.Join(dir, "packaged.json")
	if err := os.WriteFile(path, []byte(packaged), 0o644); err != nil {
		t.Fatal(err)
	}
	before := takeInventory(t, cfg).withoutStack(*name)

	stacks := cloudformation.NewFromConfig(cfg)
	must(stacks.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: name, TemplateBody: &packaged, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam},
		Parameters: []cfntypes.Parameter{{ParameterKey: aws.String("FunctionNames"), ParameterValue: aws.String("orders-*")}}}))(t)
	created := cloudformation.NewStackCreateCompleteWaiter(stacks, func(o *cloudformation.StackCreateCompleteWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := created.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: name}, patience); err != nil {
		t.Fatal(err)
	}
	stack := readDeployed(t, cfg, a.id, *name, readTemplate(t, path))
	stack.physical["FunctionNames"] = "orders-*"
	stack.compare(t, cfg, map[string]string{"tunestep": filepath.Join(dir, "tunestep.zip")})
	outputs := map[string]string{}
	for _, o := range must(stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: name}))(t).Stacks[0].Outputs {
		outputs[*o.OutputKey] = *o.OutputValue
	}
	machine := outputs["StateMachine"]
	if start := outputs["Start"]; machine == "" || !strings.HasPrefix(start, "aws stepfunctions start-execution --state-machine-arn "+machine+" --input ") {
		t.Errorf("outputs %q", outputs)
	}

	pointAt(t, lambda.NewFromConfig(cfg), endpoint)
	states := sfn.NewFromConfig(cfg)
	input := `{"lambdaARN": "` + function + `", "num": 5, "powerValues": [512, 1769]}`
	done := awaitExecution(t, a, states, must(states.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Input: &input}))(t).ExecutionArn)
	var out power.Output
	if err := json.Unmarshal([]byte(aws.ToString(done.Output)), &out); done.Status != types.ExecutionStatusSucceeded || err != nil || len(out.ByPowerValue) != 2 || out.ByPowerValue[1].Invocations != 5 {
		t.Errorf("%s: %s: %s, %v\n%s", done.Status, aws.ToString(done.Error), aws.ToString(done.Cause), err, a.logTail())
	}
	t.Logf("%d MB, %s", out.Power, out.Recommendation)

	must(stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: name}))(t)
	deleted := cloudformation.NewStackDeleteCompleteWaiter(stacks, func(o *cloudformation.StackDeleteCompleteWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := deleted.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: name}, patience); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, takeInventory(t, cfg).withoutStack(*name)); diff != "" {
		t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
}
