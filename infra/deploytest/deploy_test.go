//go:build deploy

package deploytest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
)

const stackName = "Twinstart-packaging"

// TestDeploy is the whole life of the default experiment in an account.
func TestDeploy(t *testing.T) {
	e := startEmulator(t)
	cfg := e.config(t)
	e.cdk(t, "bootstrap", "aws://"+account+"/"+region)
	before := takeInventory(t, cfg)

	assembly := filepath.Join(e.dir, "cdk.out")
	e.cdk(t, "synth", "--quiet", "--output", assembly, "-c", "architecture="+hostArchitecture())
	template := readTemplate(t, filepath.Join(assembly, stackName+".template.json"))
	template.leaveOut(t)

	began := time.Now()
	e.cdk(t, "deploy", "--app", assembly, "--require-approval", "never")
	took := time.Since(began)
	stack := readDeployed(t, cfg, stackName, template)
	stack.compare(t, cfg, assets(t, assembly, stackName))

	if again := e.cdk(t, "deploy", "--app", assembly, "--require-approval", "never"); !strings.Contains(again, "(no changes)") {
		t.Errorf("the second deployment changed something:\n%s", again)
	}
	t.Run("invoke", func(t *testing.T) { invoke(t, e, stack, lambda.NewFromConfig(cfg)) })
	t.Run("measure", func(t *testing.T) { measure(t, e, stack, assembly, lambda.NewFromConfig(cfg)) })

	began = time.Now()
	e.cdk(t, "destroy", "--app", assembly, "--force")
	t.Logf("deploy and destroy: %.1f s", (took + time.Since(began)).Seconds())
	if diff := cmp.Diff(before, takeInventory(t, cfg)); diff != "" {
		t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
}

// hostArchitecture is the one that MiniStack runs.
func hostArchitecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// functionOf finds the deployed function of an arm by its identity.
func (d deployed) functionOf(t *testing.T, arm string) string {
	t.Helper()
	for id, r := range d.template.Resources {
		if identity, ok := r.Metadata["twinstart"].(map[string]any); ok && identity["arm"] == arm {
			return d.physical[id]
		}
	}
	t.Fatalf("there is no arm %s", arm)
	return ""
}

// invoke sends a ZIP arm, which MiniStack really runs, the event of its handler's own test.
func invoke(t *testing.T, e *emulator, stack deployed, client *lambda.Client) {
	testdata := filepath.Join(repository, "handlers", "echo", "testdata")
	event := must(os.ReadFile(filepath.Join(testdata, "event.json")))(t)
	want := must(os.ReadFile(filepath.Join(testdata, "response.json")))(t)
	for _, arm := range []string{"bashtcp/zip", "rawtcp/zip"} {
		name := stack.functionOf(t, arm)
		got := must(client.Invoke(context.Background(), &lambda.InvokeInput{FunctionName: &name, Payload: event}))(t)
		if got.FunctionError != nil {
			t.Errorf("%s: function error %s: %s\n%s", arm, *got.FunctionError, got.Payload, e.logTail())
		}
		if !sameJSON(got.Payload, want) {
			t.Errorf("%s: response %s, want %s", arm, got.Payload, want)
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && cmp.Equal(x, y)
}

// measure runs the driver through the command, as far as MiniStack answers: its log tail has no REPORT, which marks every record.
func measure(t *testing.T, e *emulator, stack deployed, assembly string, client *lambda.Client) {
	const cold, warm = 2, 2
	arms := []string{"rawtcp/zip", "nethttp/zip"}
	out := t.TempDir()
	e.run(t, 0, filepath.Join(repository, "bin", "twinstart"), "run", "--source", "aws", "--assembly", assembly, "--out", out,
		"--arms", strings.Join(arms, ","), "--cold", "2", "--warm", "2", "--pace", "10ms", "--seed", "1")
	counts := map[string]int{}
	records := must(os.ReadFile(filepath.Join(out, "records.jsonl")))(t)
	for r, err := range record.All(bytes.NewReader(records), "records.jsonl") {
		if err != nil {
			t.Fatal(err)
		}
		counts[string(r.Start)+" "+r.Arm]++
		if r.Source != record.AWS || r.Region != region || r.FunctionError != "" || r.ClientDurationMs == nil || !r.Marked.Is(record.NoReport) && !r.Marked.Is(record.Priming) {
			t.Errorf("record %+v", r)
		}
	}
	for _, arm := range arms {
		if counts["cold "+arm] < cold || counts["warm "+arm] < warm {
			t.Errorf("%s: %d cold and %d warm records, want %d and %d at least", arm, counts["cold "+arm], counts["warm "+arm], cold, warm)
		}
		name := stack.functionOf(t, arm)
		c := must(client.GetFunctionConfiguration(context.Background(), &lambda.GetFunctionConfigurationInput{FunctionName: &name}))(t)
		if c.Environment != nil && len(c.Environment.Variables) > 0 {
			t.Errorf("%s keeps environment variables after the run: %v", arm, c.Environment.Variables)
		}
	}
}
