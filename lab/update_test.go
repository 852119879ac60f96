package lab_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/tools/need"
)

func update(t testing.TB, c *lambda.Client, in *lambda.UpdateFunctionConfigurationInput) *lambda.UpdateFunctionConfigurationOutput {
	t.Helper()
	in.FunctionName = aws.String("F")
	out, err := c.UpdateFunctionConfiguration(t.Context(), in)
	must(t, err)
	return out
}

func TestUpdateForcesAColdStart(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", environment("KEEP", "me"))))
	invoke(t, c, "F", `{}`)
	before, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F")})
	must(t, err)
	if before.Environment.Variables["KEEP"] != "me" || before.State != types.StateActive || aws.ToString(before.CodeSha256) == "" {
		t.Errorf("got %+v", before)
	}
	after := update(t, c, &lambda.UpdateFunctionConfigurationInput{Environment: &types.Environment{Variables: map[string]string{"NONCE": "1"}}, MemorySize: aws.Int32(256)})
	if *after.RevisionId == *before.RevisionId || after.LastUpdateStatus != types.LastUpdateStatusSuccessful || *after.MemorySize != 256 {
		t.Errorf("got %+v", after)
	}
	got := invoke(t, c, "F", `{"do":"about"}`)
	if !strings.Contains(got.log, "Init Duration") || !strings.Contains(got.log, "Memory Size: 256 MB") {
		t.Errorf("got %s", got.log)
	}
	if !strings.Contains(got.payload, `"NONCE=1"`) || strings.Contains(got.payload, "KEEP=me") {
		t.Errorf("variables: %s", got.payload)
	}
	if got := invoke(t, c, "F", `{}`); strings.Contains(got.log, "Init Duration") {
		t.Errorf("the second invocation after the update: %s", got.log)
	}
}

func TestUpdateChecksTheRevision(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	_, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("F"), RevisionId: aws.String("another")})
	var failed *types.PreconditionFailedException
	if !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	now, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F")})
	must(t, err)
	update(t, c, &lambda.UpdateFunctionConfigurationInput{RevisionId: now.RevisionId, Description: aws.String("d")})
}

func TestUpdateDuringAnInvocation(t *testing.T) {
	t.Parallel()
	gate := newGate(t)
	defer gate.open()
	c := client(t, openLab(t, gate.options(), function(t, "F", map[string]any{"Timeout": 60})))
	done := make(chan outcome)
	go func() { done <- invoke(t, c, "F", `{"do":"hold"}`) }()
	gate.await(t, 1)
	update(t, c, &lambda.UpdateFunctionConfigurationInput{Timeout: aws.Int32(50)})
	gate.open()
	if got := <-done; got.failure != "" { // it ends in the environment in which it started
		t.Errorf("got %+v", got)
	}
	if got := invoke(t, c, "F", `{}`); !strings.Contains(got.log, "Init Duration") {
		t.Errorf("the old environment was used again: %s", got.log)
	}
}

// The response of "hold" is the number of the invocation in its environment.
func TestConcurrentInvocationsHaveDifferentEnvironments(t *testing.T) {
	t.Parallel()
	gate := newGate(t)
	defer gate.open()
	c := client(t, openLab(t, gate.options(), function(t, "F", map[string]any{"Timeout": 60})))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := invoke(t, c, "F", `{"do":"hold"}`)
			if got.payload != "1" || !strings.Contains(got.log, "Init Duration") {
				t.Errorf("got %+v", got)
			}
		})
	}
	gate.await(t, 4)
	gate.open()
	wg.Wait()
	if got := invoke(t, c, "F", `{"do":"hold"}`); got.payload != "2" {
		t.Errorf("no environment was used again: %+v", got)
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	t.Parallel()
	gate := newGate(t)
	defer gate.open()
	c := client(t, openLab(t, gate.options(), function(t, "F", map[string]any{"ReservedConcurrentExecutions": 1, "Timeout": 60}), function(t, "None", map[string]any{"ReservedConcurrentExecutions": 0})))
	done := make(chan outcome)
	go func() { done <- invoke(t, c, "F", `{"do":"hold"}`) }()
	gate.await(t, 1)
	for _, name := range []string{"F", "F:$LATEST", "None"} {
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
		var throttled *types.TooManyRequestsException
		if !errors.As(err, &throttled) || throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
			t.Errorf("%s: got %v", name, err)
		}
	}
	gate.open()
	if got := <-done; got.failure != "" {
		t.Errorf("got %+v", got)
	}
	if got := invoke(t, c, "F", `{}`); got.payload != `{}` {
		t.Errorf("after the held invocation: %+v", got)
	}
	about, err := c.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("F")})
	must(t, err)
	if about.Concurrency == nil || *about.Concurrency.ReservedConcurrentExecutions != 1 {
		t.Errorf("got %+v", about.Concurrency)
	}
}

func TestErrorsAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil), function(t, "G", nil)))
	in := func(name string) *lambda.InvokeInput { return &lambda.InvokeInput{FunctionName: &name} }
	_, err := c.Invoke(t.Context(), in("H"))
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) || !strings.Contains(*missing.Message, "Function not found: H") {
		t.Errorf("got %v", err)
	}
	large := in("F")
	large.Payload = []byte(`"` + strings.Repeat("x", 6<<20) + `"`)
	if _, err = c.Invoke(t.Context(), large); code(err) != "RequestTooLargeException" {
		t.Errorf("got %v", err)
	}
	alias := in("F")
	alias.Qualifier = aws.String("live")
	if _, err = c.Invoke(t.Context(), alias); code(err) != "ResourceNotFoundException" {
		t.Errorf("got %v", err)
	}
	for _, bad := range []*lambda.UpdateFunctionConfigurationInput{
		{MemorySize: aws.Int32(64)}, {Timeout: aws.Int32(901)},
		{Environment: &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}},
		{Environment: &types.Environment{Variables: map[string]string{"XX": strings.Repeat("x", 5000)}}},
	} {
		bad.FunctionName = aws.String("F")
		if _, err = c.UpdateFunctionConfiguration(t.Context(), bad); code(err) != "InvalidParameterValueException" && code(err) != "ValidationException" {
			t.Errorf("got %v", err)
		}
	}
}

// The names of variables must follow the same rules in a template as in an update.
func TestNamesOfVariables(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	for name, valid := range map[string]bool{"ok": true, "Ok_2": true, "my-var": false, "1A": false, "A": false, "_A": false, "É2": false, "A B": false, "": false} {
		const words = "ValidationException: 1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
		_, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("F"), Environment: &types.Environment{Variables: map[string]string{name: ""}}})
		if valid != (err == nil) || !valid && !strings.Contains(err.Error(), words) {
			t.Errorf("%q in an update: %v", name, err)
		}
		l, err := lab.New(lab.Options{Functions: functionsOf(t, function(t, "F", environment(name, "")))})
		if err == nil {
			must(t, l.Close())
		}
		if valid != (err == nil) || !valid && !strings.Contains(err.Error(), "test/zip: "+words) {
			t.Errorf("%q in a template: %v", name, err)
		}
	}
}

func TestNamesAndKindsOfInvocation(t *testing.T) {
	t.Parallel()
	log := &log{}
	l := openLab(t, logTo(log), function(t, "F", nil), function(t, "G", nil))
	c := client(t, l)
	for _, name := range []string{"F", "F:$LATEST", "000000000000:function:F", "arn:aws:lambda:us-east-1:000000000000:function:F", "arn:aws:lambda:us-east-1:000000000000:function:F:$LATEST"} {
		if got := invoke(t, c, name, `{}`); got.payload != `{}` {
			t.Errorf("%s: %+v", name, got)
		}
	}
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("F"), InvocationType: types.InvocationTypeDryRun})
	must(t, err)
	if out.StatusCode != http.StatusNoContent {
		t.Errorf("dry run: %d", out.StatusCode)
	}
	out, err = c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("G"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"do":"log"}`)})
	must(t, err)
	if out.StatusCode != http.StatusAccepted {
		t.Errorf("event: %d", out.StatusCode)
	}
	log.await(t, " G to stderr, unended\n")
	var names []string
	pages := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	if strings.Join(names, " ") != "F G" {
		t.Errorf("listed %q", names)
	}
}

func needControlGroups(t *testing.T, l *lab.Lab) {
	t.Helper()
	if l.Machine().CGroups == "none" {
		need.Missing(t, "control groups: "+strings.Join(l.Warnings(), "; "))
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	l := newLab(t, function(t, "F", nil))
	needControlGroups(t, l)
	c := client(t, l)
	used := func(log string) int {
		_, after, _ := strings.Cut(log, "Max Memory Used: ")
		n, _ := strconv.Atoi(strings.Fields(after)[0])
		return n
	}
	small, large := used(invoke(t, c, "F", `{}`).log), used(invoke(t, c, "F", `{"do":"grow","size":50000000}`).log)
	if small > 40 || large < 48 || large > 90 {
		t.Errorf("Max Memory Used %d MB, then %d MB with 50 MB more", small, large)
	}
	got := invoke(t, c, "F", `{"do":"grow","size":500000000}`)
	matches(t, got.payload, `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}`)
	if !strings.Contains(got.log, "Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory") {
		t.Errorf("got %s", got.log)
	}
	if got := invoke(t, c, "F", `{}`); got.failure != "" {
		t.Errorf("after the invocation that ran out of memory: %+v", got)
	}
}

func TestCPUQuotaOfAnInvocation(t *testing.T) {
	t.Parallel()
	l := newLab(t, function(t, "F", map[string]any{"Timeout": 30}))
	needControlGroups(t, l)
	c := client(t, l)
	// A function of 128 MB gets 7 % of a CPU, or less if the machine is busy.
	got := invoke(t, c, "F", `{"do":"cpu","size":40}`)
	if share, err := strconv.ParseFloat(got.payload, 64); err != nil || share > 0.15 {
		t.Errorf("a share of %s of a CPU: %v", got.payload, err)
	}
	// A busy machine hides a larger share, so the quota itself is read. No other test has this memory size.
	update(t, c, &lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(1537)})
	if got := invoke(t, c, "F", `{"do":"cpu","size":40}`); got.failure != "" {
		t.Errorf("got %+v", got)
	}
	var quotas []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, _ error) error {
		if name := filepath.Base(path); name == "cpu.cfs_quota_us" || name == "cpu.max" {
			text, _ := os.ReadFile(path) // groups come and go
			quotas = append(quotas, string(text))
		}
		return nil
	})
	if !slices.ContainsFunc(quotas, func(q string) bool { return strings.HasPrefix(q, "17377") }) {
		t.Errorf("no group has the quota of 1537 MB, 17377 us of 20000: %q", quotas)
	}
}
