//go:build deploy

package deploytest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
)

// TestDeploy is the whole life of two experiments in an account: the default one with all its arms, and one arm with what options add.
func TestDeploy(t *testing.T) {
	e := startEmulator(t)
	cfg := e.config(t)
	packaging := e.synth(t, "packaging")
	bootstrapped := e.begin(t, cdkCLI, "bootstrap", "aws://"+account+"/"+region)
	options := e.synth(t, "options", "arms=rawtcp/zip", "observe=dashboard,metrics,contributors", "provisioned=1-2", "reserved=5", "tracing=active",
		"url=iam", "kms=new", "dlq=sqs", "tmp=1024", "vpc=new")
	bootstrapped.done(t)
	client := lambda.NewFromConfig(cfg)
	t.Run("doctor", func(t *testing.T) {
		found := e.run(t, filepath.Join(repository, "bin", "twinstart"), "doctor")
		for _, want := range []string{"ok  credentials    account " + account, "ok  bootstrap      version "} {
			if !strings.Contains(found, want) {
				t.Errorf("twinstart doctor does not say %q:\n%s", want, found)
			}
		}
	})
	t.Run("default", func(t *testing.T) {
		live(t, e, cfg, packaging, func(stack deployed, assembly string) {
			t.Run("invoke", func(t *testing.T) { invoke(t, e, stack, client) })
			t.Run("measure", func(t *testing.T) { measure(t, e, stack, assembly, client) })
		})
	})
	t.Run("options", func(t *testing.T) { live(t, e, cfg, options, func(deployed, string) {}) })
	t.Run("failure", func(t *testing.T) { fail(t, e, cfg, options) })
}

// fail deploys a stack in which one resource cannot be made: what was made before it is rolled back.
func fail(t *testing.T, e *emulator, cfg aws.Config, s synthesis) {
	before := takeInventory(t, cfg)
	template := readTemplate(t, filepath.Join(s.assembly, s.stack+".template.json"))
	function := ""
	for id, r := range template.Resources {
		if r.Type == "AWS::Lambda::Function" {
			function = id
		}
	}
	template.whole["Resources"].(map[string]any)["Impossible"] = map[string]any{ // for MiniStack, see refused
		"Type": "AWS::CloudWatch::Alarm", "DependsOn": []any{function},
		"Properties": map[string]any{"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1,
			"Metrics": []any{map[string]any{"Id": "a", "Expression": "1 + 1", "ReturnData": true}}},
	}
	template.save(t)
	output := e.begin(t, cdkCLI, "deploy", "--app", s.assembly, "--require-approval", "never").failing(t)
	if !strings.Contains(output, "Impossible") || !strings.Contains(output, "ROLLBACK_COMPLETE") {
		t.Errorf("the CDK CLI does not say what failed:\n%s", output)
	}
	after := takeInventory(t, cfg)
	delete(after, "stacks") // one that is rolled back stays, to be read, until it is destroyed
	want := maps.Clone(before)
	delete(want, "stacks")
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("the failed deployment leaves something (-before +after):\n%s", diff)
	}
	e.cdk(t, "destroy", "--app", s.assembly, "--force")
	if diff := cmp.Diff(before, takeInventory(t, cfg)); diff != "" {
		t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
}

// synthesis is an assembly that is being written.
type synthesis struct {
	assembly, stack string
	wait            running
}

// synth starts the CDK CLI's synth of an experiment.
func (e *emulator) synth(t *testing.T, experiment string, context ...string) synthesis {
	t.Helper()
	s := synthesis{assembly: filepath.Join(e.dir, experiment+".out"), stack: "Twinstart-" + experiment}
	args := []string{"synth", "--quiet", "--output", s.assembly, "-c", "architecture=" + hostArchitecture(), "-c", "experiment=" + experiment}
	for _, pair := range context {
		args = append(args, "-c", pair)
	}
	s.wait = e.begin(t, cdkCLI, args...)
	return s
}

// live deploys an experiment, compares it with its template, deploys it again, lets it be used, and destroys it.
func live(t *testing.T, e *emulator, cfg aws.Config, s synthesis, use func(stack deployed, assembly string)) {
	before := takeInventory(t, cfg)
	s.wait.done(t)
	assembly, name := s.assembly, s.stack
	path := filepath.Join(assembly, name+".template.json")
	lint(t, e, path)
	template := readTemplate(t, path)
	template.leaveOut(t)

	began := time.Now()
	e.cdk(t, "deploy", "--app", assembly, "--require-approval", "never")
	took := time.Since(began)
	stack := readDeployed(t, cfg, name, template)
	stack.compare(t, cfg, assets(t, assembly, name))
	if again := e.cdk(t, "deploy", "--app", assembly, "--require-approval", "never"); !strings.Contains(again, "(no changes)") {
		t.Errorf("the second deployment changed something:\n%s", again)
	}
	use(stack, assembly)

	began = time.Now()
	e.cdk(t, "destroy", "--app", assembly, "--force")
	t.Logf("deploy and destroy: %.1f s", (took + time.Since(began)).Seconds())
	if diff := cmp.Diff(before, takeInventory(t, cfg)); diff != "" {
		t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
}

// lint holds the whole template against CloudFormation's schemas. W3005 is about DependsOn that CDK writes beside references, for roles.
func lint(t *testing.T, e *emulator, template string) {
	t.Helper()
	e.run(t, filepath.Join(repository, "build", "tools", "deploy", "bin", "cfn-lint"), "--ignore-checks", "W3005", "--", template)
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
	e.run(t, filepath.Join(repository, "bin", "twinstart"), "run", "--source", "aws", "--assembly", assembly, "--out", out,
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
