package measure

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// pulling returns a server of one function, and its three arms: the function as it is, its twin, and one that overrides
// everything that an update can change.
func pulling(t *testing.T) (*server, []Target) {
	s, all := newServer(t, "a"), []Target{}
	s.Change("a", func(c *api.Configuration) { c.LogFormat = "JSON" })
	id := targets("a")[0].Identity
	id.Variants = []arm.Variant{{Lever: arm.Twin}, {Lever: "memory", Level: "512", Set: arm.Override{MemorySizeMB: 512, Layers: []string{"arn:l"}, LogFormat: "Text",
		Environment: map[string]string{"KEEP": "no more", "ADDED": "1"}}}}
	arms, set := id.Arms()
	for i := range arms {
		all = append(all, Target{Identity: arms[i], Set: set[i], FunctionName: "a", Of: "a"})
	}
	return s, all
}

// Each call of a traced arm has a trace header of its own, which says whether it is sampled. If X-Ray decides otherwise,
// the record is marked.
func TestTraced(t *testing.T) {
	s := newServer(t, "a")
	var mu sync.Mutex
	headers := map[string]int{}
	there, _ := url.Parse(s.URL)
	proxy := httputil.NewSingleHostReverseProxy(there)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invocations") {
			mu.Lock()
			headers[r.Header.Get("X-Amzn-Trace-Id")]++
			mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	s.invoke = func(_ double.Run, a *double.Answer) {
		a.Status = "success\tXRAY TraceId: 1-5-7\tSegmentId: 9\tSampled: true"
	}
	id := targets("a")[0].Identity
	id.Variants = []arm.Variant{{Lever: "tracing", Level: "sampled", Set: arm.Override{Sampled: "1"}}, {Lever: "tracing", Level: "unsampled", Set: arm.Override{Sampled: "0"}}}
	var all []Target
	arms, set := id.Arms()
	for i := range arms {
		all = append(all, Target{Identity: arms[i], Set: set[i], FunctionName: "a", Of: "a"})
	}
	var got memory
	if _, err := Run(t.Context(), NewLabClient(front.URL), all, options(3, 0), nil, &got); err != nil {
		t.Fatal(err)
	}
	traces := map[string]int{}
	for header, n := range headers {
		form := regexp.MustCompile(`^(Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};)?`).ReplaceAllString(header, "")
		if traces[form] += n; header != "" && n != 1 {
			t.Errorf("%d calls of trace %s", n, header)
		}
	}
	if traces[""] != 3 || traces["Sampled=1"] != 3 || traces["Sampled=0"] != 3 || len(traces) != 3 {
		t.Errorf("calls by trace header %v, want 3 without, 3 sampled and 3 unsampled", traces)
	}
	for _, r := range got {
		if (r.Marked == record.Untraced) != (r.Levels[arm.LeverLevel] == "unsampled") {
			t.Errorf("%s: %q", r.Arm, r.Marked)
		}
	}
}

func own(t *testing.T, s *server) {
	t.Helper()
	restored(t, s)
	if c, err := s.Function("a"); err != nil || c.MemorySizeMB != 128 || len(c.Layers) > 0 || c.LogFormat != "JSON" {
		t.Errorf("put back: %+v, %v", c, err)
	}
}

// Each cold start has the configuration of its own arm, whatever arm was measured before. At the end the function has
// its own configuration back. Arms of one function are measured one after another, even if arms are measured in parallel.
func TestOneFunctionStandsForSeveralArms(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		s, ts := pulling(t)
		var had []string
		s.invoke = func(r double.Run, _ *double.Answer) {
			if c, err := s.Function("a"); r.Cold && err == nil {
				had = append(had, strings.Join([]string{c.Environment["KEEP"], c.LogFormat, strings.Join(c.Layers, " ")}, ", "))
			}
		}
		o := options(6, 4)
		o.Parallel = parallel
		got, out := measure(t, s, ts, o, nil)
		if out.Marked > 0 || len(out.Warnings)+len(out.Unrestored)+len(out.NotMeasured) > 0 {
			t.Errorf("want no marks, warnings or functions left out: %+v", out)
		}
		cold := got.where(func(r record.Record) bool { return r.Start == record.Cold })
		if len(cold) != 3*(6+2) || len(cold) != len(had) {
			t.Fatalf("%d cold starts, %d seen", len(cold), len(had))
		}
		for i, r := range cold {
			want, memory := "me, JSON, ", 128
			if r.Levels[arm.LeverFactor] == "memory" {
				want, memory = "no more, Text, arn:l", 512
			}
			if had[i] != want || r.MemorySizeMB != memory || strings.HasSuffix(r.Arm, "-memory-512") != (memory == 512) {
				t.Errorf("%s at %d MB: %q, want %q", r.Arm, r.MemorySizeMB, had[i], want)
			}
		}
		own(t, s)
	}
	_, ts := pulling(t)
	if ts[1].Of = ""; (Options{Source: record.Lab, Cold: 1}).validate(ts) == nil {
		t.Error("validate accepts two arms of one function, of which one does not say that it shares it")
	}
}

// A run that was killed leaves an arm's configuration. The next run finds in the function what to put back.
func TestAKilledRunsOverrideIsPutBack(t *testing.T) {
	s, ts := pulling(t)
	before, _, err := Read(t.Context(), NewLabClient(s.URL), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	left := pulled(before, ts[2].Set)
	left.Environment.Variables[NonceVariable] = "ABCDEFGHIJKL"
	s.Change("a", func(c *api.Configuration) {
		c.MemorySizeMB, c.Layers, c.LogFormat, c.Environment = 512, arns(left.Layers), "Text", left.Environment.Variables
	})
	if _, out := measure(t, s, ts, options(2, 0), nil); out.Marked > 0 || len(out.Warnings)+len(out.Unrestored)+len(out.NotMeasured) > 0 {
		t.Errorf("want no marks, warnings or functions left out: %+v", out)
	}
	own(t, s)
}

// difference reports a change that somebody else made under an override. It does not report the override itself.
func TestAForeignChangeUnderAnOverride(t *testing.T) {
	was := &Config{MemorySize: new(int32(128))}
	now := pulled(was, arm.Override{MemorySizeMB: 512})
	now.Environment.Variables[NonceVariable] = "ABCDEFGHIJKL"
	if back, left := Own(now); !left || *back.MemorySize != 128 || len(back.Environment.Variables) > 0 {
		t.Errorf("Own does not return the configuration before the override: %+v", back)
	}
	if what := difference(now, was); what != "" {
		t.Errorf("the run's own override is reported as somebody else's %q", what)
	}
	other := *now
	if other.Layers = layers([]string{"arn:theirs"}); difference(now, &other) == "" {
		t.Error("somebody else's layer is not reported")
	}
}

// provisioning adds provisioned concurrency to a server, and notes the calls for it.
func provisioning(t *testing.T, s http.Handler, calls *[]string) *httptest.Server {
	ready := 0
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/provisioned-concurrency") {
			s.ServeHTTP(w, r)
			return
		}
		*calls = append(*calls, r.Method)
		status := "READY"
		if r.Method == http.MethodGet {
			if ready++; ready%2 == 1 {
				status = "IN_PROGRESS"
			}
		}
		_, _ = io.WriteString(w, `{"Status":"`+status+`"}`)
	}))
	t.Cleanup(front.Close)
	return front
}

// Under load each repeat has a version of its own. A request that waited for an INIT has spilled over to an on-demand
// environment, and so have the requests that this environment answers later. Nobody waits for the INIT of a provisioned
// environment.
func TestProvisionedArmUnderLoad(t *testing.T) {
	s, ts := pulling(t)
	ts = ts[1:2]
	ts[0].Set.Provisioned = 1
	var calls []string
	n := 0
	front := provisioning(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/invocations") {
			s.ServeHTTP(w, r)
			return
		}
		n++
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Set(arm.HeaderLogStream, map[bool]string{true: "new", false: "provisioned"}[(n-1)%20 >= 9 && n%2 == 0])
		_, _ = w.Write(answer.Body.Bytes())
	}), &calls)
	s.report = func(_ double.Run, log string) string {
		log = strings.Replace(log, "\tInit Duration: 1.25 ms", "", 1)
		switch n % 20 {
		case 1: // INIT was minutes before
			return strings.Replace(log, " MB\t\n", " MB\tInit Duration: 400.00 ms\t\n", 1)
		case 10:
			return strings.Replace(log, " MB\t\n", " MB\tInit Duration: 0.00 ms\t\n", 1)
		}
		return log
	}
	o := under(20, 1, 0)
	o.Load.Repeats = 2
	var got memory
	out, err := Run(t.Context(), NewLabClient(front.URL), ts, o, nil, &got)
	if err != nil || len(got) != 40 || out.Marked > 0 || len(out.Warnings)+len(out.Unrestored)+len(out.NotMeasured) > 0 {
		t.Fatalf("%d records, %+v, %v", len(got), out, err)
	}
	for i, r := range got {
		cold, ahead := i%20 == 0 || i%20 == 9, i%20 < 9 || i%2 == 0 // every second one after the 10th
		if (r.Start == record.Cold) != cold || r.Ahead() != ahead || (r.InitializationType == record.OnDemand) == ahead {
			t.Errorf("request %d: %s, %s", i+1, r.Start, r.InitializationType)
		}
	}
	if text := strings.Join(calls, " "); text != "PUT GET GET DELETE PUT GET GET DELETE" {
		t.Errorf("calls for provisioned concurrency: %s", text)
	}
	noVersions(t, s)
	own(t, s)
}

// An arm with provisioned concurrency is measured on a version, which is deleted afterwards. Its Init Duration is not
// part of a cold start.
func TestProvisionedArm(t *testing.T) {
	s, ts := pulling(t)
	ts[1].Set.Provisioned = 1
	var calls []string
	front := provisioning(t, s, &calls)
	s.report = func(_ double.Run, log string) string {
		if n := len(calls); n > 0 && calls[n-1] != http.MethodDelete { // INIT was minutes before
			log = strings.Replace(log, "Init Duration: 1.25 ms", "Init Duration: 400.00 ms", 1)
		}
		return log
	}
	var got memory
	out, err := Run(t.Context(), NewLabClient(front.URL), ts, options(4, 2), nil, &got)
	if err != nil || out.Marked > 0 || len(out.Warnings)+len(out.Unrestored)+len(out.NotMeasured) > 0 {
		t.Errorf("want no marks, warnings or functions left out: %+v, %v", out, err)
	}
	for _, r := range got.where(func(r record.Record) bool { return r.Start == record.Cold }) {
		if total, _ := r.ColdTotalMs(); r.Ahead() != (r.Levels[arm.LeverFactor] == arm.Twin) || r.Ahead() && (total != *r.DurationMs || *r.InitDurationMs != 400) {
			t.Errorf("want an INIT ahead of the call, and only in the twin's records: %+v", r)
		}
	}
	if text := strings.Join(calls, " "); strings.Count(text, "PUT GET GET DELETE") != 4+2 {
		t.Errorf("%d calls: %s", len(calls), text)
	}
	noVersions(t, s)
	own(t, s)
}
