package importer

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// Records turns the events of logs, oldest first, into records. If a REPORT has a number that cannot be used, it
// yields a *record.LineError and a marked record. Errors contain name.
//
// Only what the platform wrote counts. A function can print a REPORT, too. The platform's REPORT begins its event, is
// not within another invocation of the same environment, and is the last one of its invocation. Two cases cannot be
// recognized: a function that prints END and REPORT with its own request ID, and a printed invocation in a log that
// does not say which environment wrote what.
func Records(events iter.Seq2[Event, error], name string, o Options) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		t := tracker{name: name, options: o, yield: yield, environments: map[string]*environment{}}
		for e, err := range events {
			switch {
			case err == nil:
				t.add(e)
			case errors.As(err, new(*record.LineError)):
				t.give(nil, err)
			default:
				t.end()
				yield(nil, err)
				return
			}
			if t.stopped {
				return
			}
		}
		t.end()
	}
}

// tracker keeps the state of each log stream. An environment writes one stream.
type tracker struct {
	name    string
	options Options
	yield   func(*record.Record, error) bool
	stopped bool

	environments map[string]*environment // by log stream
	printed      int                     // number of REPORT that the platform did not write
	printedAt    int                     // line of the first
	function     string                  // the function that the streams so far name; "" if none does
}

// functionOf returns the name of the function that wrote a log stream. Streams have it in a log group that the user has
// named; in /aws/lambda/NAME they do not, and functionOf returns "".
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
func functionOf(stream string) string {
	if found := ofFunction.FindStringSubmatch(stream); found != nil {
		return found[1]
	}
	return ""
}

var ofFunction = regexp.MustCompile(`^..../../../([^[]*)\[`)

// named sets the arm of a record: Options.Arm, which all events of the file must belong to, or else the function's
// name.
func (t *tracker) named(r *record.Record) error {
	function := functionOf(r.LogStream)
	switch {
	case t.options.Arm == "" && function == "" && t.options.Log == "":
		return fmt.Errorf("%s does not name its function: name the arm with --arm", t.name)
	case t.options.Arm == "":
		r.Arm = cmp.Or(function, t.options.Log)
	case t.function != "" && function != "" && function != t.function:
		return fmt.Errorf("%s has events of %s and of %s, which are not one arm: leave out --arm, "+
			"and each function becomes an arm", t.name, t.function, function)
	case function != "":
		t.function = function
	}
	return nil
}

// maxEnvironments bounds the environments that are kept. When there are more, all of them count as ended.
const maxEnvironments = 1 << 15

func (t *tracker) give(r *record.Record, err error) {
	t.stopped = t.stopped || !t.yield(r, err)
}

// environment returns the state of a log stream. All events without a stream share one state.
func (t *tracker) environment(e Event) *environment {
	env := t.environments[e.Stream]
	if env != nil {
		return env
	}
	if len(t.environments) >= maxEnvironments {
		for _, old := range t.environments {
			t.flush(old, true)
		}
		clear(t.environments)
	}
	env = &environment{stream: e.Stream, known: e.Stream != "" || e.alone}
	t.environments[e.Stream] = env
	return env
}

func (t *tracker) end() {
	var left []*invocation
	for _, env := range t.environments {
		for _, i := range env.running {
			if i.report != nil {
				left = append(left, i)
			}
		}
	}
	slices.SortFunc(left, func(a, b *invocation) int {
		return cmp.Or(a.event.Time.Compare(b.event.Time), a.event.Line-b.event.Line)
	})
	for _, i := range left {
		t.finish(i)
	}
	if t.printed > 0 {
		t.give(nil, bad(t.name, t.printedAt, "ignored what only looks like a REPORT, "+
			"because a function printed it or it occurs twice: %d in all", t.printed))
	}
}

func (t *tracker) add(e Event) {
	l, bad := logline.Parse(e.Message)
	isJSON := e.Message != "" && e.Message[0] == '{'
	switch {
	case l.Kind == logline.KindReport: // if it lacks a number, it was cut off; a query may lack some
		bad = cmp.Or(bad, l.Report.Whole())
	case e.report != nil && e.Message == "":
		l, bad = logline.Line{Kind: logline.KindReport, RequestID: e.report.RequestID, Report: *e.report}, e.bad
	}
	if l.Kind == logline.KindOther || t.foreign(e, l) {
		return
	}
	e.Time = cmp.Or(e.Time, l.Time)
	env := t.environment(e)
	if env.known && env.begun && env.json != isJSON {
		e.foreign = true // a log has one format
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
	case logline.KindRestoreReport: // INIT ran for the snapshot, when the version was published
		env.started, env.hidden, env.restored = time.Time{}, l.Failed(), env.known
		env.is(snapStart)
	case logline.KindInitReport:
		env.hidden = env.hidden || l.Failed() || l.Phase == "invoke"
		env.is(l.InitializationType)
	case logline.KindStart:
		t.flush(env, false)
		env.single = env.single || env.known && !isJSON
		t.started(env, e, l.RequestID)
	case logline.KindEnd:
		i := env.find(l.RequestID)
		if i == nil {
			i = t.begin(env, l.RequestID)
		}
		i.ended, env.ends = true, true
		t.dropWithin(i)
	case logline.KindReport:
		t.reported(env, e, l, bad)
	}
}

// started begins an invocation. A retry has the request ID of the failed invocation.
func (t *tracker) started(env *environment, e Event, id string) {
	i := env.find(id)
	if i != nil && i.report != nil {
		if !env.single {
			t.finish(i)
		}
		i = nil
	}
	if i == nil {
		i = t.begin(env, id)
	}
	i.start = e.Time
}

// foreign reports whether an event only looks like the platform's, and counts it if it is a REPORT.
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
	case i == nil: // there is no START, as in the results of a query
		if !env.single {
			t.flush(env, false)
		}
		i = t.begin(env, l.RequestID)
	case i.report != nil:
		t.ignore(i.event) // a later REPORT of the same invocation replaces it
	}
	if i.report == nil {
		i.before, env.said = env.said, said{}
	}
	i.report, i.event, i.bad = &l.Report, e, bad
	env.hidden = env.known && l.Report.Crashed()
	t.dropWithin(i)
}

// dropWithin drops the invocations that began after i in an environment that runs one at a time: i printed them.
func (t *tracker) dropWithin(i *invocation) {
	env := i.env
	if !env.single {
		return
	}
	began := slices.Index(env.running, i) + 1
	for _, other := range env.running[began:] {
		if other.report != nil {
			t.ignore(other.event)
		}
	}
	env.running = slices.Delete(env.running, began, len(env.running))
}

func (t *tracker) begin(env *environment, id string) *invocation {
	if len(env.running) >= maxRunning || env.single && len(env.running) >= maxSingle {
		if first := env.running[0]; first.report != nil {
			t.finish(first)
		} else {
			env.running = env.running[1:]
		}
	}
	i := &invocation{env: env, id: id}
	env.running = append(env.running, i)
	return i
}

// flush finishes the invocations that were reported, because the environment went on. Without all, an invocation that
// may have been printed waits for the end of the invocation that may have printed it.
func (t *tracker) flush(env *environment, all bool) {
	for at := 0; at < len(env.running); {
		switch i := env.running[at]; {
		case i.report != nil && (all || i.ended || !env.ends && !env.single):
			t.finish(i)
		case env.single && !all:
			return
		default:
			at++
		}
	}
}

// environment holds what a log stream has said so far.
type environment struct {
	stream   string
	known    bool // it is the log of one environment; events without a stream may be of many
	begun    bool // it has an event, in JSON or in text
	json     bool
	single   bool          // it runs one invocation at a time; one that seems to begin within another was printed
	ends     bool          // the log has END
	restored bool          // by SnapStart, so an INIT in its log follows a crash
	running  []*invocation // invocations that have begun or were reported, and are not final
	done     [8]string     // request IDs of the last records

	said
}

// is notes an initializationType. With managed instances, an environment runs several invocations at a time.
func (env *environment) is(initialized string) {
	if initialized != "" {
		env.initialized, env.single = initialized, env.known && initialized != managedInstances
	}
}

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
