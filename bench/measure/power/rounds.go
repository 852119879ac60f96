package power

import (
	"context"
	"errors"
	"iter"
	"slices"
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
	limit   int       // invocations at the same time; 0 means 1. On AWS environments do not share a CPU, in the lab they do
	until   time.Time // nothing begins that may not end by then; zero means no limit
	observe func(series)

	mu      sync.Mutex
	longest time.Duration // longest time of a round, or of an invocation if all run at once
	late    bool          // an invocation was cut off
}

// enough reports whether the time is too short for another piece of work like the previous ones.
func (r *rounds) enough() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.late || !r.until.IsZero() && time.Now().Add(2*r.longest).After(r.until)
}

func (r *rounds) took(began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.longest = max(r.longest, time.Since(began))
}

// order returns the order of a round, from 1.
func (r *rounds) order(round int) iter.Seq[int] {
	return slices.Values(schedule.Order(uint64(r.seed), schedule.Power, round, len(r.all)))
}

// measure measures up to the round `to`, in the way that the input asks for. If values take turns, it starts with
// the round `from` and returns the next one; a series that fails is left out from then on. Cold starts publish
// versions, one after the other.
func (r *rounds) measure(ctx context.Context, in Input, cold bool, from, to int) (next int, err error) {
	if cold {
		r.limit = 1
	}
	switch {
	case in.Parallel && !cold:
		return from, r.atOnce(ctx, to)
	case in.Compatible: // one series after the other
		return from, r.series(ctx, from, to)
	}
	for next = from; next < to && (next == from || !r.enough()); next++ {
		began := time.Now()
		if err := r.series(ctx, next, next+1); err != nil || r.late {
			return next, err
		}
		r.took(began)
	}
	return next, nil
}

// series measures, for each series, the rounds from `from` to below `to`, or until the time is up.
func (r *rounds) series(ctx context.Context, from, to int) error {
	return schedule.Each(ctx, r.order(from+1), r.limit, func(ctx context.Context, i, at int) error {
		s := r.all[i]
		for first := true; ctx.Err() == nil && s.left(to) > 0 && (first || !r.enough()); first = false {
			began := time.Now()
			if err := r.step(ctx, s, place{s.p.Done + 1, at}); err != nil {
				return err
			}
			r.took(began)
		}
		return nil
	})
}

// atOnce measures what is left of every series below the round `to`, maxParallel invocations at a time. When the
// time is up it starts no more, except the first maxParallel.
func (r *rounds) atOnce(ctx context.Context, to int) error {
	left := map[*Progress]int{}
	for _, s := range r.all {
		left[s.p] = s.left(to)
	}
	order := func(yield func(int) bool) {
		for number := range to {
			for i := range r.order(number + 1) {
				if number < left[r.all[i].p] && !yield(number*len(r.all)+i) {
					return
				}
			}
		}
	}
	return schedule.Each(ctx, order, maxParallel, func(ctx context.Context, i, at int) error {
		s := r.all[i%len(r.all)]
		if s.left(to) == 0 || at > maxParallel && r.enough() {
			return nil
		}
		defer r.took(time.Now())
		return r.step(ctx, s, place{i/len(r.all) + 1, i%len(r.all) + 1})
	})
}

// step measures one invocation. A failure of the power value is noted and is not an error.
func (r *rounds) step(ctx context.Context, s series, at place) error {
	s.m.mu.Lock()
	event := s.events.next()
	s.m.mu.Unlock()
	err := s.m.once(ctx, s.p, at, event)
	s.m.mu.Lock()
	err = s.p.note(err)
	s.m.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(err, errOutOfTime) {
		r.late = true
		return nil
	}
	if err == nil && r.observe != nil {
		r.observe(s)
	}
	return err
}

// left returns the number of invocations that a series lacks below the round `to`. It may be called while
// invocations run.
func (s *series) left(to int) int {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.p.Failed != "" {
		return 0
	}
	return max(0, to-s.p.Done)
}
