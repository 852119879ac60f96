package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"golang.org/x/time/rate"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

// Sink receives records. *record.Writer and *record.File are sinks.
type Sink interface{ Write(record.Record) error }

// giveUpAfter, or giveUpAfterLoad under load, is the number of failed calls in a row that end a function's measurement.
const giveUpAfter, giveUpAfterLoad = 5, 500

// restoreWithin limits the time to restore configurations after Ctrl-C. restoreAtOnce keeps the calls within the
// quotas.
const restoreWithin, restoreAtOnce = 60 * time.Second, 16

// run is the state of one call of Run.
type run struct {
	opts      Options
	functions []*function
	done      record.Done
	sink      Sink
	err       error // of a round; it ends the measuring

	mu  sync.Mutex // guards what follows
	out Outcome
}

// Run measures the targets and writes a record for each invocation. done is what an interrupted run measured
// already: nil, or from record.ReadDone. When the context ends, Run stops at once, keeps what was written, and
// reports Interrupted without an error. In any case the functions get their own configuration back. An error means
// that the run could not begin or that records could not be written.
func Run(
	ctx context.Context, api *lambda.Client, targets []Target, opts Options, done record.Done, w Sink,
) (Outcome, error) {
	opts = opts.withDefaults()
	if err := opts.validate(targets); err != nil {
		return Outcome{}, err
	}
	if opts.Load != nil {
		api = wide(api, opts.Load)
	}
	r := &run{opts: opts, done: done, sink: w, out: Outcome{AtEnd: map[string]runfile.Deployed{}}}
	pace := rate.NewLimiter(rate.Every(opts.Pace), 1) // for all functions, because the quota is the account's
	states := map[string]*state{}
	for _, t := range targets {
		if states[t.FunctionName] == nil {
			states[t.FunctionName] = &state{}
		}
		states[t.FunctionName].arms++
		f := &function{Target: t, opts: &r.opts, state: states[t.FunctionName]}
		f.Control = Control{traced(api, t.Set.Sampled), t.FunctionName, opts.Poll, opts.Ready, pace, t.Deployed != nil}
		r.functions = append(r.functions, f)
	}
	err := r.measure(ctx)
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err, r.out.Interrupted = nil, true
	case Refused(err):
		err, r.out.Stopped = nil, err.Error()
	}
	r.restore(ctx)
	for _, f := range r.functions {
		if f.dropped != "" {
			r.out.NotMeasured = append(r.out.NotMeasured, arm.NotMeasured{Arm: f.Arm, Why: f.dropped})
		}
	}
	return r.out, err
}

// measure gives the functions their turns: to be prepared, cold, in bursts, warm, and under load.
func (r *run) measure(ctx context.Context) error {
	begin := time.Now()
	var first error
	r.round(ctx, schedule.Cold, 0, func(ctx context.Context, f *function, _ int) error {
		err := f.prepare(ctx, begin)
		if err == nil && f.woken {
			r.warn("%s was Inactive, because nobody had called it for weeks: a call that does not count has woken it", f.Target)
		}
		if err == nil || ctx.Err() != nil || Refused(err) {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		first, f.dropped = cmp.Or(first, err), err.Error()
		return nil
	})
	if r.err == nil && !slices.ContainsFunc(r.functions, func(f *function) bool { return f.dropped == "" }) {
		return first
	}
	for round := 1; round <= r.opts.Cold; round++ {
		r.round(ctx, schedule.Cold, round, func(ctx context.Context, f *function, order int) error {
			// Rounds count, not samples: a resumed run has the samples of its first rounds already.
			first, kind := round <= f.fresh && !f.SnapStart, r.opts.kinds(f.Target)[0]
			if kind == record.WarmedRestore || left(r.done, f.Target, record.Cold, kind, round, 1) == 0 {
				return nil
			}
			rec := record.Record{Round: round, Order: order, Start: record.Cold, Restore: kind}
			rec.Environment, rec.FirstAfterDeploy = round, first
			return r.cold(ctx, f, rec)
		})
		if r.err != nil || r.opts.Enough != nil && r.opts.Enough(round) {
			break
		}
	}
	r.round(ctx, schedule.Cold, r.opts.Cold+1, func(ctx context.Context, f *function, order int) error {
		if !slices.Contains(r.opts.kinds(f.Target), record.WarmedRestore) {
			return nil
		}
		return r.burst(ctx, f, order)
	})
	for i, size := range schedule.Blocks(r.opts.Warm, r.opts.Environments) {
		r.round(ctx, schedule.Warm, i+1, func(ctx context.Context, f *function, order int) error {
			kind := r.opts.kinds(f.Target)[0]
			n := left(r.done, f.Target, record.Warm, kind, i+1, size)
			rec := record.Record{Round: i + 1, Order: order, Start: record.Warm, Restore: kind}
			rec.Environment = r.opts.Cold + i + 1
			return r.warm(ctx, f, rec, n)
		})
	}
	for repeat := 1; r.opts.Load != nil && repeat <= r.opts.Load.Repeats; repeat++ {
		r.round(ctx, schedule.Load, repeat, func(ctx context.Context, f *function, order int) error {
			return r.load(ctx, f, record.Record{Round: repeat, Order: order})
		})
	}
	return r.err
}

// turn measures a function once in a round, with its place in the round's order, from 1.
type turn func(ctx context.Context, f *function, order int) error

// round gives every function that is still measured its turn, in the round's random order, Parallel at a time. After an
// error, round does nothing.
func (r *run) round(ctx context.Context, phase schedule.Phase, round int, take turn) {
	if r.err != nil {
		return
	}
	order := slices.Values(schedule.Order(r.opts.Seed, phase, round, len(r.functions)))
	r.err = schedule.Each(ctx, order, r.opts.Parallel, func(ctx context.Context, i, place int) error {
		f := r.functions[i]
		f.turn.Lock()
		defer f.turn.Unlock()
		if f.dropped == "" && ctx.Err() == nil {
			return take(ctx, f, place)
		}
		return nil
	})
}

// cold takes one cold sample.
func (r *run) cold(ctx context.Context, f *function, rec record.Record) error {
	err := f.begin(ctx)
	if err != nil {
		return r.trouble(ctx, f, err)
	}
	_, err = r.take(ctx, f, rec, "")
	return cmp.Or(err, r.trouble(ctx, f, f.end(ctx)))
}

// warm starts a new environment and measures n samples of it. The cold start that begins it is also written, but
// set apart.
func (r *run) warm(ctx context.Context, f *function, rec record.Record, n int) error {
	if n == 0 {
		return nil
	}
	prime := rec
	prime.Start = record.Cold
	if err := f.begin(ctx); err != nil {
		return r.trouble(ctx, f, err)
	}
	crashed, err := r.take(ctx, f, prime, record.Priming)
	for range n {
		if err != nil || f.dropped != "" {
			break
		}
		aside := record.Mark("")
		if crashed {
			aside = record.AfterCrash
		}
		crashed, err = r.take(ctx, f, rec, aside)
	}
	return cmp.Or(err, r.trouble(ctx, f, f.end(ctx)))
}

// write writes a record and watches for functions that no longer answer.
func (r *run) write(f *function, rec record.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.sink.Write(rec); err != nil {
		return err
	}
	r.out.Written++
	if rec.Marked != "" && rec.Marked != record.Priming {
		r.out.Marked++
	}
	if r.opts.Observe != nil {
		r.opts.Observe(rec)
	}
	if rec.Marked.Is(record.NoAnswer) {
		r.fail(f, string(rec.Marked))
	} else {
		f.failures = 0
	}
	return nil
}

// trouble handles a control-plane error, if there is one. The round goes on without this function. If the function
// fails too often, the whole run goes on without it.
func (r *run) trouble(ctx context.Context, f *function, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case Refused(err):
		return err
	}
	r.warn("%s: %v", f.Target, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.dropped != "" {
		return nil
	}
	if errors.Is(err, ErrForeign) || errors.Is(err, ErrNotReady) || denied(err) {
		for _, same := range r.functions { // other arms of the same function would meet the same error
			if same.state == f.state && same.dropped == "" {
				same.dropped = err.Error()
			}
		}
	} else {
		r.fail(f, err.Error())
	}
	return nil
}

func (r *run) warn(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Warnings = append(r.out.Warnings, fmt.Sprintf(format, args...))
}

// fail counts failed calls in a row. The lock must be held.
func (r *run) fail(f *function, why string) {
	patience := giveUpAfter
	if r.opts.Load != nil { // under load, many calls may fail at once
		patience = giveUpAfterLoad
	}
	if f.failures++; f.failures >= patience {
		f.dropped = cmp.Or(f.dropped, fmt.Sprintf("given up after %d calls in a row went wrong: %s", patience, why))
	}
}

// restore restores all configurations, even after Ctrl-C, but within a time limit.
func (r *run) restore(ctx context.Context) {
	within := r.opts.Ready
	if r.out.Interrupted {
		within = restoreWithin
		if slices.ContainsFunc(r.functions, (*function).versioned) {
			within *= 3 // a version can be deleted only after its snapshot was taken
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	// Each function keeps its own error, and is tried even if the time is up for others.
	order := slices.Values(schedule.Order(r.opts.Seed, schedule.Cold, 0, len(r.functions)))
	_ = schedule.Each(context.WithoutCancel(ctx), order, restoreAtOnce, func(_ context.Context, i, _ int) error {
		f := r.functions[i]
		f.turn.Lock()
		defer f.turn.Unlock()
		var left error
		if f.versioned() && f.known != nil {
			left = f.sweep(ctx)
		}
		err := f.restore(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.out.Unrestored = append(r.out.Unrestored, fmt.Sprintf("%s still has settings of the run: %v", f.FunctionName, err))
		}
		if left != nil {
			left = fmt.Errorf("%s keeps a version that the run published, which is billed: %w", f.FunctionName, left)
			r.out.Unrestored = append(r.out.Unrestored, left.Error())
		}
		if f.known != nil && f.Deployed != nil {
			r.out.AtEnd[f.String()] = DeployedOf(f.known)
		}
		return nil
	})
}
