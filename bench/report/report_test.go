package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

func stream(t testing.TB, runs ...recordtest.Run) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for i, run := range runs {
		for r := range run.Records() {
			r.RequestID = fmt.Sprint(i, r.RequestID)
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &b
}

func build(t *testing.T, o Options, runs ...recordtest.Run) *Report {
	t.Helper()
	rep, err := Stream(stream(t, runs...), "test", o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func find(t *testing.T, rep *Report, name string) *Arm {
	t.Helper()
	for _, a := range rep.Arms {
		if a.Arm == name {
			return a
		}
	}
	t.Fatalf("no arm %s", name)
	return nil
}

func claim(t *testing.T, rep *Report, clock Clock, at At) Claim {
	t.Helper()
	for _, c := range rep.Verdict.Claims {
		if c.Clock == clock && c.At == at && c.Topic != "folklore" {
			return *c
		}
	}
	t.Fatalf("no claim by %s at %s", clock, at)
	return Claim{}
}

func TestJSONKeysAreAsDesigned(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:2], Cold: 60, Warm: 20, Seed: 1})
	data, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Arms        []map[string]any
		NotMeasured []any `json:"not_measured"`
		Verdict     any
		Warnings    []any
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"arm", "source", "init_count", "init_total_ms", "init_average_ms", "p20_ms", "p40_ms", "p50_ms", "p50_ci95_ms",
		"p60_ms", "p80_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"} {
		v, ok := got.Arms[0][key]
		if !ok {
			t.Errorf("no %s", key)
		}
		if key == "p99_ms" && v != nil {
			t.Errorf("p99 of 60 samples: %v", v)
		}
	}
	if got.NotMeasured == nil || got.Verdict == nil || got.Warnings == nil {
		t.Errorf("missing: %s", data)
	}
}

func TestVerdictNamesWinnersTiesAndTail(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms(), Cold: 60, Warm: 100, Seed: 3})
	if c := claim(t, rep, ClockInit, UsuallyFaster); !slices.Equal(c.Winners, []string{"bashtcp-static/image-minimal"}) || !c.Primary || !c.Tested || !c.Told() {
		t.Errorf("want one winner by the primary claim: %+v", c)
	}
	if c := claim(t, rep, ClockInit, LowerMedian); !slices.Equal(c.Winners, []string{"bashtcp-static/image-minimal"}) || c.Primary || c.Power == nil {
		t.Errorf("want one winner by the median: %+v", c)
	}
	if c := claim(t, rep, ClockInit, "lower p90"); len(c.Winners) == 0 || !strings.Contains(c.Text, "higher percentiles need more samples") {
		t.Errorf("want a winner at p90, and that higher percentiles need more samples: %+v", c)
	}
	warm := claim(t, rep, ClockWarm, UsuallyFaster)
	if len(warm.Winners) != 6 || !strings.HasPrefix(warm.Text, "a tie of 6: ") { // two bootstraps in three packages each: all are alike when warm
		t.Errorf("want a tie of 6: %+v", warm)
	}
	if c := claim(t, rep, ClockWarm, LowerTail); c.Tested || !strings.Contains(c.Text, "no arm has more than 10 environments, and p90 needs 50") {
		t.Errorf("want no test, because there are too few environments: %+v", c)
	}
	for _, c := range rep.Comparisons {
		if c.Told != (c.CI[0] > 1 || c.CI[1] < 1) || c.Told != (c.P < rep.Alpha) {
			t.Errorf("test and interval disagree: %+v", c)
		}
	}
	all := folkloreText(rep)
	for _, want := range []string{"image against ZIP, by INIT. bashcurl: faster", "compressed against plain, by INIT. rawtcp-upx against rawtcp as image: slower",
		"more bytes that are not read, by INIT. rawtcp-padded against rawtcp as image: not told apart"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

func folkloreText(rep *Report) string {
	var said []string
	for _, c := range rep.Verdict.Claims {
		if c.Topic == "folklore" {
			said = append(said, c.Text)
		}
	}
	return strings.Join(said, "\n")
}

func TestSamplesSetApartAreInNoAverage(t *testing.T) {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	base := record.Record{Source: record.Lab, Arm: "a/zip", Start: record.Cold, MemorySizeMB: 1024, Architecture: arm.X8664}
	write := func(n int, change func(*record.Record)) {
		for range n {
			r := base
			r.InitDurationMs, r.DurationMs, r.ClientDurationMs, r.BilledDurationMs = new(10.0), new(1.0), new(12.0), new(11.0)
			change(&r)
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(7, func(*record.Record) {})
	write(1, func(r *record.Record) { r.InitDurationMs, r.FirstAfterDeploy = new(999.0), true })
	write(2, func(r *record.Record) { r.InitDurationMs, r.Marked = nil, record.ColdWithoutInit })
	write(1, func(r *record.Record) { r.InitDurationMs = nil }) // as from an importer: not marked
	write(1, func(r *record.Record) { *r = base; r.Marked = record.Throttled })
	write(1, func(r *record.Record) { *r = base; r.Marked = record.NoAnswer.With("EOF") })
	write(1, func(r *record.Record) { *r = base; r.Marked = record.NoReport })
	write(1, func(r *record.Record) { r.InitDurationMs, r.Marked = new(999.0), record.Priming })
	write(1, func(r *record.Record) {
		r.DurationMs, r.Marked, r.FunctionError = new(999.0), record.FunctionFailed, "Runtime.ExitError: exit status 3"
	})
	write(5, func(r *record.Record) { r.Start, r.InitDurationMs = record.Warm, nil })
	write(1, func(r *record.Record) { r.Start, r.Marked = record.Warm, record.WarmWithInit })
	rep, err := Stream(&b, "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := rep.Arms[0]
	if a.InitCount != 7 || *a.Max != 10 || *a.InitTotal != 70 || a.ColdTotal.Count != 7 || *a.ColdTotal.Max != 11 || a.Warm.Count != 5 || a.FirstAfterDeploy != 1 {
		t.Errorf("want only the 7 cold and 5 warm samples that count: %+v", a)
	}
	if a.ResidualMedian == nil || *a.ResidualMedian != -10 { // 12 - 11 - (12 - 1)
		t.Errorf("residual %v", a.ResidualMedian)
	}
	// 11 ms of 1 GB, and a request, a million times.
	if want := 11*1e3*0.0000166667 + 0.2; a.ColdCost == nil || *a.ColdCost-want > 1e-6 || want-*a.ColdCost > 1e-6 {
		t.Errorf("cost %v, want %v", *a.ColdCost, want)
	}
	text := strings.Join(rep.Warnings, "\n")
	for _, want := range []string{
		"a/zip: samples left out of all averages: 3 cold without Init, 1 function error, 1 no REPORT, 1 no answer, 1 throttled, 1 warm with Init",
		"a/zip: 1 function error, the last: Runtime.ExitError: exit status 3",
		"1 cold start left out: the first after a deployment",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestSourcesAreNotMixedUnlessAsked(t *testing.T) {
	lab := recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:2], Cold: 20, Seed: 1}
	aws := lab
	aws.Source = record.AWS
	if _, err := Stream(stream(t, lab, aws), "x", Options{}); err == nil || !strings.Contains(err.Error(), "--mix-sources") {
		t.Errorf("want an error that names --mix-sources: %v", err)
	}
	rep := build(t, Options{MixSources: true}, lab, aws)
	if len(rep.Arms) != 4 || find(t, rep, "bashtcp-static/zip (lab)").Source != record.Lab {
		t.Errorf("want 4 arms, of which 2 are named as the lab's: %+v", rep.Arms)
	}
	if len(rep.Comparisons) == 0 {
		t.Error("nothing is compared within a source")
	}
	for _, c := range rep.Comparisons {
		if strings.Contains(c.Arm, "(lab)") != strings.Contains(c.Than, "(lab)") {
			t.Errorf("compared across sources: %+v", c)
		}
	}
}

func TestMemoriesAreToldApart(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:1], MemoryMB: []int{128, 1024}, Cold: 10, Seed: 1})
	find(t, rep, "bashtcp-static/zip@128")
	find(t, rep, "bashtcp-static/zip@1024")
}

func TestLongSamplesHaveATail(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[6:9], Cold: 1000, Seed: 1})
	a := find(t, rep, "rawtcp/zip")
	if a.P99 == nil || a.P999 == nil || a.P99CI == nil || a.P99CI[0] > *a.P99 || a.P99CI[1] < *a.P99 {
		t.Errorf("want p99 and p99.9, with an interval: %+v", a.Spread)
	}
	if c := claim(t, rep, ClockInit, "lower p99"); !slices.Equal(c.Winners, []string{"rawtcp/zip"}) || strings.Contains(c.Text, "too few") {
		t.Errorf("want rawtcp/zip to have the lower p99: %+v", c)
	}
}

// In JSON, too, a percentile has no interval if no pair of ranks covers 95 %.
func TestNoIntervalWithoutAPairOfRanks(t *testing.T) {
	least := map[string]int{"p50": 6, "p80": 14, "p90": 29, "p95": 59}
	for _, n := range []int{5, 6, 13, 14, 28, 29, 58, 59} {
		rep := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[:1], Cold: n, Seed: 2})
		text, err := json.Marshal(rep.Arms[0])
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		for p, enough := range least {
			if (got[p+"_ci95_ms"] != nil) != (n >= enough) || got[p+"_ms"] == nil {
				t.Errorf("%d values: %s is %v, its interval %v", n, p, got[p+"_ms"], got[p+"_ci95_ms"])
			}
		}
	}
}

func TestAFileThatWasCutOffIsRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "records.jsonl")
	data := stream(t, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:2], Cold: 10, Seed: 1}).Bytes()
	if err := os.WriteFile(path, data[:len(data)-40], 0o644); err != nil {
		t.Fatal(err)
	}
	run := runfile.Run{RunID: "r", Source: record.Lab, StartedAt: time.Now(), Interrupted: true, Warnings: []string{"no cgroup"},
		NotMeasured: []arm.NotMeasured{{Arm: "bashcurl/image-minimal", Why: "no curl"}, {Arm: "bashtcp-static/zip", Why: "was measured after all"}}}
	if err := run.Save(filepath.Join(dir, runfile.Name)); err != nil {
		t.Fatal(err)
	}
	rep, err := Files([]string{path, path}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Records != 19 || rep.Unusable != 2 || len(rep.NotMeasured) != 1 || len(rep.Runs) != 1 {
		t.Errorf("want 19 records, 2 unusable lines and one run: %+v", rep)
	}
	text := strings.Join(rep.Warnings, "\n")
	for _, want := range []string{"no cgroup", "run r was interrupted", path + ":20: record cut off", "19 records with a request id that came before"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestNothingToReport(t *testing.T) {
	for in, want := range map[string]string{
		"":        "no records: x is empty: it holds no records; measure first, with twinstart run",
		"hello\n": "no records that can be used; the first line that cannot: x:1: not a record: invalid character 'h' looking for beginning of value: name the folder of a twinstart run, or its records.jsonl",
		`{"schema":2,"source":"lab","arm":"a/zip","start":"warm"}`: "no records that can be used; the first line that cannot: x:1: schema 2 is newer than this twinstart reads (1): update twinstart",
	} {
		_, err := Stream(strings.NewReader(in), "x", Options{})
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if _, err := Files([]string{"none.jsonl"}, nil, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want an error about the missing file: %v", err)
	}
}

func TestDriftIsSaid(t *testing.T) {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for i := range 60 {
		if err := w.Write(record.Record{Source: record.Lab, Arm: "a/zip", Start: record.Cold,
			InitDurationMs: new(20 + float64(i%7)/10 + float64(i/30)*5), DurationMs: new(1.0)}); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := Stream(&b, "x", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(rep.Warnings, "INIT drifted from the first to the second half of the run in 1 arm: a/zip +25 %") {
		t.Errorf("want a warning about the drift: %q", rep.Warnings)
	}
}

// BenchmarkReport reads and reports on 100,000 records of all arms: the goal is 2 s and 200 MB.
func BenchmarkReport(b *testing.B) {
	for _, n := range []int{6_000, 100_000, 1_000_000} { // 6,000 is a usual run
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			arms := recordtest.Arms()
			run := recordtest.Run{Source: record.Lab, Arms: arms, Cold: n / len(arms) / 4, Warm: n / len(arms) * 3 / 4, Environments: 10, Seed: 1}
			path := filepath.Join(b.TempDir(), "records.jsonl")
			f, err := record.Append(path)
			if err != nil {
				b.Fatal(err)
			}
			for r := range run.Records() {
				if err := f.Write(r); err != nil {
					b.Fatal(err)
				}
			}
			f.Close()
			info, _ := os.Stat(path)
			runtime.GC()
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Files([]string{path}, nil, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/1e6, "MB-sys")
		})
	}
}
