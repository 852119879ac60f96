// Command orders is a CDK app that compares a Go function with itself, as a ZIP file and as a container image, in two
// stages.
//
//	cdk deploy --app 'go run ./orders' 'Beta/*'
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/infra/powertuning"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	architecture := awslambda.Architecture_ARM_64()
	if app.Node().TryGetContext(jsii.String("architecture")) == "x86_64" {
		architecture = awslambda.Architecture_X86_64()
	}
	for _, stage := range []string{"Beta", "Prod"} {
		NewOrders(awscdk.NewStage(app, &stage, nil), stage, architecture)
	}
	app.Synth(nil)
}

// NewOrders is the application of one stage.
func NewOrders(scope constructs.Construct, stage string, architecture awslambda.Architecture) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String("Orders"), nil)
	e := experiment.NewExperiment(stack, jsii.String("Compare"), &experiment.ExperimentProps{
		Name:   "orders-" + strings.ToLower(stage),
		Tuning: powertuning.PowerTuningProps{Architecture: architecture},
	})
	_, _, err := e.Pair("orders", &experiment.PairProps{
		Code:   jsii.String(build(*architecture.Name())),
		Levels: experiment.Levels{"stage": stage},
		FunctionOptions: awslambda.FunctionOptions{
			Architecture: architecture,
			MemorySize:   jsii.Number(512),
			Timeout:      awscdk.Duration_Seconds(jsii.Number(10)),
			Environment:  &map[string]*string{"STAGE": &stage},
		},
	})
	if err == nil {
		err = e.Finish()
	}
	if err != nil {
		panic(err)
	}
	return stack
}

// build makes the function's program and returns its folder.
func build(architecture string) string {
	dir := filepath.Join("build", "orders", architecture)
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-tags=lambda.norpc",
		"-ldflags=-s -w", "-o", filepath.Join(dir, "bootstrap"), "./orders/function")
	goarch := map[string]string{"arm64": "arm64", "x86_64": "amd64"}[architecture]
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building ./orders/function: %v: %s", err, out))
	}
	return dir
}
