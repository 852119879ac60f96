package compare

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
	"github.com/twinstart/twinstart/bench/report"
)

var update = flag.Bool("update", false, "write the golden files")

// made returns the report of a made-up run, of which change has changed each record.
func made(t *testing.T, run recordtest.Run, change func(*record.Record)) *report.Report {
	t.Helper()
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for r := range run.Records() {
		change(&r)
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := report.Stream(&b, "test", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func slower(arm string, by float64) func(*record.Record) {
	return func(r *record.Record) {
		if r.Arm == arm && r.InitDurationMs != nil {
			*r.InitDurationMs *= by
		}
	}
}

var (
	still = func(*record.Record) {}
	usual = recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[:9], Cold: 60, Warm: 20, Seed: 1}
)

func again() recordtest.Run {
	r := usual
	r.Seed = 2
	return r
}

func compared(t *testing.T, before, after *report.Report) *Comparison {
	t.Helper()
	c, err := Reports(before, after, false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(t *testing.T, c *Comparison, metric, arm string) *Row {
	t.Helper()
	i := slices.IndexFunc(c.Rows, func(r *Row) bool { return r.Metric == metric && r.Arm == arm })
	if i < 0 {
		t.Fatalf("no row %s %s", metric, arm)
	}
	return c.Rows[i]
}

func TestWhatChangedIsTold(t *testing.T) {
	c := compared(t, made(t, usual, still), made(t, again(), slower("rawtcp/zip", 1.2)))
	if len(c.Rows) != 9*7 {
		t.Errorf("%d rows", len(c.Rows))
	}
	r := find(t, c, "init", "rawtcp/zip")
	if !r.Told || *r.Ratio < 1.15 || *r.Ratio > 1.25 || r.CI[0] > *r.Ratio || r.CI[1] < *r.Ratio || r.Old.N != 60 {
		t.Errorf("want rawtcp/zip told slower by a fifth: %+v", r)
	}
	for _, r := range c.Rows {
		if r.Told && (r.Arm != "rawtcp/zip" || r.Metric != "init" && r.Metric != "cold") {
			t.Errorf("noise was told apart: %+v", r)
		}
	}
	if p := find(t, c, "package", "rawtcp/zip"); p.P != nil || p.Told || p.Old.Median != 1972 {
		t.Errorf("want the package's size without a test: %+v", p)
	}
}

func TestSameArmsAreMatched(t *testing.T) {
	other := usual
	other.Arms = recordtest.Arms()[1:10]
	c := compared(t, made(t, usual, still), made(t, other, still))
	if !slices.Equal(c.OnlyOld, []string{"bashtcp-static/zip"}) || !slices.Equal(c.OnlyNew, []string{"rawtcp-padded/zip"}) {
		t.Errorf("want the arms that only one run has: %v %v", c.OnlyOld, c.OnlyNew)
	}
	none := usual
	none.Arms = recordtest.Arms()[20:]
	aws := usual
	aws.Source = record.AWS
	two := made(t, usual, func(r *record.Record) {
		if r.Round%2 == 0 {
			r.Experiment = "another"
		}
	})
	for name, test := range map[string]struct {
		before, after *report.Report
		want          string
	}{
		"nothing in common": {made(t, usual, still), made(t, none, still), "no arm in common"},
		"lab and AWS":       {made(t, usual, still), made(t, aws, still), "--mix-sources"},
		"two in one":        {two, made(t, usual, still), "twice"},
	} {
		if _, err := Reports(test.before, test.after, false); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mixed, err := Reports(made(t, usual, still), made(t, aws, still), true)
	if err != nil || len(mixed.Rows) == 0 || !strings.Contains(mixed.title(), "mixed, as asked") {
		t.Errorf("want a comparison that says that sources are mixed: %v", err)
	}
}

func TestExpressions(t *testing.T) {
	before, after := made(t, usual, still), made(t, again(), slower("rawtcp/zip", 1.2))
	for text, want := range map[string]int{
		"init>5%": 1, "init > 5 %": 1, "init>30%": 0, "init>2ms": 1, "init>20ms": 0, "cold>5%": 1, "wait>5%": 0, "warm>5%": 0, "memory>1MB": 0,
		"initReadKiB>2%": 0, "package>0KiB": 0, "*/zip:init>5%": 1, "*/image:init>5%": 0, "init.p90>5%": 1, "init.median>5%": 1,
	} {
		e, err := ParseExpression(text)
		if err != nil {
			t.Fatal(err)
		}
		c := compared(t, before, after)
		if err := c.Check([]Expression{e}); err != nil || len(c.Failed) != want {
			t.Errorf("%s: %v, %v", text, c.Failed, err)
		}
	}
	for text, want := range map[string]string{
		"init":         "no >",
		"speed>5%":     `"speed" is not a metric: use init, cold`,
		"init>fast":    "not an amount",
		"init>-5%":     "not an amount",
		"init>NaN%":    "not an amount",
		"init>5":       "is in ms",
		"init>5KiB":    "is in ms",
		"init.p42>5%":  "not a quantile",
		"warm.p99>5%":  "no quantiles",
		"[:init>5%":    "not a valid pattern",
		":init>5%":     "not a valid pattern",
		"init>1e999ms": "not an amount",
		"":             "no >",
	} {
		if _, err := ParseExpression(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAGuardThatCannotFailSaysSo(t *testing.T) {
	few := usual
	few.Cold, few.Arms = 3, few.Arms[:2]
	c := compared(t, made(t, few, still), made(t, few, slower("rawtcp/zip", 3)))
	for text, want := range map[string]string{"init>5%": "cannot reach p", "init.p95>5%": "too few for p95", "nothing/*:init>5%": "it names no arm that has init in both runs"} {
		e, err := ParseExpression(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check([]Expression{e}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestGolden(t *testing.T) {
	small := usual
	small.Arms = recordtest.Arms()[:4]
	smallAgain := small
	smallAgain.Seed = 2
	c := compared(t, made(t, small, still), made(t, smallAgain, slower("rawsyscall/zip", 1.2)))
	e, err := ParseExpression("init>5%")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check([]Expression{e}); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"csv", "json", "markdown", "text"} {
		var got bytes.Buffer
		if err := Write(&got, format, c); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "compare."+format)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s (go test -update writes it again):\n%s", path, d)
		}
		if !strings.Contains(got.String(), "lab") {
			t.Errorf("%s does not say lab", format)
		}
		switch format {
		case "json":
			if !json.Valid(got.Bytes()) {
				t.Error("the JSON format is not valid JSON")
			}
		case "csv":
			if rows, err := csv.NewReader(&got).ReadAll(); err != nil || len(rows) != 1+len(c.Rows) {
				t.Errorf("%d rows, %v", len(rows), err)
			}
		}
	}
	if err := Write(&bytes.Buffer{}, "html", c); err == nil {
		t.Error("no error for an unknown format")
	}
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"init>5%", "*/zip:cold.p95>1ms", "[a-]:init>5%", ">", "init>", "a:b:init>1e9%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := ParseExpression(s); err == nil && (e.Metric == "" || !(e.Limit >= 0)) {
			t.Errorf("%q: %+v", s, e)
		}
	})
}

// KiB that are counted once for each package are compared by their standard errors. So a limit needs few cold starts:
// equal code is within it, and 3 % more KiB are over it.
func TestCountedOnce(t *testing.T) {
	counted := func(kib, standardError float64, by string) *report.Report {
		few := usual
		few.Arms = recordtest.Arms()[:1]
		return made(t, few, func(r *record.Record) {
			if r.Start == record.Cold {
				r.InitPackageReadKiB, r.InitPackageReadErrorKiB, r.PackageReadBy = &kib, &standardError, by
			}
		})
	}
	e, err := ParseExpression("initReadKiB>2%")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		old, new float64
		err      float64
		by       string
		told     bool
		fails    int
		counted  string
	}{
		{"equal", 5450, 5450, 12, "computed", false, 0, "computed"},
		{"noise", 5450, 5480, 12, "computed", false, 0, "computed"},
		{"one page more, without spread", 384, 388, 0, "computed", true, 0, "computed"},
		{"3 % more", 5450, 5614, 12, "computed", true, 1, "computed"},
		{"less", 5614, 5450, 12, "computed", true, 0, "computed"},
		{"counted in two ways: measured starts are compared", 5450, 6614, 12, "page-cache", false, 0, ""},
	} {
		c := compared(t, counted(test.old, test.err, "computed"), counted(test.new, test.err, test.by))
		if err := c.Check([]Expression{e}); err != nil {
			t.Fatal(err)
		}
		r := c.Rows[slices.IndexFunc(c.Rows, func(r *Row) bool { return r.Metric == "initReadKiB" })]
		if r.Told != test.told || len(c.Failed) != test.fails || r.Counted != test.counted {
			t.Errorf("%s: told %v, failed %v: %+v", test.name, r.Told, c.Failed, r)
		}
	}
}
