package measure

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/bench/record"
)

// Load is a load that each function is put under. With Stages it is open: each request is sent at its time, whether or
// not others were answered. Without Stages it is closed: Concurrency callers send Requests in all, and each sends its
// next request when its last one was answered.
type Load struct {
	Of          string           `json:"of"` // what records call it: "500 requests at concurrency 10"
	Stages      []schedule.Stage `json:"stages,omitempty"`
	Requests    int              `json:"requests,omitempty"`
	Concurrency int              `json:"concurrency,omitempty"`
	MaxInFlight int              `json:"maxInFlight,omitempty"` // of an open load; a request above it is shed
	Repeats     int              `json:"repeats"`               // each begins with new environments
	ViaURL      bool             `json:"viaURL,omitempty"`      // to function URLs, not by Invoke
}

// Count returns the number of requests of a repeat.
func (l *Load) Count(seed uint64) (n int) {
	if len(l.Stages) == 0 {
		return l.Requests
	}
	for range schedule.Arrivals(l.Stages, seed) {
		n++
	}
	return n
}

// arrivalSeed is the same for all functions of a repeat, so that they meet the same load.
func (o *Options) arrivalSeed(round int) uint64 { return o.Seed + uint64(round) }

// wide returns a client that keeps a connection for each request in flight. The SDK's own client keeps 10.
func wide(api *lambda.Client, l *Load) *lambda.Client {
	o := api.Options()
	if c, ok := o.HTTPClient.(account.HTTPClient); ok {
		n := max(l.Concurrency, l.MaxInFlight)
		c.BuildableClient = c.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, n })
		o.HTTPClient = c
	}
	return lambda.New(o)
}

// load puts a function under the load of one repeat, without the requests that an interrupted run has sent.
func (r *run) load(ctx context.Context, f *function, rec record.Record) error {
	sent := r.done[record.Key{Arm: f.Arm, MemorySizeMB: f.MemorySizeMB, Start: record.Loaded, Round: rec.Round}]
	if sent >= r.opts.Load.Count(r.opts.arrivalSeed(rec.Round)) {
		return nil
	}
	if sent > 0 {
		r.warn("%s: repeat %d went on after %d requests, with new environments", f.Target, rec.Round, sent)
	}
	if err := f.begin(ctx); err != nil {
		return r.trouble(ctx, f, err)
	}
	s := &sender{run: r, f: f, as: *f, rec: rec, sent: sent}
	s.stopped, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	if len(r.opts.Load.Stages) > 0 {
		s.open(ctx)
	} else {
		s.closed(ctx)
	}
	s.all.Wait()
	if err := context.Cause(s.stopped); err != nil {
		return err
	}
	return r.trouble(ctx, f, f.end(ctx))
}

// sender sends the requests of a repeat. Once stopped it sends no more, and waits for those in flight.
type sender struct {
	*run
	f    *function
	as   function      // a copy of f for requests to read, because others write to f meanwhile
	rec  record.Record // of each request, before it is sent
	sent int           // by the run that was interrupted

	begin    time.Time
	all      sync.WaitGroup
	inFlight atomic.Int64
	onDemand sync.Map // log streams of environments to which requests of a provisioned arm have spilled over
	stopped  context.Context
	stop     context.CancelCauseFunc
}

func (s *sender) open(ctx context.Context) {
	n := 0
	for at, stage := range schedule.Arrivals(s.opts.Load.Stages, s.opts.arrivalSeed(s.rec.Round)) {
		if n++; n <= s.sent {
			continue
		}
		if s.begin.IsZero() {
			s.begin = time.Now().Add(-at)
		}
		if until(s.stopped, s.begin.Add(at)) != nil || s.gone() {
			return
		}
		rec := s.arrival(at)
		if len(s.opts.Load.Stages) > 1 {
			rec.Load.Stage = s.opts.Load.Stages[stage].Name
		}
		if s.inFlight.Add(1) > int64(s.opts.Load.MaxInFlight) {
			s.inFlight.Add(-1)
			rec.Marked, rec.StartedAt = record.Shed, time.Now().UTC().Truncate(time.Microsecond)
			s.f.identify(&rec)
			s.write(&rec)
			continue
		}
		s.all.Go(func() {
			s.request(ctx, rec)
			s.inFlight.Add(-1)
		})
	}
}

func (s *sender) closed(ctx context.Context) {
	next := atomic.Int64{}
	next.Store(int64(s.sent))
	s.begin = time.Now()
	for range s.opts.Load.Concurrency {
		s.all.Go(func() {
			for next.Add(1) <= int64(s.opts.Load.Requests) && s.stopped.Err() == nil && !s.gone() {
				s.request(ctx, s.arrival(time.Since(s.begin)))
			}
		})
	}
}

// arrival returns the record of a request that is due.
func (s *sender) arrival(at time.Duration) record.Record {
	l, rec := s.opts.Load, s.rec
	rec.Load = &record.Arrival{Of: l.Of, ViaURL: l.ViaURL, Closed: len(l.Stages) == 0, IntendedMs: milliseconds(at)}
	return rec
}

// request sends a request and writes its record, unless the run ends meanwhile.
func (s *sender) request(ctx context.Context, rec record.Record) {
	sent := rec.Load.IntendedMs
	if !rec.Load.Closed {
		sent = max(sent, milliseconds(time.Since(s.begin)))
	}
	one := s.as // a copy, because sample writes to it
	_, err := one.sample(ctx, &rec)
	if err != nil {
		s.stop(err)
		return
	}
	if rec.InitializationType == record.OnDemand {
		s.onDemand.Store(rec.LogStream, nil)
	} else if _, met := s.onDemand.Load(rec.LogStream); met && rec.LogStream != "" {
		rec.InitializationType = record.OnDemand
	}
	done := max(sent, milliseconds(time.Since(s.begin)))
	if rec.ClientDurationMs != nil {
		done = sent + *rec.ClientDurationMs
	}
	rec.Load.SentMs, rec.Load.DoneMs = &sent, &done
	if one.dropped != "" {
		s.mu.Lock()
		s.f.dropped = cmp.Or(s.f.dropped, one.dropped)
		s.mu.Unlock()
	}
	s.write(&rec)
}

func (s *sender) write(rec *record.Record) {
	if err := s.run.write(s.f, *rec); err != nil {
		s.stop(err)
	}
}

// gone reports whether the function is no longer measured.
func (s *sender) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.f.dropped != ""
}

// oversleeps bounds how late Go's timers wake.
const oversleeps = 2 * time.Millisecond

// until waits until a moment. On an idle machine it is less than a tenth of a millisecond late.
func until(ctx context.Context, at time.Time) error {
	if err := Sleep(ctx, time.Until(at)-oversleeps); err != nil {
		return err
	}
	for left := time.Until(at); left > 0; left = time.Until(at) {
		nap(left)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
