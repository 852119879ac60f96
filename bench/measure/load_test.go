package measure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// under returns the options of a load of n requests: open at 200/s if mostInFlight is set, else closed.
func under(n, concurrency, mostInFlight int) Options {
	o := options(0, 0)
	o.Load = &Load{Of: "closed", Requests: n, Concurrency: concurrency, Repeats: 1}
	if mostInFlight > 0 {
		o.Load = &Load{Of: "open", Stages: []schedule.Stage{{From: 200, To: 200, For: time.Duration(n) * 5 * time.Millisecond}}, MaxInFlight: mostInFlight, Repeats: 1}
	}
	return o
}

// loadServer lets any number of invocations run at a time.
func loadServer(t *testing.T, names ...string) *server {
	s := newServer(t, names...)
	s.Run = func(r double.Run) double.Answer {
		a := double.Answer{DurationMs: 0.5, UsedMB: 20}
		if r.Cold {
			a.InitMs = 1.25
		}
		time.Sleep(2 * time.Millisecond)
		if s.invoke != nil {
			s.invoke(r, &a)
		}
		return a
	}
	return s
}

func byIntended(a, b record.Record) int { return int(1000 * (a.Load.IntendedMs - b.Load.IntendedMs)) }

// A function stalls: from the 10th request on it answers nothing until the 30th has come. An open load goes on sending,
// and the latency of each request counts from the time at which it was due. A closed load would wait for ever, so its
// function does not stall: there the test checks that each request is sent after the answer to the one before.
func TestAStallShowsInTheLatencyOfAnOpenLoad(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		gate    bool // the stall ends with the 30th request; if false, with the 8th request that was shed
		stalls  bool
	}{
		"open":           {under(40, 0, 1000), true, true},
		"open, at a cap": {under(40, 0, 5), false, true},
		"closed":         {under(40, 1, 0), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := loadServer(t, "a")
			over, shed := make(chan struct{}), 0
			end := sync.OnceFunc(func() { close(over) })
			s.invoke = func(r double.Run, _ *double.Answer) {
				switch {
				case test.gate && r.N == 30:
					end()
				case test.stalls && r.N >= 10:
					<-over
				}
			}
			test.options.Observe = func(r record.Record) {
				if r.Marked == record.Shed {
					if shed++; shed == 8 && !test.gate {
						end()
					}
				}
			}
			got, out := measure(t, s, targets("a"), test.options, nil)
			if len(got) != 40 || out.Written != 40 {
				t.Fatalf("%d records of 40 requests: %+v", len(got), out)
			}
			slices.SortFunc(got, byIntended)
			late := 0
			for i, r := range got {
				if err := r.Validate(); err != nil {
					t.Fatal(err)
				}
				latency, ok := r.LatencyMs()
				if at := float64(5 * i); test.stalls && r.Load.IntendedMs != at {
					t.Errorf("request %d was due at %v ms, not %v", i, r.Load.IntendedMs, at)
				}
				if i < 20 && ok && latency >= 50 { // the 30th was due 50 ms after the 20th
					late++
				}
				if !test.stalls && (*r.Load.SentMs != r.Load.IntendedMs || i > 0 && *r.Load.SentMs < *got[i-1].Load.DoneMs) {
					t.Errorf("request %d was sent at %v and due at %v; a single caller sends it when the one before is done", i, *r.Load.SentMs, r.Load.IntendedMs)
				}
			}
			switch {
			case test.gate && (late < 11 || shed > 0):
				t.Errorf("%d requests have the stall in their latency, want 11 or more; %d were shed, want 0", late, shed)
			case test.stalls && !test.gate && (shed < 8 || s.Widest() > 5):
				t.Errorf("%d were shed, want 8 or more; %d ran at once, want 5 at most", shed, s.Widest())
			}
			restored(t, s)
		})
	}
}

// If a load ends early, each answered request has one record, and a resumed run sends the rest.
func TestALoadThatEndsEarlyIsResumed(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		fault   *double.Fault
		cancel  bool
	}{
		"credentials expire":                {under(60, 0, 1000), &double.Fault{Operation: "Invoke", After: 30, Error: double.Expired()}, false},
		"credentials expire, closed":        {under(60, 4, 0), &double.Fault{Operation: "Invoke", After: 30, Error: double.Expired()}, false},
		"interrupted":                       {under(60, 0, 1000), nil, true},
		"interrupted, closed, second round": {under(20, 4, 0), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := loadServer(t, "a", "b")
			test.options.Load.Repeats = 2
			if test.fault != nil {
				s.Strike(test.fault)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first := memory{}
			test.options.Observe = func(record.Record) {
				if test.cancel && len(first) == 50 {
					cancel()
				}
			}
			out, err := Run(ctx, NewLabClient(s.URL), targets("a", "b"), test.options, nil, &first)
			if err != nil || out.Interrupted != test.cancel || (out.Stopped == "") != test.cancel || out.Written != len(first) || len(first) < 30 || len(first) > 60 {
				t.Fatalf("%d records, %+v, %v", len(first), out, err)
			}
			if test.fault != nil && len(first) != 30 {
				t.Errorf("%d records of the 30 requests that were answered", len(first))
			}
			if test.fault != nil {
				test.fault.Operation = "none" // the user has logged in again
			}
			done := record.Done{}
			for _, r := range first {
				done.Add(&r)
			}
			test.options.Observe = nil
			all := 2 * 2 * test.options.Load.Count(0)
			if n := Planned(targets("a", "b"), test.options, done); n != all-len(first) {
				t.Errorf("Planned says %d, want %d", n, all-len(first))
			}
			rest, out := measure(t, s, targets("a", "b"), test.options, done)
			if len(rest)+len(first) != all || out.Marked != 0 || len(out.Warnings) == 0 || !strings.Contains(out.Warnings[0], "went on after") {
				t.Errorf("%d and %d records, want %d in all: %+v", len(first), len(rest), all, out)
			}
			restored(t, s)
		})
	}
}

// A request that fails has a record too. A function that always fails is given up.
func TestWhatALoadDoesNotMeasure(t *testing.T) {
	for name, test := range map[string]struct {
		fault double.Fault
		mark  record.Mark
		gone  string
	}{
		"throttled":   {double.Fault{Operation: "Invoke", After: 10, Times: 7, Error: api.Throttled("x")}, record.Throttled, ""},
		"cut":         {double.Fault{Operation: "Invoke", After: 10, Times: 7, Cut: true}, record.NoAnswer, ""},
		"forbidden":   {double.Fault{Operation: "Invoke", After: 10, Error: double.Denied("lambda:InvokeFunction")}, record.NoAnswer, "AccessDenied"},
		"never there": {double.Fault{Operation: "Invoke", Cut: true}, record.NoAnswer, "given up"},
	} {
		t.Run(name, func(t *testing.T) {
			s := loadServer(t, "a")
			s.Strike(&test.fault)
			got, out := measure(t, s, targets("a"), under(700, 2, 0), nil)
			marked := got.where(func(r record.Record) bool { return r.Marked.Is(test.mark) })
			if test.gone == "" && (len(got) != 700 || len(marked) != 7 || out.Marked != 7) {
				t.Errorf("%d records, %d marked: %+v", len(got), len(marked), out)
			}
			if test.gone != "" && (len(out.NotMeasured) != 1 || !strings.Contains(out.NotMeasured[0].Why, test.gone) || len(got) > 510) {
				t.Errorf("%d records: %+v", len(got), out.NotMeasured)
			}
			if len(marked) == 0 {
				t.Errorf("no record is marked %q", test.mark)
			}
			for _, r := range marked {
				if r.Load.SentMs == nil || r.Validate() != nil {
					t.Fatalf("%+v: %v", r.Load, r.Validate())
				}
				if _, ok := r.LatencyMs(); ok {
					t.Fatal("a request without an answer has a latency")
				}
			}
		})
	}
}

// A load keeps a connection for each request in flight, in the lab and on AWS, and with a client that has a header of its own.
func TestALoadKeepsItsConnections(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	cfg, err := account.InRegion(t.Context(), "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	for name, api := range map[string]*lambda.Client{"AWS": NewClient(cfg), "lab": NewLabClient("http://127.0.0.1:9001"), "traced": traced(NewClient(cfg), "1")} {
		client, ours := wide(api, &Load{Concurrency: 50}).Options().HTTPClient.(account.HTTPClient)
		if !ours || client.GetTransport().MaxIdleConnsPerHost != 50 {
			t.Errorf("%s: %T keeps %d connections, want 50", name, client, client.GetTransport().MaxIdleConnsPerHost)
		}
	}
}

func TestALoadByURL(t *testing.T) {
	s := loadServer(t, "a", "b", "c", "d")
	api := s.Next
	var calls, signed atomic.Int64
	s.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth := map[string]string{"a": "NONE", "b": "AWS_IAM", "d": "AWS_IAM"}
		switch _, name, _ := strings.Cut(r.URL.Path, "/functions/"); {
		case r.URL.Path == "/url/b" && strings.Contains(r.Header.Get("Authorization"), "/lambda/aws4_request, SignedHeaders="):
			signed.Add(1)
		case r.URL.Path == "/url/d":
			w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
			http.Error(w, `{"Message":"Forbidden"}`, http.StatusForbidden)
		case strings.HasPrefix(r.URL.Path, "/url/"):
			switch calls.Add(1) % 10 {
			case 0:
				http.Error(w, "down", http.StatusBadGateway)
			case 5:
				w.WriteHeader(http.StatusTooManyRequests)
			}
		case strings.HasSuffix(name, "/url") && auth[name[:1]] == "":
			w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
		case strings.HasSuffix(name, "/url"):
			fmt.Fprintf(w, `{"FunctionUrl": "%s/url/%s", "AuthType": "%s"}`, s.URL, name[:1], auth[name[:1]])
		default:
			api.ServeHTTP(w, r)
		}
	})
	o := under(20, 2, 0)
	o.Load.ViaURL = true
	got, out := measure(t, s, targets("a", "b", "c", "d"), o, nil)
	failed := got.where(func(r record.Record) bool {
		return r.FunctionError == "HTTP 502: down" && r.Marked == record.FunctionFailed
	})
	throttled := got.where(func(r record.Record) bool { return r.Marked == record.Throttled })
	refused := got.where(func(r record.Record) bool { return r.Marked.Is(record.NoAnswer) })
	if len(got) != 40+len(refused) || len(failed) != 2 || len(throttled) != 2 || signed.Load() != 20 || len(refused) == 0 {
		t.Errorf("%d records, %d failed, %d throttled, %d signed, %d refused: %+v", len(got), len(failed), len(throttled), signed.Load(), len(refused), out)
	}
	got = got.where(func(r record.Record) bool { return !r.Marked.Is(record.NoAnswer) })
	for i, want := range []string{"c has no function URL: add one", "AccessDenied"} {
		if len(out.NotMeasured) != 2 || !strings.Contains(out.NotMeasured[i].Why, want) {
			t.Errorf("not measured: %+v", out.NotMeasured)
		}
	}
	for _, r := range got {
		if _, ok := r.LatencyMs(); !ok || !r.Load.ViaURL || r.Start != "" || r.Validate() != nil {
			t.Fatalf("want a valid record by URL with a latency and without a start: %+v, %v", r, r.Validate())
		}
	}
}

// BenchmarkLoad prints how many requests a second the generator sends, closed with 50 callers and open at 300/s, to a
// double in the same process. Try -benchtime 3000x on an idle machine.
func BenchmarkLoad(b *testing.B) {
	for name, l := range map[string]Load{
		"closed, 50 callers": {Of: "closed", Concurrency: 50, Repeats: 1},
		"open, 300/s":        {Of: "open", Stages: []schedule.Stage{{From: 300, To: 300, For: time.Second}}, MaxInFlight: 1000, Repeats: 1},
	} {
		b.Run(name, func(b *testing.B) {
			if len(l.Stages) > 0 {
				l.Stages[0].For = time.Duration(b.N) * time.Second / 300
			} else {
				l.Requests = b.N
			}
			d := double.New(double.Configuration("a", 128))
			d.Run = func(double.Run) double.Answer {
				time.Sleep(time.Millisecond)
				return double.Answer{DurationMs: 1, UsedMB: 20}
			}
			s := httptest.NewServer(d)
			defer s.Close()
			o := options(0, 0)
			o.Load = &l
			var got memory
			begin := time.Now()
			if _, err := Run(b.Context(), NewLabClient(s.URL), targets("a"), o, nil, &got); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(got))/time.Since(begin).Seconds(), "requests/s")
			var lags []float64
			for _, r := range got {
				lags = append(lags, *r.Load.SentMs-r.Load.IntendedMs)
			}
			slices.Sort(lags)
			b.ReportMetric(lags[len(lags)*99/100], "lag-p99-ms")
		})
	}
}
