package power

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/measure/power/step"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// Each ARN is called in its own region, and a name in the tuner's region. A function of another account is called with
// its role.
func TestRegionsAndRoles(t *testing.T) {
	s := newServer(t)
	tuner := tuner(s)
	tuner.Region = "us-east-1"
	var asked []string
	tuner.Connect = func(_ context.Context, region, role string) (*lambda.Client, error) {
		asked = append(asked, strings.TrimSpace(region+" "+role))
		return s.client(), nil
	}
	const text = `{"num": 5, "powerValues": [128], "lambdaARN": %q, "preProcessorARN": "arn:aws:lambda:ap-south-1:123456789012:function:pre"%s}`
	for _, c := range []struct {
		arn, more string
		want      []string
	}{
		{functionARN, "", []string{"ap-south-1", "eu-west-1"}},
		{"F", "", []string{"ap-south-1"}},
		{"arn:aws:lambda:us-east-1:123456789012:function:F", `, "assumeRoleARN": "arn:aws:iam::123456789012:role/tuning"`,
			[]string{"ap-south-1 arn:aws:iam::123456789012:role/tuning", "us-east-1 arn:aws:iam::123456789012:role/tuning"}},
	} {
		asked = nil
		if _, err := tuner.Run(t.Context(), input(t, fmt.Sprintf(text, c.arn, c.more)), "run-1"); err != nil {
			t.Fatal(err)
		}
		slices.Sort(asked)
		if got := slices.Compact(asked); !slices.Equal(got, c.want) {
			t.Errorf("%s: clients for %q, want %q", c.arn, got, c.want)
		}
	}
}

// A tuning leaves the environment alone, even if it cannot be read or is full. The marker is in the description, which
// is restored afterwards.
func TestEnvironmentThatCannotBeRewritten(t *testing.T) {
	for name, arrange := range map[string]func(*api.Configuration){
		"no right to the key": func(c *api.Configuration) { c.Extra = double.Unreadable() },
		"full":                func(c *api.Configuration) { c.Environment = map[string]string{"LONG": strings.Repeat("x", 4000)} },
	} {
		for _, more := range []string{``, `, "onlyColdStarts": true`} {
			t.Run(name+more, func(t *testing.T) {
				s := newServer(t)
				s.Change("F", func(c *api.Configuration) { arrange(c); c.Description = "orders: theirs" })
				before := s.latest(t)
				text := `{"lambdaARN": "F", "num": 5, "powerValues": [128, 512]` + more + `}`
				out, err := tuner(s).Run(t.Context(), input(t, text), "run-1")
				if err != nil {
					t.Fatal(err)
				}
				if out.ByPowerValue[0].Invocations != 5 {
					t.Errorf("want 5 invocations at 128 MB: %+v", out)
				}
				as := func() {
					t.Helper()
					now := s.latest(t)
					versions, aliases := s.left(t, "F")
					if now.Description != "orders: theirs" || now.MemorySizeMB != 1024 || len(now.Environment) != len(before.Environment) || len(versions) != 1 || len(aliases) != 1 {
						t.Errorf("left %+v, versions %v, aliases %v", now, versions, aliases)
					}
				}
				as()
				// A tuning that is killed leaves a marker. Clean reads there what to restore.
				var killed atomic.Bool
				s.Decide = func(c double.Call) *double.Fault {
					if killed.Store(killed.Load() || c.Operation == "Invoke"); killed.Load() { // a killed tuning makes no more calls
						return &double.Fault{Error: double.Denied("lambda:" + c.Operation)}
					}
					return nil
				}
				if _, err := tuner(s).Run(t.Context(), input(t, text), "run-2"); err == nil {
					t.Error("no error for a tuning that was killed")
				}
				s.Decide = nil
				if found, err := tuner(s).Clean(t.Context(), Input{Function: "F"}); err != nil || !found {
					t.Errorf("Clean found a tuning to clean up: %v, %v", found, err)
				}
				as()
			})
		}
	}
	s := newServer(t)
	s.Change("F", func(c *api.Configuration) { c.Extra, c.Description = double.Unreadable(), strings.Repeat("é", 204) })
	if _, err := tuner(s).Run(t.Context(), input(t, `{"lambdaARN": "F", "num": 5}`), "run-1"); err == nil || !strings.Contains(err.Error(), "has no room for a tuning's mark: shorten it by 1 characters") || s.Count("UpdateFunctionConfiguration") > 0 {
		t.Errorf("want an error about the room for the mark, and no update: %v", err)
	}
}

// A tuning refuses a function that is not an ordinary one, and an alias whose version differs from $LATEST. It refuses
// before it changes anything.
func TestRefusedFunctions(t *testing.T) {
	for want, arrange := range map[string]func(*api.Configuration){
		"Managed Instances": func(c *api.Configuration) {
			c.Extra = map[string]any{"CapacityProviderConfig": map[string]any{"LambdaManagedInstancesCapacityProviderConfig": map[string]any{"CapacityProviderArn": "arn"}}}
		},
		"durable function": func(c *api.Configuration) {
			c.Extra = map[string]any{"DurableConfig": map[string]any{"ExecutionTimeout": 60}}
		},
		"in environment variables,": func(c *api.Configuration) { c.Environment = map[string]string{"OTHER": "1"} },
		"in code,":                  func(c *api.Configuration) { c.CodeSHA256 = "b3RoZXI=" },
		"in time-out, handler,":     func(c *api.Configuration) { c.TimeoutSeconds, c.Handler = 10, "other.run" },
		"in layers,": func(c *api.Configuration) {
			c.Extra = map[string]any{"Layers": []any{map[string]any{"Arn": "arn:aws:lambda:eu-west-1:1:layer:l:1"}}}
		},
	} {
		s := newServer(t)
		s.Change("F", arrange)
		_, err := tuner(s).Run(t.Context(), input(t, `{"lambdaARN": "F:live", "num": 5}`), "run-1")
		if err == nil || !strings.Contains(err.Error(), want) || s.Count("UpdateFunctionConfiguration") > 0 || ErrorName(err) != "TuningFailed" {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// A function without environment variables has none afterwards.
func TestNoEnvironment(t *testing.T) {
	s := newServer(t)
	s.Change("F", func(c *api.Configuration) { c.Environment = nil })
	tuner := tuner(s)
	if _, err := tuner.Run(t.Context(), input(t, `{"lambdaARN": "F", "num": 5, "powerValues": [128]}`), "run-1"); err != nil {
		t.Fatal(err)
	}
	f, err := tuner.function(t.Context(), Input{Function: "F"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := f.Look(t.Context(), ""); err != nil || c.Environment != nil {
		t.Errorf("want no environment: %+v, %v", c.Environment, err)
	}
}

// Events are sent in their order, one for each invocation. After the last event the first one follows.
func TestEvents(t *testing.T) {
	s := newServer(t)
	in := input(t, `{"lambdaARN": "F", "num": 5, "powerValues": [128]}`)
	in.Payloads = EachPayload([]byte(`1`), []byte(`2`), []byte(`3`))
	if _, err := tuner(s).Run(t.Context(), in, "run-1"); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, c := range s.Calls() {
		if c.Operation == "Invoke" {
			sent = append(sent, c.Body)
		}
	}
	if !slices.Equal(sent, []string{"1", "2", "3", "1", "2"}) {
		t.Errorf("sent %q", sent)
	}
}

// With "compatible" the cost is computed as Power Tuning computes it, and the invocations of one value follow each
// other. 3.948e-7 is Power Tuning's cost for these durations.
func TestCompatible(t *testing.T) {
	s := newServer(t)
	s.answer(func(double.Run) double.Answer { return double.Answer{DurationMs: 187.34, UsedMB: 60} })
	s.Change("F", func(c *api.Configuration) { c.Architecture = "x86_64" })
	out, err := tuner(s).Run(t.Context(), input(t, `{"lambdaARN": "F", "num": 5, "powerValues": [128, 256], "compatible": true}`), "run-1")
	if err != nil || fmt.Sprintf("%.4g", out.Cost) != "3.948e-07" {
		t.Errorf("want a cost of 3.948e-07: %v, %v", out, err)
	}
	if got := s.invoked(); len(slices.Compact(got)) != 2 {
		t.Errorf("invoked %q", got)
	}
}

// Prices are those of the region, in its currency. If the price is not known, the cost is in GB-seconds, and the text
// says so. Functions whose costs cannot be compared are refused before anything is changed.
func TestPricesOfRegions(t *testing.T) {
	const text = `{"lambdaARN": %q, "num": 5, "powerValues": [128, 1769]}`
	own, err := price.Parse([]byte(`{"as_of": "2026-11-30", "regions": {"il-central-1": {"gb_second": {"arm64": 0.001}, "request": 0}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arn, architecture string
		prices            *price.Table
		cost              float64
		want              []string
	}{
		{"arn:aws-cn:lambda:cn-north-1:123456789012:function:F", "x86_64", nil, 0.1*1769/1024*0.000113477 + 1.36e-6, []string{"prices of cn-north-1 (2024 or later)", "CNY / million", "CNY per million", "?currency=CNY#"}},
		{"arn:aws-cn:lambda:cn-north-1:123456789012:function:F", "arm64", nil, 0.1 * 1769 / 1024, []string{"no price for cn-north-1 (arm64): cost in units of GB-seconds", "GB-s / million"}},
		{"arn:aws:lambda:il-central-1:123456789012:function:F", "arm64", nil, 0.1 * 1769 / 1024, []string{"no price for il-central-1\n", "no price for il-central-1 (arm64): cost in units of GB-seconds, without the request fee; twinstart tune --prices FILE gives one"}},
		{"arn:aws:lambda:il-central-1:123456789012:function:F", "arm64", own, 0.1 * 1769 / 1024 * 0.001, []string{"prices of il-central-1 (2026-11-30)", "$ / million"}},
	} {
		s := newServer(t)
		s.Change("F", func(f *api.Configuration) { f.Architecture = c.architecture })
		tuner := tuner(s)
		tuner.Prices = c.prices
		out, err := tuner.Run(t.Context(), input(t, fmt.Sprintf(text, c.arn)), "run-1")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := alone(out).WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s, %s: %q is not in %s", c.arn, c.architecture, want, b.String())
			}
		}
		if got := out.ByPowerValue[1].AveragePrice; math.Abs(got/c.cost-1) > 1e-6 {
			t.Errorf("%s, %s: an invocation costs %v, want %v", c.arn, c.architecture, got, c.cost)
		}
	}
	s := pair(t)
	refused := 0
	for _, arns := range [][2]string{{"arn:aws:lambda:il-central-1:123456789012:function:F", "arn:aws:lambda:il-central-1:123456789012:function:G"},
		{"arn:aws-cn:lambda:cn-north-1:123456789012:function:G", "F"}} {
		var both []Candidate
		for _, arn := range arns {
			both = append(both, Candidate{Name: arn, Input: input(t, fmt.Sprintf(text, arn))})
		}
		if _, err := tuner(s).Sweep(t.Context(), both, "run-1"); err != nil && strings.Contains(err.Error(), "have costs that cannot be compare") && strings.Contains(err.Error(), "--prices FILE") {
			refused++
		}
	}
	if refused != 2 || s.Count("UpdateFunctionConfiguration") > 0 {
		t.Errorf("%d refused, want 2; %d changes, want 0", refused, s.Count("UpdateFunctionConfiguration"))
	}
}

// With "streamed" a function is invoked with response streaming. Its response, its errors and its REPORT are read as
// from a usual invocation.
func TestStreamedResponses(t *testing.T) {
	s := newServer(t)
	failing := true
	s.answer(func(r double.Run) double.Answer {
		if failing = !failing; failing && r.MemorySizeMB == 128 {
			return double.Answer{DurationMs: 5, FunctionError: `{"errorType":"Transient","errorMessage":"by the test"}`}
		}
		a := double.Working(r)
		a.Payload = `"` + strings.Repeat("x", 100_000) + `"`
		return a
	})
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 6, "powerValues": [128, 512], "streamed": true, "postProcessorARN": "post"}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	posted := 0
	for _, c := range s.Calls() {
		if c.Operation == "Invoke" && c.Function != "post" {
			t.Errorf("%s is not a streamed invocation", c)
		}
		if c.Function == "post" && len(c.Body) == 100_002 {
			posted++
		}
	}
	if v := out.ByPowerValue[0]; v.Invocations != 6 || v.FunctionErrors == 0 || v.LastError != "Transient: by the test" || posted != 12 {
		t.Errorf("got %+v, %d responses passed on", v, posted)
	}
	s.untouched(t)
}

// The rights that are given are exactly those of the calls that are made: on the function, and on its versions and
// aliases. docs/tuning.md lists the same rights.
func TestRights(t *testing.T) {
	s := newServer(t)
	const text = `{"lambdaARN": "F:live", "num": 5, "powerValues": [128, 512]%s}`
	for _, more := range []string{``, `, "onlyColdStarts": true`, `, "autoOptimize": true, "strategy": "speed", "autoOptimizeAlias": "live"`, `, "streamed": true`} {
		if _, err := tuner(s).Run(t.Context(), input(t, fmt.Sprintf(text, more)), "run-1"); err != nil {
			t.Fatal(err)
		}
	}
	made := map[bool]map[string]bool{false: {}, true: {}} // true: calls of a version or an alias
	for _, c := range s.Calls() {
		// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html: the right is Invoke's.
		action := "lambda:" + map[string]string{"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}[c.Operation]
		if action == "lambda:" {
			action += c.Operation
		}
		made[c.Qualifier != ""][action] = true
		if strings.HasSuffix(action, "Alias") { // an alias's ARN, or the function's: AWS says both
			made[true][action], made[false][action] = true, true
		}
	}
	page, err := os.ReadFile("../../../docs/tuning.md")
	if err != nil {
		t.Fatal(err)
	}
	for qualified, row := range map[bool]struct {
		rights []string
		on     string
	}{false: {step.OnFunctions, "the function"}, true: {step.OnVersions, "its versions (`:*`)"}} {
		given := slices.Sorted(slices.Values(row.rights))
		if calls := slices.Sorted(maps.Keys(made[qualified])); !slices.Equal(calls, given) {
			t.Errorf("on %s:\ncalls  %q\nrights %q", row.on, calls, given)
		}
		_, said, _ := strings.Cut(string(page), "\n| "+row.on+" | lambda:")
		said, _, _ = strings.Cut(said, " |\n")
		var told []string
		for word := range strings.SplitSeq(said, ", ") {
			told = append(told, "lambda:"+word)
		}
		if slices.Sort(told); !slices.Equal(told, given) {
			t.Errorf("docs/tuning.md lists %q on %s, want %q", told, row.on, given)
		}
	}
}

func TestErrorNames(t *testing.T) {
	s := newServer(t)
	for want, err := range map[string]error{
		"FunctionBusy": fmt.Errorf("F %w", ErrBusy), "NothingMeasured": fmt.Errorf("a: %w", ErrNothingMeasured), "InputError": &InputError{}, "TuningFailed": context.Canceled,
		"ResourceNotFoundException": func() error {
			_, err := tuner(s).Run(t.Context(), input(t, `{"lambdaARN": "H", "num": 5}`), "r")
			return err
		}(),
	} {
		if got := ErrorName(err); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
}
