package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// tuned returns the stack with its state machine.
func tuned(t *testing.T, outDir string, given map[string]any) (awscdk.App, awscdk.Stack) {
	t.Helper()
	return withTuningCode(t, outDir, merge(map[string]any{"tuning": "on"}, given))
}

// cdk deploy without options deploys everything: every arm, the state machine, the dashboard, and outputs that say
// what to do next.
func TestDefaultIsAllOfIt(t *testing.T) {
	if s, err := readSettings(nil); err != nil || !s.Tuning {
		t.Errorf("tuning is off by default: %v", err)
	}
	_, stack := tuned(t, "", nil)
	template := templateOf(t, stack)
	for _, kind := range []string{"AWS::StepFunctions::StateMachine", dashboardType, alarmType} {
		if len(template.ofType(kind)) == 0 {
			t.Errorf("no %s", kind)
		}
	}
	if n := len(template.Resources); n > 260 {
		t.Errorf("%d resources, want 260 at most", n)
	}
	var outputs struct{ Outputs map[string]any }
	if err := json.Unmarshal(templateText(t, stack), &outputs); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(outputs.Outputs))
	if want := []string{"Dashboard", "PowerTuning", "Region", "Run"}; !slices.Equal(got, want) {
		t.Errorf("outputs %v, want %v", got, want)
	}
}

// withTuningCode returns a stack. If it has a state machine, the code of that function has a few bytes.
func withTuningCode(t *testing.T, outDir string, given map[string]any) (awscdk.App, awscdk.Stack) {
	t.Helper()
	app := newApp(t, outDir, given)
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	dir := project(t)
	s, err := readSettings(context)
	if err != nil {
		t.Fatal(err)
	}
	s.tuningCode = someCode(t)
	stack, err := newStack(app, s, fakePackages{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return app, stack
}

// With the state machine, too, the template of all arms stays readable.
func TestTuningTemplateSize(t *testing.T) {
	out := t.TempDir()
	app, _ := tuned(t, out, map[string]any{"aws:cdk:enable-path-metadata": true, "aws:cdk:enable-asset-metadata": true})
	app.Synth(nil)
	info, err := os.Stat(filepath.Join(out, "Twinstart-packaging.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > 200_000 {
		t.Errorf("the template of all arms with tuning has %d bytes, want 200,000 at most", info.Size())
	}
}

// ofFunction is a right on one of the experiment's functions, or on its versions.
var ofFunction = regexp.MustCompile(`^Allow lambda:(\w+) on (\[.*\]|\{.*\})$`)

// The rights are on the experiment's functions only.
func TestTuningRights(t *testing.T) {
	_, stack := tuned(t, "", map[string]any{"arms": "nethttp/*"})
	template := templateOf(t, stack)
	arms := 0
	for _, f := range template.ofType(functionType) {
		if f.Metadata.Twinstart.Arm != "" {
			arms++
		}
	}
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		if !strings.HasPrefix(id, "ExperimentTuning") {
			continue
		}
		for _, s := range statements(template.Resources[id].Properties) {
			fmt.Fprintf(&b, "%s %s: %s\n", template.Resources[id].Type, id, s)
			if strings.Contains(s, `on "*"`) {
				t.Errorf("%s: %s", id, s)
			}
			if m := ofFunction.FindStringSubmatch(s); m != nil && template.Resources[id].Type == "AWS::IAM::ManagedPolicy" {
				if n := strings.Count(m[2], "Fn::GetAtt"); n != arms {
					t.Errorf("%s on %d functions, the experiment has %d: %s", m[1], n, arms, s)
				}
			}
		}
	}
	golden(t, "iam-tuning.txt", []byte(b.String()))
}

// A role has room for ten policies of 6,144 characters.
func TestTuningOfManyFunctions(t *testing.T) {
	_, stack := tuned(t, "", map[string]any{"arms": "*/zip", "memory": "128,256,512,1024,2048", "observe": "none"})
	template := templateOf(t, stack)
	for id, r := range template.Resources {
		if r.Type != "AWS::IAM::ManagedPolicy" {
			continue
		}
		// Each reference counts as an ARN: 12 digits of account, the longest region, 64 characters of name.
		arn := "arn:aws:lambda:ap-northeast-1:123456789012:function:" + strings.Repeat("n", 64)
		text := regexp.MustCompile(`\{"Fn::Join":\["",\[\{"Fn::GetAtt":\["[^"]*","Arn"\]\},":\*"\]\]\}`).ReplaceAllString(asJSON(r.Properties["PolicyDocument"]), `"`+arn+`:*"`)
		text = regexp.MustCompile(`\{"Fn::GetAtt":\["[^"]*","Arn"\]\}`).ReplaceAllString(text, `"`+arn+`"`)
		if len(text) > 6144 || strings.Contains(text, "Fn::") {
			t.Errorf("%s has %d characters, 6,144 at most: %.200s", id, len(text), text)
		}
	}
	if n := len(template.ofType("AWS::IAM::ManagedPolicy")); n != 3 {
		t.Errorf("%d policies, want 3", n)
	}
}

// The emulator accepts the state machine's tracing and forgets it, so this test checks it.
func TestTuningTracing(t *testing.T) {
	for _, c := range []struct {
		context map[string]any
		want    bool
	}{{nil, false}, {map[string]any{"tracing": "passthrough"}, false}, {map[string]any{"tracing": "active"}, true}} {
		_, stack := tuned(t, "", merge(map[string]any{"arms": "nethttp/zip", "observe": "none"}, c.context))
		var template template
		if err := json.Unmarshal(templateText(t, stack), &template); err != nil {
			t.Fatal(err)
		}
		machine := template.ofType("AWS::StepFunctions::StateMachine")[0].Properties
		enabled := false
		if config, ok := machine["TracingConfiguration"].(map[string]any); ok {
			enabled = config["Enabled"] == true
		}
		if enabled != c.want {
			t.Errorf("%v: TracingConfiguration %v", c.context, machine["TracingConfiguration"])
		}
	}
}

func TestTuningNag(t *testing.T) {
	for _, tracing := range []map[string]any{{}, {"tracing": "active"}} {
		app, stack := tuned(t, "", merge(tracing, map[string]any{"arms": "nethttp/zip", "observe": "none"}))
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
		app.Synth(nil)
		found := assertions.Annotations_FromStack(stack)
		anything := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
		for _, m := range append(*found.FindError(jsii.String("*"), anything), *found.FindWarning(jsii.String("*"), anything)...) {
			t.Errorf("%s: %s", *m.Id, oneLine(fmt.Sprint(m.Entry.Data))) //nolint:staticcheck // the assertions module offers no other
		}
	}
}

// With a customer's key for environment variables, the tuner may use the key, whether it is the stack's or a named
// one.
func TestTunerMayUseTheKey(t *testing.T) {
	for kms, want := range map[string]string{"new": `{"Fn::GetAtt":["Key`, "arn:aws:kms:us-east-1:111122223333:key/1": `"arn:aws:kms:us-east-1:111122223333:key/1"`} {
		_, stack := tuned(t, "", map[string]any{"kms": kms, "arms": "nethttp/zip", "observe": "none"})
		found := false
		for _, p := range templateOf(t, stack).ofType("AWS::IAM::ManagedPolicy") {
			text, err := json.Marshal(p.Properties["PolicyDocument"])
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), `"kms:CreateGrant","kms:Decrypt","kms:Encrypt","kms:GenerateDataKey"],"Effect":"Allow","Resource":`+want)
		}
		if !found {
			t.Errorf("kms=%s: the tuner has no right over it", kms)
		}
	}
}
