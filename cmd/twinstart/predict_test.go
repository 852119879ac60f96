package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/tools/pagetest"
)

// command runs twinstart and returns its status and output.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

// Arms of an assembly are predicted and explained without being deployed.
func TestPredictAndExplainArms(t *testing.T) {
	t.Parallel()
	dir := assemblyOfTwoArms(t)
	status, out, errs := command(t, "predict", "--assembly", dir, "--format", "json", "*/zip")
	if status != exitOK {
		t.Fatalf("%d %s", status, errs)
	}
	var got struct {
		Predictions []predicted `json:"predictions"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Predictions) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	init := map[string]float64{}
	for _, p := range got.Predictions {
		f := p.Prediction
		init[p.Measured.Name] = f.ZipInit.Ms
		if f.ZipInit.Low >= f.ZipInit.Ms || f.ZipInit.High <= f.ZipInit.Ms || f.ImageInit == nil || f.ZipTotal == nil || f.ZipTotal.Ms <= f.ZipInit.Ms || p.Cost == nil || p.Cost.Zip.Ms <= 0 {
			t.Errorf("%+v", f)
		}
	}
	if init["rawtcp/zip"]*1.5 > init["nethttp/zip"] {
		t.Errorf("%v", init)
	}
	status, out, errs = command(t, "predict", "--assembly", dir, "rawtcp/zip")
	for _, want := range []string{"rawtcp/zip: ", "on AWS as ZIP", "Where does INIT go?", "What could go?", "zip of", "Predicted on AWS [95 % interval], not measured there", "Init Duration", "cold total", "USD/M cold starts", "the lines of ZIP and image cross", "not modelled: the time before INIT"} {
		if status != exitOK || !strings.Contains(out, want) {
			t.Errorf("%d: no %q in %s%s", status, want, out, errs)
		}
	}
	page := filepath.Join(t.TempDir(), "explain.html")
	status, out, errs = command(t, "explain", "--assembly", dir, "--html", page, "rawtcp/zip")
	if status != exitOK || !strings.Contains(out, "/var/task/bootstrap") || !strings.Contains(out, ".gopclntab") || !strings.Contains(out, "runtime") {
		t.Errorf("%d %s%s", status, out, errs)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("page", func(t *testing.T) { readable(t, html) })
}

// readable checks a page of explain against axe-core's rules, at the widths of a phone and of a screen. Only its pictures
// and tables may scroll sideways, and their letters keep their size.
func readable(t *testing.T, html []byte) {
	browser := pagetest.Chromium(t)
	for _, width := range []int64{360, 1440} {
		p := pagetest.Open(t, browser, html, width, "light")
		if wider := p.Wider(); len(wider) > 0 {
			t.Errorf("at %d px: %v", width, wider)
		}
		for _, v := range p.Axe(filepath.Join("..", ".."), "") {
			t.Errorf("%d px: %s", width, v)
		}
		if least := pagetest.Eval[float64](p, `Math.min(...[...document.querySelectorAll('svg text')].map((e) => e.getBoundingClientRect().height))`); least < 9 {
			t.Errorf("at %d px letters are %.1f px high", width, least)
		}
	}
}

// A package that cannot be measured gives exit status 2 and one line that says what to do. Other packages are still
// predicted.
func TestPredictBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(bad, []byte("#!/bin/sh\necho boom >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"predict", bad}, "boom"},
		{[]string{"predict", filepath.Join(dir, "nothing.zip")}, "no such file"},
		{[]string{"predict", "--assembly", dir, "nethttp/zip"}, "npx cdk synth"},
		{[]string{"predict", "--architecture", "mips", bad}, "--architecture must be one of"},
		{[]string{"predict", "--memory", "1", bad}, "128 to 10240"},
		{[]string{"predict", "--model", bad, bad}, "not a model"},
		{[]string{"predict"}, "path|arm"},
		{[]string{"explain", "--assembly", assemblyOfTwoArms(t), "*/zip"}, "explain takes one"},
		{[]string{"explain", "--assembly", assemblyOfTwoArms(t), "perl/zip"}, "neither a file nor an arm"},
	} {
		if status, out, errs := command(t, test.args...); status != exitUsage || !strings.Contains(errs, test.want) {
			t.Errorf("%v: %d %s%s", test.args, status, out, errs)
		}
	}
	status, out, errs := command(t, "predict", "--assembly", assemblyOfTwoArms(t), bad, "rawtcp/zip")
	if status != exitIncomplete || !strings.Contains(out, "rawtcp/zip") || !strings.Contains(errs, "1 of 2 packages") {
		t.Errorf("%d %s%s", status, out, errs)
	}
}

// In the table, the package of --against is first, and ratios refer to it. Each limit is printed with its figures.
func TestPredictAgainst(t *testing.T) {
	inEmptyFolder(t)
	zipped(t, "old.zip", "bootstrap", nextLoop)
	zipped(t, "new.zip", "bootstrap", nextLoop+strings.Repeat("# more\n", 20000))
	status, out, errs := twinstart(t, "predict", "new.zip", "--against", "old.zip", "--fail-on", "package>1KiB,init>5000%")
	lines := strings.Split(out, "\n")
	if status != exitFinding || len(lines) != 5 || !strings.HasSuffix(lines[0], "against old.zip") || !strings.HasPrefix(lines[1], "against old.zip  ") || !strings.HasPrefix(lines[2], "new.zip ") ||
		!strings.Contains(lines[3], " ms (limit init>5000%): holds") || !strings.Contains(errs, "twinstart: failed: new.zip: package 0 -> ") || !strings.Contains(errs, " KiB (limit package>1KiB)\n") {
		t.Errorf("%d %s%s", status, out, errs)
	}
}

// records writes a file with cold starts of arms, all from one source.
func records(t *testing.T, source record.Source, figure map[string]float64) string {
	t.Helper()
	var text strings.Builder
	for name, x := range figure {
		for round := range 5 {
			value := x * (1 + 0.001*float64(round-2))
			r := record.Record{Schema: record.Schema, Source: source, Arm: arm.ID(name, arm.ZIP), Bootstrap: name, Package: arm.ZIP, Architecture: arm.ARM64, Start: record.Cold, Round: round + 1}
			if source == record.AWS {
				r.InitDurationMs = &value
			} else {
				r.InitReadKiB = &value
			}
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%s\n", line)
		}
	}
	path := filepath.Join(t.TempDir(), string(source)+".jsonl")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The user's own run becomes a model, and predictions can use it.
func TestCalibrateThenPredict(t *testing.T) {
	t.Parallel()
	kib, init := map[string]float64{"a": 500, "b": 1500, "c": 3000, "d": 6000}, map[string]float64{}
	for name, x := range kib {
		init[name] = 20 + x*0.01
	}
	model := filepath.Join(t.TempDir(), "model.json")
	aws, lab := records(t, record.AWS, init), records(t, record.Lab, kib)
	status, out, errs := command(t, "calibrate", "--aws", aws, "--lab", lab, "-o", model)
	if status != exitOK || !strings.Contains(out, "20.00 ms + 10.00 us per KiB read") {
		t.Fatalf("%d %s%s", status, out, errs)
	}
	status, out, errs = command(t, "predict", "--assembly", assemblyOfTwoArms(t), "--model", model, "rawtcp/zip")
	if status != exitOK || !strings.Contains(out, "calibration: "+aws) {
		t.Errorf("%d %s%s", status, out, errs)
	}
	for _, test := range []struct{ aws, lab, want string }{
		{lab, aws, "has no record of source aws"},
		{records(t, record.AWS, map[string]float64{"a": 20, "b": 30}), lab, "at least three"},
		{filepath.Join(t.TempDir(), "none.jsonl"), lab, "no such file"},
	} {
		if status, _, errs := command(t, "calibrate", "--aws", test.aws, "--lab", test.lab, "-o", model); status != exitUsage || !strings.Contains(errs, test.want) {
			t.Errorf("%d %s", status, errs)
		}
	}
}
