package report

import (
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report/model"
)

// An arm of the lab has a prediction if its pages explain its time. No other arm has one.
func TestPredictedOnAWS(t *testing.T) {
	c := model.Default()
	arm := func(change func(*Arm)) *Arm {
		kib, p50 := 2000.0, 9.0
		a := &Arm{Source: record.Lab, Package: arm.ZIP, Architecture: arm.ARM64, InitReadKiB: &kib}
		a.P50 = &p50
		change(a)
		return a
	}
	zip, image := predicted(arm(func(*Arm) {}), c), predicted(arm(func(a *Arm) { a.Package = "image" }), c)
	if zip == nil || zip.Init < 20 || zip.Init > 23 || zip.Interval[0] >= zip.Init || image == nil || image.Init < 30 || image.Init > 35 {
		t.Errorf("zip %+v, image %+v", zip, image)
	}
	for name, change := range map[string]func(*Arm){
		"measured on AWS":  func(a *Arm) { a.Source = record.AWS },
		"published":        func(a *Arm) { a.Published = "somebody" },
		"no KiB":           func(a *Arm) { a.InitReadKiB = nil },
		"no INIT":          func(a *Arm) { a.P50 = nil },
		"managed runtime":  func(a *Arm) { a.ManagedRuntime = "node" },
		"stand-in":         func(a *Arm) { a.StandIn = "stand-in: node 22.23.5, client 3.3.0" },
		"KiB explain less": func(a *Arm) { *a.P50 = 50 },
	} {
		if p := predicted(arm(change), c); p != nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	// If base and CPU were counted, the prediction includes them, however long the lab took.
	base, libc, cpu := 3468.0, 2096.0, 50.0
	whole := arm(func(a *Arm) {
		a.ID, *a.P50, a.InitBaseReadKiB, a.InitLibcReadKiB, a.InitWarmCPUMs = "rawtcp-upx/zip", 300, &base, &libc, &cpu
	})
	if p := predicted(whole, c); p == nil || p.PackageOnly || !zip.PackageOnly || p.Init < zip.Init+40 || p.Published == nil || p.Published.InitMs != 56.01 {
		t.Errorf("want a prediction that includes base and CPU, and the published figure: %+v", p)
	}
	cpu = c.CPU.OwnMs
	if more, less := predicted(whole, c).Interval, zip.Interval; less[0] > more[0] || less[1] < more[1] {
		t.Errorf("%v without a count of the base, %v with it: a count must not widen the interval", less, more)
	}
	for readAhead, same := range map[any]bool{0.0: false, 64: false, 128.0: true} {
		whole.PredictedAWS = nil
		r := &Report{Arms: []*Arm{whole}, Runs: []*runfile.Run{{Options: map[string]any{"readAheadKiB": readAhead}}}}
		if r.predict(); (whole.PredictedAWS != nil) != same {
			t.Errorf("predicted with read-ahead %v: %v", readAhead, !same)
		}
	}
}
