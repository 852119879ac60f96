package power

import (
	"context"
	"sync"
	"time"
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

// step measures one invocation; a failure of the power value is noted and is no error.
func (s *series) step(ctx context.Context) error {
	return s.p.note(s.m.once(ctx, s.p, s.events.next()))
}

// rounds measures many series: each has one invocation a round, in another random order each round.
type rounds struct {
	all     []series
	seed    uint32
	beside  bool // a round's invocations run side by side: AWS gives each environment its own CPU share, one machine's lab does not
	observe func(series)
	mu      sync.Mutex // of observe
}

// run measures the rounds from one number to below another, or until the time is up, and says which round is next. A series that fails
// is left out from there on; run ends early once all have failed.
func (r *rounds) run(ctx context.Context, from, to int, until time.Time) (next int, err error) {
	for next = from; next < to; next++ {
		if next > from && !until.IsZero() && time.Now().After(until) {
			return next, nil
		}
		var turn []series
		for _, s := range shuffled(r.all, r.seed, next) {
			if s.p.Failed == "" {
				turn = append(turn, s)
			}
		}
		if len(turn) == 0 {
			return to, nil
		}
		if err := r.round(ctx, turn); err != nil {
			return next, err
		}
	}
	return next, nil
}

// atOnce measures what is left of every series below the round `to`, maxParallel invocations at a time. Where the time is up it
// begins no more, the first maxParallel apart.
func (r *rounds) atOnce(ctx context.Context, to int, until time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	left := map[*Progress]int{}
	for _, s := range r.all {
		left[s.p] = to - s.p.Done
	}
	slots := make(chan struct{}, maxParallel)
	begun := 0
	var wg sync.WaitGroup
	defer wg.Wait()
	for number := range to {
		for _, s := range shuffled(r.all, r.seed, number) {
			if number >= left[s.p] {
				continue
			}
			slots <- struct{}{}
			if ctx.Err() != nil || begun >= maxParallel && !until.IsZero() && time.Now().After(until) {
				wg.Wait()
				return context.Cause(ctx)
			}
			begun++
			if s.failed() {
				<-slots
				continue
			}
			event := s.events.next()
			wg.Go(func() {
				defer func() { <-slots }()
				err := s.m.once(ctx, s.p, event)
				s.m.mu.Lock()
				defer s.m.mu.Unlock()
				if err = s.p.note(err); err != nil {
					cancel(err)
				}
				r.tell(s)
			})
		}
	}
	wg.Wait()
	return context.Cause(ctx)
}

// failed is safe while invocations run.
func (s *series) failed() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.p.Failed != ""
}

func (r *rounds) round(ctx context.Context, turn []series) error {
	if !r.beside {
		for _, s := range turn {
			if err := s.step(ctx); err != nil {
				return err
			}
			r.tell(s)
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, s := range turn {
		wg.Go(func() {
			if err := s.step(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (r *rounds) tell(s series) {
	if r.observe != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.observe(s)
	}
}
