package measure

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// memory is a Sink that keeps the records.
type memory []record.Record

func (m *memory) Write(r record.Record) error { *m = append(*m, r); return nil }

func (m memory) where(keep func(record.Record) bool) (out memory) {
	for _, r := range m {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

func targets(names ...string) (out []Target) {
	for _, n := range names {
		out = append(out, Target{
			Identity: arm.Identity{Experiment: "packaging", Arm: n + "/zip", Bootstrap: n, Package: arm.ZIP,
				Architecture: arm.X8664, MemorySizeMB: 128, Handler: "echo"},
			FunctionName: n, PackageSizeBytes: 1000,
		})
	}
	return out
}

func options(cold, warm int) Options {
	return Options{Source: record.Lab, RunID: "run", Seed: 7, Cold: cold, Warm: warm, Environments: 2, Poll: time.Millisecond}
}

func measure(t *testing.T, s *server, ts []Target, o Options, done record.Done) (memory, Outcome) {
	t.Helper()
	var got memory
	out, err := Run(t.Context(), NewLabClient(s.URL), ts, o, done, &got)
	if err != nil {
		t.Fatal(err)
	}
	return got, out
}

// restored fails the test unless every function has its own configuration back.
func restored(t *testing.T, s *server) {
	t.Helper()
	for _, f := range s.List() {
		if d := cmp.Diff(map[string]string{"KEEP": "me"}, f.Environment); d != "" {
			t.Errorf("%s not restored: %s", f.Name, d)
		}
	}
}

func TestEveryColdSampleIsColdHoweverLateTheUpdateShows(t *testing.T) {
	for _, c := range []struct {
		name            string
		looks, progress int
	}{{"done at once", 0, 0}, {"old state shows first", 3, 0}, {"in progress", 0, 3}, {"both", 2, 2}} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, "a", "b", "c")
			s.Stale, s.InProgress = c.looks, c.progress
			got, out := measure(t, s, targets("a", "b", "c"), options(4, 6), nil)
			if d := cmp.Diff(Outcome{Written: 3 * (4 + 2 + 6)}, out, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
			cold := got.where(func(r record.Record) bool { return r.Start == record.Cold && r.Marked == "" })
			warm := got.where(func(r record.Record) bool { return r.Start == record.Warm && r.Marked == "" })
			if len(cold) != 12 || len(warm) != 18 {
				t.Errorf("%d cold and %d warm samples, want 12 and 18", len(cold), len(warm))
			}
			if len(got) != Planned(targets("a", "b", "c"), options(4, 6), nil) {
				t.Errorf("Planned says %d, %d were written", Planned(targets("a", "b", "c"), options(4, 6), nil), len(got))
			}
			restored(t, s)
		})
	}
}

func TestRecordHoldsWhatLambdaSaid(t *testing.T) {
	s := newServer(t, "a")
	got, _ := measure(t, s, targets("a"), options(1, 1), nil)
	for i := range got {
		if got[i].StartedAt.IsZero() || got[i].ClientDurationMs == nil || *got[i].ClientDurationMs <= 0 {
			t.Errorf("the caller's clock is missing: %+v", got[i])
		}
		if i > 0 && got[i].RequestID == got[i-1].RequestID || got[i].RequestID == "" {
			t.Errorf("request ID %q", got[i].RequestID)
		}
		got[i].StartedAt, got[i].ClientDurationMs, got[i].RequestID = time.Time{}, nil, ""
	}
	cold := record.Record{
		Schema: 1, RunID: "run", Source: record.Lab, Experiment: "packaging", Arm: "a/zip", Bootstrap: "a", Package: arm.ZIP,
		Architecture: arm.X8664, MemorySizeMB: 128, Handler: "echo", PackageSizeBytes: 1000, Round: 1, Order: 1, Start: record.Cold, Environment: 1,
		InitDurationMs: new(1.25), Counts: counts.Counts{InitReadKiB: new(620.0), InitReadChunks: new(2), FirstResponseReadKiB: new(628.0)},
		DurationMs: new(0.5), BilledDurationMs: new(2.0), MaxMemoryUsedMB: new(20),
	}
	prime := cold
	prime.Environment, prime.Marked = 2, record.Priming
	warm := prime
	warm.Start, warm.Marked = record.Warm, ""
	warm.BilledDurationMs = new(1.0) // INIT is billed within the cold start
	warm.InitDurationMs, warm.InitReadKiB, warm.InitReadChunks, warm.FirstResponseReadKiB = nil, nil, nil, nil
	if d := cmp.Diff(memory{cold, prime, warm}, got); d != "" {
		t.Error(d)
	}
}

func TestSamplesThatAreNotWhatTheyWereMeantToBeAreMarked(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*server)
		want    []record.Mark // of one cold sample, one priming sample and three warm ones
	}{
		{"no REPORT", func(s *server) { s.report = func(double.Run, string) string { return "hello\n" } },
			[]record.Mark{record.NoReport, "primes an environment: no REPORT", record.NoReport, record.NoReport, record.NoReport}},
		{"REPORT of another invocation", func(s *server) {
			s.report = func(r double.Run, log string) string {
				if r.N == 1 {
					return strings.ReplaceAll(log, r.RequestID, "another")
				}
				return log
			}
		}, []record.Mark{record.NoReport, record.Priming, "", "", ""}},
		{"cold start met a warm environment", func(s *server) {
			s.invoke = func(r double.Run, a *double.Answer) {
				if r.N == 1 {
					a.InitMs = 0
				}
			}
		}, []record.Mark{record.ColdWithoutInit, record.Priming, "", "", ""}},
		{"warm environment recycled", func(s *server) {
			s.invoke = func(r double.Run, a *double.Answer) {
				if r.N == 4 {
					a.InitMs = 10
				}
			}
		}, []record.Mark{"", record.Priming, "", record.WarmWithInit, ""}},
		{"throttled, kept and taken again", func(s *server) {
			throttle := api.Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
			s.Strike(&double.Fault{Operation: "Invoke", Times: 1, Error: throttle}, &double.Fault{Operation: "Invoke", After: 2, Times: 1, Error: throttle})
		}, []record.Mark{record.Throttled, "", record.Priming, record.Throttled, "", "", ""}},
		{"service error, not retried", func(s *server) {
			s.Strike(&double.Fault{Operation: "Invoke", Times: 1, Error: double.Service("ServiceException")})
		}, []record.Mark{"no answer: ServiceException: *", record.Priming, "", "", ""}},
		{"connection cut, not retried", func(s *server) {
			s.Strike(&double.Fault{Operation: "Invoke", Times: 1, Cut: true})
		}, []record.Mark{"no answer: *", record.Priming, "", "", ""}},
		{"crash, and INIT inside the next Duration", func(s *server) {
			s.invoke = func(r double.Run, a *double.Answer) {
				if r.N == 3 {
					a.FunctionError, a.Status = "{}", "error\tError Type: Runtime.ExitError"
				}
			}
		}, []record.Mark{"", record.Priming, record.FunctionFailed, record.AfterCrash, ""}},
		{"INIT took longer than the call", func(s *server) {
			s.report = func(_ double.Run, log string) string {
				return strings.Replace(log, "Init Duration: 1.25", "Init Duration: 900.00", 1)
			}
		}, []record.Mark{"INIT that nobody waited for: *", "primes an environment: INIT that nobody waited for: *", "", "", ""}},
		{"INIT ended long before the call", func(s *server) {
			s.report = func(r double.Run, log string) string {
				if !r.Cold {
					return log
				}
				return `{"time":"2026-01-01T00:00:00.000Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init"}}` + "\n" +
					`{"time":"2026-01-01T00:02:00.000Z","type":"platform.start","record":{"requestId":"` + r.RequestID + `","version":"$LATEST"}}` + "\n" +
					`{"time":"2026-01-01T00:02:00.001Z","type":"platform.report","record":{"requestId":"` + r.RequestID + `","status":"success","metrics":{"durationMs":0.5,"billedDurationMs":2,"memorySizeMB":128,"maxMemoryUsedMB":20,"initDurationMs":1.25}}}` + "\n"
			}
		}, []record.Mark{"INIT that nobody waited for: 2m0s before the invocation", "primes an environment: INIT that nobody waited for: 2m0s before the invocation", "", "", ""}},
		{"REPORT without a number", func(s *server) {
			s.report = func(r double.Run, log string) string {
				if r.Cold {
					return log
				}
				return strings.Replace(log, "Duration: 0.50", "Duration: NaN", 1)
			}
		}, []record.Mark{"", record.Priming, `REPORT not understood: *`, `REPORT not understood: *`, `REPORT not understood: *`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, "a")
			c.arrange(s)
			o := options(1, 3)
			o.Environments = 1
			got, out := measure(t, s, targets("a"), o, nil)
			var marks []record.Mark
			n := 0
			for i, r := range got {
				m := r.Marked
				if i < len(c.want) {
					if head, ok := strings.CutSuffix(string(c.want[i]), "*"); ok && strings.HasPrefix(string(m), head) {
						m = c.want[i]
					}
				}
				if m != "" && m != record.Priming {
					n++
				}
				marks = append(marks, m)
			}
			if d := cmp.Diff(c.want, marks); d != "" {
				t.Error(d)
			}
			if out.Marked != n {
				t.Errorf("%d counted as marked, want %d", out.Marked, n)
			}
			restored(t, s)
		})
	}
}

func TestFunctionErrorIsShortAndOneLine(t *testing.T) {
	for payload, want := range map[string]string{
		`{"errorMessage":"RequestId: x Error: Runtime exited\nwith error: exit status 3","errorType":"Runtime.ExitError"}`: "Runtime.ExitError: RequestId: x Error: Runtime exited with error: exit status 3",
		`{"errorMessage":"2026-11-21T10:00:00Z x Task timed out after 3.00 seconds"}`:                                      "Unhandled: 2026-11-21T10:00:00Z x Task timed out after 3.00 seconds",
		"\xffno JSON": "Unhandled: ?no JSON",
		`{"errorMessage":"` + strings.Repeat("long ", 100) + `"}`: "Unhandled: " + strings.Repeat("long ", 37) + "l...",
	} {
		if got := functionError("Unhandled", []byte(payload)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestCtrlCKeepsWhatWasMeasuredAndRestores(t *testing.T) {
	for _, when := range []string{"while invoking", "while updating", "between"} {
		t.Run(when, func(t *testing.T) {
			s := newServer(t, "a", "b")
			s.InProgress = 1
			ctx, cancel := context.WithCancel(t.Context())
			switch when {
			case "while invoking":
				s.invoke = func(r double.Run, _ *double.Answer) {
					if r.N == 3 {
						cancel()
						time.Sleep(20 * time.Millisecond)
					}
				}
			case "while updating":
				n := 0
				s.Before = func(c double.Call) {
					if c.Operation == "UpdateFunctionConfiguration" {
						if n++; n == 4 {
							cancel()
							time.Sleep(20 * time.Millisecond)
						}
					}
				}
			}
			o := options(50, 0)
			var got memory
			o.Observe = func(record.Record) {
				if when == "between" && len(got) == 3 {
					cancel()
				}
			}
			out, err := Run(ctx, NewLabClient(s.URL), targets("a", "b"), o, nil, &got)
			if err != nil || !out.Interrupted {
				t.Fatalf("want an interrupted run without an error: %+v, %v", out, err)
			}
			if len(got) < 2 || len(got) > 3 {
				t.Errorf("%d records, want 2 or 3", len(got))
			}
			restored(t, s)
		})
	}
}

func TestFirstColdStartsAfterADeploymentAreFlagged(t *testing.T) {
	s := newServer(t, "old", "new")
	s.Change("new", func(c *api.Configuration) { c.LastModified = time.Now() })
	o := options(3, 0)
	o.FirstAfterDeploy, o.Fresh = 2, time.Hour
	got, _ := measure(t, s, targets("old", "new"), o, nil)
	var flagged []string
	for _, r := range got {
		if r.FirstAfterDeploy {
			flagged = append(flagged, fmt.Sprint(r.Arm, r.Round))
		}
	}
	if d := cmp.Diff([]string{"new/zip1", "new/zip2"}, flagged); d != "" {
		t.Error(d)
	}
}

func TestOneDeadFunctionDoesNotEndTheRun(t *testing.T) {
	s := newServer(t, "a", "dead")
	s.Strike(&double.Fault{Operation: "Invoke", Function: "dead", Error: &api.Error{Status: 502, Code: "InvalidRuntimeException", Message: "no such runtime"}})
	got, out := measure(t, s, targets("a", "dead"), options(10, 0), nil)
	if n := len(got.where(func(r record.Record) bool { return r.Arm == "a/zip" })); n != 10 {
		t.Errorf("%d samples of the other arm, want 10", n)
	}
	if len(got) != 15 || len(out.NotMeasured) != 1 || !strings.Contains(out.NotMeasured[0].Why, "InvalidRuntimeException: no such runtime") {
		t.Errorf("%d records, want 15 and the dead arm in NotMeasured: %+v", len(got), out)
	}
	restored(t, s)
}
