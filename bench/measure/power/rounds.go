package power

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// series is a power value of a function, with what has been measured of it.
type series struct {
	m      *measurer
	p      *Progress
	events *turns
}

// series goes on where its progress is.
func (m *measurer) series(p *Progress) series {
	s := series{m, p, m.in.Payloads.turns()}
	for range p.Done {
		s.events.next()
	}
	return s
}

// rounds measures many series: each has one invocation a round, in another random order each round.
type rounds struct {
	all     []series
	seed    uint32
	limit   int       // invocations at once: AWS gives each environment its own CPU share, one machine's lab does not; 0 is 1
	until   time.Time // when nothing new begins that may not end by then; zero for never
	observe func(series)

	mu      sync.Mutex
	longest time.Duration // that a round took, or, at once, an invocation
	late    bool          // an invocation was cut off
}

// enough says that there is no time for another piece of work like those before.
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

// run measures the rounds from one number to below another, or until the time is up, and says which round is next. A series that fails
// is left out from there on; run ends early once all have failed.
func (r *rounds) run(ctx context.Context, from, to int) (next int, err error) {
	for next = from; next < to; next++ {
		if next > from && r.enough() {
			return next, nil
		}
		var turn []series
		for _, s := range shuffled(r.all, r.seed, next) {
			if s.p.Failed == "" && s.p.Done <= next { // a round that was cut short has some already
				turn = append(turn, s)
			}
		}
		began := time.Now()
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(max(1, r.limit))
		for i, s := range turn {
			if gctx.Err() != nil {
				break
			}
			g.Go(func() error { return r.step(gctx, s, place{next + 1, i + 1}, s.events.next()) })
		}
		if err := g.Wait(); err != nil {
			return next, err
		}
		if err := ctx.Err(); err != nil {
			return next, err
		}
		r.took(began)
		if r.late {
			return next, nil
		}
	}
	return next, nil
}

// apart measures each series by itself, its invocations back to back as in Power Tuning, up to the round `to` or until the time is up.
func (r *rounds) apart(ctx context.Context, to int) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, r.limit))
	for _, s := range r.all {
		g.Go(func() error {
			for first := true; gctx.Err() == nil && s.p.Done < to && !s.failed() && (first || !r.enough()); first = false {
				began := time.Now()
				if err := r.step(gctx, s, place{s.p.Done + 1, 1}, s.events.next()); err != nil {
					return err
				}
				r.took(began)
			}
			return nil
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}

// step measures one invocation; a failure of the power value is noted and is no error.
func (r *rounds) step(ctx context.Context, s series, at place, event []byte) error {
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

// atOnce measures what is left of every series below the round `to`, maxParallel invocations at a time. Where the time is up it
// begins no more, the first maxParallel apart.
func (r *rounds) atOnce(ctx context.Context, to int) error {
	left := map[*Progress]int{}
	for _, s := range r.all {
		left[s.p] = to - s.p.Done
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxParallel)
	begun := 0
	for number := range to {
		for i, s := range shuffled(r.all, r.seed, number) {
			if number >= left[s.p] || s.failed() {
				continue
			}
			if gctx.Err() != nil || begun >= maxParallel && r.enough() {
				return errors.Join(g.Wait(), ctx.Err())
			}
			begun++
			event := s.events.next()
			g.Go(func() error {
				began := time.Now()
				defer r.took(began)
				return r.step(gctx, s, place{number + 1, i + 1}, event)
			})
		}
	}
	return errors.Join(g.Wait(), ctx.Err())
}

// failed is safe while invocations run.
func (s *series) failed() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.p.Failed != ""
}
