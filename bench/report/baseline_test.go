package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/record"
)

const published = `{
  "note": "figures",
  "packaging-2025": {
    "setting": "Lambda, arm64, 60 cold starts",
    "arms": {"nethttp/zip": {"count": 60, "total_ms": 2557.03, "mean": 42.61, "p20": 40.41, "p80": 47.30, "binary_mb": 5.7}, "rawtcp/zip": {"mean": 21.31}},
    "recomputed_from_raw": {"nethttp/zip": {"n": 60, "median": 41.02, "median_ci95": [40.89, 41.25], "p95": 49.15}}
  },
  "lambda-perf": {"setting": "pooled", "arm64": {"go": {"zip": [43.4, 44.8], "image": [40.7, 60.9]}}},
  "memory-vcpu": [[128, 0.07]],
  "prices": {"request": 0.0000002}
}`

func TestBaselinesArePublishedFiguresOfAWS(t *testing.T) {
	got, err := parseBaselines([]byte(published))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range got {
		names = append(names, b.Set+" "+b.Arm)
		if !b.Published || b.Source != record.AWS || b.Clock != ClockInit {
			t.Errorf("want a published figure of INIT on AWS: %+v", b)
		}
	}
	if want := "lambda-perf go/image,lambda-perf go/zip,packaging-2025 rawtcp/zip,packaging-2025 nethttp/zip,packaging-2025, recomputed from raw nethttp/zip"; strings.Join(names, ",") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(names, ","), want)
	}
	b := got[3]
	if b.Count != 60 || *b.Average != 42.61 || *b.P80 != 47.30 || b.P50 != nil || b.PackageSizeBytes != 5976883 {
		t.Errorf("want the published figures of nethttp/zip: %+v", b)
	}
	if b := got[4]; b.Count != 60 || *b.P50 != 41.02 || b.P50CI[1] != 41.25 {
		t.Errorf("want the recomputed figures of nethttp/zip: %+v", b)
	}
	for data, want := range map[string]string{
		"{\n\n?": "line 3", "{}": "no set", `{"a": 1}`: "no set", "[1]": "cannot unmarshal", `{"s": {"setting": "x", "arms": {"a/zip": {"mean": -1}}}}`: `set "s", a/zip: -1`,
		`{"s": {"setting": "x", "arm64": {"go": {"zip": [1]}}}}`: "want [p50, p95]", `{"s": {"setting": "x", "arms": 5}}`: `set "s"`,
		`{"s": {"setting": "x", "arms": {"a/zip": {"mean": -1}, "b/zip": {"mean": -1}}}}`: "want a number >= 0",
	} {
		if _, err := parseBaselines([]byte(data)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestPublishedRecordsStandBesideMeasuredOnes(t *testing.T) {
	lines := `{"schema":1,"source":"aws","arm":"go/zip","start":"cold","published":"lambda-perf","initDurationMs":50}
{"schema":1,"source":"aws","arm":"go/zip","start":"cold","published":"lambda-perf","initDurationMs":52}
{"schema":1,"source":"aws","arm":"go/image","start":"cold","published":"lambda-perf","initDurationMs":62}
{"schema":1,"source":"aws","arm":"go/zip","start":"cold","initDurationMs":10,"durationMs":1}
{"schema":1,"source":"aws","arm":"nethttp/zip","start":"cold","published":"stats.json","summary":{"of":"INIT","count":60,"averageMs":42.61,"ms":{"p20":40.41}}}
{"schema":1,"source":"aws","arm":"x/zip","start":"cold","summary":{"of":"INIT"}}
`
	rep, err := Stream(strings.NewReader(lines), "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := find(t, rep, "go/zip (published: lambda-perf)"); a.InitCount != 2 || a.ColdTotal.Count != 0 || a.Published != "lambda-perf" {
		t.Errorf("want 2 published values of INIT: %+v", a)
	}
	if len(rep.Baselines) != 1 || rep.Baselines[0].Count != 60 || *rep.Baselines[0].P20 != 40.41 || !rep.Baselines[0].Published {
		t.Errorf("want the published summary as a baseline: %+v", rep.Baselines)
	}
	var many strings.Builder
	for i := range 40 {
		for a, published := range []string{"", "", `"published":"lambda-perf",`, `"published":"lambda-perf",`} {
			ms := 10 + 20*max(0, a-1) + i%7 // the measured arms are alike, the published ones are not
			fmt.Fprintf(&many, `{"schema":1,"source":"aws","arm":"%d/zip","start":"cold","round":%d,%s"initDurationMs":%d,"durationMs":1}`+"\n", a%2, i+1, published, ms)
		}
	}
	compared, err := Stream(strings.NewReader(many.String()), "test", Options{})
	if err != nil || len(compared.Arms) != 4 || len(compared.Comparisons) == 0 {
		t.Fatalf("want 4 arms with comparisons: %+v, %v", compared, err)
	}
	for _, c := range compared.Comparisons {
		if strings.Contains(c.Arm, "published") != strings.Contains(c.Than, "published") {
			t.Errorf("measured against published: %+v", c)
		}
	}
	for _, c := range compared.Verdict.Claims { // each of the two has its own sequence of claims
		if want := c.Primary || c.Published != "" && c.At != LowerTail; c.Tested != want {
			t.Errorf("want the claims after the primary one tested for the published arms only: %+v", *c)
		}
	}
	if rep.Unusable != 1 || !strings.Contains(strings.Join(rep.Warnings, "\n"), "test:6: a summary needs published") {
		t.Errorf("want the summary without published named in a warning: %q", rep.Warnings)
	}
	only, err := Stream(strings.NewReader(strings.Split(lines, "\n")[4]+"\n"), "test", Options{})
	if err != nil || len(only.Baselines) != 1 || len(only.Arms) != 0 {
		t.Errorf("want a report of one baseline and no arms: %v %+v", err, only)
	}
}

func TestOdditiesAreNamedByFileAndLine(t *testing.T) {
	lines := `{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":1,"requestId":"1","startedAt":"2026-11-21T10:00:00Z","initDurationMs":10,"durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":2,"requestId":"1","startedAt":"2026-11-21T10:00:01Z","initDurationMs":10,"durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":3,"requestId":"3","startedAt":"2026-11-21T09:00:00Z","initDurationMs":11,"durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":4,"requestId":"4","startedAt":"2026-11-21T10:00:03Z","initDurationMs":-10,"durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":5,"requestId":"5","startedAt":"2026-11-21T10:00:04Z","initDurationMs":NaN,"durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":6,"requestId":"6","startedAt":"2026-11-21T10:00:05Z","initDurationMs":12}
{"schema":7,"source":"lab","arm":"a/zip","start":"cold","round":7,"requestId":"7","initDurationMs":12,"durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":8,"requestId":"8","startedAt":"2026-11-21T10:00:06Z","durationMs":1}
{"schema":1,"source":"lab","arm":"a/zip","start":"co`
	rep, err := Stream(strings.NewReader(lines), "f.jsonl", Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(rep.Warnings, "\n")
	for _, want := range []string{
		"f.jsonl:4: initDurationMs is -10", "f.jsonl:5: not a record", "f.jsonl:7: schema 7 is newer", "f.jsonl:9: record cut off",
		"1 record with a request id that came before: counted once; the first is at f.jsonl:2", "the clock went backwards before 1 record, the first at f.jsonl:3",
		"1 record without durationMs: left out of all averages; the first is at f.jsonl:6", "1 record without initDurationMs: left out of all averages; the first is at f.jsonl:8",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if rep.Arms[0].InitCount != 2 {
		t.Errorf("the rest must be used: %+v", rep.Arms[0])
	}
}
