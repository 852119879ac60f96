package main

import (
	"bufio"
	"bytes"
	"context"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/tools/need"
)

// asCommand makes the test binary the command itself, for tests that kill it.
const asCommand = "TWINSTART_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	// Tests use other user caches, but the same build cache of Go: else each test would compile Go's library.
	compiled, err := exec.Command("go", "env", "GOCACHE").Output()
	if err == nil {
		err = os.Setenv("GOCACHE", strings.TrimSpace(string(compiled)))
	}
	if err != nil {
		panic(err)
	}
	status := m.Run()
	if assemblyDir != "" {
		os.RemoveAll(assemblyDir)
	}
	os.Exit(status)
}

// twinstart runs the command as main does.
func twinstart(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

// TestUsersMistakes expects status 2 and one line that says what to do for each mistake.
func TestUsersMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty := filepath.Dir(write("empty/manifest.json", `{"version": "54.0.0", "artifacts": {}}`))
	rubbish := filepath.Dir(write("rubbish/manifest.json", `%PDF-1.7`))
	noArms := filepath.Dir(write("noarms/manifest.json", `{"version": "54.0.0", "artifacts": {"S": {"type": "aws:cloudformation:stack",
		"properties": {"templateFile": "S.template.json"}}}}`))
	write("noarms/S.template.json", `{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 128}}}}`)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	for name, test := range map[string]struct {
		args []string
		want []string // all in the one line
	}{
		"unknown command":      {[]string{"runn"}, []string{"runn", "run"}},
		"unknown flag":         {[]string{"run", "--clod", "5"}, []string{"--clod", "--help"}},
		"unknown source":       {[]string{"run", "--source", "moon"}, []string{"source", "moon", "lab"}},
		"count not a number":   {[]string{"run", "--cold", "many"}, []string{"cold", "many"}},
		"nothing to measure":   {[]string{"run", "--cold", "0", "--warm", "0"}, []string{"nothing to measure"}},
		"negative count":       {[]string{"run", "--cold=-1"}, []string{"nothing to measure"}},
		"pilot too large":      {[]string{"plan", "--pilot", "9223372036854775807", "x.zip"}, []string{"want 10 to 1000000 cold starts"}},
		"preview too large":    {[]string{"preview", "--cold", "9223372036854775807"}, []string{"--cold 9223372036854775807", "up to 1000000"}},
		"ZIP to a terminal":    {[]string{"package", "--layer", "--bootstrap", "bashtcp", "-o", "-"}, []string{"--out -", "name a file"}},
		"negative pace":        {[]string{"run", "--pace=-5s", "x.zip"}, []string{"--pace -5s", "no negative value"}},
		"count too large":      {[]string{"run", "--cold", "9223372036854775807", "x.zip"}, []string{"too much", "0 to 1000000"}},
		"repeats too large":    {[]string{"load", "--repeats", "9223372036854775807", "x.zip"}, []string{"--repeats at most 1000000"}},
		"infinite month":       {[]string{"run", "--monthly", "Inf", "x.zip"}, []string{"--monthly +Inf", "0 to 1e15"}},
		"file for a folder":    {[]string{"invoke", "--state", write("state", ""), filepath.Join(repository, "runtime/bashtcp/bootstrap")}, []string{"name another one with --state"}},
		"minus, apart":         {[]string{"run", "--cold", "-1"}, []string{"--cold -1 is negative: leave the minus out (see twinstart run --help)"}},
		"flag without a value": {[]string{"run", "--cold"}, []string{"--cold has no value: write --cold=VALUE"}},
		"flag for a value":     {[]string{"run", "--event", "--cold", "3"}, []string{"--event has no value"}},
		"list without a value": {[]string{"run", "--handler"}, []string{"--handler has no value"}},
		"not a time":           {[]string{"run", "--pace", "x"}, []string{`--pace: want a time such as 100ms, 30s or 10m, not "x"`}},
		"not a number":         {[]string{"run", "--monthly", "x"}, []string{`--monthly: want a number, not "x"`}},
		"folder for a file":    {[]string{"run", "--prices", dir, "x.zip"}, []string{"is a directory: name an existing file"}},
		"folder for logs":      {[]string{"import", dir}, []string{"is a directory: name an existing file"}},
		"prices not JSON":      {[]string{"run", "--prices", write("prices.json", "{"), "x.zip"}, []string{"unexpected end of JSON input: correct the JSON"}},
		"empty function":       {[]string{"run", "--source", "aws", "--function", ""}, []string{"--function is empty"}},
		"pilot too short":      {[]string{"plan", "--pilot", "2", "x.zip"}, []string{"--pilot 2: want 10"}},
		"pattern not closed":   {[]string{"plan", "--arms", "rawtcp/zip,[", "x.zip"}, []string{`"[" is not a valid pattern: use *`}},
		"effect of nothing":    {[]string{"plan", "--effect", "0", "x.zip"}, []string{"--effect 0"}},
		"parallel in the lab":  {[]string{"run", "--parallel", "4"}, []string{"--parallel", "aws"}},
		"nothing to resume":    {[]string{"run", "--resume", "--out", dir}, []string{"nothing to resume", dir}},
		"no assembly":          {[]string{"run", "--assembly", filepath.Join(dir, "absent")}, []string{"absent", "cdk synth"}},
		"empty assembly":       {[]string{"run", "--assembly", empty}, []string{"empty", "cdk synth"}},
		"rubbish for assembly": {[]string{"run", "--assembly", rubbish}, []string{"manifest.json", "cdk synth"}},
		"assembly, no arms":    {[]string{"run", "--assembly", noArms}, []string{"nothing to measure", "not an asset", "cdk synth"}},
		"no stack of the name": {[]string{"run", "--assembly", noArms, "--stack", "T"}, []string{`"T"`, "--stack"}},
		"invoke, no arm":       {[]string{"invoke"}, []string{"path|arm"}},
		"invoke, no assembly":  {[]string{"invoke", "nethttp/zip", "--assembly", dir}, []string{"cdk synth"}},
		"event not JSON":       {[]string{"run", "--event", filepath.Join(rubbish, "manifest.json"), "x.zip"}, []string{"not JSON"}},
		"no event file":        {[]string{"invoke", "nethttp/zip", "--event", filepath.Join(dir, "absent.json")}, []string{"event", "absent.json"}},
		"no records":           {[]string{"report"}, []string{"<records>"}},
		"records absent":       {[]string{"report", filepath.Join(dir, "absent.jsonl")}, []string{"absent.jsonl"}},
		"records empty":        {[]string{"report", write("empty.jsonl", "")}, []string{"no records", "twinstart run"}},
		"records are rubbish":  {[]string{"report", write("rubbish.jsonl", "\x00\x01\nhello\n")}, []string{"rubbish.jsonl"}},
		"unknown format":       {[]string{"report", "--format", "html5", "x"}, []string{"html5", "markdown"}},
		"port in use":          {[]string{"lab", "--listen", listener.Addr().String()}, []string{listener.Addr().String(), "--listen"}},
		"not loopback":         {[]string{"lab", "--listen", "0.0.0.0:9001"}, []string{"loopback", "127.0.0.1"}},
		"no port":              {[]string{"lab", "--listen", "9001"}, []string{"--listen"}},
		"lab, concurrency 0":   {[]string{"lab", "--concurrency", "0"}, []string{"--concurrency 0", "1 or more"}},
		"preview, limit":       {[]string{"preview", "--limit=-1"}, []string{"--limit -1", "0 for none"}},
		"lab, negative idle":   {[]string{"lab", "--idle=-3s"}, []string{"--idle -3s", "0s or more"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := twinstart(t, test.args...)
			if status != exitUsage {
				t.Errorf("exit status %d, want %d; stderr: %s", status, exitUsage, stderr)
			}
			if stdout != "" {
				t.Errorf("standard output is not empty: %s", stdout)
			}
			if line, rest, _ := strings.Cut(stderr, "\n"); rest != "" || !strings.HasPrefix(line, "twinstart: ") {
				t.Errorf("want one line by twinstart, got %q", stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q does not say %q", stderr, want)
				}
			}
		})
	}
}

// full is a file on a full disk.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}
}

// TestLostOutput expects status 2 if a result could not be written.
func TestLostOutput(t *testing.T) {
	var stderr strings.Builder
	status := run(t.Context(), []string{"doctor", "--local"}, full{}, &stderr)
	const want = "twinstart: write out: no space left on device: make room, or name another folder\n"
	if status != exitUsage && status != exitFinding || !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("status %d, stderr %q, want %q", status, stderr.String(), want)
	}
}

// TestCalibrateNamesFewLines expects that a file of rubbish does not fill the terminal.
func TestCalibrateNamesFewLines(t *testing.T) {
	rubbish := filepath.Join(t.TempDir(), "rubbish.jsonl")
	if err := os.WriteFile(rubbish, []byte(strings.Repeat("x\n", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := twinstart(t, "calibrate", "--aws", rubbish, "--lab", rubbish, "-o", rubbish+".json")
	if lines := strings.Count(stderr, "\n"); status != exitUsage || lines != maxNamed+1 {
		t.Errorf("status %d and %d lines, want %d lines that name some and one that says what to do", status, lines, maxNamed+1)
	}
}

// TestHangUp closes the terminal of a lab, which must end in order. Under nohup it must go on.
func TestHangUp(t *testing.T) {
	need.Time(t)
	for _, nohup := range []bool{false, true} {
		state := t.TempDir()
		script := map[bool]string{true: "trap '' HUP; "}[nohup] + `exec "$0" lab --listen 127.0.0.1:0 ` + filepath.Join(repository, "runtime/bashtcp")
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script, os.Args[0])
		cmd.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+state)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "Lambda's API:") {
		}
		_ = cmd.Process.Signal(syscall.SIGHUP)
		if nohup {
			time.Sleep(200 * time.Millisecond)
			c, err := net.Dial("tcp", lines.Text()[strings.LastIndex(lines.Text(), "/")+1:])
			if err != nil {
				t.Fatal("a lab under nohup ended with its terminal:", err)
			}
			c.Close()
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		err = cmd.Wait()
		left, _ := os.ReadDir(state)
		if err != nil || len(left) > 0 {
			t.Errorf("nohup %v: %v, left %v", nohup, err, left)
		}
	}
}

// TestKilledPlan kills a pilot run: the next lab removes what it left.
func TestKilledPlan(t *testing.T) {
	need.Time(t)
	t.Setenv("TMPDIR", t.TempDir())
	cmd := exec.CommandContext(t.Context(), os.Args[0], "plan", "--pilot", "100000", filepath.Join(repository, "runtime/bashtcp"))
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for pilot := []string{}; len(pilot) == 0; time.Sleep(10 * time.Millisecond) {
		pilot, _ = filepath.Glob(filepath.Join(os.TempDir(), "*", recordsName))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_, cleanup, err := lab.OpenPlace("")
	cleanup()
	if left, _ := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v, left %v", err, left)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"run", "--help"}, {"report", "--help"}, {"invoke", "--help"}, {"lab", "--help"}, {"--version"}, {"help"}, {}} {
		status, stdout, stderr := twinstart(t, args...)
		if status != exitOK || stdout == "" || stderr != "" {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// TestProcessOneStartsEarly starts the program as the lab does. It must wait for the lab's message before most packages
// are initialized.
func TestProcessOneStartsEarly(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the lab needs Linux")
	}
	var trace strings.Builder
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args, cmd.Env, cmd.Stderr = []string{"twinstart-environment"}, []string{"GODEBUG=inittrace=1"}, &trace
	_ = cmd.Run() // it ends at once, because no lab sends it a message
	if !strings.Contains(trace.String(), "init os ") {
		t.Fatal("no trace of what is initialized:", trace.String())
	}
	for _, late := range []string{"/schemas ", "aws-sdk-go-v2/config ", "init net ", "init main "} {
		if strings.Contains(trace.String(), late) {
			t.Errorf("%s is initialized first", late)
		}
	}
}
