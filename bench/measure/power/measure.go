package power

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// maxParallel is the number of invocations that run at the same time with parallelInvocation.
const maxParallel = 100

// attempts is how often an invocation with a function error is tried before its power value can fail, as in Power
// Tuning. As long as no more invocations have failed than succeeded, it is tried up to maxAttempts times.
const (
	attempts    = 3
	maxAttempts = 10
)

// failure is the reason why an invocation measures nothing: the memory is too small, the function timed out, or it
// reported an error. Any other error ends the tuning.
type failure struct {
	why    string
	report *logline.Report
	final  bool // another try would fail in the same way
}

func (f *failure) Error() string { return f.why }

// errOutOfTime means that the end of the step cut an invocation off. The next step repeats it.
var errOutOfTime = errors.New("the step's time is up")

// measurer measures a candidate. While it measures, its methods may run at the same time.
type measurer struct {
	Candidate
	t        *Tuner
	f        *function
	plan     *Plan
	progress []*Progress // of the power values that it measures
	begun    time.Time   // start of the step that measures; in one process it is zero, and so is last
	last     time.Time   // time at which an invocation is cut off
	output   *Output     // the result; nil before it is known, or if no value could be measured

	now *measure.Config // $LATEST, if versions are published for cold starts
	mu  sync.Mutex      // guards the progress while invocations run in parallel
}

// begin plans the tuning of a candidate. It checks everything that can be known before anything is changed.
func (t *Tuner) begin(ctx context.Context, c Candidate, id string) (*measurer, error) {
	m := &measurer{Candidate: c, t: t}
	err := t.payloads(ctx, &m.Input)
	if err == nil {
		m.f, err = t.function(ctx, m.Input, id)
	}
	if err == nil {
		m.plan, err = initialise(ctx, m.f, m.Input, id, t.Region)
	}
	if err != nil {
		return nil, err
	}
	if t.Seed != 0 {
		m.plan.shuffle(m.Input.PowerValues, t.Seed)
	}
	for _, power := range m.plan.Powers {
		m.progress = append(m.progress, &Progress{Power: power})
	}
	return m, nil
}

// values returns the results of all power values.
func (m *measurer) values() (all []Value) {
	rate, _ := rateOf(m.t.prices(), m.plan)
	for _, p := range m.progress {
		all = append(all, p.value(m.Input, rate))
	}
	return all
}

// place is the position of an invocation in the rounds. Both numbers start at 1.
type place struct{ round, order int }

// once measures one invocation. After a function error it tries again, as attempts and maxAttempts say.
func (m *measurer) once(ctx context.Context, p *Progress, at place, event []byte) error {
	for tries := 1; ; tries++ {
		err := m.try(ctx, p, at, event)
		f, failed := errors.AsType[*failure](err)
		if !failed {
			return err
		}
		m.mu.Lock()
		p.count(f)
		rule := p.FunctionErrors > p.Done || tries >= maxAttempts
		done := p.Done
		m.mu.Unlock()
		switch {
		case f.final:
			return f
		case tries >= attempts && rule:
			return &failure{why: fmt.Sprintf("%s (%d times in a row, at invocation %d)", f.why, tries, done+1)}
		}
	}
}
