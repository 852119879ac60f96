package stat

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// independent holds what NumPy, SciPy and statsmodels say; testdata/generate.py wrote it.
type independent struct {
	Samples []struct {
		Name            string
		Values          []float64
		Mean, Total, SD float64
		Quantiles       map[string]float64
		MedianCI        *[2]float64           `json:"median_ci95"`
		Bootstrap       map[string][2]float64 `json:"bootstrap_ci95"`
	}
	Pairs []struct {
		A, B json.RawMessage // a sample's name, or values
		P    float64
	}
	Ratios []struct {
		A, B string
		Q    float64
		CI   [2]float64 `json:"ci95"`
	}
	Holm []struct{ P, Adjusted []float64 }
}

func load(t *testing.T) (in independent, samples map[string]*Sample) {
	t.Helper()
	data, err := os.ReadFile("testdata/independent.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	samples = map[string]*Sample{}
	for _, s := range in.Samples {
		samples[s.Name] = NewSample(s.Values)
	}
	return in, samples
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Max(math.Abs(want), 1e-300)) {
		t.Errorf("%s is %v, independently %v", what, got, want)
	}
}

var quantiles = map[string]float64{"0.2": 0.2, "0.4": 0.4, "0.5": 0.5, "0.6": 0.6, "0.8": 0.8, "0.9": 0.9, "0.95": 0.95, "0.99": 0.99}

func TestSummariesAgainstNumPy(t *testing.T) {
	in, samples := load(t)
	for _, want := range in.Samples {
		s := samples[want.Name]
		near(t, want.Name+" mean", s.Mean(), want.Mean, 1e-12)
		near(t, want.Name+" total", s.Total(), want.Total, 1e-12)
		near(t, want.Name+" sd", s.StdDev(), want.SD, 1e-12)
		for name, x := range want.Quantiles {
			near(t, want.Name+" quantile "+name, s.Quantile(quantiles[name]), x, 1e-12)
		}
		_, ci, ok := s.Median()
		if !ok {
			t.Fatalf("%s: no interval", want.Name)
		}
		// benchmath takes one rank less on one side where that still reaches the level, and an approximation above n = 30.
		rank := func(x float64) int {
			for i, v := range s.Values() {
				if v >= x {
					return i
				}
			}
			return s.N()
		}
		if lo, hi := rank(ci.Lo)-rank(want.MedianCI[0]), rank(ci.Hi)-rank(want.MedianCI[1]); lo < -1 || lo > 1 || hi < -1 || hi > 1 {
			t.Errorf("%s: median interval %v, independently %v", want.Name, ci, *want.MedianCI)
		}
	}
}

// TestBootstrapAgainstResampling holds the closed form against real resamples. A bound of a bootstrap of interpolated quantiles
// lies between two values of the sample, so it may be off by a rank.
func TestBootstrapAgainstResampling(t *testing.T) {
	in, samples := load(t)
	for _, want := range in.Samples {
		s := samples[want.Name]
		for name, b := range want.Bootstrap {
			ci, ok := s.QuantileInterval(quantiles[name])
			if !ok {
				t.Fatal("no interval")
			}
			for i, bound := range []float64{ci.Lo, ci.Hi} {
				lo, hi := neighbours(s.Values(), bound)
				if b[i] < lo || b[i] > hi {
					t.Errorf("%s quantile %s: bound %v, independently %v, outside [%v, %v]", want.Name, name, bound, b[i], lo, hi)
				}
			}
		}
	}
	for _, want := range in.Ratios {
		a, b := samples[want.A], samples[want.B]
		r := CompareQuantiles(a, b, want.Q, a.Resample(want.Q, a.N(), 1), b.Resample(want.Q, b.N(), 2))
		near(t, "ratio", r.Ratio, a.Quantile(want.Q)/b.Quantile(want.Q), 1e-12)
		near(t, "lower bound of "+want.A+" / "+want.B, r.CI.Lo, want.CI[0], 0.03)
		near(t, "upper bound of "+want.A+" / "+want.B, r.CI.Hi, want.CI[1], 0.03)
	}
}

// neighbours are the values next below and above x in sorted values.
func neighbours(sorted []float64, x float64) (lo, hi float64) {
	lo, hi = sorted[0], sorted[len(sorted)-1]
	for _, v := range sorted {
		if v < x {
			lo = v
		}
		if v > x {
			return lo, v
		}
	}
	return lo, hi
}

func TestMannWhitneyAgainstSciPy(t *testing.T) {
	in, samples := load(t)
	pick := func(raw json.RawMessage) *Sample {
		var name string
		if json.Unmarshal(raw, &name) == nil {
			return samples[name]
		}
		var values []float64
		if err := json.Unmarshal(raw, &values); err != nil {
			t.Fatal(err)
		}
		return NewSample(values)
	}
	for i, want := range in.Pairs {
		tolerance := 1e-9
		if i < 4 || i == 7 {
			tolerance = 0.01 // an approximation on one side at least
		}
		near(t, "p", Compare(pick(want.A), pick(want.B)).P, want.P, tolerance)
	}
}

func TestHolmAgainstStatsmodels(t *testing.T) {
	in, _ := load(t)
	for _, want := range in.Holm {
		for i, p := range Holm(want.P) {
			near(t, "adjusted p", p, want.Adjusted[i], 1e-12)
		}
	}
}

func TestFewValues(t *testing.T) {
	none, one, same := NewSample(nil), NewSample([]float64{3}), NewSample([]float64{3, 3, 3, 3, 3, 3, 3, 3})
	if m, _, ok := none.Median(); ok || !math.IsNaN(m) || !math.IsNaN(none.Mean()) || !math.IsNaN(none.Quantile(0.5)) {
		t.Error("no values have no median")
	}
	if m, _, ok := one.Median(); ok || m != 3 {
		t.Errorf("one value: %v %v", m, ok)
	}
	if _, ok := one.QuantileInterval(0.9); ok {
		t.Error("one value has no interval")
	}
	if none.Resample(0.5, 0, 1) != nil {
		t.Error("no values, but resamples")
	}
	for _, c := range []Comparison{Compare(none, one), Compare(one, same), Compare(same, same)} {
		if c.P <= Alpha {
			t.Errorf("p = %v for nothing to tell apart", c.P)
		}
	}
	if m, ci, ok := same.Median(); m != 3 || !ok || ci != (Interval{3, 3}) {
		t.Errorf("equal values: %v %v %v", m, ci, ok)
	}
}

func TestTailSpeaksOnlyWhereFiveValuesLieBeyond(t *testing.T) {
	for n, want := range map[int]float64{0: 0, 49: 0, 50: 0.9, 99: 0.9, 100: 0.95, 499: 0.95, 500: 0.99, 5000: 0.99} {
		if q, ok := Tail(n); q != want || ok != (want != 0) {
			t.Errorf("Tail(%d) = %v, %v", n, q, ok)
		}
	}
}

func TestDrift(t *testing.T) {
	var still, moving []float64
	for i := range 60 {
		x := 20 + float64(i*7%13)/10
		still = append(still, x)
		moving = append(moving, x*(1+float64(i/30)*0.2))
	}
	if d, found := NewSample(still).Drift(); found {
		t.Errorf("drift found where there is none: %+v", d)
	}
	if d, found := NewSample(moving).Drift(); !found || d.Ratio < 1.1 {
		t.Errorf("drift of 20 %% not found: %+v", d)
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{25, 50, 60, 4000} {
		b.Run("", func(b *testing.B) {
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i], y[i] = float64(i*7919%n/2), float64(i*104729%n/2)
			}
			s, u := NewSample(x), NewSample(y)
			for b.Loop() {
				Compare(s, u)
			}
		})
	}
}
