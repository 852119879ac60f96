package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// environment is what a log stream has said so far.
type environment struct {
	stream   string
	known    bool // that it is one environment's log: what has no stream may be of many
	begun    bool // that it has said something, in JSON or not
	json     bool
	single   bool          // one invocation at a time: what begins within another's is its output
	ends     bool          // the log has END
	restored bool          // by SnapStart: an INIT in its log is one after a crash
	running  []*invocation // begun or reported, not yet final
	done     [8]string     // request IDs of the last records

	said
}

// said is what the log said since the last REPORT, for the next one.
type said struct {
	started     time.Time // of INIT
	initialized string    // initializationType, "" is not known
	hidden      bool      // INIT runs again within the next invocation's Duration

	initPhases, eventPhases map[string]float64
	phasesOf                string // request ID of eventPhases
}

// What bounds the invocations of a log that are not final: those that run at the same time, and of one environment those that may turn out
// to have been printed.
const maxRunning, maxSingle = 1000, 20

// invocation is one that has begun, ended or been reported.
type invocation struct {
	id     string
	start  time.Time
	ended  bool
	report *logline.Report // the last so far
	before said            // the first of them
	event  Event
	bad    error // what of the report cannot be used
}

// is notes an initializationType. Of those known, one has environments that run several invocations at a time.
func (env *environment) is(initialized string) {
	if initialized != "" {
		env.initialized, env.single = initialized, env.known && initialized != managedInstances
	}
}

const managedInstances, snapStart = "lambda-managed-instances", "snap-start"

// open reports whether an invocation is under way, so that a REPORT of another one is its output.
func (env *environment) open() bool {
	return slices.ContainsFunc(env.running, func(i *invocation) bool { return i.report == nil || env.ends && !i.ended })
}

// find is the latest of an ID.
func (env *environment) find(id string) *invocation {
	for _, i := range slices.Backward(env.running) {
		if i.id == id && id != "" {
			return i
		}
	}
	return nil
}

// ahead says why nobody waited for an INIT, "" if somebody did: Lambda initializes environments ahead of invocations, too, with provisioned
// concurrency and of its own accord.
func (i *invocation) ahead() string {
	switch i.before.initialized {
	case "provisioned-concurrency", managedInstances:
		return i.before.initialized
	}
	start := i.start
	if start.IsZero() && !i.event.Time.IsZero() && i.report.DurationMs != nil { // REPORT is written at the end
		start = i.event.Time.Add(-ms(*i.report.DurationMs))
	}
	if i.before.started.IsZero() || start.IsZero() {
		return ""
	}
	if gap := start.Sub(i.before.started.Add(ms(*i.report.InitDurationMs))); gap > logline.Awaited {
		return fmt.Sprintf("%s before the invocation", gap.Round(time.Second))
	}
	return ""
}

func ms(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }

// finish makes a record of an invocation.
func (t *tracker) finish(env *environment, i *invocation) {
	env.running = slices.DeleteFunc(env.running, func(other *invocation) bool { return other == i })
	copy(env.done[1:], env.done[:])
	env.done[0] = i.id
	report, before := i.report, &i.before
	r := t.options.record()
	r.LogStream, r.RequestID = env.stream, report.RequestID
	if err := t.named(r); err != nil {
		t.give(nil, err)
		t.stopped = true
		return
	}
	if !i.event.Time.IsZero() {
		r.StartedAt = i.event.Time.UTC()
	}
	r.InitDurationMs, r.RestoreDurationMs, r.DurationMs = report.InitDurationMs, report.RestoreDurationMs, report.DurationMs
	r.BilledDurationMs, r.BilledRestoreDurationMs, r.MaxMemoryUsedMB = report.BilledDurationMs, report.BilledRestoreDurationMs, report.MaxMemoryUsedMB
	if report.MemorySizeMB != nil {
		r.MemorySizeMB = *report.MemorySizeMB
	}
	r.Start = record.Warm
	if began, _ := r.StartMs(); began != nil {
		r.Start = record.Cold
		r.InitPhasesMs, r.InitializationType = before.initPhases, before.initialized
	}
	if before.phasesOf == r.RequestID {
		r.EventPhasesMs = before.eventPhases
	}
	switch {
	case i.bad != nil:
		r.Marked = record.BadReport.With(strings.ReplaceAll(i.bad.Error(), "\n", "; "))
	case report.Status != "" || report.ErrorType != "":
		r.Marked = record.FunctionFailed
		r.FunctionError = strings.TrimSpace(report.Status + " " + report.ErrorType)
	case r.Start == record.Warm && (before.hidden || env.known && !before.started.IsZero()):
		r.Marked = record.AfterCrash
	case r.InitDurationMs != nil && r.RestoreDurationMs == nil && (env.restored || before.initialized == snapStart):
		r.Marked = record.NotRestored
	case r.InitDurationMs != nil:
		if ahead := i.ahead(); ahead != "" {
			r.Marked = record.InitAhead.With(ahead)
		}
	}
	if i.bad != nil {
		t.give(nil, bad(t.name, i.event.Line, "%w", i.bad))
	}
	t.give(r, nil)
}
