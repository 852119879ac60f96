package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// cdkCLI runs the pinned CDK CLI as a user does, in the repository, with a new output folder.
func cdkCLI(t *testing.T, args ...string) (outDir, stderr string, status int) {
	t.Helper()
	need.Time(t)
	program := filepath.Join(repository, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("the CDK CLI is not installed: run npm ci in %s", repository)
	}
	outDir = t.TempDir()
	cmd := exec.Command(program, append([]string{"synth", "--quiet", "--output", outDir}, args...)...)
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "CDK_DISABLE_CLI_TELEMETRY=true")
	var text bytes.Buffer
	cmd.Stderr = &text
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return outDir, text.String(), exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return outDir, text.String(), 0
}

func TestCLISynthesizes(t *testing.T) {
	outDir, stderr, status := cdkCLI(t, "-c", "arms=bash*/zip,bashcurl/image-minimal", "-c", "experiment=cli")
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, stderr)
	}
	for _, noise := range []string{"end-of-life", "jsii", "Runtime process"} {
		if strings.Contains(stderr, noise) {
			t.Errorf("%q on standard error:\n%s", noise, stderr)
		}
	}
	if !strings.Contains(stderr, "not measured: bashcurl/image-minimal: ") {
		t.Errorf("no warning about the arm that cannot exist:\n%s", stderr)
	}
	if _, err := os.Stat(filepath.Join(outDir, "Twinstart-cli.template.json")); err != nil {
		t.Error(err)
	}
	read(t, outDir, repository) // fails if the CLI's assembly names this machine's folders
}

// Our line comes first; the CLI adds a second one.
func TestCLIShowsAMistakeInOneLine(t *testing.T) {
	_, stderr, status := cdkCLI(t, "-c", "arch=x86_64")
	if status == 0 {
		t.Error("exit status 0 for an unknown key")
	}
	want := "twinstart: -c arch=...: unknown context key: use experiment, arms, architecture, memory, handler, observe, tuning, packages, runtime, functions, languages, package, levers, sizes, tracing, provisioned, reserved, vpc, subnets, url, logs, kms, dlq, tmp\n" +
		"infra/app: Subprocess exited with error 2\n"
	if stderr != want {
		t.Errorf("standard error:\n%s\nwant:\n%s", stderr, want)
	}
}

// infra/app makes Node run jsii.cjs before jsii. jsii.cjs waits until another process releases a lock. From the second
// time on it gives jsii a description of the CDK without the words that jsii does not use.
func TestAheadOfJsii(t *testing.T) {
	node := need.Tool(t, "node")
	dir := t.TempDir()
	const script = `const fs = require('fs'), zlib = require('zlib'), child = require('child_process');
fs.closeSync(fs.openSync('cdk.lock', 'wx'));
child.spawn('sh', ['-c', 'sleep 0.3; rm cdk.lock']);
fs.closeSync(fs.openSync('cdk.lock', 'wx'));
try { fs.openSync('other', 'wx'); fs.openSync('other', 'wx'); } catch (error) { console.log(error.code); }
const noise = require('crypto').randomBytes(1 << 20).toString('hex');
const packed = zlib.gzipSync(JSON.stringify({types: {'a.B': {name: 'B', docs: {summary: noise}, locationInModule: {line: 1}}}}));
for (let i = 0; i < 2; i++) { const {types} = JSON.parse(zlib.gunzipSync(packed)); console.log(Object.keys(types['a.B']).join(' ')); }`
	cmd := exec.Command(node, "--require", filepath.Join(repository, "infra", "jsii.cjs"), "-e", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if want := "EEXIST\nname docs locationInModule\nname\n"; err != nil || string(out) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
	if kept, err := filepath.Glob(filepath.Join(dir, "build", "jsii", "*.json")); err != nil || len(kept) != 1 {
		t.Errorf("kept %v, %v", kept, err)
	}
}
