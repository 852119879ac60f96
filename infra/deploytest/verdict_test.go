//go:build deploy

package deploytest

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// TestVerdict runs `make verdict` with the real CDK CLI three times: once from two ZIP files to a report; once killed
// in the middle, so that the command that it names must clean up; once interrupted twice. Each time the account must
// be as before. MiniStack has the stack, and the double of Lambda's API runs the functions. The assembly is
// synthesized once.
func TestVerdict(t *testing.T) {
	t.Parallel()
	a := openAccount(t, "100000000004")
	files := somePackages(t)
	a.bootstrap(t)
	before := takeInventory(t, a.config(t))
	asBefore := func(when string) {
		t.Helper()
		if diff := cmp.Diff(before, takeInventory(t, a.config(t))); diff != "" {
			t.Errorf("%s the account is not as it was (-before +after):\n%s", when, diff)
		}
	}

	whole := a.beginVerdict(t, files, "")
	if status := whole.wait(); status != 0 {
		t.Errorf("status %d:\n%s", status, whole.output(t))
	}
	asBefore("after the verdict")
	whole.restored(t)
	whole.counted(t)

	synthesized := keepAssembly(t)
	killed := a.beginVerdict(t, files, synthesized)
	killed.awaitInvocations(t, 6)
	killed.signal(t, syscall.SIGKILL)
	killed.wait()
	if there := takeInventory(t, a.config(t))["functions"]; len(there) != 2*len(files) {
		t.Errorf("functions %v after a kill, want each package twice", there)
	}
	named := regexp.MustCompile("if this is killed, `(.*)` takes the stack down").FindStringSubmatch(killed.output(t))
	if named == nil {
		t.Fatalf("the output does not name the command that cleans up after a kill:\n%s", killed.output(t))
	}
	a.run(t, "bash", "-c", "YES=1 "+named[1])
	asBefore("after a kill and " + named[1])

	interrupted := a.beginVerdict(t, files, synthesized)
	interrupted.awaitInvocations(t, 6)
	interrupted.signal(t, syscall.SIGINT)
	interrupted.await(t, "destroying the stack", func() bool { return strings.Contains(interrupted.output(t), "destroying the stack") })
	interrupted.signal(t, syscall.SIGINT)
	if status := interrupted.wait(); status == 0 {
		t.Errorf("status 0 after Ctrl-C:\n%s", interrupted.output(t))
	}
	asBefore("after Ctrl-C")
	interrupted.restored(t)
}

// somePackages makes two ZIP files of one program each.
func somePackages(t *testing.T) (paths []string) {
	for _, name := range []string{"old.zip", "new_1.0.zip"} {
		path := filepath.Join(t.TempDir(), name)
		var text bytes.Buffer
		w := zip.NewWriter(&text)
		f, err := w.CreateHeader(&zip.FileHeader{Name: "bootstrap", ExternalAttrs: 0o755 << 16, CreatorVersion: 3 << 8})
		if err == nil {
			_, err = io.WriteString(f, "#!/bin/sh\n# "+name+"\n")
		}
		if err := errors.Join(err, w.Close(), os.WriteFile(path, text.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// verdict is a `make verdict` that may still be running.
type verdict struct {
	cmd    *exec.Cmd
	alive  io.Closer
	log    string
	out    string
	lambda *deployedDouble
	ended  chan struct{}
}

// keepAssembly copies the assembly that make verdict has synthesized. It returns a CDK CLI that copies it again for
// synth, and calls the real CLI for everything else.
func keepAssembly(t *testing.T) (cli string) {
	t.Helper()
	dir := t.TempDir()
	kept, built := filepath.Join(dir, "own.out"), filepath.Join(repository, "build", "own.out")
	if out, err := exec.Command("cp", "-a", built, kept).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cli = filepath.Join(dir, "cdk")
	text := "#!/bin/sh\nif [ \"$1\" = synth ]; then exec cp -a " + kept + " " + built + "; fi\nexec " + cdkCLI + " \"$@\"\n"
	if err := os.WriteFile(cli, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return cli
}

// beginVerdict starts make verdict with the real CDK CLI, or with another one.
func (a *account) beginVerdict(t *testing.T, files []string, cli string) verdict {
	t.Helper()
	dir := t.TempDir()
	v := verdict{log: filepath.Join(dir, "log"), out: filepath.Join(dir, "out"), lambda: &deployedDouble{account: a, t: t}, ended: make(chan struct{})}
	server := httptest.NewServer(v.lambda)
	t.Cleanup(server.Close)
	var err error
	settings := []string{"YES=1", "COLD=5", "WARM=5", "PACKAGES=" + strings.Join(files, " "), "OUT=" + v.out,
		"CONTEXT=-c observe=none -c tuning=off -c architecture=" + hostArchitecture()}
	if cli == "" {
		v.cmd, v.alive, err = tether("make", append([]string{"verdict"}, settings...)...)
	} else { // the script that make calls, without make's builds
		v.cmd, v.alive, err = tether("env", append(settings, "CDK="+cli, filepath.Join(repository, "infra", "verdict"))...)
	}
	if err != nil {
		t.Fatal(err)
	}
	log := must(os.Create(v.log))(t)
	defer log.Close()
	v.cmd.Dir, v.cmd.Stdout, v.cmd.Stderr = repository, log, log
	v.cmd.Env = append(a.environment(), "AWS_ENDPOINT_URL_LAMBDA="+server.URL)
	began := time.Now()
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		v.cmd.Wait()
		t.Logf("%5.1f s, make verdict", time.Since(began).Seconds())
		close(v.ended)
	}()
	t.Cleanup(func() { v.alive.Close(); <-v.ended })
	return v
}

// signal sends a signal to all its processes, as a terminal does.
func (v verdict) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-v.cmd.Process.Pid, s); err != nil {
		t.Fatal(err)
	}
}

func (v verdict) wait() (status int) {
	<-v.ended
	return v.cmd.ProcessState.ExitCode()
}

func (v verdict) output(t *testing.T) string { return string(must(os.ReadFile(v.log))(t)) }

func (v verdict) awaitInvocations(t *testing.T, n int) {
	t.Helper()
	v.await(t, "invocations", func() bool { return v.lambda.count("Invoke") >= n })
}

func (v verdict) await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-v.ended:
			t.Fatalf("it ended before %s:\n%s", what, v.output(t))
		default:
		}
		if there() {
			return
		}
	}
	t.Fatalf("no %s in 5 minutes:\n%s", what, v.output(t))
}

// restored compares each function with the deployed one, field by field.
func (v verdict) restored(t *testing.T) {
	t.Helper()
	d, deployed := v.lambda.get()
	for i, c := range d.List() {
		c.RevisionID, c.LastModified = deployed[i].RevisionID, deployed[i].LastModified
		if diff := cmp.Diff(deployed[i], c); diff != "" {
			t.Errorf("%s is not as it was deployed (-deployed +now):\n%s", c.Name, diff)
		}
	}
}

// counted checks that there are records of each package as ZIP and as image, as many as were asked for, and that the
// report names them.
func (v verdict) counted(t *testing.T) {
	t.Helper()
	counts := map[string]int{}
	for r, err := range record.All(bytes.NewReader(must(os.ReadFile(filepath.Join(v.out, "records.jsonl")))(t)), "records.jsonl") {
		if err != nil {
			t.Fatal(err)
		}
		if r.Marked == "" {
			counts[string(r.Start)+" "+r.Arm]++
		}
	}
	report := string(must(os.ReadFile(filepath.Join(v.out, "report.md")))(t))
	for _, arm := range []string{"old/zip", "old/image", "new-1-0/zip", "new-1-0/image"} {
		if counts["cold "+arm] < 4 || counts["warm "+arm] < 5 || !strings.Contains(report, arm) { // of five cold starts one is the first after the deployment
			t.Errorf("%s: %d cold and %d warm records that count; in the report: %v", arm, counts["cold "+arm], counts["warm "+arm], strings.Contains(report, arm))
		}
	}
}

// deployedDouble is Lambda's API over the functions that MiniStack has at the first call.
type deployedDouble struct {
	account *account
	t       *testing.T
	mu      sync.Mutex
	*double.Lambda
	deployed []api.Configuration
}

func (d *deployedDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/functions/") {
		l, _ := d.get()
		l.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r) // doctor asks about the account
}

func (d *deployedDouble) get() (*double.Lambda, []api.Configuration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Lambda == nil {
		answer, err := lambda.NewFromConfig(d.account.config(d.t)).ListFunctions(context.Background(), &lambda.ListFunctionsInput{})
		if err != nil {
			d.t.Error(err)
			answer = &lambda.ListFunctionsOutput{}
		}
		var functions []api.Configuration
		for _, f := range answer.Functions {
			functions = append(functions, configurationOf(f))
		}
		d.Lambda = double.New(functions...)
		d.Run = func(r double.Run) double.Answer { // takes as long as it reports: a call shorter than its INIT would be marked
			answer := double.Working(r)
			time.Sleep(time.Duration((answer.InitMs + answer.DurationMs) * float64(time.Millisecond)))
			return answer
		}
		d.InProgress = 1
		d.deployed = d.List()
	}
	return d.Lambda, slices.Clone(d.deployed)
}

func (d *deployedDouble) count(operation string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Lambda == nil {
		return 0
	}
	return d.Count(operation)
}

func configurationOf(f types.FunctionConfiguration) api.Configuration {
	c := double.Configuration(aws.ToString(f.FunctionName), int(aws.ToInt32(f.MemorySize)))
	c.ARN, c.PackageType, c.Runtime, c.Handler = aws.ToString(f.FunctionArn), string(f.PackageType), string(f.Runtime), aws.ToString(f.Handler)
	c.CodeSize, c.CodeSHA256, c.TimeoutSeconds, c.Environment = f.CodeSize, aws.ToString(f.CodeSha256), int(aws.ToInt32(f.Timeout)), map[string]string{}
	for _, a := range f.Architectures {
		c.Architecture = string(a)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.999999-0700", aws.ToString(f.LastModified)); err == nil {
		c.LastModified = at
	}
	return c
}
