//go:build deploy

package deploytest

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure/power"
)

// TestTuning deploys an experiment with its state machine to MiniStack, which executes the state machine and runs its
// function. That function calls the lab, which runs handlers/cpu of the same assembly under real CPU quotas.
func TestTuning(t *testing.T) {
	t.Parallel()
	e := openAccount(t, "100000000003")
	cfg := e.config(t)
	plain, archive := openAccount(t, "100000000006"), t.TempDir()
	packed := tunerTemplate(t, plain, archive)
	e.bootstrap(t)
	assembly := filepath.Join(e.dir, "cpu.out")
	// With observe=none MiniStack refuses no resource, so this stack is deployed without changes.
	e.cdk(t, "deploy", "--require-approval", "never", "--output", assembly, "-c", "architecture="+hostArchitecture(), "-c", "handler=cpu", "-c", "arms=bashtcp/zip",
		"-c", "experiment=cpu", "-c", "observe=none", "-c", "tuning=on")
	endpoint := serveLab(t, e, assembly)
	pointAt(t, lambda.NewFromConfig(cfg), endpoint)
	local := lambda.New(lambda.Options{BaseEndpoint: &endpoint, Region: region, Credentials: credentials.NewStaticCredentialsProvider("lab", "lab", "")})
	functions := must(local.ListFunctions(context.Background(), &lambda.ListFunctionsInput{}))(t).Functions
	name := *functions[0].FunctionName
	before := *functions[0].MemorySize

	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", region, e.id, name)
	machines := must(sfn.NewFromConfig(cfg).ListStateMachines(context.Background(), &sfn.ListStateMachinesInput{}))(t).StateMachines
	if len(machines) != 1 {
		t.Fatalf("%d state machines, want 1", len(machines))
	}
	states := sfn.NewFromConfig(cfg)
	start := func(input string) *string {
		return must(states.StartExecution(context.Background(), &sfn.StartExecutionInput{StateMachineArn: machines[0].StateMachineArn, Input: &input}))(t).ExecutionArn
	}
	untouched := func() {
		t.Helper()
		c := must(local.GetFunctionConfiguration(context.Background(), &lambda.GetFunctionConfigurationInput{FunctionName: &name}))(t)
		versions := must(local.ListVersionsByFunction(context.Background(), &lambda.ListVersionsByFunctionInput{FunctionName: &name}))(t).Versions
		if *c.MemorySize != before || strings.HasPrefix(aws.ToString(c.Description), power.Mark) || len(versions) != 1 {
			t.Errorf("the tuning left %d MB, want %d, and %d versions, want 0", *c.MemorySize, before, len(versions)-1)
		}
	}
	input := `{"lambdaARN": "` + arn + `", "num": 10, "powerValues": [131, 259, 523, 1777], "strategy": "speed", "includeOutputResults": true}`
	var out power.Output
	var done *sfn.DescribeExecutionOutput
	// A busy machine makes all memory sizes slow. So the test compares no times: it reads the quotas that the lab sets. No
	// other test has these memory sizes.
	execution, watching := start(input), make(chan struct{})
	quotas := watchQuotas(watching)
	done = awaitExecution(t, e, states, execution)
	close(watching)
	seen := <-quotas
	if done.Status != types.ExecutionStatusSucceeded {
		t.Fatalf("%s: %s: %s\n%s", done.Status, aws.ToString(done.Error), aws.ToString(done.Cause), e.logTail())
	}
	if err := json.Unmarshal([]byte(*done.Output), &out); err != nil || len(out.ByPowerValue) != 4 || len(out.Stats) != 4 {
		t.Fatalf("%v: %s", err, *done.Output)
	}
	for _, v := range out.ByPowerValue {
		t.Logf("%5d MB: %8.2f ms (handler p50), $%.3f a million", v.Value, v.Handler.P50, v.AveragePrice*1e6)
		if v.Invocations != 10 || v.Failed != "" {
			t.Errorf("want 10 invocations at %d MB: %+v", v.Value, v)
		}
		if quota := strconv.Itoa(int(20_000*arm.VCPUs(v.Value) + 0.5)); !seen[quota] {
			t.Errorf("no group has the quota of %d MB, %s us of 20000: %v", v.Value, quota, slices.Sorted(maps.Keys(seen)))
		}
	}
	// MiniStack's history leaves out the states within a Map: three for each item. Up to 1,000 invocations all values
	// share one item.
	if entered := transitions(t, states, done.ExecutionArn) + 3; entered != out.StateMachine.Transitions {
		t.Errorf("%d transitions are billed, %d states were entered", out.StateMachine.Transitions, entered)
	}
	t.Logf("%d transitions, $%.6f", out.StateMachine.Transitions, out.StateMachine.ExecutionCost)
	untouched()

	packed.done(t)
	tunerAlone(t, plain, archive, endpoint, arn)
	untouched()

	// The user stops an execution while it measures. EventBridge makes the function clean up.
	stopped := start(input)
	published := false
	for deadline := time.Now().Add(patience); !published && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		published = len(must(local.ListVersionsByFunction(context.Background(), &lambda.ListVersionsByFunctionInput{FunctionName: &name}))(t).Versions) == 5
	}
	if !published {
		t.Error("the execution published no versions, so a clean-up has nothing to do")
	}
	must(states.StopExecution(context.Background(), &sfn.StopExecutionInput{ExecutionArn: stopped}))(t)
	began := time.Now()
	for time.Since(began) < patience {
		if len(must(local.ListVersionsByFunction(context.Background(), &lambda.ListVersionsByFunctionInput{FunctionName: &name}))(t).Versions) == 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("cleaned up %.1f s after it was stopped", time.Since(began).Seconds())
	untouched()

	done = awaitExecution(t, e, states, start(`{"lambdaARN": "`+arn+`", "num": 1, "strategy": "best"}`))
	if done.Status != types.ExecutionStatusFailed || aws.ToString(done.Error) != "InputError" {
		t.Errorf("%s: %s: %s", done.Status, aws.ToString(done.Error), aws.ToString(done.Cause))
	}
	t.Logf("a bad input: %s: %s", aws.ToString(done.Error), aws.ToString(done.Cause))
	untouched()
	e.cdk(t, "destroy", "--app", assembly, "--force")
}

// watchQuotas reads the CPU quotas of all control groups until the channel is closed. Then it returns those that it saw.
func watchQuotas(until <-chan struct{}) <-chan map[string]bool {
	result := make(chan map[string]bool, 1)
	go func() {
		seen := map[string]bool{}
		for {
			_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, _ error) error {
				if name := filepath.Base(path); name == "cpu.cfs_quota_us" || name == "cpu.max" {
					text, _ := os.ReadFile(path) // groups come and go
					quota, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
					seen[quota] = true
				}
				return nil
			})
			select {
			case <-until:
				result <- seen
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return result
}

// pointAt makes the steps' function, which is not an arm, call Lambda at the endpoint.
func pointAt(t *testing.T, client *lambda.Client, endpoint string) {
	t.Helper()
	for _, f := range must(client.ListFunctions(context.Background(), &lambda.ListFunctionsInput{}))(t).Functions {
		if strings.Contains(*f.FunctionName, "Tuning") {
			must(client.UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{FunctionName: f.FunctionName,
				Environment: &lambdatypes.Environment{Variables: map[string]string{"AWS_ENDPOINT_URL_LAMBDA": endpoint}}}))(t)
			return
		}
	}
	t.Fatal("there is no function that tunes")
}

// transitions counts the states that an execution has entered.
func transitions(t *testing.T, states *sfn.Client, arn *string) (n int) {
	t.Helper()
	pages := sfn.NewGetExecutionHistoryPaginator(states, &sfn.GetExecutionHistoryInput{ExecutionArn: arn})
	for pages.HasMorePages() {
		for _, event := range must(pages.NextPage(context.Background()))(t).Events {
			if strings.HasSuffix(string(event.Type), "StateEntered") {
				n++
			}
		}
	}
	return n
}

func awaitExecution(t *testing.T, e *account, states *sfn.Client, arn *string) *sfn.DescribeExecutionOutput {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if d := must(states.DescribeExecution(context.Background(), &sfn.DescribeExecutionInput{ExecutionArn: arn}))(t); d.Status != types.ExecutionStatusRunning {
			return d
		}
	}
	t.Fatalf("the execution did not end in %s: %s", patience, e.logTail())
	return nil
}

// serveLab runs `twinstart lab` until the test ends.
func serveLab(t *testing.T, e *account, assembly string) (endpoint string) {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", must(freePort())(t))
	cmd, alive, err := tether(filepath.Join(repository, "bin", "twinstart"), "lab", "--assembly", assembly, "--listen", address)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = e.environment()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait() // closes alive, too
		alive.Close()
	})
	client := lambda.New(lambda.Options{BaseEndpoint: aws.String("http://" + address), Region: region, Credentials: credentials.NewStaticCredentialsProvider("lab", "lab", "")})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if _, err := client.ListFunctions(context.Background(), &lambda.ListFunctionsInput{}); err == nil {
			return "http://" + address
		}
	}
	t.Fatal("the lab did not answer")
	return ""
}
