package power

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

func TestAFailingPowerValueIsReported(t *testing.T) {
	for name, test := range map[string]struct {
		reply double.Answer
		want  string
	}{
		"timed out":     {double.Answer{DurationMs: 3000, Status: "timeout", UsedMB: 60, FunctionError: `{"errorMessage":"2026 id Task timed out after 3.00 seconds"}`}, "timed out after 3.00 seconds"},
		"out of memory": {double.Answer{DurationMs: 30, Status: "error\tError Type: Runtime.ExitError", UsedMB: 128, FunctionError: `{"errorType":"Runtime.ExitError","errorMessage":"signal: killed"}`}, "out of memory: it used all of its 128 MB"},
		"error":         {double.Answer{DurationMs: 30, UsedMB: 60, FunctionError: `{"errorType":"Custom","errorMessage":"no\nway"}`}, "Custom: no way"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			good := s.Run
			s.answer(func(r double.Run) double.Answer {
				if r.MemorySizeMB == 128 && !r.Cold {
					return test.reply
				}
				return good(r)
			})
			out, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128, 512]}`), "run-1")
			if err != nil {
				t.Fatal(err)
			}
			s.untouched(t)
			v := out.ByPowerValue[0]
			if out.Power != 512 || v.Failed != test.want+" (3 times in a row, at invocation 2)" || v.Invocations != 1 || v.TotalCost <= 0 || out.ByPowerValue[1].Invocations != 5 || !strings.Contains(out.Recommendation, test.want) {
				t.Errorf("got %+v: %s", v, out.Recommendation)
			}
		})
	}
}

func TestAllFail(t *testing.T) {
	s := newServer(t)
	s.answer(func(_ double.Run) double.Answer {
		return double.Answer{DurationMs: 1, FunctionError: `{"errorType":"E"}`}
	})
	_, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128, 512]}`), "run-1")
	if !errors.Is(err, ErrNothingMeasured) || !strings.Contains(err.Error(), "128 MB: E (3 times in a row, at invocation 1); 512 MB: E (3") {
		t.Errorf("want ErrNothingMeasured with both reasons: %v", err)
	}
	s.untouched(t)
	s.answer(func(_ double.Run) double.Answer {
		return double.Answer{DurationMs: 1, FunctionError: `{"errorType":"E"}`}
	})
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128], "allowedExceptions": ["E"]}`), "run-2")
	if err != nil || out.ByPowerValue[0].AllowedErrors != 5 {
		t.Errorf("want 5 allowed errors: %+v, %v", out, err)
	}
}

func TestThrottlingLosesNoSample(t *testing.T) {
	s := newServer(t)
	for after := range 3 {
		s.Strike(&double.Fault{Operation: "Invoke", After: 2 * after, Times: 1, Error: api.Throttled("ConcurrentInvocationLimitExceeded")})
	}
	out, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128], "parallelInvocation": true}`), "run-1")
	if err != nil || out.ByPowerValue[0].Invocations != 5 || out.ByPowerValue[0].Throttles == 0 {
		t.Errorf("want 5 invocations, and the throttles counted: %+v, %v", out, err)
	}
	s.untouched(t)
}

// Somebody else changes the function during each call of the control plane in turn. The tuning ends or goes on, but it
// never undoes their change.
func TestForeignChanges(t *testing.T) {
	for at := 1; at < 14; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			s := newServer(t)
			n := 0
			s.Before = func(call double.Call) {
				if call.Operation == "Invoke" {
					return
				}
				if n++; n == at {
					s.Change("F", func(c *api.Configuration) {
						c.Environment = maps.Clone(c.Environment)
						c.Environment["THEIRS"] = "1"
					})
				}
			}
			_, err := tuner(s).Run(t.Context(), input(t, `{"num": 5, "powerValues": [128, 256]}`), "run-1")
			if err != nil && !errors.Is(err, measure.ErrForeign) {
				t.Errorf("want ErrForeign or no error: %v", err)
			}
			versions, aliases := s.left(t, "F")
			if c := s.latest(t); c.Environment["THEIRS"] != "1" || c.MemorySizeMB != 1024 || len(versions) != 1 || len(aliases) != 1 {
				t.Errorf("left %+v, versions %v, aliases %v", c, versions, aliases)
			}
		})
	}
}

func TestAFunctionHasOneTuningAtATime(t *testing.T) {
	s := newServer(t)
	s.Change("F", func(c *api.Configuration) {
		c.Description = marker{id: "other", memory: 1024}.before("")
		c.MemorySizeMB = 128
	})
	_, err := tuner(s).Run(t.Context(), input(t, `{"num": 5}`), "run-1")
	if err == nil || !strings.Contains(err.Error(), "is being tuned by somebody else") || !strings.Contains(err.Error(), "--clean") || s.latest(t).MemorySizeMB != 128 {
		t.Errorf("want an error about the other tuning, and the memory size left alone: %v", err)
	}
	found, err := tuner(s).Clean(t.Context(), Input{Function: "F"})
	if err != nil || !found {
		t.Errorf("want the other tuning cleaned up: %v, %v", found, err)
	}
	s.untouched(t)
}

// Ctrl-C during any call leaves nothing behind.
func TestInterrupted(t *testing.T) {
	for at := 1; at < 45; at++ {
		s := newServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		s.Before = func(double.Call) {
			if n++; n == at {
				cancel()
			}
		}
		_, err := tuner(s).Run(ctx, input(t, `{"num": 5, "powerValues": [128, 256]}`), "run-1")
		if err == nil && at < 20 {
			t.Errorf("at call %d: no error", at)
		}
		s.Before = nil
		s.untouched(t)
		cancel()
	}
}

func TestNoReport(t *testing.T) {
	s := newServer(t)
	s.answer(func(_ double.Run) double.Answer { return double.Answer{Log: "hello\n"} })
	if _, err := tuner(s).Run(t.Context(), input(t, `{"num": 5}`), "run-1"); err == nil || !strings.Contains(err.Error(), "no REPORT") {
		t.Errorf("want an error about the missing REPORT: %v", err)
	}
	s.untouched(t)
}
