package schedule

import (
	"math"
	"slices"
	"testing"
	"time"
)

func times(stages []Stage, seed uint64) (out []time.Duration) {
	for at := range Arrivals(stages, seed) {
		out = append(out, at)
	}
	return out
}

func TestArrivals(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		stages []Stage
		count  int
		first  []time.Duration
	}{
		"constant":          {[]Stage{{From: 10, To: 10, For: time.Minute}}, 600, []time.Duration{0, 100 * ms, 200 * ms}},
		"an hour":           {[]Stage{{From: 10, To: 10, For: time.Hour}}, 36000, nil},
		"one in 2 seconds":  {[]Stage{{From: 0.5, To: 0.5, For: 5 * time.Second}}, 3, []time.Duration{0, 2000 * ms, 4000 * ms}},
		"ramp":              {[]Stage{{From: 10, To: 100, For: time.Minute}}, 3300, []time.Duration{0, 99261 * time.Microsecond}},
		"ramp from nothing": {[]Stage{{From: 0, To: 10, For: 10 * time.Second}}, 50, []time.Duration{0, 1414213 * time.Microsecond, 2000 * ms}},
		"ramp to nothing":   {[]Stage{{From: 10, To: 0, For: 10 * time.Second}}, 50, []time.Duration{0, 100505 * time.Microsecond}},
		"steep ramp":        {[]Stage{{From: 1, To: 1000, For: 10 * time.Second}}, 5005, []time.Duration{0, 131836 * time.Microsecond, 190340 * time.Microsecond}},
		"steps and a pause": {[]Stage{{From: 2, To: 2, For: time.Second}, {For: time.Second}, {From: 1, To: 1, For: 2 * time.Second}}, 4,
			[]time.Duration{0, 500 * ms, 2000 * ms, 3000 * ms}},
		"pause only": {[]Stage{{For: time.Second}}, 0, nil},
		"no stages":  {nil, 0, nil},
	} {
		got := times(c.stages, 1)
		if len(got) != c.count {
			t.Errorf("%s: %d arrivals, want %d", name, len(got), c.count)
			continue
		}
		for i, want := range c.first {
			if d := got[i] - want; d.Abs() > time.Microsecond {
				t.Errorf("%s: arrival %d at %v, want %v", name, i, got[i], want)
			}
		}
		if !slices.IsSorted(got) || len(got) > 0 && got[len(got)-1] > Length(c.stages) {
			t.Errorf("%s: arrivals are not in order, or after the last stage: %v", name, got[max(0, len(got)-3):])
		}
	}
}

func TestPoissonArrivals(t *testing.T) {
	stages := []Stage{{From: 50, To: 150, For: 100 * time.Second, Poisson: true}}
	a := times(stages, 7)
	if !slices.Equal(a, times(stages, 7)) || slices.Equal(a, times(stages, 8)) {
		t.Error("the same seed gave other arrivals, or another seed the same ones")
	}
	if n := float64(len(a)); math.Abs(n-10000) > 4*math.Sqrt(10000) {
		t.Errorf("%v arrivals, want about 10000", n)
	}
	// In a Poisson process, the variance of a second's count is its mean. With even gaps it would be near 0.
	sum, squares := 0.0, 0.0
	for second := range 100 {
		n := 0.0
		for _, at := range a {
			if int(at/time.Second) == second {
				n++
			}
		}
		want := 50.5 + float64(second)
		sum, squares = sum+want, squares+(n-want)*(n-want)
	}
	if ratio := squares / sum; ratio < 0.6 || ratio > 1.5 {
		t.Errorf("variance is %.2f of the mean, want about 1", ratio)
	}
}
