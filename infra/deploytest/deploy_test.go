//go:build deploy

package deploytest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
)

// TestDefault deploys, uses and destroys the default experiment, with all arms and, as in make deploy, the state
// machine.
func TestDefault(t *testing.T) {
	t.Parallel()
	a := openAccount(t, "100000000001")
	packaging := a.synth(t, "packaging", "tuning=on")
	a.bootstrap(t)
	found := list.OneLine(a.run(t, filepath.Join(repository, "bin", "twinstart"), "doctor"))
	for _, want := range []string{"ok credentials account " + a.id, "ok bootstrap version "} {
		if !strings.Contains(found, want) {
			t.Errorf("twinstart doctor does not say %q:\n%s", want, found)
		}
	}
	packaging.wait.done(t)
	cheap(t, a, packaging.assembly)
	live(t, a, packaging, func(stack deployed, assembly string) {
		if again := a.cdk(t, "deploy", "--app", assembly, "--require-approval", "never"); !strings.Contains(again, "(no changes)") {
			t.Errorf("the second deployment changed something:\n%s", again)
		}
		measured := a.beginMeasuring(t, assembly)
		compareImages(t, a.images, assembly, stack)
		client := lambda.NewFromConfig(a.config(t))
		invoke(t, a, stack, client)
		measured.check(t, stack, client)
	})
}

// TestOptions does the same with three arms and options. Before that, first an image's push fails and then a resource.
func TestOptions(t *testing.T) {
	t.Parallel()
	a := openAccount(t, "100000000002")
	options := a.synth(t, "options", "arms=rawtcp/zip,rawsyscall/image-minimal,bashtcp-static/image-minimal", "observe=dashboard,metrics,contributors",
		"provisioned=1-2", "reserved=5", "tracing=active", "url=iam", "kms=new", "dlq=sqs", "tmp=1024", "vpc=new")
	a.bootstrap(t)
	options.wait.done(t)
	failPush(t, a, options)
	failResource(t, a, options)
	live(t, a, options, func(stack deployed, assembly string) { compareImages(t, a.images, assembly, stack) })
}

// failPush deploys while the registry goes down in the middle of an image. Nothing must be created.
func failPush(t *testing.T, a *account, s synthesis) {
	before := takeInventory(t, a.config(t))
	a.images.dieAfter(2)
	output := a.begin(t, cdkCLI, "deploy", "--app", s.assembly, "--require-approval", "never").failing(t)
	if !strings.Contains(output, "cdk-docker: pushing ") {
		t.Errorf("the CDK CLI does not say what failed:\n%s", output)
	}
	if diff := cmp.Diff(before, takeInventory(t, a.config(t))); diff != "" {
		t.Errorf("the failed push leaves something (-before +after):\n%s", diff)
	}
	a.images.up()
}

// cheap checks the price that a deployment names before it asks: below a dollar a month while nothing runs.
func cheap(t *testing.T, a *account, assembly string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(repository, "bin", "twinstart"), "preview", "--assembly", assembly)
	cmd.Dir, cmd.Env = repository, a.environment()
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, monthly, _ := strings.Cut(string(text), "Each month, with no function running")
	found := regexp.MustCompile(`(?m)^([0-9.]+)  total$`).FindStringSubmatch(monthly)
	if found == nil {
		t.Fatalf("no total of a month:\n%s", text)
	}
	sum, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.3f USD a month", sum)
	if sum >= 1 {
		t.Errorf("the default stack costs %.2f USD a month while nothing runs, want less than 1", sum)
	}
}

// failResource deploys a stack in which one resource cannot be created. CloudFormation rolls back what it created
// before. The stack itself stays readable until the next deployment.
func failResource(t *testing.T, a *account, s synthesis) {
	cfg := a.config(t)
	before := takeInventory(t, cfg)
	template := readTemplate(t, filepath.Join(s.assembly, s.stack+".template.json"))
	maps.Copy(s.left, template.leaveOut(t))
	function := ""
	for id, r := range template.Resources {
		if r.Type == "AWS::Lambda::Function" {
			function = id
		}
	}
	resources := template.whole["Resources"].(map[string]any)
	resources["Impossible"] = map[string]any{ // MiniStack refuses it: see refused
		"Type": "AWS::CloudWatch::Alarm", "DependsOn": []any{function},
		"Properties": map[string]any{"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1,
			"Metrics": []any{map[string]any{"Id": "a", "Expression": "1 + 1", "ReturnData": true}}},
	}
	template.save(t)
	output := a.begin(t, cdkCLI, "deploy", "--app", s.assembly, "--require-approval", "never").failing(t)
	if !strings.Contains(output, "Impossible") || !strings.Contains(output, "ROLLBACK_COMPLETE") {
		t.Errorf("the CDK CLI does not say what failed:\n%s", output)
	}
	before.add("stacks", &s.stack)
	if diff := cmp.Diff(before, takeInventory(t, cfg)); diff != "" {
		t.Errorf("the failed deployment leaves something (-before +after):\n%s", diff)
	}
	delete(resources, "Impossible")
	template.save(t)
}

// synthesis is an assembly that is being written.
type synthesis struct {
	assembly, stack string
	wait            running
	left            map[string]resource // removed from its template by leaveOut
}

// synth starts the CDK CLI's synth of an experiment.
func (a *account) synth(t *testing.T, experiment string, context ...string) synthesis {
	t.Helper()
	s := synthesis{assembly: filepath.Join(a.dir, experiment+".out"), stack: "Twinstart-" + experiment, left: map[string]resource{}}
	args := []string{"synth", "--quiet", "--output", s.assembly, "-c", "architecture=" + hostArchitecture(), "-c", "experiment=" + experiment}
	for _, pair := range context {
		args = append(args, "-c", pair)
	}
	s.wait = a.begin(t, cdkCLI, args...)
	return s
}

// live deploys an experiment, compares it with its template, calls use, and destroys it.
func live(t *testing.T, a *account, s synthesis, use func(stack deployed, assembly string)) {
	t.Helper()
	cfg := a.config(t)
	before := takeInventory(t, cfg).withoutStack(s.stack)
	template := readTemplate(t, filepath.Join(s.assembly, s.stack+".template.json"))
	maps.Copy(s.left, template.leaveOut(t))

	began := time.Now()
	a.cdk(t, "deploy", "--app", s.assembly, "--require-approval", "never")
	took := time.Since(began)
	stack := readDeployed(t, cfg, a.id, s.stack, template)
	stack.compare(t, cfg, assets(t, s.assembly, s.stack))
	stack.createElsewhere(t, s.left)
	use(stack, s.assembly)

	began = time.Now()
	a.cdk(t, "destroy", "--app", s.assembly, "--force")
	t.Logf("deploy and destroy: %.1f s", (took + time.Since(began)).Seconds())
	if diff := cmp.Diff(before, takeInventory(t, cfg)); diff != "" {
		t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
}

// hostArchitecture is the architecture that MiniStack runs.
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

// invoke sends a ZIP arm the event of its handler's own test. MiniStack really runs ZIP arms.
func invoke(t *testing.T, a *account, stack deployed, client *lambda.Client) {
	testdata := filepath.Join(repository, "handlers", "echo", "testdata")
	event := must(os.ReadFile(filepath.Join(testdata, "event.json")))(t)
	want := must(os.ReadFile(filepath.Join(testdata, "response.json")))(t)
	for _, arm := range []string{"bashtcp/zip", "rawsyscall/zip"} { // the run that was begun does not measure them
		name := stack.functionOf(t, arm)
		got := must(client.Invoke(context.Background(), &lambda.InvokeInput{FunctionName: &name, Payload: event}))(t)
		if got.FunctionError != nil {
			t.Errorf("%s: function error %s: %s\n%s", arm, *got.FunctionError, got.Payload, a.logTail())
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

// measuring runs the driver through the command. MiniStack's log tail has no REPORT, so the driver must mark every
// record.
type measuring struct {
	running
	out string
}

var measuredArms = []string{"rawtcp/zip", "nethttp/zip"}

func (a *account) beginMeasuring(t *testing.T, assembly string) measuring {
	out := t.TempDir()
	return measuring{a.begin(t, filepath.Join(repository, "bin", "twinstart"), "run", "--source", "aws", "--assembly", assembly, "--out", out,
		"--arms", strings.Join(measuredArms, ","), "--cold", "2", "--warm", "2", "--pace", "10ms", "--seed", "1"), out}
}

func (m measuring) check(t *testing.T, stack deployed, client *lambda.Client) {
	t.Helper()
	// Without REPORT no sample counts, and the run ends with status 3.
	if output := m.failing(t); !strings.Contains(output, "twinstart: incomplete: nethttp/zip, rawtcp/zip: no sample that counts") {
		t.Errorf("the run does not say that nothing counts:\n%s", output)
	}
	counts := map[string]int{}
	records := must(os.ReadFile(filepath.Join(m.out, "records.jsonl")))(t)
	for r, err := range record.All(bytes.NewReader(records), "records.jsonl") {
		if err != nil {
			t.Fatal(err)
		}
		counts[string(r.Start)+" "+r.Arm]++
		if r.Source != record.AWS || r.Region != region || r.FunctionError != "" || r.ClientDurationMs == nil || !r.Marked.Is(record.NoReport) && !r.Marked.Is(record.Priming) {
			t.Errorf("record %+v", r)
		}
	}
	for _, arm := range measuredArms {
		if counts["cold "+arm] < 2 || counts["warm "+arm] < 2 {
			t.Errorf("%s: %d cold and %d warm records, want 2 of each at least", arm, counts["cold "+arm], counts["warm "+arm])
		}
		name := stack.functionOf(t, arm)
		c := must(client.GetFunctionConfiguration(context.Background(), &lambda.GetFunctionConfigurationInput{FunctionName: &name}))(t)
		if c.Environment != nil && len(c.Environment.Variables) > 0 {
			t.Errorf("%s keeps environment variables after the run: %v", arm, c.Environment.Variables)
		}
	}
}
