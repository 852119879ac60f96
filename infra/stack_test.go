package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/powertuning"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

const (
	functionType = "AWS::Lambda::Function"
	logGroupType = "AWS::Logs::LogGroup"
	roleType     = "AWS::IAM::Role"
)

// The default is the whole factorial. Each function has its own log group and role.
func TestDefaultIsTheFullFactorial(t *testing.T) {
	// given no context, when the stack is synthesized
	template, stack := synth(t, nil, nil)
	// then
	arms := len(packages.Bootstraps()) * len(arm.Packages())
	var got []string
	for _, f := range template.ofType(functionType) {
		identity := f.Metadata.Twinstart
		got = append(got, identity.Arm)
		want := arm.Identity{
			Experiment: "packaging", Arm: arm.ID(identity.Bootstrap, identity.Package), Bootstrap: identity.Bootstrap,
			Package: identity.Package, Architecture: arm.ARM64, MemorySizeMB: 1024, Handler: "echo",
		}
		if !reflect.DeepEqual(identity, want) {
			t.Errorf("identity is %+v, want %+v", identity, want)
		}
		if description, _ := f.Properties["Description"].(string); !strings.HasPrefix(description, identity.Arm+" at 1024 MB, arm64") {
			t.Errorf("Description %q does not start with the arm %s", description, identity.Arm)
		}
		if f.Properties["FunctionName"] != nil {
			t.Errorf("FunctionName is %v: two stacks would fight for it", f.Properties["FunctionName"])
		}
	}
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != arms {
		t.Errorf("%d different arms, want %d: %s", len(got), arms, got)
	}
	for _, kind := range []string{functionType, logGroupType, roleType} {
		if n := len(template.ofType(kind)); n != arms {
			t.Errorf("%d of %s, want %d", n, kind, arms)
		}
	}
	if name := *stack.StackName(); name != "Twinstart-packaging" {
		t.Errorf("stack name is %s", name)
	}
	if tags := *stack.Tags().TagValues(); len(tags) != 1 || *tags["twinstart:experiment"] != "packaging" {
		t.Errorf("tags are %v", tags)
	}
	if template.Metadata.Twinstart.NotMeasured == nil || len(template.Metadata.Twinstart.NotMeasured) > 0 {
		t.Errorf("notMeasured is %v, want an empty list", template.Metadata.Twinstart.NotMeasured)
	}
}

// A template of more than 51,200 bytes is deployed through a bucket, and one of more than a million bytes cannot be
// deployed. Our template must stay readable.
func TestTemplateSize(t *testing.T) {
	for _, experiment := range []string{"packaging", arm.SnapStart} {
		dir := project(t)
		app := newApp(t, filepath.Join(dir, "cdk.out"), map[string]any{"aws:cdk:enable-path-metadata": true, "aws:cdk:enable-asset-metadata": true, "experiment": experiment})
		stack, err := define(t.Context(), app, fakePackages{dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		app.Synth(nil)
		info, err := os.Stat(filepath.Join(dir, "cdk.out", "Twinstart-"+experiment+".template.json"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d functions", experiment, info.Size(), len(templateOf(t, stack).ofType(functionType)))
		if info.Size() > 200_000 {
			t.Errorf("the template of all arms has %d bytes, want 200,000 at most", info.Size())
		}
	}
}

// The file has one function of each kind of package in full, so that a reviewer sees what a change deploys.
func TestGoldenTemplate(t *testing.T) {
	_, stack := synth(t, map[string]any{"arms": "nethttp/*", "architecture": "x86_64", "memory": "512", "handler": "hello", "experiment": "golden"},
		map[string]error{"nethttp/image-minimal": &packages.UnavailableError{What: "static Bash", Why: "no toolchain", Remedy: "install one"}})
	golden(t, "template.json", templateText(t, stack))
}

func TestLogGroupsGoWithTheStack(t *testing.T) {
	template, _ := synth(t, map[string]any{"arms": "nethttp/zip"}, nil)
	groups := template.ofType(logGroupType)
	if len(groups) != 1 {
		t.Errorf("%d log groups, want 1", len(groups))
	}
	for _, group := range groups {
		if diff := cmp.Diff(map[string]any{"RetentionInDays": 7.0}, group.Properties); diff != "" {
			t.Errorf("log group (-want +got):\n%s", diff)
		}
		if group.DeletionPolicy != "Delete" {
			t.Errorf("DeletionPolicy is %s: logs would stay after cdk destroy", group.DeletionPolicy)
		}
	}
}

// A role may write to its own function's log group only. It has no managed policy and no second statement.
func TestLeastPrivilege(t *testing.T) {
	template, _ := synth(t, nil, nil)
	for id, function := range template.Resources {
		if function.Type != functionType {
			continue
		}
		group := function.Properties["LoggingConfig"].(map[string]any)["LogGroup"].(map[string]any)["Ref"].(string)
		roleID := function.Properties["Role"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
		want := map[string]any{
			"AssumeRolePolicyDocument": map[string]any{
				"Version": "2012-10-17",
				"Statement": []any{map[string]any{
					"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"},
				}},
			},
			"Policies": []any{map[string]any{
				"PolicyName": "run",
				"PolicyDocument": map[string]any{
					"Version": "2012-10-17",
					"Statement": []any{map[string]any{
						"Effect":   "Allow",
						"Action":   []any{"logs:CreateLogStream", "logs:PutLogEvents"},
						"Resource": map[string]any{"Fn::GetAtt": []any{group, "Arn"}},
					}},
				},
			}},
		}
		if diff := cmp.Diff(want, template.Resources[roleID].Properties); diff != "" {
			t.Errorf("role of %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestSeveralMemories(t *testing.T) {
	for _, memory := range []any{"128,1024,128", []any{128.0, 1024.0}} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			template, _ := synth(t, map[string]any{"arms": "rawtcp/zip", "memory": memory}, nil)
			var sizes []int
			for _, f := range template.ofType(functionType) {
				if f.Metadata.Twinstart.Arm != "rawtcp/zip" {
					t.Errorf("arm is %s, want rawtcp/zip at every memory", f.Metadata.Twinstart.Arm)
				}
				if f.Properties["MemorySize"] != float64(f.Metadata.Twinstart.MemorySizeMB) {
					t.Errorf("MemorySize is %v, identity says %d", f.Properties["MemorySize"], f.Metadata.Twinstart.MemorySizeMB)
				}
				sizes = append(sizes, f.Metadata.Twinstart.MemorySizeMB)
			}
			slices.Sort(sizes)
			if !slices.Equal(sizes, []int{128, 1024}) {
				t.Errorf("memories are %v, want 128 and 1024", sizes)
			}
		})
	}
}

// If a deployed experiment is widened, its functions stay.
func TestLogicalIDsSurviveWidening(t *testing.T) {
	narrow, _ := synth(t, map[string]any{"arms": "rawtcp/zip"}, nil)
	wide, _ := synth(t, map[string]any{"memory": "128,1024"}, nil)
	for id := range narrow.Resources {
		if _, kept := wide.Resources[id]; !kept {
			t.Errorf("%s is not in the wider experiment", id)
		}
	}
}

func TestAbsentArms(t *testing.T) {
	noUPX := &packages.UnavailableError{What: "rawtcp-upx", Why: "upx is not in PATH", Remedy: "install it"}
	// given two arms that this machine cannot build and one that nobody can
	template, stack := synth(t, nil, map[string]error{
		"bashcurl/image-minimal": &packages.ImpossibleError{Arm: "bashcurl/image-minimal", Why: "no curl"},
		"rawtcp-upx/zip":         noUPX,
		"rawtcp-upx/image":       fmt.Errorf("packing: %w", noUPX),
	})
	// then they are named in the order of reports, with the reason
	want := []arm.NotMeasured{
		{Arm: "bashcurl/image-minimal", Why: "no curl"},
		{Arm: "rawtcp-upx/zip", Why: "upx is not in PATH; install it"},
		{Arm: "rawtcp-upx/image", Why: "upx is not in PATH; install it"},
	}
	if diff := cmp.Diff(want, template.Metadata.Twinstart.NotMeasured); diff != "" {
		t.Errorf("notMeasured (-want +got):\n%s", diff)
	}
	// and have no function
	for _, f := range template.ofType(functionType) {
		for _, absent := range want {
			if f.Metadata.Twinstart.Arm == absent.Arm {
				t.Errorf("%s has a function", absent.Arm)
			}
		}
	}
	// and each reason is one warning
	warnings := *assertions.Annotations_FromStack(stack).FindWarning(stringPointer("*"), assertions.Match_AnyValue())
	var got []string
	for _, w := range warnings {
		got = append(got, fmt.Sprint(w.Entry.Data)) //nolint:staticcheck // the assertions module offers no other
	}
	wantWarnings := []string{
		"not measured: bashcurl/image-minimal: no curl [ack: twinstart:notMeasured]",
		"not measured: rawtcp-upx/zip, rawtcp-upx/image: upx is not in PATH; install it [ack: twinstart:notMeasured]",
	}
	if diff := cmp.Diff(wantWarnings, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestNothingToMeasure(t *testing.T) {
	dir := project(t)
	_, err := define(t.Context(), newApp(t, "", map[string]any{"arms": "bashcurl/image-minimal"}), fakePackages{dir, map[string]error{
		"bashcurl/image-minimal": &packages.ImpossibleError{Arm: "bashcurl/image-minimal", Why: "no curl"},
	}})
	if want := "nothing to measure: bashcurl/image-minimal: no curl"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// Two people who synthesize the same sources in two places get the same assembly, byte by byte.
func TestAssembliesAreReproducible(t *testing.T) {
	assembly := func() map[string]string {
		dir := project(t)
		app := newApp(t, filepath.Join(dir, "cdk.out"), map[string]any{
			"arms": "rawtcp", "aws:cdk:enable-path-metadata": true, "aws:cdk:enable-asset-metadata": true, // as the CLI sets them
		})
		if _, err := define(t.Context(), app, fakePackages{dir: dir, absent: map[string]error{
			"rawtcp/zip": &packages.UnavailableError{What: "rawtcp", Why: "not in this test", Remedy: "see the warning"},
		}}); err != nil {
			t.Fatal(err)
		}
		return read(t, *app.Synth(nil).Directory(), dir)
	}
	first, second := assembly(), assembly()
	if len(first) < 6 {
		t.Fatalf("only %d files: %v", len(first), first)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two folders give different assemblies (-first +second):\n%s", diff)
	}
}

// read returns the files of a folder by their names, and checks that they contain no path of this machine.
func read(t *testing.T, root, secret string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[name] = string(text)
		if strings.Contains(string(text), secret) || strings.Contains(string(text), os.TempDir()+"/") {
			t.Errorf("%s holds a path of this machine", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func stringPointer(s string) *string { return &s }

// Without Docker a deployment would fail in the middle. So synth says before that what to do.
func TestImagesWithoutDocker(t *testing.T) {
	bin := t.TempDir()
	if err := os.Symlink(need.Tool(t, "node"), filepath.Join(bin, "node")); err != nil {
		t.Fatal(err)
	}
	for given, warned := range map[string]bool{"": true, "/bin/cdk-docker": false} {
		t.Setenv("PATH", bin)
		t.Setenv("CDK_DOCKER", given)
		stack, err := define(t.Context(), newApp(t, "", map[string]any{"arms": "rawtcp"}), fakePackages{dir: project(t)})
		if err != nil {
			t.Fatal(err)
		}
		found := assertions.Annotations_FromStack(stack).FindWarning(jsii.String("*"), assertions.Match_StringLikeRegexp(jsii.String("cdk deploy builds 2 images and docker is not in PATH: .*CDK_DOCKER=.*")))
		if len(*found) > 0 != warned {
			t.Errorf("CDK_DOCKER=%s: %d warnings", given, len(*found))
		}
	}
}

// A stack that CloudFormation would refuse is an error of one line that says what to leave out, in the words of -c.
func TestTooMany(t *testing.T) {
	const remedy = ": choose fewer arms (-c arms), memory sizes (-c memory) or parts (-c observe=none)"
	app := newApp(t, t.TempDir(), map[string]any{"arms": "rawsyscall/zip", "@aws-cdk/core:stackResourceLimit": 2})
	err := catch(func() error {
		if _, err := define(t.Context(), app, fakePackages{dir: project(t)}); err != nil {
			return err
		}
		app.Synth(nil)
		return nil
	})
	if err == nil || !strings.HasPrefix(err.Error(), "Number of resources in stack 'Twinstart-packaging': ") || !strings.HasSuffix(err.Error(), " is greater than allowed maximum of 2"+remedy) {
		t.Errorf("want one line that says what to leave out: %v", err)
	}
	err = catch(func() error {
		_, err := powertuning.New(nil, jsii.String("Tuning"), &powertuning.PowerTuningProps{Patterns: make([]string, 201)})
		return err
	})
	if err == nil || err.Error() != "props Functions and Patterns have 201 functions: a role has room for the rights on 200"+remedy {
		t.Errorf("want one line that says what to leave out: %v", err)
	}
}
