package power

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twinstart/twinstart/bench/measure/schedule"
)

// series is a power value of a function, with what has been measured of it so far.
type series struct {
	m      *measurer
	p      *Progress
	events *turns
}

// series returns one for each power value. Each goes on where its progress ends.
func (m *measurer) series() (all []series) {
	for _, p := range m.progress {
		s := series{m, p, m.Input.Payloads.turns()}
		for range p.Done {
			s.events.next()
		}
		all = append(all, s)
	}
	return all
}

// rounds measures many series. In each round every series has one invocation, in a new random order.
type rounds struct {
	all     []series
	seed    uint32
	limit   int       // invocations at the same time; 0 means 1. In the lab, unlike on AWS, environments share CPUs
	until   time.Time // nothing begins that might end later; zero means no limit
	observe func(series)

	mu      sync.Mutex
	longest time.Duration // longest time of an invocation
	late    bool          // an invocation was cut off
}

// enough reports whether the time is too short for another invocation like the previous ones.
func (r *rounds) enough() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.late || !r.until.IsZero() && time.Now().Add(2*r.longest).After(r.until)
}

// measure measures what is left of num rounds, in the way that the input asks for, or until the time is up. A series
// that fails is left out from then on. Cold starts publish versions, one after the other.
func (r *rounds) measure(ctx context.Context, in Input, cold bool, num int) error {
	if cold {
		r.limit = 1
	}
	// Within together rounds, no round waits for the end of another. A series measures row of them without a break.
	together, row := 1, 1
	switch {
	case in.Parallel && !cold:
		r.limit, together = maxParallel, num
	case in.Compatible: // each series in one go, beside the others
		together, row = num, num
	}
	from, done := num, make([]int, len(r.all))
	for i, s := range r.all {
		if done[i] = s.p.Done; s.p.Failed == "" {
			from = min(from, s.p.Done)
		}
	}
	for ; from < num; from += together {
		order := func(yield func(int) bool) {
			for round := from; round < min(from+together, num); round += row {
				for _, i := range schedule.Order(uint64(r.seed), schedule.Power, round+1, len(r.all)) {
					if done[i] < round+row && !yield(round*len(r.all)+i) {
						return
					}
				}
			}
		}
		err := schedule.Each(ctx, order, r.limit, func(ctx context.Context, which, turn int) error {
			i, round := which%len(r.all), which/len(r.all)
			first := turn <= max(1, r.limit) // it begins even if the time is up, so that each call makes progress
			for n := max(round, done[i]); n < min(round+row, num) && ctx.Err() == nil; n++ {
				if r.all[i].failed() || !first && r.enough() {
					return nil
				}
				if err := r.step(ctx, r.all[i], place{n + 1, (turn-1)%len(r.all) + 1}); err != nil {
					return err
				}
				first = false
			}
			return nil
		})
		if err != nil || r.enough() {
			return err
		}
	}
	return nil
}

// step measures one invocation. A failure of the power value is noted and is not an error.
func (r *rounds) step(ctx context.Context, s series, at place) error {
	s.m.mu.Lock()
	event := s.events.next()
	s.m.mu.Unlock()
	began := time.Now()
	err := s.m.once(ctx, s.p, at, event)
	s.m.mu.Lock()
	if f, failed := errors.AsType[*failure](err); failed { // of the power value, which does not end the tuning
		s.p.Failed, err = cmp.Or(s.p.Failed, f.why), nil
	}
	s.m.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.longest = max(r.longest, time.Since(began))
	if errors.Is(err, errOutOfTime) {
		r.late = true
		return nil
	}
	if err == nil && r.observe != nil {
		r.observe(s)
	}
	return err
}

// failed may be called while invocations run.
func (s *series) failed() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.p.Failed != ""
}
