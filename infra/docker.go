package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// warnOfDocker says, at synth and so before anything is created, how images are built on a machine without Docker. The CDK CLI
// calls what CDK_DOCKER names, else docker. See https://docs.aws.amazon.com/cdk/v2/guide/build-containers.html.
func warnOfDocker(stack awscdk.Stack, arms []dashboard.Arm) {
	images := 0
	for _, a := range arms {
		if a.Identity.Package != arm.ZIP {
			images++
		}
	}
	if _, err := exec.LookPath("docker"); images == 0 || err == nil || os.Getenv("CDK_DOCKER") != "" {
		return
	}
	awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:docker"), jsii.String(fmt.Sprintf(
		"cdk deploy builds %d images and docker is not in PATH: `make build && export CDK_DOCKER=$PWD/bin/cdk-docker` builds them without it", images)))
}
