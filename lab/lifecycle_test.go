package lab_test

import (
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/tools/need"
)

// function returns the test bootstrap as a ZIP function.
func function(t testing.TB, id string, props map[string]any) spec {
	return spec{id: id, files: map[string]string{"bootstrap": builtBootstrap(t)}, props: props}
}

func environment(pairs ...string) map[string]any {
	v := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = pairs[i+1]
	}
	return map[string]any{"Environment": map[string]any{"Variables": v}}
}

// outcome is what the caller sees of an invocation.
type outcome struct {
	payload, failure, log string
}

func invoke(t testing.TB, c *lambda.Client, name, event string) outcome {
	t.Helper()
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event), LogType: types.LogTypeTail})
	must(t, err)
	return outcome{string(out.Payload), aws.ToString(out.FunctionError), tail(t, out)}
}

// matches replaces the IDs and figures in a text and compares it with the wanted text.
func matches(t testing.TB, got, want string) {
	t.Helper()
	for _, r := range []struct{ re, with string }{
		{`[0-9a-f]{8}-[0-9a-f-]{27}`, "ID"}, {`\d{4}-\d\d-\d\dT[0-9:.]+Z`, "TIME"}, {`\d+\.\d\d ms`, "N ms"}, {`Billed Duration: \d+`, "Billed Duration: N"},
		{`Max Memory Used: [1-9]\d*`, "Max Memory Used: N"}, {`(KiB|Chunks)":\d+`, `$1":N`},
		{`(,"initCPUMs":[\d.]+)?(,"firstResponseCPUMs":[\d.]+)?,"initPageFaults":\d+,"initMajorPageFaults":\d+`, ""}, // whether these are there depends on the machine: see TestCounts
	} {
		got = regexp.MustCompile(r.re).ReplaceAllString(got, r.with)
	}
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

const (
	start   = "START RequestId: ID Version: $LATEST\n"
	end     = "END RequestId: ID\n"
	warm    = "REPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: N MB\t"
	cold    = warm + "Init Duration: N ms\t"
	counted = "\n" + `{"time":"TIME","type":"lab.report","record":{"requestId":"ID","initReadKiB":N,"initReadChunks":N`
	initLAB = counted + "}}"
	labLine = counted + `,"firstResponseReadKiB":N,"firstResponseReadChunks":N}}`
)

func TestColdThenWarm(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	got := invoke(t, c, "F", `{"a":"b"}`)
	if got.payload != `{"a":"b"}` || got.failure != "" {
		t.Errorf("got %+v", got)
	}
	matches(t, got.log, start+end+cold+labLine+"\n")
	matches(t, invoke(t, c, "F", `{}`).log, start+end+warm+"\n")
}

func TestOutputIsInTheLogOfItsInvocation(t *testing.T) {
	t.Parallel()
	log := &log{}
	c := client(t, openLab(t, lab.Options{Log: log}, function(t, "F", nil)))
	matches(t, invoke(t, c, "F", `{"do":"log"}`).log, start+"to stderr, unended\n"+end+cold+labLine+"\n")
	matches(t, log.String(), "TIME F INIT_START Runtime Version: provided:al2023.lab\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:provided:al2023.lab\nTIME F "+start+"TIME F to stderr, unended\nTIME F "+end+"TIME F "+cold+strings.Replace(labLine, "\n", "\nTIME F ", 1)+"\n")
}

func TestEnvironmentIsLambdas(t *testing.T) {
	t.Parallel()
	c := client(t, openLab(t, lab.Options{Measured: true}, function(t, "F", environment("GREETING", "hello $world"))))
	var about struct {
		N, UID, GID, PID      int
		Env                   []string
		CWD, Hostname, Status string
		Tmp, Task, Usr, Host  bool
		Header                map[string][]string
	}
	must(t, json.Unmarshal([]byte(invoke(t, c, "F", `{"do":"about"}`).payload), &about))
	if about.UID != 993 || about.GID != 990 || about.CWD != "/var/task" || about.PID == 1 || about.PID > 100 {
		t.Errorf("got %+v", about)
	}
	if !about.Tmp || about.Task || about.Usr || about.Host {
		t.Errorf("/tmp writable %v, /var/task writable %v, /usr writable %v, the host's folders seen %v", about.Tmp, about.Task, about.Usr, about.Host)
	}
	if !strings.Contains(about.Status, "NoNewPrivs:\t1") || !strings.Contains(about.Status, "CapEff:\t0000000000000000") {
		t.Errorf("privileges: %s", about.Status)
	}
	env := strings.Join(about.Env, "\n") + "\n"
	for _, want := range []string{"GREETING=hello $world\n", "_HANDLER=handler.run\n", "LAMBDA_TASK_ROOT=/var/task\n", "AWS_LAMBDA_FUNCTION_NAME=F\n",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128\n", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST\n", "AWS_REGION=us-east-1\n", "TZ=:UTC\n",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/F\n", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %q in %s", want, env)
		}
	}
	for _, name := range []string{"Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Deadline-Ms", "Lambda-Runtime-Trace-Id"} {
		if len(about.Header[name]) != 1 || about.Header[name][0] == "" {
			t.Errorf("header %s: %q", name, about.Header[name])
		}
	}
	if got := about.Header["Lambda-Runtime-Invoked-Function-Arn"]; len(got) != 1 || got[0] != "arn:aws:lambda:us-east-1:000000000000:function:F" {
		t.Errorf("ARN: %q", got)
	}
}

func TestReportedErrorKeepsTheEnvironment(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	got := invoke(t, c, "F", `{"do":"fail"}`)
	if got.failure != "Unhandled" || got.payload != `{"errorType":"Custom","errorMessage":"as asked"}` {
		t.Errorf("got %+v", got)
	}
	matches(t, invoke(t, c, "F", `{}`).log, start+end+warm+"\n")
}

func TestCrash(t *testing.T) {
	t.Parallel()
	for event, reason := range map[string]string{`{"do":"exit"}`: "exit status 4", `{"do":"kill"}`: "signal: killed"} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			c := client(t, newLab(t, function(t, "F", nil)))
			got := invoke(t, c, "F", event)
			if got.failure != "Unhandled" {
				t.Errorf("got %+v", got)
			}
			matches(t, got.payload, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: `+reason+`"}`)
			matches(t, got.log, start+"RequestId: ID Error: Runtime exited with error: "+reason+"\nRuntime.ExitError\n"+end+
				cold+"Status: error\tError Type: Runtime.ExitError\t"+initLAB+"\n")
			// The next invocation runs INIT in the same environment, and its log has no line about INIT.
			matches(t, invoke(t, c, "F", `{}`).log, start+end+warm+"\n")
			matches(t, invoke(t, c, "F", `{}`).log, start+end+warm+"\n")
		})
	}
}

// If a bootstrap closes its connection and ends before it has read the event, the lab must not wait for the time-out.
func TestBootstrapThatEndsBeforeItTakesTheEvent(t *testing.T) {
	t.Parallel()
	log := &log{}
	c := client(t, openLab(t, logTo(log), function(t, "F", map[string]any{"Timeout": 900})))
	if got := invoke(t, c, "F", `{"do":"drop","size":3000}`); got.payload != `"dropped"` {
		t.Fatalf("got %+v", got)
	}
	log.await(t, "F closed\n") // the connection with the request for the event
	got := invoke(t, c, "F", `{}`)
	matches(t, got.payload, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 5"}`)
	if got := invoke(t, c, "F", `{}`); got.payload != `{}` {
		t.Errorf("afterwards: %+v", got)
	}
}

func TestIdleEnvironmentsEnd(t *testing.T) {
	t.Parallel()
	c := client(t, openLab(t, lab.Options{Idle: 50 * time.Millisecond}, function(t, "F", nil)))
	invoke(t, c, "F", `{}`)
	eventually(t, "no pause makes the next invocation cold", func() string {
		time.Sleep(200 * time.Millisecond)
		if got := invoke(t, c, "F", `{}`); !strings.Contains(got.log, "Init Duration") {
			return got.log
		}
		return ""
	})
}

// If a package could not be read, the next invocation must try again to read it.
func TestPackageThatCanBeReadLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.zip")
	l := newLab(t, function(t, "F", nil))
	f := l.Functions()[0]
	must(t, os.Rename(f.Package, path))
	c := client(t, l)
	if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("F")}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Fatalf("got %v", err)
	}
	must(t, os.Rename(path, f.Package))
	if got := invoke(t, c, "F", `{}`); got.payload != `{}` {
		t.Errorf("got %+v", got)
	}
}

// If the lab does not measure, each function has its own user, so that functions share no limits and no keys. The user's
// name is one of Lambda's.
func TestFunctionsHaveUsersOfTheirOwn(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		need.Missing(t, "root: without it each environment has the lab's own user")
	}
	c := client(t, newLab(t, function(t, "F", nil), function(t, "G", nil)))
	seen := map[string]bool{}
	for _, name := range []string{"F", "G"} {
		got := invoke(t, c, name, `{"do":"shell","path":"id -u; id -un; echo $HOME; touch /tmp/x; stat -c %U /tmp/x"}`)
		uid, rest, _ := strings.Cut(strings.Trim(got.payload, `"`), `\n`)
		// The lab's user IDs have ten digits.
		if seen[uid] || len(uid) != 10 || strings.Count(rest, "sbx_user1051") != 2 {
			t.Errorf("%s: %s", name, got.payload)
		}
		seen[uid] = true
	}
}

// A process that a function leaves running must stand still between invocations, and go on during the next one.
func TestFreeze(t *testing.T) {
	t.Parallel()
	c := client(t, openLab(t, lab.Options{Freeze: true}, function(t, "F", map[string]any{"MemorySize": 1769})))
	ticks := func() int {
		n, err := strconv.Atoi(strings.Trim(strings.SplitN(shell(t, c, `wc -l </tmp/ticks`), `\n`, 2)[0], `"`))
		must(t, err)
		return n
	}
	shell(t, c, `touch /tmp/ticks; (while :; do echo >>/tmp/ticks; sleep 0.02; done) >/dev/null 2>&1 &`)
	for tries := 1; ; tries++ { // on a busy machine the freeze may come late
		before := ticks()
		time.Sleep(time.Second)
		n := ticks() - before
		if n <= 3 {
			break
		}
		if tries == 5 { // a process that is not frozen makes about 50
			t.Errorf("%d ticks in a second without an invocation", n)
			break
		}
	}
	if got := shell(t, c, `from=$(wc -l </tmp/ticks); while (($(wc -l </tmp/ticks) < from + 20)); do sleep 0.05; done; echo thawed`); !strings.Contains(got, "thawed") {
		t.Errorf("during an invocation: %s", got)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", map[string]any{"Timeout": 1})))
	got := invoke(t, c, "F", `{"do":"sleep"}`)
	if got.failure != "Unhandled" || !strings.Contains(got.log, "\tDuration: 1000.00 ms\t") {
		t.Errorf("got %+v", got)
	}
	matches(t, got.payload, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}`)
	matches(t, got.log, start+"TIME ID Task timed out after 1.00 seconds\n\n"+end+cold+"Status: timeout\t"+initLAB+"\n")
	matches(t, invoke(t, c, "F", `{}`).log, start+end+warm+"\n")
}

func TestFailedInitRunsAgainInTheInvocation(t *testing.T) {
	t.Parallel()
	const exit = "Status: error\tError Type: Runtime.ExitError\t\n"
	c := client(t, newLab(t, function(t, "Exit", environment("INIT", "exit")), function(t, "Error", environment("INIT", "error")), function(t, "Once", environment("INIT", "once"))))

	got := invoke(t, c, "Exit", `{}`)
	matches(t, got.payload, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 7"}`)
	matches(t, got.log, "init says goodbye\nINIT_REPORT Init Duration: N ms\tPhase: init\t"+exit+start+"init says goodbye\nINIT_REPORT Init Duration: N ms\tPhase: invoke\t"+exit+
		"RequestId: ID Error: Runtime exited with error: exit status 7\nRuntime.ExitError\n"+end+warm+exit)

	got = invoke(t, c, "Error", `{}`)
	if got.failure != "Unhandled" || got.payload != `{"errorType":"Runtime.NoSuchHandler","errorMessage":"no such handler"}` {
		t.Errorf("got %+v", got)
	}

	got = invoke(t, c, "Once", `{}`)
	if got.failure != "" {
		t.Errorf("got %+v", got)
	}
	matches(t, got.log, "INIT_REPORT Init Duration: N ms\tPhase: init\t"+exit+start+end+warm+"\n")
}

func TestInitLimit(t *testing.T) {
	t.Parallel()
	l := newLab(t, function(t, "F", map[string]any{"Timeout": 1, "Environment": environment("INIT", "slow")["Environment"]}))
	l.SetInitLimit(200 * time.Millisecond)
	got := invoke(t, client(t, l), "F", `{}`)
	matches(t, got.payload, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}`)
	matches(t, got.log, "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: timeout\t\n"+start+"INIT_REPORT Init Duration: N ms\tPhase: invoke\tStatus: timeout\t\n"+
		"TIME ID Task timed out after 1.00 seconds\n\n"+end+warm+"Status: timeout\t\n")
}

func TestNoBootstrap(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, spec{id: "F", files: map[string]string{"readme": "lab_test.go"}}))
	got := invoke(t, c, "F", `{}`)
	matches(t, got.payload, `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}`)
}

func TestResponseTooLarge(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	if got := invoke(t, c, "F", `{"do":"large","size":6291456}`); got.failure != "" || len(got.payload) != 6<<20 {
		t.Errorf("6 MB: %s, %d bytes", got.failure, len(got.payload))
	}
	got := invoke(t, c, "F", `{"do":"large","size":6400000}`)
	matches(t, got.payload, `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"RequestId: ID Error: Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`)
	matches(t, got.log, start+"status 413\n"+end+warm+"\n")
}

func TestLogTailIsTheLast4KB(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	got := invoke(t, c, "F", `{"do":"chatter","size":20000}`)
	if len(got.log) != 4096 || !strings.Contains(got.log, "REPORT RequestId") || strings.Contains(got.log, "START") {
		t.Errorf("%d bytes: %s", len(got.log), got.log)
	}
}

// If nohup starts the lab, or a script starts it in the background, the lab ignores some signals. Its functions must not
// ignore them, because on Lambda they do not.
func TestFunctionsIgnoreNoSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT)
	defer signal.Reset(syscall.SIGHUP, syscall.SIGINT)
	c := client(t, newLab(t, function(t, "F", nil)))
	event, err := json.Marshal(map[string]string{"do": "shell", "path": `grep SigIgn: /proc/self/status`})
	must(t, err)
	got := invoke(t, c, "F", string(event))
	bits := regexp.MustCompile(`[0-9a-f]{16}`).FindString(got.payload)
	if ignored, err := strconv.ParseUint(bits, 16, 64); err != nil || ignored&0b11 != 0 {
		t.Errorf("SIGHUP or SIGINT is ignored: %+v", got)
	}
}
