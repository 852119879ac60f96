package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	pages "github.com/twinstart/twinstart/bench/show/page"
)

// phases splits the times of rawsyscall's records into moments, in fixed proportions.
func phases(rec *record.Record) {
	if rec.Bootstrap != "rawsyscall" {
		return
	}
	moments := func(whole float64, names ...string) map[string]float64 {
		at := map[string]float64{}
		for i, name := range names {
			at[name] = math.Round(whole*float64(i+1)/float64(len(names))*1000) / 1000
		}
		return at
	}
	if rec.InitDurationMs != nil {
		rec.InitPhasesMs = moments(0.75**rec.InitDurationMs, "exec", "main", "workerStarted", "connected", "workerReady", "nextSent")
	}
	rec.EventPhasesMs = moments(0.8**rec.DurationMs, "eventRead", "handlerDone", "responseSent")
}

// makeReport writes records and their run.json, and returns the report of them.
func makeReport(t *testing.T, run recordtest.Run, o report.Options, change ...func(*record.Record)) *report.Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.jsonl")
	f, err := record.Append(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := range run.Records() {
		for _, c := range change {
			c(&r)
		}
		if err := f.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	about := runfile.Run{
		RunID: "made-up", Source: run.Source, Seed: run.Seed, StartedAt: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		Command: []string{"twinstart", "run", "--arms", "rawtcp/*"}, Options: map[string]any{"cold": run.Cold},
		Machine:     &runfile.Machine{OS: "linux", Architecture: "amd64", Kernel: "6.18", CPU: "Made-up CPU", CPUs: 2},
		NotMeasured: []arm.NotMeasured{{Arm: "bashcurl/image-minimal", Why: "an image from scratch has no curl"}},
	}
	if err := about.Save(runfile.Path(path)); err != nil {
		t.Fatal(err)
	}
	rep, err := report.Files([]string{path}, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// few returns the report of a small run of two memory sizes, with a published figure.
func few(t *testing.T) *report.Report {
	return makeReport(t, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms()[3:9], MemoryMB: []int{128, 1024}, Cold: 8, Warm: 6, Environments: 2, Seed: 5},
		report.Options{Baselines: []report.Baseline{{
			Set: "packaging-2025", Setting: "arm64, 60 cold starts", Source: record.AWS, Published: true, Arm: "rawtcp/zip", Clock: report.ClockInit, Count: 60,
			Average: new(21.31), Spread: report.Spread{P20: new(19.99), P40: new(20.24), P60: new(20.82), P80: new(23.74)},
		}}}, phases)
}

// many returns the report of a run of 100,000 records.
func many(t *testing.T) *report.Report {
	return makeReport(t, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms(), Cold: 2350, Warm: 2000, Seed: 7}, report.Options{})
}

func drawHTML(t *testing.T, rep *report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, "html", rep, Options{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var (
	styles   = regexp.MustCompile(`(?s)<style>.*?</style>`)
	dataPart = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)
	programs = regexp.MustCompile(`(?s)<script>.*?</script>`)
	policies = regexp.MustCompile(`sha256-(?:[^&']|&#43;)*`)
)

// split returns a page's data, and its text and tables without styles, programs and data.
func split(t *testing.T, page string) (data, prose string) {
	t.Helper()
	m := dataPart.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no data")
	}
	prose = programs.ReplaceAllString(dataPart.ReplaceAllString(styles.ReplaceAllString(page, ""), ""), "")
	return m[1], policies.ReplaceAllString(prose, "sha256-DIGEST")
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if len(got) == 0 {
		t.Fatal("there is nothing to compare: -update would empty the file")
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (go test -update accepts it):\n%s", path, d)
	}
}

func TestHTMLGolden(t *testing.T) {
	for name, rep := range map[string]*report.Report{"few": few(t), "least": least(t)} {
		data, prose := split(t, drawHTML(t, rep))
		golden(t, name+".page.html", prose)
		var arms struct {
			Arms []json.RawMessage `json:"arms"`
		}
		var rest map[string]json.RawMessage
		if err := json.Unmarshal([]byte(data), &arms); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(data), &rest); err != nil {
			t.Fatal(err)
		}
		delete(rest, "arms")
		var lines strings.Builder // an arm a line, so that a difference can be read
		for _, a := range arms.Arms {
			fmt.Fprintf(&lines, "%s\n", a)
		}
		for _, k := range slices.Sorted(maps.Keys(rest)) {
			fmt.Fprintf(&lines, "%s: %s\n", k, rest[k])
		}
		golden(t, name+".data.jsonl", lines.String())
	}
}

func TestAPageLoadsNothing(t *testing.T) {
	page := drawHTML(t, few(t))
	_, prose := split(t, page)
	for _, m := range regexp.MustCompile(`(?i)<(link|img|iframe|object|embed|base|form action|script src|audio|video|source)\b|@import|\burl\(|\bsrc=`).FindAllString(prose+styles.FindString(page), -1) {
		t.Errorf("the page may load something: %s", m)
	}
	if !strings.Contains(prose, "default-src &#39;none&#39;") {
		t.Error("the page has no content security policy")
	}
	all := programs.FindAllString(page, -1)
	if len(all) != 2 {
		t.Errorf("%d programs, want 2", len(all))
	}
	for _, p := range all {
		code := strings.TrimSuffix(strings.TrimPrefix(p, "<script>"), "</script>")
		if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), strings.TrimSuffix(strings.Fields(pages.Policy(code))[3], ";")[1:51]) {
			t.Error("the policy does not let a program run")
		}
	}
}

func TestTextOfARecordStaysText(t *testing.T) {
	evil := `</script><script>alert(1)</script><img src=x onerror=alert(2)>`
	quoted, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := report.Stream(strings.NewReader(fmt.Sprintf(
		`{"schema":1,"source":"lab","arm":%s,"bootstrap":%[1]s,"start":"cold","initDurationMs":4,"durationMs":1.5,"requestId":"1"}`, quoted)), "test", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	page := drawHTML(t, rep)
	if strings.Contains(page, "<img") || strings.Contains(page, "<script>alert") {
		t.Error("an arm's name became markup")
	}
	if n := strings.Count(page, "<script"); n != 3 {
		t.Errorf("%d scripts, want 3: the arm's name adds no script", n)
	}
}

// The embedded libraries are those that npm installed. npm checks their digests in the lock file.
func TestLibrariesAreThePublishedOnes(t *testing.T) {
	for name, published := range map[string]string{"d3.min.js": "d3/dist/d3.min.js", "plot.min.js": "@observablehq/plot/dist/plot.umd.min.js"} {
		want, err := os.ReadFile(filepath.Join("..", "..", "node_modules", published))
		if err != nil {
			t.Fatalf("npm ci first (make setup does): %v", err)
		}
		got, err := pages.Files.ReadFile("vendor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("page/vendor/%s is not %s of package-lock.json: copy it, and its licence", name, published)
		}
	}
}

func TestShellLine(t *testing.T) {
	if got, want := ShellLine([]string{"twinstart", "run", "--arms", "a/*", "", "it's", "--out=x y"}), `twinstart run --arms 'a/*' '' "it's" '--out=x y'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The headings of two sets of factors begin alike, but each element must have an ID of its own.
func TestPartsHaveTheirOwnIDs(t *testing.T) {
	r := &report.Report{Factors: []report.Factors{
		{Source: record.Lab, Text: []string{"a"}}, {Source: record.AWS, Text: []string{"b"}},
	}}
	if p := findings(r); len(p) != 2 || p[0].ID == p[1].ID {
		t.Errorf("parts %+v: want two with different IDs", p)
	}
}
