package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// environment holds what a log stream has said so far.
type environment struct {
	stream   string
	known    bool // it is the log of one environment; events without a stream may be of many
	begun    bool // it has an event, in JSON or in text
	json     bool
	single   bool          // it runs one invocation at a time: one that begins within another was printed by it
	ends     bool          // the log has END
	restored bool          // by SnapStart: an INIT in its log is one after a crash
	running  []*invocation // invocations that have begun or were reported, and are not final
	done     [8]string     // request IDs of the last records

	said
}

// said holds what the log said since the last REPORT. It belongs to the next one.
type said struct {
	started     time.Time // of INIT
	initialized string    // initializationType; "" if unknown
	hidden      bool      // INIT runs again within the next invocation's Duration
}

// Bounds of the invocations of a log that are not final: those that run at the same time, and, in one environment,
// those that may turn out to be printed.
const maxRunning, maxSingle = 1000, 20

// invocation is an invocation that has begun, ended or been reported.
type invocation struct {
	env    *environment
	id     string
	start  time.Time
	ended  bool
	report *logline.Report // the last so far
	before said            // the first of them
	event  Event
	bad    error // why a part of the report cannot be used
}

// is notes an initializationType. With managed instances, an environment runs several invocations at a time.
func (env *environment) is(initialized string) {
	if initialized != "" {
		env.initialized, env.single = initialized, env.known && initialized != managedInstances
	}
}

const managedInstances, snapStart = "lambda-managed-instances", "snap-start"

// open reports whether an invocation is running, so that a REPORT of another one must be its output.
func (env *environment) open() bool {
	return slices.ContainsFunc(env.running, func(i *invocation) bool { return i.report == nil || env.ends && !i.ended })
}

// find returns the latest invocation with an ID.
func (env *environment) find(id string) *invocation {
	for _, i := range slices.Backward(env.running) {
		if i.id == id && id != "" {
			return i
		}
	}
	return nil
}

// ahead says why no caller waited for an INIT, or "" if one did. Lambda also initializes environments before
// invocations: with provisioned concurrency, and on its own.
func (i *invocation) ahead() string {
	switch i.before.initialized {
	case "provisioned-concurrency", managedInstances:
		return i.before.initialized
	}
	start := i.start
	if start.IsZero() && !i.event.Time.IsZero() && i.report.DurationMs != nil { // the time of a REPORT is the invocation's end
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

// finish yields the record of an invocation.
func (t *tracker) finish(i *invocation) {
	env := i.env
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
		r.InitializationType = before.initialized
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
