package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// addOutputs says what to do with a stack once it stands: what to run, in which region, and where to look.
func addOutputs(stack awscdk.Stack, s settings) {
	outputs := []struct{ id, value, description string }{
		{"Region", "${AWS::Region}", "Region of the functions"},
		{"Run", "AWS_REGION=${AWS::Region} bin/twinstart run --source aws --out out/aws", "Next: force cold starts, measure, report"},
	}
	if slices.Contains(s.Observe, dashboard.Widgets) {
		outputs = append(outputs, struct{ id, value, description string }{"Dashboard",
			"https://console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#dashboards/dashboard/${AWS::StackName}-${AWS::Region}", "CloudWatch dashboard"})
	}
	for _, o := range outputs {
		awscdk.NewCfnOutput(stack, &o.id, &awscdk.CfnOutputProps{Value: awscdk.Fn_Sub(&o.value, nil), Description: &o.description})
	}
}

// warnOfDocker says, at synth and so before anything is created, how images are built on a machine without Docker. The CDK CLI
// calls what CDK_DOCKER names, else docker. See https://docs.aws.amazon.com/cdk/v2/guide/build-containers.html.
func warnOfDocker(stack awscdk.Stack, images int) {
	if _, err := exec.LookPath("docker"); images == 0 || err == nil || os.Getenv("CDK_DOCKER") != "" {
		return
	}
	awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:docker"), jsii.String(fmt.Sprintf(
		"cdk deploy builds %d images and docker is not in PATH: `make build && export CDK_DOCKER=$PWD/bin/cdk-docker` builds them without it", images)))
}

// images counts the functions that are images.
func images(arms []dashboard.Arm) (n int) {
	for _, a := range arms {
		if a.Identity.Package != arm.ZIP {
			n++
		}
	}
	return n
}
