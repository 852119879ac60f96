package show

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
)

var update = flag.Bool("update", false, "write the golden files")

var made *report.Report

// packaging returns the report of a usual run in the lab. It is made once for all tests.
func packaging(t *testing.T) *report.Report {
	t.Helper()
	if made == nil {
		made = makePackaging(t)
	}
	return made
}

func makePackaging(t *testing.T) *report.Report {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "records.jsonl")
	f, err := record.Append(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := range (recordtest.Run{Source: record.Lab, Arms: recordtest.Arms(), Cold: 60, Warm: 200, Seed: 3}).Records() {
		if r.Arm == "rawtcp/zip" && r.Round == 7 && r.Start == record.Cold {
			r.InitDurationMs, r.Marked = nil, record.ColdWithoutInit
		}
		if err := f.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	run := runfile.Run{
		RunID: "made-up", Source: record.Lab, Seed: 3, StartedAt: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		Machine:     &runfile.Machine{OS: "linux", Architecture: "amd64", Kernel: "6.18", CPU: "Made-up CPU", CPUs: 2},
		NotMeasured: []arm.NotMeasured{{Arm: "bashcurl/image-minimal", Why: "an image from scratch has no curl"}},
		Warnings:    []string{"no cgroup: CPU quota and memory limit are off"},
	}
	if err := run.Save(filepath.Join(dir, runfile.Name)); err != nil {
		t.Fatal(err)
	}
	rep, err := report.Files([]string{path}, nil, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// least returns the report of one warm start and one error.
func least(t *testing.T) *report.Report {
	t.Helper()
	rep, err := report.Stream(strings.NewReader(
		`{"schema":1,"source":"aws","region":"eu-central-1","arm":"a|b/zip","start":"warm","durationMs":1.5,"requestId":"1"}
{"schema":1,"source":"aws","region":"eu-central-1","arm":"a|b/zip","start":"cold","functionError":"<b>bad</b>","marked":"function error","requestId":"2"}
`), "test", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestGolden(t *testing.T) {
	for name, rep := range map[string]*report.Report{"packaging": packaging(t), "least": least(t)} {
		for _, format := range []string{"csv", "json", "markdown", "text"} { // TestHTMLGolden has html
			t.Run(name+"."+format, func(t *testing.T) {
				var got bytes.Buffer
				if err := Write(&got, format, rep, Options{}); err != nil {
					t.Fatal(err)
				}
				text := got.String()
				if format == "json" {
					text = short(text)
				}
				golden(t, name+"."+format, text)
			})
		}
	}
}

var valuesOfAList = regexp.MustCompile(`\[\s+([^\[\]{}]+?)\s+\]`)

// short makes indented JSON short enough to be reviewed: of each list of objects it keeps the first two, and a list of
// values is one line. The last line is a digest of the whole document, so that no change goes unnoticed.
func short(document string) string {
	var out strings.Builder
	objects, skipped := map[int]int{}, 0 // so far in the list that is open, by indentation; the indentation of what is skipped
	for line := range strings.Lines(document) {
		text := strings.TrimSpace(line)
		indentation := strings.Index(line, text)
		switch {
		case skipped > 0 && indentation > skipped:
			continue
		case skipped > 0: // its end
			skipped = 0
			continue
		case strings.HasSuffix(text, "["):
			objects[indentation+2] = 0
		case text == "{":
			if objects[indentation]++; objects[indentation] > 2 {
				skipped = indentation
				continue
			}
		}
		out.WriteString(line)
	}
	lists := valuesOfAList.ReplaceAllStringFunc(out.String(), func(list string) string { return strings.Join(strings.Fields(list), " ") })
	return fmt.Sprintf("%sSHA-256 of the whole: %x\n", lists, sha256.Sum256([]byte(document)))
}

// In text and Markdown, phases add parts and change no other part. The golden files have the parts that they add.
func TestPhases(t *testing.T) {
	for _, format := range []string{"text", "markdown"} {
		var without, with bytes.Buffer
		if err := errors.Join(Write(&without, format, few(t), Options{}), Write(&with, format, few(t), Options{Phases: true})); err != nil {
			t.Fatal(err)
		}
		added, rest := "", without.String()
		for line := range strings.Lines(with.String()) {
			if strings.HasPrefix(rest, line) {
				rest = rest[len(line):]
			} else {
				added += line
			}
		}
		if rest != "" {
			t.Errorf("%s: phases change other parts: %.80q", format, rest)
		}
		golden(t, "phases."+format, added)
	}
}

func TestEveryFormatSaysThatFiguresAreTheLabs(t *testing.T) {
	rep := packaging(t)
	for _, format := range []string{"csv", "html", "json", "markdown", "text"} {
		var got bytes.Buffer
		if err := Write(&got, format, rep, Options{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ToLower(got.String()), "lab") {
			t.Errorf("%s does not say lab", format)
		}
	}
}

func TestTextFitsATerminal(t *testing.T) {
	var got bytes.Buffer
	if err := Write(&got, "text", packaging(t), Options{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 140 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestCSVIsRectangular(t *testing.T) {
	var got bytes.Buffer
	if err := Write(&got, "csv", packaging(t), Options{}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&got).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+len(recordtest.Arms())+1 {
		t.Errorf("%d rows, want %d", len(rows), 1+len(recordtest.Arms())+1)
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Write(&bytes.Buffer{}, "html5", least(t), Options{}); err == nil || err.Error() != `unknown format "html5": use csv, html, json, markdown, text` {
		t.Error(err)
	}
}

// In a terminal, the answers and the best arms fit on one screen, and the lines fit its width.
func TestBriefFitsAScreen(t *testing.T) {
	for width, most := range map[int]int{60: 45, 100: 30, 120: 30} {
		var b bytes.Buffer
		if err := Write(&b, "text", packaging(t), Options{Brief: true, Width: width}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) > most {
			t.Errorf("%d lines at %d columns, want %d at most", len(lines), width, most)
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%d of %d columns: %s", n, width, line)
			}
		}
		if width == 120 {
			golden(t, "packaging.brief", b.String())
		}
	}
	text := answers(packaging(t)).Text(120)
	if n := strings.Count(text, "\n"); n == 0 || n > 8 {
		t.Errorf("answers of %d lines, want 1 to 8:\n%s", n, text)
	}
}

func TestTitleSaysWhatIsNotCold(t *testing.T) {
	r := &report.Report{Sources: []record.Source{record.Lab}, Arms: []*report.Arm{{}}, Warnings: []string{notCold + ": not root"}}
	if got, want := title(r), "records: 1 arm, measured in the lab, not on AWS, packages not wholly cold"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if b := badges(r); !strings.HasSuffix(b[0].Text, "not wholly cold") {
		t.Errorf("the page's badge says %q", b[0].Text)
	}
}

// A figure that AWS may not have given is not called AWS's.
func TestTitleSaysWhatMayNotBeAWS(t *testing.T) {
	r := &report.Report{Sources: []record.Source{record.AWS}, Arms: []*report.Arm{{Source: record.AWS, Region: "eu-west-1"}}}
	for warning, want := range map[string]string{
		"a warning": "records: 1 arm, measured on AWS eu-west-1",
		NotAWS + "http://127.0.0.1:4566: figures may not be AWS's": "records: 1 arm, measured at AWS_ENDPOINT_URL, which may not be AWS",
	} {
		r.Warnings = []string{"another", warning}
		if got := title(r); got != want {
			t.Errorf("%s: got  %s\nwant %s", warning, got, want)
		}
	}
}

// No golden file has levers, so the notes of their tables have this test.
func TestNotesOfLevers(t *testing.T) {
	l := report.Levers{Baseline: "a/zip", Monthly: 2e6, Share: 0.01, Text: "INIT grows", Rows: []report.Lever{
		{Lever: "memory", Level: "512"}, {Lever: "provisioned", Level: "2", Text: "it costs 1 USD an hour"},
	}}
	note := leversTable(&report.Report{}, &l).Note
	for _, want := range []string{"A p99 needs 200 cold starts. ", "for 2 million invocations a month, 1 % of them cold", " INIT grows. provisioned 2: it costs 1 USD an hour."} {
		if !strings.Contains(note, want) {
			t.Errorf("no %q in %q", want, note)
		}
	}
	if note := guidedTable(&report.Report{}, &l).Note; !strings.Contains(note, "100 calls") {
		t.Errorf("want a note about 100 calls: %q", note)
	}
}
