package tuning

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/tools/pagetest"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the pages")

// result returns a made-up tuning of a function that is CPU-bound. One power value failed.
func result(name, source string, factor float64) *power.Output {
	best := power.Choice{Power: 1769, Name: name, Function: "arn:aws:lambda:eu-west-1:123456789012:function:F", Architecture: "arm64", PackageType: "Zip"}
	o := &power.Output{Choice: best, Source: source, Seed: 7, Num: 50, Strategy: power.Speed, Currency: "USD",
		PriceRegion: "eu-west-1", Recommendation: "Set the memory to 1769 MB: the fastest of the 5 measured.", Warnings: []string{"no p99: it takes 200 invocations of each power value, and there were 50"}}
	for _, mb := range []int{128, 256, 512, 1024, 1769, 3008} {
		v := power.Value{Value: mb, Invocations: 50, ColdStarts: 1, Course: power.Course{MaxMemoryUsedMB: 60}}
		ms := factor * 20 / min(1, float64(mb)/1769)
		s := &power.Summary{N: 50, Mean: ms, TrimmedMean: ms, Min: ms * 0.9, P50: ms, P50Interval: &[2]float64{ms * 0.95, ms * 1.05}, Max: ms * 1.5}
		if v.Duration, v.Handler, v.Billed, v.AverageDuration, v.AveragePrice = s, s, s, ms, ms*float64(mb)*1.3e-11+2e-7; mb == 128 {
			v = power.Value{Value: mb, Course: power.Course{Failed: "out of memory: it used all of its 128 MB"}}
		}
		o.ByPowerValue = append(o.ByPowerValue, v)
	}
	o.StateMachine.Visualization = power.CurveOf("", o.ByPowerValue).URL(power.VisualizationBase)
	return o
}

func one() *power.Sweep {
	o := result("rawtcp/zip", "lab", 1)
	return &power.Sweep{Recommendation: o.Recommendation, Functions: []*power.Output{o}}
}

func several() *power.Sweep {
	a, b := result("rawtcp/zip", "aws", 1), result(`</script><img src=x onerror=alert(1)>`, "aws", 1.7)
	return &power.Sweep{Recommendation: "Take rawtcp/zip at 1769 MB.", Functions: []*power.Output{a, b}, Failed: []string{"nethttp/zip: no power value could be measured"},
		Visualization: power.CompareURL(power.VisualizationBase, power.CurveOf("a", a.ByPowerValue), power.CurveOf("b", b.ByPowerValue))}
}

// all returns a tuning of 46 power values, whose labels have no room beside each other.
func all() *power.Sweep {
	o := result("wide", "aws", 1)
	v := o.ByPowerValue[3]
	o.ByPowerValue = nil
	for mb := 128; mb <= 3008; mb += 64 {
		v.Value = mb
		o.ByPowerValue = append(o.ByPowerValue, v)
	}
	return &power.Sweep{Recommendation: "Any.", Functions: []*power.Output{o}}
}

func draw(t *testing.T, s *power.Sweep) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPage(t *testing.T) {
	text := string(draw(t, several()))
	if strings.Contains(text, "<img") || strings.Count(text, "<script") != 3 {
		t.Error("a function's name became markup")
	}
	for _, want := range []string{"Take rawtcp/zip at 1769 MB.", "lambda-power-tuning.show/#", "Measured on AWS", "nethttp/zip: no power value", "no p99", `default-src &#39;none&#39;`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

// In a browser, in both themes, the page is drawn, fits the window's width and is accessible. pagetest fails a page that
// logs an error or requests a file.
func TestPageInABrowser(t *testing.T) {
	browser := pagetest.Chromium(t)
	for _, test := range []struct {
		name   string
		sweep  *power.Sweep
		width  int64
		scheme string
		axe    bool
	}{{"one", one(), 1440, "light", false}, {"one", one(), 360, "dark", true}, {"several", several(), 1440, "dark", false}, {"several", several(), 360, "light", true}, {"all", all(), 768, "light", false}} {
		p := pagetest.Open(t, browser, draw(t, test.sweep), test.width, test.scheme)
		if n := pagetest.Eval[int](p, `document.querySelectorAll('#plot-tuning svg').length`); n != 1 {
			t.Errorf("%s: %d pictures, want 1", test.name, n)
		}
		if wider := p.Wider(); len(wider) > 0 {
			t.Errorf("%s: wider than the window of %d px: %v", test.name, test.width, wider)
		}
		// A dot of time and a square of cost for each power value that did not fail.
		ok := 0
		for _, o := range test.sweep.Functions {
			ok += len(slices.DeleteFunc(slices.Clone(o.ByPowerValue), func(v power.Value) bool { return v.Failed != "" }))
		}
		if n := pagetest.Eval[int](p, `document.querySelectorAll('#plot-tuning circle').length`); n != ok {
			t.Errorf("%s: %d dots for %d power values", test.name, n, ok)
		}
		overlap := pagetest.Eval[[]string](p, `[...document.querySelectorAll('#plot-tuning svg g[text-anchor]')].flatMap((g) => { const boxes = [...g.querySelectorAll('text')].map((e) => [e.textContent, e.getBoundingClientRect()]);
			return boxes.filter(([, a], i) => boxes.some(([, b], j) => j > i && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).map(([text]) => text); })`)
		if len(overlap) > 0 {
			t.Errorf("%s at %d px: labels cover each other: %v", test.name, test.width, overlap)
		}
		if *screenshots != "" {
			png, err := chromedp.Run(p, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(*screenshots, test.name+"-"+test.scheme+".png"), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if !test.axe {
			continue // axe is slow: it checks each theme once, and one and several functions once
		}
		for _, v := range p.Axe(filepath.Join("..", "..", ".."), "") {
			t.Errorf("%s at %d px: %s", test.name, test.width, v)
		}
	}
}
