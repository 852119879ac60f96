package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/experiment"
)

// ownPackages makes a folder and a ZIP file as a user has them.
func ownPackages(t *testing.T) (folder, file string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	folder, file = filepath.Join(dir, "new"), filepath.Join(dir, "old_1.0.zip")
	write(t, filepath.Join(folder, "bootstrap"), "#!/bin/sh\n")
	var text bytes.Buffer
	w := zip.NewWriter(&text)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "bootstrap", ExternalAttrs: 0o755 << 16, CreatorVersion: 3 << 8})
	if err == nil {
		_, err = f.Write([]byte("#!/bin/sh\n"))
	}
	if err := errors.Join(err, w.Close(), os.WriteFile(file, text.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return folder, file
}

// Each package is deployed twice, with the same content.
func TestOwnPackages(t *testing.T) {
	folder, file := ownPackages(t)
	template, stack := synth(t, map[string]any{"packages": folder + "," + file, "memory": "128,512", "runtime": "python3.13", "handler": "app.handler"}, nil)
	if name := *stack.StackName(); name != "Twinstart-own" {
		t.Errorf("the stack is called %s", name)
	}
	var got []string
	for _, f := range template.ofType(functionType) {
		id := f.Metadata.Twinstart
		got = append(got, id.Arm)
		if id.Experiment != "own" || id.Handler != "app.handler" || id.Architecture != arm.ARM64 {
			t.Errorf("identity %+v", id)
		}
		if id.Package == arm.ZIP && (f.Properties["Runtime"] != "python3.13" || f.Properties["Handler"] != "app.handler") {
			t.Errorf("%s is %v", id.Arm, f.Properties)
		}
	}
	slices.Sort(got)
	want := []string{"new/image", "new/image", "new/zip", "new/zip", "old-1-0/image", "old-1-0/image", "old-1-0/zip", "old-1-0/zip"}
	if !slices.Equal(got, want) {
		t.Errorf("arms %v, want %v", got, want)
	}
	if n := len(template.ofType(dashboardType)); n != 1 {
		t.Errorf("%d dashboards, want 1", n)
	}
	cache, _ := os.UserCacheDir()
	contexts, err := filepath.Glob(filepath.Join(cache, "twinstart", "pairs", "*"))
	if err != nil || len(contexts) == 0 {
		t.Fatalf("no image contexts: %v", err)
	}
	for _, context := range contexts {
		text, err := os.ReadFile(filepath.Join(context, "Dockerfile"))
		if want := "FROM public.ecr.aws/lambda/python:3.13\nCOPY package/ /var/task/\nCMD [\"app.handler\"]\n"; err != nil || string(text) != want {
			t.Errorf("Dockerfile %q, want %q", text, want)
		}
		if text, err := os.ReadFile(filepath.Join(context, "package", "bootstrap")); err != nil || string(text) != "#!/bin/sh\n" {
			t.Errorf("bootstrap %q: %v", text, err)
		}
	}
}

// The base image for the user's own programs starts the bootstrap at the top of the ZIP.
func TestOwnProgram(t *testing.T) {
	folder, _ := ownPackages(t)
	synth(t, map[string]any{"packages": folder}, nil)
	cache, _ := os.UserCacheDir()
	found, err := filepath.Glob(filepath.Join(cache, "twinstart", "pairs", "*", "Dockerfile"))
	if err != nil || len(found) != 1 {
		t.Fatalf("want one Dockerfile: %v, %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if want := "FROM public.ecr.aws/lambda/provided:al2023\nCOPY package/ /var/task/\nENTRYPOINT [\"/var/task/bootstrap\"]\nCMD [\"bootstrap\"]\n"; err != nil || string(text) != want {
		t.Errorf("Dockerfile %q, want %q", text, want)
	}
}

func TestOwnMistakes(t *testing.T) {
	folder, file := ownPackages(t)
	same := filepath.Join(t.TempDir(), "new")
	write(t, filepath.Join(same, "bootstrap"), "")
	for _, test := range []struct {
		context map[string]any
		want    string
	}{
		{map[string]any{"runtime": "python3.13"}, "-c runtime is for packages of your own: add -c packages=function.zip"},
		{map[string]any{"packages": folder + "," + same}, "would both be called new: rename one"},
		{map[string]any{"packages": folder, "arms": "rawtcp"}, "-c arms and -c packages: arms are our own bootstraps: leave one out"},
		{map[string]any{"packages": folder, "url": "iam"}, "leave -c provisioned and -c url out"},
		{map[string]any{"packages": folder, "runtime": "go 1"}, "use Lambda's name of a runtime"},
		{map[string]any{"packages": folder, "runtime": "cobol1"}, `no base image is known for runtime "cobol1"`},
		{map[string]any{"packages": file + ".gone"}, "there is no "},
		{map[string]any{"packages": filepath.Join(folder, "bootstrap")}, "not a valid zip file"},
		{map[string]any{"packages": filepath.Join(t.TempDir(), "a b.zip")}, "cannot name an arm"},
		{map[string]any{"packages": folder, "handler": `x"]`}, "cannot be written in a Dockerfile"},
	} {
		_, err := define(t.Context(), newApp(t, "", test.context), fakePackages{dir: project(t)})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v:\ngot  %v\nwant %s", test.context, err, test.want)
		}
	}
}

// Functions of another application become arms. Their levels are in the Metadata. An experiment without arms is an
// error.
func TestExperimentOfAnyFunctions(t *testing.T) {
	stack, builder := someStack(t)
	e := experiment.NewExperiment(stack, jsii.String("Compare"), &experiment.ExperimentProps{Name: "shop", NoTuning: true})
	if err := e.Finish(); err == nil || !strings.Contains(err.Error(), "has no arms") {
		t.Errorf("want an error about an experiment without arms: %v", err)
	}
	for _, client := range []string{"http", "raw"} {
		f := bashfunction.NewBashFunction(stack, jsii.String("Orders-"+client), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder})
		e.Add(f, experiment.Levels{"client": client, "handler": "hello"})
	}
	if err := e.Finish(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range templateOf(t, stack).ofType(functionType) {
		id := f.Metadata.Twinstart
		got = append(got, id.Arm+" "+id.Levels["client"])
		if id.Experiment != "shop" || id.MemorySizeMB != 128 || id.Handler != "hello" || len(id.Levels) != 1 {
			t.Errorf("identity %+v", id)
		}
	}
	slices.Sort(got)
	if want := []string{"Orders-http http", "Orders-raw raw"}; !slices.Equal(got, want) {
		t.Errorf("arms %v, want %v", got, want)
	}
	if _, err := experiment.New(stack, jsii.String("Bad"), nil); err == nil {
		t.Error("no error for an experiment without a name")
	}
}
