package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// said holds what the log said since the last REPORT. It belongs to the next one.
type said struct {
	started     time.Time // of INIT
	initialized string    // initializationType; "" if unknown
	hidden      bool      // INIT runs again within the next invocation's Duration
}

// maxRunning bounds the invocations of a log that are not final, if several run at a time. maxSingle bounds them in an
// environment that runs one at a time; a function may have printed the later ones.
const maxRunning, maxSingle = 1000, 20

// invocation is an invocation that has begun, ended or been reported.
type invocation struct {
	env    *environment
	id     string
	start  time.Time
	ended  bool
	report *logline.Report // the last one so far
	before said            // what the log said before the first REPORT
	event  Event
	bad    error // why a part of the report cannot be used
}

const managedInstances, snapStart = "lambda-managed-instances", "snap-start"

// ahead says why no caller waited for an INIT, or "" if one did. Lambda also initializes environments before
// invocations: with provisioned concurrency, and on its own.
func (i *invocation) ahead() string {
	switch i.before.initialized {
	case "provisioned-concurrency", managedInstances:
		return i.before.initialized
	}
	start := i.start
	if start.IsZero() && !i.event.Time.IsZero() && i.report.DurationMs != nil {
		start = i.event.Time.Add(-ms(*i.report.DurationMs)) // the time of a REPORT is the invocation's end
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
	r.StartedAt = i.event.Time.UTC()
	r.InitDurationMs, r.DurationMs, r.BilledDurationMs = report.InitDurationMs, report.DurationMs, report.BilledDurationMs
	r.RestoreDurationMs, r.BilledRestoreDurationMs = report.RestoreDurationMs, report.BilledRestoreDurationMs
	r.MaxMemoryUsedMB = report.MaxMemoryUsedMB
	r.MemorySizeMB = *cmp.Or(report.MemorySizeMB, &r.MemorySizeMB)
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
