package power

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
)

func TestDistributionAgreesWithTheValues(t *testing.T) {
	for _, n := range []int{5, 10, 1000, 1001, 50_000} {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		var d Distribution
		var all []float64
		for range n {
			x := math.Exp(r.NormFloat64()) * 20
			d.Add(x)
			all = append(all, x)
		}
		slices.Sort(all)
		mean := floats.Sum(all) / float64(n)
		if math.Abs(d.Mean()/mean-1) > 1e-9 || d.Min != all[0] || d.Max != all[n-1] {
			t.Errorf("n=%d: mean %v of %v", n, d.Mean(), mean)
		}
		cut := n / 5
		if want := floats.Sum(all[cut:n-cut]) / float64(n-2*cut); math.Abs(d.TrimmedMean(0.2)/want-1) > 0.001 {
			t.Errorf("n=%d: trimmed mean %v, want %v", n, d.TrimmedMean(0.2), want)
		}
		if want := all[n/2]; n >= 1000 && math.Abs(d.Quantile(0.5)/want-1) > 0.012 {
			t.Errorf("n=%d: median %v, want %v", n, d.Quantile(0.5), want)
		}
		if ci, ok := d.Interval(0.5); n >= 10 && (!ok || ci.Lo > all[n/2] || ci.Hi < all[(n-1)/2]) {
			t.Errorf("n=%d: interval %v around %v", n, ci, all[n/2])
		}
	}
}

// The data that goes from state to state, and stays in memory, does not grow with the number of invocations.
func TestDistributionStaysSmall(t *testing.T) {
	size := func(n int) int {
		r := rand.New(rand.NewPCG(1, 2))
		p := Progress{}
		for range n {
			ms := math.Round(math.Pow(10, -2+7.95*r.Float64())*100) / 100 // fills every bin
			for _, d := range []*Distribution{&p.Total, &p.Handler, &p.Billed, &p.Init} {
				d.Add(ms)
			}
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return len(text)
	}
	small, large := size(2_000), size(200_000)
	if large > 2*small || large > 90<<10 {
		t.Errorf("%d bytes for 2,000 invocations, %d for 200,000", small, large)
	}
	if n := size(1000); n > 90<<10 {
		t.Errorf("%d bytes for 1,000", n)
	}
	var d Distribution
	d.Add(0)
	for range 2000 {
		d.Add(1)
	}
	if d.Quantile(0.5) != 1 || d.TrimmedMean(0.2) != 1 {
		t.Errorf("2,000 values of 1 after a 0: median %v, trimmed mean %v, want 1 and 1", d.Quantile(0.5), d.TrimmedMean(0.2))
	}
}

func TestProgressSurvivesJSON(t *testing.T) {
	p := Progress{Power: 128}
	for i := range 1500 {
		p.Total.Add(float64(i))
	}
	text, _ := json.Marshal(p)
	var back Progress
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	back.Total.Add(7)
	p.Total.Add(7)
	if back.Total.Quantile(0.9) != p.Total.Quantile(0.9) || back.Total.N != 1501 {
		t.Errorf("got %v, want %v", back.Total.Quantile(0.9), p.Total.Quantile(0.9))
	}
}
