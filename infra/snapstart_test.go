package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
)

// startsFrom lists the functions of a template, and whether each has SnapStart and is primed.
func startsFrom(tmpl template) (all []string) {
	for _, f := range tmpl.ofType(functionType) {
		id, text := f.Metadata.Twinstart, ""
		if snap, is := f.Properties["SnapStart"].(map[string]any); is {
			text += " " + snap["ApplyOn"].(string)
		}
		if env, is := f.Properties["Environment"].(map[string]any); is && env["Variables"].(map[string]any)[primeVariable] == "1" {
			text += " TWINSTART_PRIME=1"
		}
		all = append(all, id.Arm+" ("+id.Levels[arm.SnapStart]+")"+text)
	}
	slices.Sort(all)
	return all
}

// There are three functions for each image, one for a ZIP of provided.al2023, and no version before a run publishes
// one.
func TestSnapStartExperiment(t *testing.T) {
	template, _ := synth(t, map[string]any{"experiment": "snapstart", "arms": "rawsyscall/zip,rawsyscall/image"}, nil)
	want := []string{"rawsyscall/image (off)", "rawsyscall/image-primed (primed) PublishedVersions TWINSTART_PRIME=1", "rawsyscall/image-unprimed (unprimed) PublishedVersions", "rawsyscall/zip (off)"}
	if got := startsFrom(template); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := arm.Reasons(template.Metadata.Twinstart.NotMeasured); got != "rawsyscall/zip-unprimed, rawsyscall/zip-primed: Lambda has no SnapStart for a ZIP of provided.al2023" {
		t.Errorf("not measured: %s", got)
	}
	if n := len(template.ofType("AWS::Lambda::Version")); n > 0 {
		t.Errorf("%d versions, want 0: each one is billed as long as the stack exists", n)
	}
}

// The user's own packages have snapshots of ZIP and image if Lambda takes both for their runtime, or else of the image
// only, which has a label for that.
func TestSnapStartOfOwnPackages(t *testing.T) {
	for runtime, want := range map[string][]string{
		"python3.13": {"new/image (off)", "new/image-unprimed (unprimed) PublishedVersions", "new/zip (off)", "new/zip-unprimed (unprimed) PublishedVersions"},
		"nodejs22.x": {"new/image (off)", "new/image-unprimed (unprimed) PublishedVersions", "new/zip (off)"},
	} {
		folder, _ := ownPackages(t)
		template, _ := synth(t, map[string]any{"experiment": "snapstart", "packages": folder, "runtime": runtime, "handler": "app.handler"}, nil)
		if got := startsFrom(template); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		cache, _ := os.UserCacheDir()
		files, _ := filepath.Glob(filepath.Join(cache, "twinstart", "pairs", "*", "Dockerfile"))
		labels := 0
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			labels += strings.Count(string(text), `LABEL com.amazonaws.lambda.feature.snapstart="Allow"`)
		}
		if (labels == 1) != (runtime == "nodejs22.x") {
			t.Errorf("%s: %d labels in %d Dockerfiles", runtime, labels, len(files))
		}
	}
}

func TestSnapStartZIP(t *testing.T) {
	for runtime, want := range map[string]bool{"java11": true, "java25": true, "java8.al2": false, "python3.12": true, "python3.9": false, "dotnet8": true, "dotnet10": true, "dotnet6": false,
		"nodejs24.x": false, "ruby3.4": false, "provided.al2023": false, "": false} {
		if arm.SnapStartZIP(runtime) != want {
			t.Errorf("%s: want %t", runtime, want)
		}
	}
}

// Options that Lambda refuses are refused at synth, by name.
func TestSnapStartMistakes(t *testing.T) {
	for _, test := range []struct {
		context map[string]any
		want    string
	}{
		{map[string]any{"provisioned": "2"}, "Lambda refuses SnapStart with provisioned concurrency"},
		{map[string]any{"tmp": "1024"}, "Lambda takes no snapshot with more than 512 MB of /tmp"},
		{map[string]any{"arms": "rawsyscall/image", "tmp": "512"}, ""},
	} {
		test.context["experiment"] = "snapstart"
		if _, err := define(t.Context(), newApp(t, "", test.context), fakePackages{dir: project(t)}); test.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %s", test.context, err, test.want)
		}
	}
	stack, builder := someStack(t)
	for _, test := range []struct {
		change func(*bashfunction.BashFunctionProps)
		want   string
	}{
		{func(p *bashfunction.BashFunctionProps) { p.Package = arm.ZIP }, "Lambda has no SnapStart for a ZIP of provided.al2023: use package image"},
		{func(p *bashfunction.BashFunctionProps) {
			p.Provisioned = &bashfunction.Provisioned{Min: jsii.Number(1)}
		}, "Lambda refuses the two together"},
		{func(p *bashfunction.BashFunctionProps) {
			p.EphemeralStorageSize = awscdk.Size_Gibibytes(jsii.Number(1))
		}, "no snapshot with more than 512 MB of /tmp"},
	} {
		props := &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder, Package: arm.Image}
		props.SnapStart = awslambda.SnapStartConf_ON_PUBLISHED_VERSIONS()
		test.change(props)
		if _, err := bashfunction.New(stack, jsii.String("Bad"), props); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// The construct makes the version of which a snapshot is taken, and an alias, because $LATEST has no snapshot. The
// CDK's own construct still refuses images. When it accepts them, ours can pass the prop on.
func TestSnapStartOfAnImage(t *testing.T) {
	stack, builder := someStack(t)
	props := &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder, Package: arm.Image}
	props.SnapStart = awslambda.SnapStartConf_ON_PUBLISHED_VERSIONS()
	f := bashfunction.NewBashFunction(stack, jsii.String("Snap"), props)
	if bashfunction.AliasOf(f) == nil {
		t.Error("no alias")
	}
	template := templateOf(t, stack)
	if got := startsFrom(template); len(got) != 1 || !strings.HasSuffix(got[0], "PublishedVersions") {
		t.Errorf("want one function with SnapStart: %q", got)
	}
	if v, a := len(template.ofType("AWS::Lambda::Version")), len(template.ofType("AWS::Lambda::Alias")); v != 1 || a != 1 {
		t.Errorf("%d versions, %d aliases", v, a)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
	err := catch(func() error {
		awslambda.NewDockerImageFunction(stack, jsii.String("Docker"), &awslambda.DockerImageFunctionProps{
			Code: awslambda.DockerImageCode_FromImageAsset(&dir, nil), SnapStart: awslambda.SnapStartConf_ON_PUBLISHED_VERSIONS()})
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "SnapStart currently not supported by runtime FROM_IMAGE") {
		t.Errorf("the CDK's construct now says %v", err)
	}
}
