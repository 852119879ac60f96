package lab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/lab"
)

// snapStart starts a lab with an image that has SnapStart. does says what the image's hooks do. format is the log's
// format, Text or JSON.
func snapStart(t *testing.T, options lab.Options, does, format string) (*lab.Lab, *lambda.Client) {
	t.Helper()
	timeout := 60
	if does == "before hangs" {
		timeout = 1 // INIT before a snapshot may always take as long as an invocation
	}
	l := openLab(t, options, spec{id: "F", image: taskOnly, files: map[string]string{"bootstrap": builtBootstrap(t)}, props: map[string]any{
		"SnapStart":     map[string]any{"ApplyOn": "PublishedVersions"},
		"Environment":   map[string]any{"Variables": map[string]string{"SNAPSTART": does}},
		"LoggingConfig": map[string]any{"LogFormat": format},
		"Timeout":       timeout,
	}})
	return l, client(t, l)
}

// settled publishes a version and waits until it is no longer pending.
func settled(t *testing.T, c *lambda.Client) (state types.State, reason string) {
	t.Helper()
	v, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F")})
	must(t, err)
	if v.State != types.StatePending {
		t.Errorf("a version with SnapStart is published as %s", v.State)
	}
	for range 1200 {
		got, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F:" + *v.Version)})
		must(t, err)
		if got.State != types.StatePending {
			return got.State, aws.ToString(got.StateReason)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("after a minute the version is still pending")
	return "", ""
}

func TestSnapStart(t *testing.T) {
	t.Parallel()
	log, gate := &log{}, newGate(t)
	defer gate.open()
	options := gate.options()
	options.Log = log
	_, c := snapStart(t, options, "", "Text")
	if out := invoke(t, c, "F", `{"do":"about"}`); !strings.Contains(out.log, "Init Duration") || !strings.Contains(out.payload, "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand") {
		t.Errorf("$LATEST has SnapStart: %+v", out)
	}
	if state, reason := settled(t, c); state != types.StateActive {
		t.Fatalf("%s: %s\n%s", state, reason, log)
	}
	if !strings.Contains(log.String(), "INIT_REPORT Init Duration: ") || strings.Contains(log.String(), "RESTORE") {
		t.Errorf("the log of INIT: %s", log)
	}
	for qualifier, want := range map[string]types.SnapStartOptimizationStatus{"F": "Off", "F:1": "On"} {
		got, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &qualifier})
		if must(t, err); got.SnapStart.ApplyOn != types.SnapStartApplyOnPublishedVersions || got.SnapStart.OptimizationStatus != want {
			t.Errorf("%s: %+v", qualifier, got.SnapStart)
		}
	}
	first := on(t, c, "1", `{"do":"about"}`)
	if text := tail(t, first); !strings.Contains(text, "\tRestore Duration: ") || !strings.Contains(text, "\tBilled Restore Duration: ") || strings.Contains(text, "Init Duration") {
		t.Errorf("the first invocation of the version: %s", text)
	}
	if all := log.String(); !strings.Contains(all, "RESTORE_REPORT Restore Duration: ") {
		t.Errorf("no report of the restore in the log: %s", all)
	}
	for name, there := range map[string]bool{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start": true, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:": true,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=": true, "AWS_ACCESS_KEY_ID=": false, "AWS_SECRET_ACCESS_KEY=": false, "AWS_SESSION_TOKEN=": false,
		"AWS_LAMBDA_LOG_GROUP_NAME=": false, "AWS_LAMBDA_LOG_STREAM_NAME=": false} {
		if strings.Contains(string(first.Payload), name) != there {
			t.Errorf("the restored environment has the variable %s: %t, want %t", name, !there, there)
		}
	}
	keys := on(t, c, "1", `{"do":"shell","path":"curl -s -H \"Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN\" $AWS_CONTAINER_CREDENTIALS_FULL_URI; curl -s -w '%{http_code}' $AWS_CONTAINER_CREDENTIALS_FULL_URI"}`)
	if text := string(keys.Payload); !strings.Contains(text, `\"AccessKeyId\":\"ASIALAB`) || !strings.Contains(text, `\"Token\":`) || !strings.Contains(text, "404") ||
		strings.Contains(tail(t, keys), "Restore Duration") {
		t.Errorf("credentials: %s, %s", text, tail(t, keys))
	}
	// After a crash Lambda runs a whole INIT and does not restore the snapshot.
	on(t, c, "1", `{"do":"exit"}`)
	again := on(t, c, "1", `{"do":"about"}`)
	if text := tail(t, again); again.FunctionError != nil || strings.Contains(text, "Restore") || !strings.Contains(string(again.Payload), `"n":1`) {
		t.Errorf("after a crash: %s, %s", again.Payload, text)
	}
	// A second environment is restored too.
	held := make(chan *lambda.InvokeOutput)
	go func() { held <- on(t, c, "1", `{"do":"hold"}`) }()
	gate.await(t, 1)
	if text := tail(t, on(t, c, "1", `{}`)); !strings.Contains(text, "\tRestore Duration: ") {
		t.Errorf("the second environment: %s", text)
	}
	gate.open()
	if out := <-held; out.FunctionError != nil {
		t.Errorf("the held invocation: %s", out.Payload)
	}
	_, err := c.PutProvisionedConcurrencyConfig(t.Context(), &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: aws.String("F"), Qualifier: aws.String("1"), ProvisionedConcurrentExecutions: aws.Int32(1)})
	if errorCode(err) != "InvalidParameterValueException" || !strings.Contains(err.Error(), "SnapStart") {
		t.Errorf("provisioned concurrency: %v", err)
	}
}

func TestSnapStartEvents(t *testing.T) {
	t.Parallel()
	log := &log{}
	_, c := snapStart(t, logTo(log), "", "JSON")
	if state, reason := settled(t, c); state != types.StateActive {
		t.Fatalf("%s: %s", state, reason)
	}
	_, all := events(t, tail(t, on(t, c, "1", `{}`)))
	if last := all[len(all)-1]; last.Type != "platform.report" || last.Record.Metrics["restoreDurationMs"] <= 0 || last.Record.Metrics["billedRestoreDurationMs"] < 1 {
		t.Errorf("got %+v", last)
	}
	for _, kind := range []string{`"platform.initReport","record":{"initializationType":"snap-start","phase":"init","status":"success"`, `"platform.restoreReport","record":{"status":"success"`} {
		if !strings.Contains(log.String(), kind) {
			t.Errorf("no %s in %s", kind, log)
		}
	}
}

func TestSnapStartFails(t *testing.T) {
	t.Parallel()
	for does, want := range map[string]struct {
		state        types.State
		reason, call string // of the version, and of an invocation
		log          string
	}{
		"before fails": {types.StateFailed, "Runtime.BeforeSnapshotError", "ResourceConflictException", "Status: error\tError Type: Runtime.BeforeSnapshotError"},
		"before hangs": {types.StateFailed, "Sandbox.Timedout", "ResourceConflictException", "INIT_REPORT Init Duration: 1500.00 ms\tPhase: init\tStatus: timeout"},
		"unaware":      {types.StateFailed, "restore/next", "ResourceConflictException", "Status: error"},
		"after fails":  {types.StateActive, "", "SnapStartException", "Status: error\tError Type: Runtime.AfterRestoreError"},
		"after hangs":  {types.StateActive, "", "SnapStartTimeoutException", "RESTORE_REPORT Restore Duration: 700.00 ms\tStatus: timeout"},
	} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			log := &log{}
			l, c := snapStart(t, logTo(log), does, "Text")
			switch does { // the other cases keep the limits, because a busy machine is slow
			case "before hangs":
				l.SetSnapLimits(1500*time.Millisecond, time.Minute)
			case "after hangs":
				l.SetSnapLimits(time.Minute, 700*time.Millisecond)
			}
			state, reason := settled(t, c)
			if state != want.state || !strings.Contains(reason, want.reason) {
				t.Errorf("the version is %s: %s", state, reason)
			}
			for range 2 { // each restore has its own environment
				if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("F"), Qualifier: aws.String("1")}); errorCode(err) != want.call {
					t.Errorf("got %v, want %s", err, want.call)
				}
			}
			log.await(t, want.log)
		})
	}
}

// TestSnapStartOfRawsyscall publishes a version with the project's own bootstrap and restores it twice.
func TestSnapStartOfRawsyscall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-ldflags=-s -w -E=main.entry", "-o", filepath.Join(dir, "bootstrap"), "../runtime/rawsyscall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const handler = `RANDOM=42 kept=init
before_snapshot() { kept+=,before; }
after_restore() { kept+=,after at=$EPOCHSECONDS; }
run() { [[ $1 != *hold* ]] || curl -s "$AWS_ENDPOINT_URL_GATE"; printf '"%s %s"' "$kept" "$RANDOM"; }
`
	must(t, os.WriteFile(filepath.Join(dir, "handler.sh"), []byte(handler), 0o644))
	log, gate := &log{}, newGate(t)
	defer gate.open()
	options := gate.options()
	options.Log = log
	c := client(t, openLab(t, options, spec{id: "F", image: strings.Replace(taskOnly, "COPY package/bootstrap /var/task", "COPY package/ /var/task/", 1) + "CMD [\"handler.run\"]\n",
		files: map[string]string{"bootstrap": filepath.Join(dir, "bootstrap"), "handler.sh": filepath.Join(dir, "handler.sh")},
		props: map[string]any{"Timeout": 60, "SnapStart": map[string]any{"ApplyOn": "PublishedVersions"}}}))
	if state, reason := settled(t, c); state != types.StateActive {
		t.Fatalf("%s: %s\n%s", state, reason, log)
	}
	held := make(chan *lambda.InvokeOutput)
	go func() { held <- on(t, c, "1", `"hold"`) }()
	gate.await(t, 1)
	one := string(on(t, c, "1", `{}`).Payload)
	gate.open()
	other := string((<-held).Payload)
	if !strings.HasPrefix(one, `"init,before,after `) || !strings.HasPrefix(other, `"init,before,after `) || one == other {
		t.Errorf("two restores answer %s and %s: both must have what the hooks kept, and their random numbers must differ", one, other)
	}
}
