package show

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
)

// loaded returns the report of two arms under six repeats of a load of 40 requests. The load is open, or it is closed
// and calls function URLs.
func loaded(t *testing.T, url bool) *report.Report {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	w := record.NewWriter(&b)
	ms := func(x float64) *float64 { return new(math.Round(100*x) / 100) }
	for repeat := 1; repeat <= 6; repeat++ {
		for i, name := range []string{"fast", "slow"} {
			for n := range 40 {
				r := record.Record{RunID: "r", Source: record.Lab, Arm: name + "/zip", Bootstrap: name, Package: arm.ZIP, Architecture: arm.ARM64, MemorySizeMB: 512, PackageSizeBytes: 100_000 * int64(i+1),
					Round: repeat, Start: record.Warm, DurationMs: ms(float64(2*i+1) * math.Exp(rng.NormFloat64()/5)), BilledDurationMs: new(float64(3*i + 2)), MaxMemoryUsedMB: new(40 + 10*i),
					RequestID: fmt.Sprint(repeat, name, n), LogStream: fmt.Sprint(name, repeat, n%3), Load: &record.Arrival{Of: "10/s for 4s", IntendedMs: float64(100 * n), SentMs: new(float64(100*n) + 0.2)}}
				took := *r.DurationMs + 1
				if n < 3 {
					r.Start, r.InitDurationMs = record.Cold, ms(float64(20*(i+1))+rng.Float64())
					took += *r.InitDurationMs + 5
				}
				if url {
					r.Start, r.InitDurationMs, r.DurationMs, r.BilledDurationMs, r.MaxMemoryUsedMB = "", nil, nil, nil, nil
					r.Load.Of, r.Load.Closed, r.Load.ViaURL, r.Load.SentMs = "40 requests at concurrency 3", true, true, new(r.Load.IntendedMs)
				}
				r.ClientDurationMs, r.Load.DoneMs = ms(took), ms(*r.Load.SentMs+took)
				if n == 39 {
					r = record.Record{RunID: "r", Source: r.Source, Arm: r.Arm, MemorySizeMB: 512, Architecture: r.Architecture, Round: repeat, Marked: record.Shed, Load: &record.Arrival{Of: r.Load.Of, Closed: url, ViaURL: url, IntendedMs: 3900}}
				}
				if err := w.Write(r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	rep, err := report.Stream(&b, "test", report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestLoadGolden(t *testing.T) {
	for name, o := range map[string]Options{"load.text": {}, "load.brief": {Brief: true}} {
		var text bytes.Buffer
		if err := Write(&text, "text", loaded(t, false), o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, text.String())
	}
	if n := strings.Count(answers(loaded(t, false)).Text(120), "\n"); n > 8 {
		t.Errorf("the answers take %d lines, want 8 at most", n)
	}
	var text bytes.Buffer
	if err := Write(&text, "text", loaded(t, true), Options{Brief: true}); err != nil {
		t.Fatal(err)
	}
	golden(t, "load-url.brief", text.String())
}

func loadInABrowser(t *testing.T, browser context.Context) {
	p := open(t, browser, loaded(t, false), 1440, "light")
	p.For(t)
	if n := eval[int](p, `document.querySelectorAll('#plot-load circle').length`); n != 2*6*39 {
		t.Errorf("%d requests are drawn, want %d", n, 2*6*39)
	}
	if s := eval[string](p, `document.querySelector('#plot-load').textContent`); !strings.Contains(s, "lab, not AWS") {
		t.Errorf("the picture does not say that its figures are the lab's: %s", s)
	}
}
