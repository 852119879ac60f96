package power

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

func tuner(s *server) *Tuner { return &Tuner{Lambda: s.client(), Poll: time.Millisecond} }

func input(t *testing.T, text string) Input {
	t.Helper()
	if !strings.Contains(text, "lambdaARN") {
		text = strings.Replace(text, "{", fmt.Sprintf(`{"lambdaARN": %q, `, functionARN), 1)
	}
	in, err := ParseInput([]byte(text), Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestRun(t *testing.T) {
	s := newServer(t)
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 10, "powerValues": [128, 512, 1769, 3538], "strategy": "speed", "includeOutputResults": true}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	s.untouched(t)
	if out.Power != 1769 { // as fast as the largest, and cheaper
		t.Errorf("chose %d MB", out.Power)
	}
	rate, _ := price.Default().Rate("eu-west-1", arm.ARM64)
	for _, v := range out.ByPowerValue {
		ms := 100 / min(1, float64(v.Value)/1769)
		if v.Invocations != 10 || v.ColdStarts != 1 || v.Init.N != 1 || v.Init.Mean != 50 || math.Abs(v.Handler.P50-ms) > 0.01 || v.Handler.Max-v.Handler.Min != 0 {
			t.Errorf("%d MB: %+v, handler %+v, INIT %+v", v.Value, v, v.Handler, v.Init)
		}
		// The trimmed mean leaves out the cold start.
		if math.Abs(v.AverageDuration-ms) > 0.01 || v.Duration.Max < ms+49.9 {
			t.Errorf("%d MB: average %v, max %v", v.Value, v.AverageDuration, v.Duration.Max)
		}
		shown := math.Round(ms*100) / 100
		if want := rate.Invocation(v.Value, shown); math.Abs(v.AveragePrice-want) > 1e-15 {
			t.Errorf("%d MB: price %v, want %v", v.Value, v.AveragePrice, want)
		}
		if want := 9*rate.Invocation(v.Value, shown) + rate.Invocation(v.Value, shown+50); math.Abs(v.TotalCost-want) > 1e-13 {
			t.Errorf("%d MB: total %v, want %v", v.Value, v.TotalCost, want)
		}
	}
	if len(out.Stats) != 4 || out.StateMachine.ExecutionCost != 0 || out.Percentiles == nil || out.Percentiles.P99 != nil || out.Percentiles.P90 == nil {
		t.Errorf("want stats of 4 values, and percentiles up to p90: %+v", out)
	}
	for _, want := range []string{"Set the memory to 1769 MB", "the fastest of the 4", "3538 MB cannot be told apart from it"} {
		if !strings.Contains(out.Recommendation, want) {
			t.Errorf("%q is not in %q", want, out.Recommendation)
		}
	}
	curves, err := ParseVisualization(out.StateMachine.Visualization)
	if err != nil || !slices.Equal(curves[0].Sizes, []int16{128, 512, 1769, 3538}) || curves[0].Times[2] != 100 {
		t.Errorf("want the curve of the 4 values: %+v, %v", curves, err)
	}
}

// Power values take turns: each round invokes each value once, and the order differs from round to round.
func TestOrder(t *testing.T) {
	s := newServer(t)
	if _, err := tuner(s).Run(t.Context(), input(t, `{"num": 20, "powerValues": [128, 256, 512, 1024]}`), "run-1"); err != nil {
		t.Fatal(err)
	}
	var rounds []string
	var round []string
	for _, q := range s.invoked() {
		if slices.Contains(round, q) {
			t.Fatalf("%s twice in a round", q)
		}
		if round = append(round, q); len(round) == 4 {
			rounds, round = append(rounds, strings.Join(round, " ")), nil
		}
	}
	different := slices.Compact(slices.Sorted(slices.Values(rounds)))
	if len(rounds) != 20 || len(different) < 5 {
		t.Errorf("%d rounds, %d different orders", len(rounds), len(different))
	}
}

func TestParallel(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var running atomic.Int32
	ten := make(chan struct{})
	s.Before = func(call double.Call) {
		if call.Operation != "Invoke" {
			return
		}
		if running.Add(1) == 10 {
			close(ten)
		}
		select { // the first ten wait for each other
		case <-ten:
		case <-ctx.Done():
		}
	}
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 100, "powerValues": [128, 256], "parallelInvocation": true}`), "run-1")
	if err != nil || out.ByPowerValue[0].Invocations != 100 || out.ByPowerValue[1].Invocations != 100 {
		t.Fatalf("want 100 invocations of each value: %+v, %v", out, err)
	}
	if ctx.Err() != nil {
		t.Error("ten invocations did not run at the same time")
	}
}

func TestOnlyColdStarts(t *testing.T) {
	s := newServer(t)
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 6, "powerValues": [128, 512], "onlyColdStarts": true}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	s.untouched(t)
	for _, v := range out.ByPowerValue {
		if v.Invocations != 6 || v.ColdStarts != 6 || v.Init.Mean != 50 || v.AverageDuration != v.Handler.Mean+50 {
			t.Errorf("want 6 cold starts, and INIT in the average: %+v", v)
		}
	}
}

func TestSnapStart(t *testing.T) {
	s := newServer(t)
	s.answer(func(r double.Run) double.Answer {
		if r.Cold {
			return double.Answer{DurationMs: 10, RestoreMs: 300}
		}
		return double.Answer{DurationMs: 10}
	})
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128], "discardTopBottom": 0}`), "run-1")
	if err != nil || out.Duration != 70 || out.ByPowerValue[0].Restore.Mean != 300 || out.ByPowerValue[0].Init != nil || out.ByPowerValue[0].ColdStarts != 1 {
		t.Errorf("want one cold start with a restore of 300 ms: %+v, %v", out, err)
	}
}

func TestProcessors(t *testing.T) {
	const around = `"preProcessorARN": "pre", "postProcessorARN": "post"`
	s := newServer(t)
	s.answer(func(_ double.Run) double.Answer { return double.Answer{DurationMs: 1, Payload: `{"done":1}`} })
	_, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128], "payload": "replace", `+around+`}`), "run-1")
	if err != nil || s.events()[`{"replaced":true}`] != 5 || s.events()[`"replace"`] != 5 || s.events()[`{"done":1}`] != 5 {
		t.Errorf("want 5 events of each kind: %v, %v", s.events(), err)
	}
	_, err = tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128], "payload": "break pre", `+around+`}`), "run-2")
	if err == nil || !strings.Contains(err.Error(), "preProcessorARN pre: ") || !strings.Contains(err.Error(), "payload") {
		t.Errorf("want an error that names the processor and the payload: %v", err)
	}
	_, err = tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128], "payload": "break pre", "disablePayloadLogs": true, `+around+`}`), "run-3")
	if err == nil || strings.Contains(err.Error(), "break") {
		t.Errorf("want an error without the payload: %v", err)
	}
	s.untouched(t)
}

func TestOptimise(t *testing.T) {
	s := newServer(t)
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128, 2048], "strategy": "speed", "autoOptimize": true}`), "run-1")
	if err != nil || s.latest(t).MemorySizeMB != 2048 || s.latest(t).Description != "" || s.latest(t).Environment["KEEP"] != "me" || out.Optimised != "memory set to 2048 MB" {
		t.Errorf("want 2048 MB applied, and all else as before: %+v, %+v, %v", out, s.latest(t), err)
	}
	out, err = tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128, 1769], "strategy": "speed", "autoOptimize": true, "autoOptimizeAlias": "live"}`), "run-2")
	live, problem := s.client().GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F:live")})
	if versions, _ := s.left(t, "F"); err != nil || problem != nil || *live.MemorySize != 1769 || !strings.Contains(out.Optimised, "alias live points at version") || len(versions) != 2 {
		t.Errorf("got %+v, live %+v, versions %v, %v", out, live, versions, err)
	}
	if _, err = tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128, 512], "autoOptimize": true, "dryRun": true}`), "run-3"); err != nil || s.latest(t).MemorySizeMB != 1769 {
		t.Errorf("want the memory size unchanged by a dry run: %+v, %v", s.latest(t), err)
	}
}

func TestQualifier(t *testing.T) {
	s := newServer(t)
	const text = `{"num": 5, "powerValues": [128], "lambdaARN": "F:live"}`
	if _, err := tuner(s).Run(t.Context(), input(t, text), "run-1"); err != nil {
		t.Error(err)
	}
	s.Change("F", func(c *api.Configuration) { c.CodeSHA256 = "b3RoZXI=" })
	if _, err := tuner(s).Run(t.Context(), input(t, text), "run-2"); err == nil || !strings.Contains(err.Error(), "differs from $LATEST in code") {
		t.Errorf("want an error about the alias's code: %v", err)
	}
	if _, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "lambdaARN": "H"}`), "run-3"); err == nil || !strings.Contains(err.Error(), "Function not found: H") {
		t.Errorf("want an error about the missing function: %v", err)
	}
}

// The output has all fields of Power Tuning's output, with the same types.
func TestOutputIsCompatible(t *testing.T) {
	s := newServer(t)
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "includeOutputResults": true}`), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Power, Cost, Duration *float64
		StateMachine          struct {
			ExecutionCost, LambdaCost *float64
			Visualization             *string
		}
		Stats []struct{ AveragePrice, AverageDuration, Value *float64 }
	}
	if err := json.Unmarshal(text, &theirs); err != nil {
		t.Fatal(err)
	}
	m := theirs.StateMachine
	if theirs.Power == nil || theirs.Cost == nil || theirs.Duration == nil || m.ExecutionCost == nil || m.LambdaCost == nil || m.Visualization == nil || len(theirs.Stats) != 6 {
		t.Errorf("want all fields of Power Tuning: %s", text)
	}
	for _, s := range theirs.Stats {
		if s.AveragePrice == nil || s.AverageDuration == nil || s.Value == nil {
			t.Errorf("want all fields in each of stats: %s", text)
		}
	}
}
