package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
)

var update = flag.Bool("update", false, "write the golden files")

// imported returns the records of a file as lines, and then its problems.
func imported(t *testing.T, format, name string, o Options) (out string, records int) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	var problems []string
	for r, err := range Read(format, f, name, o) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		records++
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.String() + strings.Join(problems, "\n") + "\n", records
}

func TestGolden(t *testing.T) {
	o := Options{Identity: arm.Identity{Arm: "nethttp/zip", Architecture: arm.ARM64}, Region: "us-east-1"}
	for name, format := range map[string]string{
		"tail.log": "logs", "insights.csv": "logs", "messages.csv": "logs", "query-results.json": "logs",
		"export.json": "logs", "init-report.log": "logs", "sam-logs.log": "logs", "insights-with-message.csv": "logs", "provisioned.json.log": "logs",
		"printed-report.log": "logs", "tail-format-json.log": "logs", "filter-log-events.json": "logs", "s3-export.gz": "logs", "console-download.csv": "logs",
		"insights-json-log.csv": "logs", "query-running.json": "logs", "lambda-perf.json": "lambda-perf", "power-tuning.json": "power-tuning", "describe-execution.json": "power-tuning", "results.json": "power-tuning",
		"init-stats.json": "init-stats", "ab.csv": "ab",
		"snapstart.log": "logs", "snapstart.json.log": "logs",
	} {
		t.Run(name, func(t *testing.T) {
			use := o
			if formats[format].namesArm {
				use = Options{}
			}
			got, n := imported(t, format, name, use)
			if n == 0 {
				t.Error("no records")
			}
			path := filepath.Join("testdata", name+".golden")
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
		})
	}
}

// In a report of imported records, published and measured samples stay apart, and marked records are in no average.
func TestReportOfImportedRecords(t *testing.T) {
	o := Options{Identity: arm.Identity{Arm: "nethttp/zip", Architecture: arm.ARM64}}
	lines, _ := imported(t, "logs", "tail.log", o)
	published, _ := imported(t, "lambda-perf", "lambda-perf.json", Options{})
	stats, _ := imported(t, "init-stats", "init-stats.json", o)
	rep, err := report.Stream(strings.NewReader(lines+published+stats), "test", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var arms []string
	for _, a := range rep.Arms {
		arms = append(arms, fmt.Sprintf("%s cold %d warm %d", a.Arm, a.InitCount, a.Warm.Count))
	}
	want := "nethttp/zip cold 2 warm 2; nethttp/zip (restored) cold 1 warm 0; rust/zip (published: lambda-perf 2025-12-21) cold 1 warm 0; " +
		"go (prov.al2023)/zip (published: lambda-perf 2025-12-21) cold 3 warm 0; " +
		"go (prov.al2023)/image (published: lambda-perf 2025-12-21) cold 2 warm 0"
	if got := strings.Join(arms, "; "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(rep.Baselines) != 1 || rep.Baselines[0].Count != 60 || rep.Baselines[0].Set != "init-stats" {
		t.Errorf("want one baseline of 60 starts from init-stats: %+v", rep.Baselines)
	}
	if a := rep.Arms[0]; a.FunctionErrors != 2 || a.SetApart["INIT inside Duration"] != 1 || a.SetApart["REPORT not understood"] != 1 {
		t.Errorf("want 2 function errors, 1 INIT inside Duration and 1 REPORT not understood: %+v", a.SetApart)
	}
}

func TestMistakes(t *testing.T) {
	o := Options{Identity: arm.Identity{Arm: "a/zip"}}
	for name, test := range map[string]struct {
		format, input string
		o             Options
		want          string
	}{
		"no such format":    {"insights-xml", "", o, "unknown format"},
		"no arm":            {"logs", "REPORT RequestId: 1\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t\n", Options{}, "--arm"},
		"empty":             {"logs", "", o, "f holds nothing to import"},
		"other text":        {"logs", "hello\nworld\n", o, "f holds nothing to import"},
		"half JSON":         {"logs", "{\"results\": [\n\n", o, "f:3: "},
		"no list":           {"logs", "{\"results\": 5}", o, "f holds nothing to import"},
		"no JSON":           {"lambda-perf", "\n<html>", Options{}, "f:2: "},
		"other JSON":        {"lambda-perf", "{}", Options{}, "nothing to import"},
		"tuning, other":     {"power-tuning", "{}", o, "nothing to import"},
		"tuning, bad text":  {"power-tuning", `{"output": "x"}`, o, "f:1: "},
		"stats, other":      {"init-stats", `{"a": 1}`, o, "nothing to import"},
		"stats, wrong kind": {"init-stats", `[1]`, o, "f:1: "},
		"ab, no number":     {"ab", "Percentage served,Time in ms\n50,fast\n", o, "f:2: "},
		"ab, other CSV":     {"ab", "a,b\n1,2\n", o, "f:1: "},
		"ab, nothing":       {"ab", "", o, "f:1: "},
		"CSV of others":     {"logs", "a,b\n1,2\n", o, "nothing to import"},
	} {
		var errs []error
		for r, err := range Read(test.format, strings.NewReader(test.input), "f", test.o) {
			if err == nil {
				t.Errorf("%s: %+v", name, r)
			} else {
				errs = append(errs, err)
			}
		}
		if err := errors.Join(errs...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead gives any bytes to the reader of each format. It must not panic or read for ever, and every record that it
// returns must be a valid line of a run file.
func FuzzRead(f *testing.F) {
	for name, format := range map[string]string{"tail.log": "logs", "insights.csv": "logs", "query-results.json": "logs",
		"export.json": "logs", "lambda-perf.json": "lambda-perf", "power-tuning.json": "power-tuning", "init-stats.json": "init-stats"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(format, data)
	}
	f.Fuzz(func(t *testing.T, format string, data []byte) {
		for r, err := range Read(format, bytes.NewReader(data), "f", Options{Identity: arm.Identity{Arm: "a/zip"}}) {
			if err != nil {
				continue
			}
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range record.All(bytes.NewReader(line), "f") {
				if err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
		}
	})
}

// A tuning in the lab is refused as a baseline. A tuning on AWS gives one record for each power value that did not fail.
func TestOwnTuning(t *testing.T) {
	for source, want := range map[string]int{"lab": 0, "aws": 2} {
		text := `{"source": "` + source + `", "power": 512, "cost": 1e-7, "duration": 30, "byPowerValue": [{"value": 128, "failed": "out of memory"},
			{"value": 512, "averageDuration": 30, "averagePrice": 1e-7}, {"value": 1024, "averageDuration": 20, "averagePrice": 2e-7}]}`
		n, lab := 0, false
		for _, err := range Read("power-tuning", strings.NewReader(text), "tuned.json", Options{Identity: arm.Identity{Arm: "f/zip"}}) {
			if err == nil {
				n++
			} else {
				lab = lab || strings.Contains(err.Error(), "measured in the lab")
			}
		}
		if n != want || lab != (source == "lab") {
			t.Errorf("%s: %d records, refused %v", source, n, lab)
		}
	}
}
