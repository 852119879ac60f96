package power

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/bench/measure/power/step"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// fails returns an error of the API with a status.
func fails(status int, code string) *api.Error {
	return &api.Error{Status: status, Code: code, Message: "as asked"}
}

// If a call goes wrong once, the tuning goes on and loses no sample. It does not take its own change for somebody
// else's.
func TestOneFaultLosesNothing(t *testing.T) {
	faults := map[string]double.Fault{"cut": {Cut: true}, "lost": {Lost: true}, "twice": {Twice: true}}
	for code, status := range map[string]int{"ServiceException": 500, "EC2UnexpectedException": 502, "ResourceConflictException": 409, "SnapStartNotReadyException": 502, "SnapStartException": 400,
		"TooManyRequestsException": 429, "ResourceNotReadyException": 502} {
		faults[code] = double.Fault{Error: fails(status, code)}
	}
	for name, fault := range faults {
		for _, operation := range []string{"Invoke", "InvokeWithResponseStream", "UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction", "ListVersionsByFunction", "GetFunctionConfiguration"} {
			if fault.Error != nil && !strings.HasPrefix(operation, "Invoke") && fault.Error.Status < 500 {
				continue // in other operations these codes mean something else
			}
			for _, after := range []int{0, 1, 2} {
				if operation == "ListVersionsByFunction" && after > 0 {
					continue // a tuning calls it once
				}
				t.Run(fmt.Sprint(name, " ", operation, " ", after), func(t *testing.T) {
					t.Parallel()
					s := newServer(t)
					f := fault
					f.Operation, f.After, f.Times = operation, after, 1
					s.Strike(&f)
					text := fmt.Sprintf(`{"num": 5, "powerValues": [128, 512, 1769], "strategy": "speed", "streamed": %v}`, operation == "InvokeWithResponseStream")
					out, err := tuner(s).Run(t.Context(), input(t, text), "run-1")
					if err != nil {
						t.Fatal(err)
					}
					for _, v := range out.ByPowerValue {
						if v.Invocations != 5 || v.Failed != "" {
							t.Errorf("want 5 invocations: %+v", v)
						}
					}
					if n := s.Count(operation); n <= after {
						t.Errorf("%d calls of %s, so the fault struck none of them", n, operation)
					}
					if out.Power != 1769 {
						t.Errorf("chose %d MB", out.Power)
					}
					s.untouched(t)
				})
			}
		}
	}
}

// An invocation that fails now and then is tried again, and a warning says so. If every invocation fails, the power
// value is left out.
func TestFunctionErrorsAreTriedAgain(t *testing.T) {
	for share, want := range map[int]string{2: "", 4: "", 1: "Transient: by the test (3 times in a row, at invocation 1)"} {
		s := newServer(t)
		n := 0
		s.answer(func(r double.Run) double.Answer {
			if r.MemorySizeMB == 128 {
				if n++; n%share == 0 {
					return double.Answer{DurationMs: 5, FunctionError: `{"errorType":"Transient","errorMessage":"by the test"}`}
				}
			}
			return double.Working(r)
		})
		out, err := tuner(s).Run(t.Context(), input(t, `{"num": 12, "powerValues": [128, 512]}`), "run-1")
		if err != nil {
			t.Fatal(err)
		}
		v := out.ByPowerValue[0]
		if v.Failed != want || want == "" && (v.Invocations != 12 || v.FunctionErrors < 3 || v.LastError == "") {
			t.Errorf("1 in %d fails: got %+v", share, v)
		}
		if told := strings.Contains(strings.Join(out.Warnings, "\n"), "were tried again (Transient: by the test)"); told != (want == "") {
			t.Errorf("1 in %d fails: warnings %q", share, out.Warnings)
		}
		s.untouched(t)
	}
}

// If Lambda refuses a power value, the result says so for that value, and the other values are measured. The state
// machine does the same.
func TestAPowerValueIsRefused(t *testing.T) {
	for name, arrange := range map[string]func(*server){
		"account has 3,008 MB": func(s *server) {
			s.Decide = func(c double.Call) *double.Fault {
				if strings.Contains(c.Body, `"MemorySize":5120`) {
					return &double.Fault{Error: api.Invalid("'MemorySize' value failed to satisfy constraint: less than or equal to 3008")}
				}
				return nil
			}
		},
		"version ends in Failed": func(s *server) {
			s.Publishing = func(c *api.Configuration) {
				if c.MemorySizeMB == 5120 {
					c.State, c.StateReason = "Failed", "SnapStart: no memory: less than or equal to 3008"
				}
			}
		},
	} {
		for _, cold := range []bool{false, true} {
			t.Run(fmt.Sprint(name, cold), func(t *testing.T) {
				s := newServer(t)
				arrange(s)
				text := fmt.Sprintf(`{"lambdaARN": "F", "num": 5, "powerValues": [128, 512, 5120], "onlyColdStarts": %v}`, cold)
				out, err := tuner(s).Run(t.Context(), input(t, text), "run-1")
				if err != nil {
					t.Fatal(err)
				}
				machine, _, err := newMachine(s, text).run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, out := range []*Output{out, machine} {
					if v := out.ByPowerValue; !strings.Contains(v[2].Failed, "less than or equal to 3008") || v[0].Invocations != 5 || v[1].Invocations != 5 {
						t.Errorf("want 5 invocations of two values, and the reason for the third: %+v", v)
					}
				}
				s.untouched(t)
			})
		}
	}
}

// If the chosen memory size cannot be applied, the result says so, and the analysis stays valid.
func TestOptimisingFails(t *testing.T) {
	const text = `{"lambdaARN": "F", "num": 5, "powerValues": [128, 1769], "strategy": "speed", "autoOptimize": true, "autoOptimizeAlias": "best"}`
	s := newServer(t)
	s.Strike(&double.Fault{Operation: "PublishVersion", After: 2, Error: double.Denied("lambda:PublishVersion")})
	out, err := tuner(s).Run(t.Context(), input(t, text), "run-1")
	if err != nil || out.Power != 1769 || out.Optimised != "memory set to 1769 MB" || !strings.Contains(out.NotOptimised, "AccessDeniedException") {
		t.Errorf("want 1769 MB applied, and the reason why no alias points at it: %+v, %v", out, err)
	}
	s = newServer(t)
	s.Strike(&double.Fault{Operation: "PublishVersion", After: 2, Error: double.Denied("lambda:PublishVersion")})
	_, _, err = newMachine(s, text).run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") || !strings.Contains(err.Error(), "the analysis is valid: 1769 MB; memory set to 1769 MB") {
		t.Errorf("want the reason, and that the analysis is valid: %v", err)
	}
}

// If the Map returns no result for a value, the value is reported as failed.
func TestAValueIsMissing(t *testing.T) {
	s := newServer(t)
	m := newMachine(s, `{"lambdaARN": "F", "num": 5, "powerValues": [128, 512]}`)
	var plan Plan
	if err := m.call(t.Context(), Request{Step: step.Initialise}, &plan); err != nil {
		t.Fatal(err)
	}
	var out Output
	half := []Measured{{Calls: 1, Values: []Value{{Value: 128, AverageDuration: 10, AveragePrice: 1e-6, Invocations: 5}}}}
	if err := m.call(t.Context(), Request{Step: step.Analyse, Plan: &plan, Measured: half}, &out); err != nil {
		t.Fatal(err)
	}
	if v := out.ByPowerValue; len(v) != 2 || v[1].Value != 512 || v[1].Failed == "" || !strings.Contains(strings.Join(out.Warnings, "\n"), "512 MB is not compared") {
		t.Errorf("want a failed result for 512 MB, and a warning: %+v, %q", v, out.Warnings)
	}
}

// The size of a round depends on how long the invocations take, not on the function's time-out.
func TestALongTimeout(t *testing.T) {
	s := newServer(t)
	s.Change("F", func(c *api.Configuration) { c.TimeoutSeconds = 900 })
	m := newMachine(s, `{"lambdaARN": "F", "num": 20, "powerValues": [128, 512]}`)
	out, _, err := m.run(deadlines{t.Context(), 15 * time.Minute})
	if err != nil || m.count(step.Execute) != 1 || out.StateMachine.Transitions != 10 || out.ByPowerValue[0].Invocations != 20 {
		t.Errorf("%d calls, %+v, %v", m.count(step.Execute), out, err)
	}
}

// If the end of a step cuts off an invocation that began late, the next step repeats it, and nothing is counted twice.
// The test chooses the invocation after the first answer that came late in its step, so that it also works on a busy
// machine.
func TestAnInvocationIsCutOff(t *testing.T) {
	t.Parallel()
	const each = 5 * time.Second // an invocation is late if it begins after a tenth of it
	s := newServer(t)
	m := newMachine(s, `{"lambdaARN": "F", "num": 12, "powerValues": [128]}`)
	var (
		guard    sync.Mutex // an invocation that was cut off may still run beside the next
		begun    time.Time  // when the first invocation of the current step began
		late, is bool       // an answer came late; an invocation was cut off
	)
	s.Before = func(c double.Call) {
		guard.Lock()
		defer guard.Unlock()
		if c.Operation != "Invoke" { // each step asks for the function first
			begun, late = time.Time{}, false
		} else if begun.IsZero() {
			begun = time.Now()
		}
	}
	s.answer(func(r double.Run) double.Answer {
		time.Sleep(100 * time.Millisecond)
		guard.Lock()
		cut := late && !is
		late, is = late || time.Since(begun) > each/8, is || cut
		guard.Unlock()
		if cut {
			time.Sleep(each + time.Second)
		}
		return double.Working(r)
	})
	m.steps.Margin = 2 * time.Millisecond
	out, _, err := m.run(deadlines{t.Context(), each})
	if err != nil {
		t.Fatal(err)
	}
	if v := out.ByPowerValue[0]; !is || v.Invocations != 12 || v.Failed != "" || m.count(step.Execute) < 2 {
		text, _ := json.Marshal(v)
		t.Errorf("cut off %v, %d calls, %s", is, m.count(step.Execute), text)
	}
	s.untouched(t)
}
