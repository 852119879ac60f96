package importer

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// Records turns the events of logs, oldest first, into records. An event whose REPORT has a number that cannot be used yields a
// *record.LineError beside a record that is marked; errors call the source by name.
//
// Only what the platform wrote counts. A function can print a REPORT; it is told by where it stands: a line of the platform's begins its
// event, is not within another invocation of the same environment, and is its invocation's last. Two things cannot be told: END and
// REPORT printed with the invocation's own request ID, and a whole other invocation where a log does not say which environment wrote what.
func Records(events iter.Seq2[Event, error], name string, o Options) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		t := tracker{name: name, options: o, yield: yield}
		for e, err := range events {
			if err != nil {
				var line *record.LineError
				if !errors.As(err, &line) {
					t.end()
					yield(nil, err)
					return
				}
				t.say(err)
			} else {
				t.add(e)
			}
			if t.stopped {
				return
			}
		}
		t.end()
	}
}

// tracker keeps what one line says of the next, by log stream: an environment writes one.
type tracker struct {
	name    string
	options Options
	yield   func(*record.Record, error) bool
	stopped bool

	young, old map[string]*environment // those of which something was heard lately, and before
	printed    int                     // REPORT that the platform did not write
	printedAt  int                     // line of the first
}

// maxYoung bounds how many environments are kept: an environment that is silent while so many others speak is taken for gone.
const maxYoung = 1 << 13

// environment is what a log stream has said so far.
type environment struct {
	stream  string
	known   bool // that it is one environment's log: what has no stream may be of many
	begun   bool // that it has said something, in JSON or not
	json    bool
	single  bool          // one invocation at a time: what begins within another's is its output
	ends    bool          // the log has END
	running []*invocation // begun or reported, not yet final
	done    [8]string     // request IDs of the last records

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

func (t *tracker) emit(r *record.Record) {
	t.stopped = t.stopped || !t.yield(r, nil)
}

func (t *tracker) say(err error) {
	t.stopped = t.stopped || !t.yield(nil, err)
}

// environment finds what is known of a log stream. All events without a stream count as one's.
func (t *tracker) environment(e Event) *environment {
	stream := e.Stream
	if env := t.young[stream]; env != nil {
		return env
	}
	env := t.old[stream]
	delete(t.old, stream)
	if env == nil {
		env = &environment{stream: stream, known: stream != "" || e.alone}
	}
	if t.young == nil || len(t.young) >= maxYoung {
		for _, gone := range t.old {
			t.flush(gone, true)
		}
		t.young, t.old = map[string]*environment{}, t.young
	}
	t.young[stream] = env
	return env
}

func (t *tracker) end() {
	var left []*invocation
	in := map[*invocation]*environment{}
	for _, generation := range []map[string]*environment{t.old, t.young} {
		for _, env := range generation {
			for _, i := range env.running {
				if i.report != nil {
					left, in[i] = append(left, i), env
				}
			}
		}
	}
	slices.SortFunc(left, func(a, b *invocation) int {
		if c := a.event.Time.Compare(b.event.Time); c != 0 {
			return c
		}
		return a.event.Line - b.event.Line
	})
	for _, i := range left {
		t.finish(in[i], i)
	}
	if t.printed > 0 {
		t.say(bad(t.name, t.printedAt, "ignored what only looks like a REPORT, since a function printed it or it stands there twice: %d in all", t.printed))
	}
}

func (t *tracker) add(e Event) {
	if p, ok := logline.ParsePhases(e.Message); ok {
		env := t.environment(e)
		if p.Of == logline.PhasesOfInit {
			env.initPhases = p.Ms
		} else {
			env.eventPhases, env.phasesOf = p.Ms, p.RequestID
		}
		return
	}
	l, bad := logline.Parse(e.Message)
	isJSON := e.Message != "" && e.Message[0] == '{'
	if e.report != nil && (e.Message == "" || l.Kind == logline.KindReport) {
		l, bad = e.row(l, bad)
	} else if l.Kind == logline.KindReport && bad == nil {
		bad = l.Report.Whole()
	}
	if l.Kind == logline.KindOther || t.foreign(e, l) {
		return
	}
	if e.Time.IsZero() {
		e.Time = l.Time
	}
	env := t.environment(e)
	if env.known && env.begun && env.json != isJSON {
		e.foreign = true // a log is in one format
		t.foreign(e, l)
		return
	}
	if l.Kind != logline.KindReport && !env.begun {
		env.begun, env.json = true, isJSON
	}
	switch l.Kind {
	case logline.KindInitStart:
		t.flush(env, true)
		env.hidden = env.hidden || len(env.running) > 0 && env.known || l.Phase == "invoke"
		env.started = e.Time
		env.is(l.InitializationType)
	case logline.KindInitReport, logline.KindRestoreReport:
		env.hidden = env.hidden || l.Failed() || l.Phase == "invoke"
		env.is(l.InitializationType)
	case logline.KindStart:
		t.flush(env, false)
		env.single = env.single || env.known && !isJSON
		t.started(env, e, l.RequestID)
	case logline.KindEnd:
		i := env.find(l.RequestID)
		if i == nil {
			i = &invocation{id: l.RequestID}
			t.begin(env, i)
		}
		i.ended, env.ends = true, true
		t.dropWithin(env, i)
	case logline.KindReport:
		t.reported(env, e, l, bad)
	}
}

// started begins an invocation. A retry has the request ID of the one that failed.
func (t *tracker) started(env *environment, e Event, id string) {
	i := env.find(id)
	if i != nil && i.report != nil {
		if !env.single {
			t.finish(env, i)
		}
		i = nil
	}
	if i == nil {
		i = &invocation{id: id}
		t.begin(env, i)
	}
	i.start = e.Time
}

// foreign counts what only looks like a REPORT.
func (t *tracker) foreign(e Event, l logline.Line) bool {
	if e.foreign && l.Kind == logline.KindReport {
		t.ignore(e)
	}
	return e.foreign
}

func (t *tracker) ignore(e Event) {
	if t.printed++; t.printed == 1 {
		t.printedAt = e.Line
	}
}

func (t *tracker) reported(env *environment, e Event, l logline.Line, bad error) {
	i := env.find(l.RequestID)
	switch {
	case i == nil && (env.open() || l.RequestID != "" && slices.Contains(env.done[:], l.RequestID)):
		t.ignore(e)
		return
	case i == nil: // its START is not here, as in a query's results
		if !env.single {
			t.flush(env, false)
		}
		i = &invocation{id: l.RequestID}
		t.begin(env, i)
	case i.report != nil:
		t.ignore(i.event) // another one of the same invocation comes after it
	}
	if i.report == nil {
		i.before, env.said = env.said, said{}
	}
	i.report, i.event, i.bad = &l.Report, e, bad
	env.hidden = env.known && l.Report.Crashed()
	t.dropWithin(env, i)
}

// dropWithin takes away what began after i did, in an environment that runs one invocation at a time: i printed it.
func (t *tracker) dropWithin(env *environment, i *invocation) {
	if !env.single {
		return
	}
	after := false
	env.running = slices.DeleteFunc(env.running, func(other *invocation) bool {
		if other == i || !after {
			after = after || other == i
			return false
		}
		if other.report != nil {
			t.ignore(other.event)
		}
		return true
	})
}

// is notes an initializationType. Of those known, one has environments that run several invocations at a time.
func (env *environment) is(initialized string) {
	if initialized != "" {
		env.initialized, env.single = initialized, env.known && initialized != managedInstances
	}
}

const managedInstances = "lambda-managed-instances"

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

func (t *tracker) begin(env *environment, i *invocation) {
	if len(env.running) >= maxRunning || env.single && len(env.running) >= maxSingle {
		if first := env.running[0]; first.report != nil {
			t.finish(env, first)
		} else {
			env.running = env.running[1:]
		}
	}
	env.running = append(env.running, i)
}

// flush makes what has been reported final: the environment went on. Unless all is to go, what an invocation may have printed waits for
// that invocation's end: END tells, or that nothing more came of it for maxSingle invocations.
func (t *tracker) flush(env *environment, all bool) {
	for at := 0; at < len(env.running); {
		switch i := env.running[at]; {
		case i.report != nil && (all || i.ended || !env.ends && !env.single):
			t.finish(env, i)
		case env.single && !all:
			return
		default:
			at++
		}
	}
}

// awaited is how long after its INIT a caller's invocation begins at most: milliseconds, with much to spare.
const awaited = time.Second

// finish makes a record of an invocation.
func (t *tracker) finish(env *environment, i *invocation) {
	env.running = slices.DeleteFunc(env.running, func(other *invocation) bool { return other == i })
	copy(env.done[1:], env.done[:])
	env.done[0] = i.id
	report, before := i.report, &i.before
	r := t.options.record()
	r.LogStream, r.RequestID = env.stream, report.RequestID
	if !i.event.Time.IsZero() {
		r.StartedAt = i.event.Time.UTC()
	}
	r.InitDurationMs, r.RestoreDurationMs, r.DurationMs = report.InitDurationMs, report.RestoreDurationMs, report.DurationMs
	r.BilledDurationMs, r.MaxMemoryUsedMB = report.BilledDurationMs, report.MaxMemoryUsedMB
	if report.MemorySizeMB != nil {
		r.MemorySizeMB = *report.MemorySizeMB
	}
	r.Start = record.Warm
	if r.InitDurationMs != nil || r.RestoreDurationMs != nil {
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
	case r.InitDurationMs != nil:
		if ahead := i.ahead(); ahead != "" {
			r.Marked = record.InitAhead.With(ahead)
		}
	}
	if i.bad != nil {
		t.say(bad(t.name, i.event.Line, "%w", i.bad))
	}
	t.emit(r)
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
	if gap := start.Sub(i.before.started.Add(ms(*i.report.InitDurationMs))); gap > awaited {
		return fmt.Sprintf("%s before the invocation", gap.Round(time.Second))
	}
	return ""
}

func ms(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }
