package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// inEmptyFolder moves the test to an empty folder, with an empty cache, as a new user has them.
func inEmptyFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return dir
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// zipped writes a ZIP with one file in it.
func zipped(t *testing.T, path, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return write(t, path, b.String())
}

// nextLoop is a bootstrap that reaches GET /next.
const nextLoop = "#!/bin/bash\nexec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\\/}\nprintf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3\nsleep 1\n"

// handlerFolder writes a handler in Bash, which answers with its event and the value of VAR.
func handlerFolder(t *testing.T, dir string) string {
	t.Helper()
	write(t, filepath.Join(dir, "handler.sh"), "run() { printf '%s' \"$1\"; }\nother() { printf '{\"var\": \"%s\"}' \"${VAR:-}\"; }\n")
	return dir
}

// armsOf returns the arms in a run's records, with their memory sizes.
func armsOf(t *testing.T, dir string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, recordsName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[string]bool{}
	for r, err := range record.All(f, f.Name()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[strings.TrimSpace(strings.Join([]string{r.Arm, fmt.Sprintf("%d MB", r.MemorySizeMB)}, " @"))] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// TestPackageIsTheArgument measures a handler's folder at the levels of every factor, from an empty folder, as a new
// user would.
func TestPackageIsTheArgument(t *testing.T) {
	inEmptyFolder(t)
	handlerFolder(t, "mine")
	status, stdout, stderr := twinstart(t, "run", "mine", "--bootstrap", "bashtcp", "--handler", "handler.run,handler.other", "--env", "VAR=1", "--env", "VAR=a,b",
		"--memory", "512,1024", "--cold", "1", "--warm", "1")
	if status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	want := []string{
		"mine handler.other VAR=1 @1024 MB", "mine handler.other VAR=1 @512 MB", "mine handler.other VAR=a,b @1024 MB", "mine handler.other VAR=a,b @512 MB",
		"mine handler.run VAR=1 @1024 MB", "mine handler.run VAR=1 @512 MB", "mine handler.run VAR=a,b @1024 MB", "mine handler.run VAR=a,b @512 MB",
	}
	if got := armsOf(t, filepath.Join("out", packagesExperiment)); !slices.Equal(got, want) {
		t.Errorf("arms %q, want %q", got, want)
	}
	if !strings.Contains(stdout, "in the lab, not on AWS") {
		t.Errorf("no report: %s", stdout)
	}
	status, stdout, stderr = twinstart(t, "invoke", "mine", "--bootstrap", "bashtcp", "--handler", "handler.other", "--env", "VAR=$(touch x)")
	if status != exitOK || strings.TrimSpace(stdout) != `{"var": "$(touch x)"}` {
		t.Errorf("invoke: status %d, %q, %s", status, stdout, stderr)
	}
}

// TestMistakeInOnePackage expects that the other packages are measured, that the bad one is named with the reason, and
// that the status says that the run is incomplete.
func TestMistakeInOnePackage(t *testing.T) {
	inEmptyFolder(t)
	handlerFolder(t, "mine")
	if status, _, stderr := twinstart(t, "invoke", "mine", "--bootstrap", "bashtcp"); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := filepath.Glob(filepath.Join(cache, "twinstart", "build", "zip", "*.zip"))
	if err != nil || len(packed) != 1 {
		t.Fatalf("packed %v, %v", packed, err)
	}
	content, err := os.ReadFile(packed[0])
	if err != nil {
		t.Fatal(err)
	}
	good := write(t, "a/fn.zip", string(content))
	write(t, "b/fn.zip", string(content))
	python := zipped(t, "python.zip", "app.py", "def run(e, c): pass")
	elsewhere := zipped(t, "elsewhere.zip", "bin/bootstrap", "#!/bin/sh\n")
	status, _, stderr := twinstart(t, "run", good, "b/fn.zip", python, elsewhere, "--cold", "1", "--warm", "0", "--out", "o")
	if status != exitIncomplete {
		t.Errorf("status %d, want %d", status, exitIncomplete)
	}
	if got, want := armsOf(t, "o"), []string{"a/fn.zip @1024 MB", "b/fn.zip @1024 MB"}; !slices.Equal(got, want) {
		t.Errorf("arms %q, want %q", got, want)
	}
	report, err := os.ReadFile(filepath.Join("o", "report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"python.zip is for a managed runtime (python)", "elsewhere.zip has no file bootstrap", "it has bin/bootstrap"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
		if !strings.Contains(strings.Join(strings.Fields(string(report)), " "), want) {
			t.Errorf("no %q in the report", want)
		}
	}
}

// TestNewUsersMistakes expects one line for each mistake, which says what to do.
func TestNewUsersMistakes(t *testing.T) {
	dir := inEmptyFolder(t)
	python := zipped(t, filepath.Join(dir, "python.zip"), "app.py", "x")
	handlerFolder(t, "mine")
	write(t, "records.jsonl", "")
	if status, _, stderr := twinstart(t, "invoke", "mine", "--bootstrap", "bashtcp"); status != exitOK { // packs the handler, which prints a line the first time only
		t.Fatalf("status %d: %s", status, stderr)
	}
	for name, value := range map[string]string{"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
		"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	zipped(t, "script.zip", "bootstrap", "#!/bin/sh\n")
	if status, _, stderr := twinstart(t, "package", "--layer", "--bootstrap", "bashtcp", "-o", "layer.zip"); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if status, _, stderr := twinstart(t, "run", "--source", "aws", "--function", "f", "--force-cold"); status == exitOK || stderr != "twinstart: no AWS credentials: run `aws sso login` or `aws login`, or set AWS_PROFILE\n" {
		t.Errorf("status %d: %s", status, stderr)
	}
	foreign := map[bool]string{true: "\xb7", false: "\x3e"}[arm.Host() == arm.X8664]
	other := zipped(t, "other.zip", "bootstrap", "\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 11)+foreign+"\x00"+strings.Repeat("\x00", 100))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"run"}, "give a package (twinstart run function.zip)"},
		{[]string{"run", python}, "managed runtime (python)"},
		{[]string{"run", "nothing.zip"}, "no such file: nothing.zip: name an existing package; or, for an arm, run `npx cdk synth` first (there is no cdk.out)"},
		{[]string{"run", "script.zip", "--bootstrap", "bashtcp"}, "--bootstrap is for a handler's folder"},
		{[]string{"run", "mine"}, "--bootstrap"},
		{[]string{"run", "mine", "--bootstrap", "bashtpc"}, "unknown bootstrap"},
		{[]string{"run", "mine", "mine", "--bootstrap", "bashtcp"}, "named twice"},
		{[]string{"run", "mine", "./mine", "--bootstrap", "bashtcp"}, "named twice"},
		{[]string{"run", "script.zip", "--memory", "128,128"}, "script.zip is named twice: name each package, arm and memory size once"},
		{[]string{"run", python, "--runtime", "python2.7", "--handler", "app.handler"}, "python2.7 has no stand-in here"},
		{[]string{"doctor", "--prepare", "ruby3.3"}, "ruby3.3 has no stand-in here"},
		{[]string{"run", "mine", "--bootstrap", "bashtcp", "--runtime", "python3.13"}, "--runtime python3.13 needs --handler"},
		{[]string{"run", other}, "this machine is"},
		{[]string{"run", other, "--architecture", string(arm.Host())}, "other.zip is for"},
		{[]string{"run", "records.jsonl"}, "is not a package"},
		{[]string{"run", python, "--source", "aws"}, "leave --source out"},
		{[]string{"run", "mine", "--env", "1=2"}, "NAME=VALUE"},
		{[]string{"run", "mine", "--memory", "64"}, "128 to 10240 MB"},
		{[]string{"invoke", "mine"}, "--bootstrap"},
		{[]string{"predict", python}, "managed runtime (python)"},
		{[]string{"lab", python}, "managed runtime (python)"},
		{[]string{"predict", other, "--against", "script.zip"}, "other.zip is for " + map[bool]string{true: "arm64, script.zip for x86_64", false: "x86_64, script.zip for arm64"}[arm.Host() == arm.X8664] + ": build both for one architecture"},
		{[]string{"predict", "script.zip", "--event", "absent.json"}, "open absent.json: no such file or directory: name an existing file, or leave the flag out"},
		{[]string{"predict", "layer.zip"}, "layer.zip has a bootstrap but no handler, like a layer"},
		{[]string{"logs", "--log-group", "/aws/lambda/f"}, "no AWS credentials: run `aws sso login`"},
		{[]string{"tune", "--function", "arn:aws:lambda:eu-west-1:123456789012:function:f"}, "no AWS credentials: run `aws sso login`"},
	} {
		status, stdout, stderr := twinstart(t, test.args...)
		if line, rest, _ := strings.Cut(stderr, "\n"); status != exitUsage || stdout != "" || rest != "" || !strings.Contains(line, test.want) {
			t.Errorf("%v: status %d, want one line with %q, got %q%q", test.args, status, test.want, stdout, stderr)
		}
	}
}

// TestExitStatuses checks the statuses of every command against the table in --help.
func TestExitStatuses(t *testing.T) {
	dir := inEmptyFolder(t)
	handlerFolder(t, "mine")
	write(t, "failing/handler.sh", "run() { echo no >&2; return 3; }\n")
	broken := write(t, filepath.Join(dir, "broken"), "#!/bin/sh\nexit 1\n")
	zipped(t, "old.zip", "bootstrap", nextLoop)
	zipped(t, "new.zip", "bootstrap", nextLoop+strings.Repeat("# more\n", 2000))
	write(t, "junk.zip", "rubbish")
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	packed := []string{"--bootstrap", "bashtcp"}
	tried := map[string]bool{}
	if status, _, stderr := twinstart(t, append([]string{"run", "mine", "--cold", "1", "--warm", "1", "--out", "old"}, packed...)...); status != exitOK {
		t.Fatal(stderr)
	}
	var all errgroup.Group // the commands wait more than they compute
	all.SetLimit(4)
	for _, test := range []struct {
		args []string
		ctx  context.Context
		want int
	}{
		{args: []string{"run"}, want: exitUsage},
		{args: append([]string{"run", "mine", "--cold", "1", "--warm", "0", "--out", "-"}, packed...), want: exitOK},
		{args: []string{"run", "--resume", "--out", "-"}, want: exitUsage},
		{args: append([]string{"run", "mine", broken, "--cold", "1", "--warm", "0", "--out", "lacking"}, packed...), want: exitIncomplete},
		{args: append([]string{"run", "mine", "--out", "stopped"}, packed...), ctx: interrupted, want: exitInterrupted},
		{args: append([]string{"load", "mine", "--requests", "4", "--out", "loaded"}, packed...), want: exitOK},
		{args: append([]string{"load", "mine", broken, "--requests", "4", "--out", "loadless"}, packed...), want: exitIncomplete},
		{args: []string{"load", "mine", "--rate", "fast"}, want: exitUsage},
		{args: append([]string{"invoke", "mine"}, packed...), want: exitOK},
		{args: append([]string{"invoke", "failing"}, packed...), want: exitFinding},
		{args: []string{"invoke", "absent"}, want: exitUsage},
		{args: append([]string{"predict", "mine"}, packed...), want: exitOK},
		{args: []string{"predict", "absent.zip"}, want: exitUsage},
		{args: append([]string{"predict", "mine", broken}, packed...), want: exitIncomplete},
		{args: []string{"predict", "new.zip", "--against", "old.zip", "--fail-on", "initReadKiB>100000%"}, want: exitOK},
		{args: []string{"predict", "new.zip", "--against", "old.zip", "--fail-on", "package>1KiB"}, want: exitFinding},
		{args: []string{"predict", "old.zip", "--fail-on", "package>1KiB"}, want: exitUsage},
		{args: []string{"predict", "old.zip", "--against", "new.zip", "--fail-on", "package>5"}, want: exitUsage},
		{args: []string{"predict", "old.zip", "--against", "new.zip", "--fail-on", ""}, want: exitUsage},
		{args: []string{"predict", "old.zip", "junk.zip"}, want: exitIncomplete},
		{args: []string{"predict", "new.zip", "--against", "junk.zip", "--fail-on", "package>1KiB"}, want: exitIncomplete},
		{args: append([]string{"predict", "mine"}, packed...), ctx: interrupted, want: exitInterrupted},
		{args: append([]string{"explain", "mine"}, packed...), want: exitOK},
		{args: []string{"explain", "absent.zip"}, want: exitUsage},
		{args: []string{"report", "old"}, want: exitOK},
		{args: []string{"report", "absent"}, want: exitUsage},
		{args: []string{"report", "old/report.json"}, want: exitOK},
		{args: []string{"report", "."}, want: exitUsage},
		{args: append([]string{"run", "mine", "--list"}, packed...), want: exitOK},
		{args: []string{"--version"}, want: exitOK},
		{args: nil, want: exitOK},
		{args: []string{"compare", "old", "old"}, want: exitOK},
		{args: []string{"compare", "old", "absent"}, want: exitUsage},
		{args: []string{"plan", "--effect", "5%", "--from", "absent"}, want: exitUsage},
		{args: []string{"import", "--format", "logs", "--arm", "f/zip", "absent"}, want: exitUsage},
		{args: []string{"logs"}, want: exitUsage},
		{args: []string{"lab", "--listen", "0.0.0.0:1"}, want: exitUsage},
		{args: append([]string{"lab", "mine", "--listen", "127.0.0.1:0"}, packed...), ctx: interrupted, want: exitOK},
		{args: append([]string{"plan", "mine", "--pilot", "12"}, packed...), want: exitOK},
		{args: append([]string{"plan", "mine", "--pilot", "2"}, packed...), want: exitUsage},
		{args: []string{"plan", "old.zip", "--from", "old"}, want: exitUsage},
		{args: []string{"plan"}, want: exitUsage},
		{args: []string{"tune", "--function", "absent"}, want: exitUsage},
		{args: []string{"tune", "--function", "old.zip", "--num", "5", "--dry-run"}, want: exitOK},
		{args: []string{"tune", "--function", broken, "--num", "5", "--powers", "128,256"}, want: exitIncomplete},
		{args: []string{"completion", "bash"}, want: exitOK},
		{args: []string{"completion", "dash"}, want: exitUsage},
		{args: []string{"man"}, want: exitOK},
		{args: []string{"doctor", "--root", "absent"}, want: exitUsage},
		{args: []string{"calibrate", "--aws", "absent", "--lab", "absent", "-o", "m.json"}, want: exitUsage},
		{args: []string{"preview"}, want: exitUsage},
		{args: append([]string{"package", "mine", "-o", "mine.zip"}, packed...), want: exitOK},
		{args: []string{"package", "mine", "--bootstrap", "bashtpc", "-o", "mine.zip"}, want: exitUsage},
	} {
		if test.ctx == nil {
			test.ctx = t.Context()
		}
		if len(test.args) > 0 {
			tried[test.args[0]] = true
		}
		all.Go(func() error {
			var stdout, stderr bytes.Buffer
			if status := run(test.ctx, test.args, &stdout, &stderr); status != test.want {
				t.Errorf("%v: status %d, want %d: %s", test.args, status, test.want, &stderr)
			}
			return nil
		})
	}
	_ = all.Wait()
	for _, command := range kong.Must(&cli{}).Model.Children {
		if !tried[command.Name] {
			t.Errorf("%s: no status was tried", command.Name)
		}
	}
	if _, help, _ := twinstart(t, "--help"); !strings.Contains(strings.Join(strings.Fields(help), " "), exitHelp) {
		t.Errorf("--help has no table of exit statuses: %s", help)
	}
}
