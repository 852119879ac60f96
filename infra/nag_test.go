package main

import (
	"fmt"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// allOptions switches on every option that has a context key.
var allOptions = map[string]any{
	"arms": "nethttp", "tracing": "active", "provisioned": "2-10", "reserved": "20", "vpc": "new", "url": "iam", "kms": "new", "dlq": "sqs", "tmp": "1024",
	"observe": "dashboard,metrics,alarms,queries,contributors",
}

// The default stack and a stack with every option satisfy cdk-nag's AwsSolutions rules, except the findings that a
// resource's Metadata cdk_nag suppresses with a reason.
func TestNag(t *testing.T) {
	for name, context := range map[string]map[string]any{"default": {"arms": "nethttp"}, "all options": allOptions, "languages": {"experiment": "languages", "functions": "search"},
		"levers": {"experiment": "levers", "levers": "tracing,memory,extension,provisioned,architecture,vpc,tracked"}} {
		builtLanguages(t)
		t.Run(name, func(t *testing.T) {
			app := newApp(t, "", context)
			stack, err := define(t.Context(), app, fakePackages{dir: project(t)})
			if err != nil {
				t.Fatal(err)
			}
			awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
			app.Synth(nil)
			found := assertions.Annotations_FromStack(stack)
			anything := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
			for _, m := range append(*found.FindError(jsii.String("*"), anything), *found.FindWarning(jsii.String("*"), anything)...) {
				t.Errorf("%s: %s", *m.Id, oneLine(fmt.Sprint(m.Entry.Data))) //nolint:staticcheck // the assertions module offers no other
			}
		})
	}
}
