package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/recordtest"
)

// python makes the test compute the independent values again: make statistics.
var python = flag.String("python", "", "a Python that has what testdata/requirements.txt names")

func TestFactorsAgainstStatsmodels(t *testing.T) {
	var want struct {
		Records []struct {
			Round              int
			Bootstrap, Package string
			Init               float64
		}
		Terms map[string]struct {
			DF          int
			F, P, Share float64
		}
		ResidualSD float64 `json:"residual_sd"`
		Effects    []struct {
			Within string
			Ratio  float64
			CI     [2]float64
		}
	}
	data, err := os.ReadFile("testdata/factors.json")
	if *python != "" {
		data, err = exec.Command(*python, "testdata/generate_factors.py").Output()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for _, r := range want.Records {
		p := arm.Package(r.Package)
		if err := w.Write(record.Record{Source: record.AWS, Arm: arm.ID(r.Bootstrap, p), Bootstrap: r.Bootstrap, Package: p, Round: r.Round, Start: record.Cold,
			InitDurationMs: new(r.Init), DurationMs: new(1.0)}); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := Stream(&b, "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Factors) != 1 {
		t.Fatalf("%d models", len(rep.Factors))
	}
	f := rep.Factors[0]
	close := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance*math.Max(1e-12, math.Abs(want))) {
			t.Errorf("%s is %v, statsmodels has %v", what, got, want)
		}
	}
	close("residual sd", f.ResidualSD, want.ResidualSD, 1e-4)
	if len(f.Terms) != len(want.Terms) {
		t.Errorf("want as many terms as statsmodels: %+v", f.Terms)
	}
	for _, term := range f.Terms {
		w := want.Terms[term.Term]
		if term.DF != w.DF {
			t.Errorf("%s: %d degrees of freedom, statsmodels has %d", term.Term, term.DF, w.DF)
		}
		close(term.Term+" F", term.F, w.F, 1e-6)
		close(term.Term+" share", term.Share, w.Share, 1e-4)
		if term.p > 1e-10 || w.P > 1e-10 {
			close(term.Term+" p", term.p, w.P, 1e-4)
		}
	}
	for _, w := range want.Effects {
		found := false
		for _, e := range f.Effects {
			if e.Factor == "package" && e.Within == w.Within {
				found = true
				close("image against zip within "+w.Within, e.Ratio, w.Ratio, 1e-5)
				close("lower bound", e.CI[0], w.CI[0], 1e-5)
				close("upper bound", e.CI[1], w.CI[1], 1e-5)
			}
		}
		if !found {
			t.Errorf("no effect within %q", w.Within)
		}
	}
}

// sweep is a size sweep. A ZIP's time grows with its size, an image's time does not: they are equal at crossMiB.
func sweep(crossMiB, noise float64) []recordtest.Arm {
	var arms []recordtest.Arm
	for i, mib := range []float64{0.5, 1, 2, 4, 6, 8, 10} {
		wobble := noise * math.Sin(float64(5*i))
		read := 2000 + 300*(mib-crossMiB)*(1+wobble)
		name := "size" + string(rune('a'+i))
		arms = append(arms,
			recordtest.Arm{Bootstrap: name, Package: arm.ZIP, SizeKiB: int64(1024 * mib), ReadKiB: read, FirstMs: 2, WarmMs: 1, MemoryMB: 10},
			recordtest.Arm{Bootstrap: name, Package: arm.ImageMinimal, SizeKiB: int64(1024 * mib), ReadKiB: 2000 + 3392.0/9, FirstMs: 2, WarmMs: 1, MemoryMB: 10})
	}
	return arms
}

func TestCrossoverSizeOfASweep(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: sweep(5, 0.1), Cold: 80, Seed: 2})
	c := rep.Factors[0].Crossovers[0]
	if c.Package != arm.ImageMinimal || c.KiB == nil || c.CI == nil {
		t.Fatalf("want a crossover of image-minimal with an interval: %+v", c)
	}
	// image-minimal takes 0.9 * (7.5 + 0.007 * read). That is 1 % above a ZIP at 5 MiB; one slow start in 20 adds 4 %.
	if *c.KiB < 5*1024 || *c.KiB > 6.5*1024 || c.CI[0] > *c.KiB || c.CI[1] < *c.KiB {
		t.Errorf("crossover at %v KiB %v", *c.KiB, *c.CI)
	}
	if !strings.Contains(c.Text, "image-minimal against zip, over 7 package sizes from 0.5 MB to 10 MB: ") {
		t.Error(c.Text)
	}
	flat := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms(), Cold: 60, Seed: 2}).Factors[0]
	for _, c := range flat.Crossovers {
		if c.KiB != nil || !strings.Contains(c.Text, "no crossover") {
			t.Errorf("bootstraps that differ in more than size have no crossover size: %+v", c)
		}
	}
}

func TestFactorWords(t *testing.T) {
	rep := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms(), MemoryMB: []int{512, 1024}, Cold: 60, Seed: 3})
	f := rep.Factors[0]
	if f.Model != "log INIT ~ bootstrap x package x memory" || f.Cells != 46 || f.Observations != 46*60 || len(f.Terms) != 7 {
		t.Errorf("%s, %d cells, %d observations, %d terms", f.Model, f.Cells, f.Observations, len(f.Terms))
	}
	text := strings.Join(f.Text, "\n")
	for _, want := range []string{
		"package against zip: image, ", "image, nethttp of 5.6 MB -2", "bootstrap against nethttp, mean over all other factors: ", "memory against 1024 MB, mean over all other factors: 512 ",
		"bootstrap x package: they interact (",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, e := range f.Effects {
		if e.Factor == "memory" && e.Within == "" && e.Told {
			t.Errorf("memory has no effect on these times, but is told to have one: %+v", e)
		}
	}
	lab := build(t, Options{}, recordtest.Run{Source: record.Lab, Arms: recordtest.Arms(), Cold: 60, Seed: 3}).Factors[0]
	for _, term := range lab.Terms {
		if strings.Contains(term.Term, "package") {
			t.Errorf("the lab mounts ZIP and image alike: %+v", term)
		}
	}
	for _, e := range lab.Effects {
		if e.Factor == "package" {
			t.Errorf("the lab mounts ZIP and image alike: %+v", e)
		}
	}
	if text := strings.Join(lab.Text, "\n"); len(lab.Crossovers) > 0 || !strings.Contains(text, "ZIP against image: cannot be seen here") || strings.Contains(text, "crossover") {
		t.Errorf("want no comparison of ZIP and image in the lab: %s", text)
	}
	if rep := build(t, Options{}, recordtest.Run{Source: record.AWS, Arms: recordtest.Arms()[:1], Cold: 60, Seed: 3}); len(rep.Factors) != 0 {
		t.Error("one arm is not a factorial")
	}
}
