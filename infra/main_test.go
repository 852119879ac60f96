package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/cdk"
	"github.com/twinstart/twinstart/tools/need"
)

// All tests of CDK code are in this package, because a process has one jsii kernel, which takes a second to start.

var update = flag.Bool("update", false, "rewrite testdata")

func TestMain(m *testing.M) {
	status := m.Run()
	closeJSII()
	os.Exit(status)
}

var closeJSII = jsii.Close

// repository is the folder that holds cdk.json.
var repository = func() string {
	dir, err := filepath.Abs("..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// project makes a folder with a few handlers. It is the working folder until the test ends.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"echo", "hello", "primed"} {
		write(t, filepath.Join(dir, "handlers", name, "handler.sh"), "run() { printf '%s' \"$1\"; }\n")
	}
	text, err := os.ReadFile(filepath.Join(repository, "handlers", "levers", "extension.sh"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "handlers", "levers", "handler.sh"), "")
	write(t, filepath.Join(dir, "handlers", "levers", "extension.sh"), string(text))
	t.Chdir(dir)
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fakePackages replaces packages, which has its own tests. It makes packages of a few bytes, and returns errors for
// the arms in absent.
type fakePackages struct {
	dir    string
	absent map[string]error
}

func (f fakePackages) ZIP(_ context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	return f.make(bootstrap, arm.ZIP, a, handlerDir, "package.zip")
}

func (f fakePackages) ImageContext(_ context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	path, err := f.make(bootstrap, p, a, handlerDir, "Dockerfile")
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	// The real context of bashtcp-static also has a link whose target exists only in the image.
	if err := os.Symlink("../var/task/bash", filepath.Join(dir, "bash")); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, nil
}

func (f fakePackages) make(bootstrap string, p arm.Package, a arm.Architecture, handlerDir, name string) (string, error) {
	id := arm.ID(bootstrap, p)
	if err := f.absent[id]; err != nil {
		return "", err
	}
	path := filepath.Join(f.dir, id, string(a), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, fmt.Appendln(nil, "FROM scratch\n#", id, a, filepath.Base(handlerDir)), 0o644)
}

// newApp returns the app as the CDK CLI starts it: with cdk.json's context, and over it the values of -c.
func newApp(t *testing.T, outDir string, given map[string]any) awscdk.App {
	t.Helper()
	need.Time(t)
	text, err := os.ReadFile(filepath.Join(repository, "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Context map[string]any }
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	props := cdk.AppProps()
	maps.Copy(*props.Context, config.Context)
	(*props.Context)["tuning"] = "off" // tuning_test.go switches it on, with code that needs no build
	maps.Copy(*props.Context, given)
	if outDir != "" {
		props.Outdir = &outDir
	}
	return awscdk.NewApp(props)
}

// template is the part of a synthesized template that these tests read.
type template struct {
	Description string
	Metadata    struct {
		Twinstart struct{ NotMeasured []arm.NotMeasured }
	}
	Resources map[string]resource
}

type resource struct {
	Type           string
	DeletionPolicy string
	DependsOn      names
	Properties     map[string]any
	Metadata       struct{ Twinstart arm.Identity }
}

// names is one name or a list of names.
type names []string

func (n *names) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(n))
}

func (t template) ofType(name string) []resource {
	var found []resource
	for _, r := range t.Resources {
		if r.Type == name {
			found = append(found, r)
		}
	}
	return found
}

// synthesized keeps stacks by their context, because all arms take seconds and several tests need them.
var synthesized = map[string]synthesis{}

type synthesis struct {
	template template
	stack    awscdk.Stack
}

// synth defines the stack for a context and reads its template. Tests must not change either.
func synth(t *testing.T, given map[string]any, absent map[string]error) (template, awscdk.Stack) {
	t.Helper()
	key := fmt.Sprint(given, absent)
	if _, done := synthesized[key]; !done {
		dir := project(t)
		stack, err := define(t.Context(), newApp(t, "", given), fakePackages{dir, absent})
		if err != nil {
			t.Fatal(err)
		}
		synthesized[key] = synthesis{templateOf(t, stack), stack}
	}
	return synthesized[key].template, synthesized[key].stack
}

func templateOf(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	var read template
	if err := json.Unmarshal(templateText(t, stack), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// templateText is the template as indented JSON with sorted keys.
func templateText(t *testing.T, stack awscdk.Stack) []byte {
	t.Helper()
	text, err := json.MarshalIndent(assertions.Template_FromStack(stack, nil).ToJSON(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// golden compares text with a file of testdata/, without asset hashes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if len(got) == 0 {
		t.Fatal("there is nothing to compare: -update would empty the file")
	}
	path := filepath.Join(repository, "infra", "testdata", name)
	got = assetHash.ReplaceAll(got, []byte("ASSET-HASH"))
	if *update {
		write(t, path, string(got))
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./infra -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-want +got; go test ./infra -update accepts it):\n%s", name, cmp.Diff(string(want), string(got)))
	}
}
