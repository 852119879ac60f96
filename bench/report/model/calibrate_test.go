package model_test

import (
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/model"
)

func run(source record.Source, bootstrap string, kind arm.Package, x float64) *record.Record {
	r := &record.Record{Schema: 1, Source: source, Arm: arm.ID(bootstrap, kind), Bootstrap: bootstrap, Package: kind, Architecture: arm.ARM64, Start: record.Cold}
	if source == record.AWS {
		r.InitDurationMs = &x
	} else {
		r.InitReadKiB = &x
	}
	return r
}

// From an AWS run and a lab run Calibrate finds the line that they were made with, for images too.
func TestCalibrate(t *testing.T) {
	o := model.Observed{}
	for name, kib := range map[string]float64{"a": 500, "b": 1500, "c": 3000, "d": 6000} {
		for i := -2.0; i <= 2; i++ {
			zip := 9 + kib*0.008 + i*0.1
			o.Add(run(record.AWS, name, arm.ZIP, zip))
			o.Add(run(record.AWS, name, arm.Image, 20+0.5*zip))
			o.Add(run(record.Lab, name, arm.ZIP, kib))
		}
		wrong := run(record.AWS, name, arm.ZIP, 5000)
		wrong.Marked = record.Throttled
		o.Add(wrong)
	}
	c, err := o.Calibrate("mine", model.Default())
	if err != nil {
		t.Fatal(err)
	}
	a := c.Architectures[arm.ARM64]
	if !within(a.Fit.InterceptMs, 9, 1e-6) || !within(a.Fit.MsPerKiB, 0.008, 1e-6) || !within(a.Image.InterceptMs, 20, 1e-6) || !within(a.Image.PerZipMs, 0.5, 1e-6) {
		t.Errorf("want the lines that made the records: %+v, %+v", a.Fit, a.Image)
	}
	p, err := c.Predict(model.Input{Architecture: arm.X8664, InitReadKiB: 1000})
	if err != nil || p.Borrowed != "arm64" || p.ImageInit != nil {
		t.Errorf("want a prediction by the line of arm64, for a ZIP only: %+v, %v", p, err)
	}
}

// Calibrate separates the cost of the package's pages from the lab's counts of base and CPU: it finds the line although
// one arm is a shell and one is packed.
func TestCalibrateCountsTheBaseAndCPU(t *testing.T) {
	o, builtIn := model.Observed{}, model.Default()
	of := func(x float64) *float64 { return &x }
	for name, c := range map[string]struct{ kib, base, libc, cpu float64 }{
		"small": {500, 0, 0, 1}, "shell": {8, 3000, 1000, 1.5}, "packed": {700, 0, 0, 50}, "large": {6000, 0, 0, 2}, "middle": {2500, 100, 100, 2},
	} {
		o.Add(run(record.AWS, name, arm.ZIP, 9+0.008*(c.kib+builtIn.Base.Share*(c.base-c.libc))+max(0, c.cpu-builtIn.CPU.OwnMs)))
		lab := run(record.Lab, name, arm.ZIP, c.kib)
		lab.InitBaseReadKiB, lab.InitLibcReadKiB, lab.InitWarmCPUMs = of(c.base), of(c.libc), of(c.cpu)
		o.Add(lab)
	}
	c, err := o.Calibrate("mine", builtIn)
	if err != nil {
		t.Fatal(err)
	}
	f := c.Architectures[arm.ARM64].Fit
	if !within(f.InterceptMs, 9, 1e-6) || !within(f.MsPerKiB, 0.008, 1e-6) {
		t.Errorf("want the line that made the records: %+v", f)
	}
	for _, r := range f.Residuals {
		if r.Apart {
			t.Errorf("%s is set apart", r.Name)
		}
	}
}

func TestCalibrateRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		records []*record.Record
		want    string
	}{
		"nothing":      {nil, "no cold start with an Init Duration"},
		"no lab":       {[]*record.Record{run(record.AWS, "a", arm.ZIP, 1)}, "no cold start with KiB read"},
		"other arms":   {[]*record.Record{run(record.AWS, "a", arm.ZIP, 1), run(record.Lab, "b", arm.ZIP, 1)}, "no ZIP arm is in both files"},
		"two arms":     {[]*record.Record{run(record.AWS, "a", arm.ZIP, 1), run(record.Lab, "a", arm.ZIP, 1), run(record.AWS, "b", arm.ZIP, 2), run(record.Lab, "b", arm.ZIP, 2)}, "at least three"},
		"zero in INIT": {[]*record.Record{run(record.AWS, "a", arm.ZIP, 0), run(record.Lab, "a", arm.ZIP, 1)}, "are not a point"},
	} {
		o := model.Observed{}
		for _, r := range test.records {
			o.Add(r)
		}
		if _, err := o.Calibrate("mine", model.Default()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:              "not a model",
		`{}`:            "no schema",
		`{"schema": 9}`: "newer",
		`{"schema": 1}`: "no architecture has points",
		`{"schema": 1, "architectures": {"arm64": null}}`:                                    "is null",
		`{"schema": 1, "architectures": {"mips": {}}}`:                                       "unknown architecture",
		`{"schema": 1, "architectures": {"arm64": {"zip": [{"readKiB": -1, "initMs": 1}]}}}`: "are not a point",
		`{"schema": 1, "architectures": {"arm64": {"zip": [{"readKiB": 1, "initMs": 1}]}}}`:  "at least three",
	} {
		if _, err := model.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
