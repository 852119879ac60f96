package power

import (
	"maps"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// exactLimit is how many values a Distribution keeps one by one.
const exactLimit = 1000

// growth is the ratio of a bin's upper bound to its lower one. A bin keeps the mean of its values, so a quantile is
// off by at most 1.5 %, and the mean is exact. From 0.01 ms to 15 minutes there are 620 bins.
const growth = 1.03

// Distribution describes any number of values in limited memory: it keeps up to exactLimit values one by one, and
// puts more into bins. As JSON it goes from state to state.
type Distribution struct {
	N      int         `json:"n,omitempty"`
	Sum    float64     `json:"sum,omitempty"`
	Min    float64     `json:"min,omitempty"`
	Max    float64     `json:"max,omitempty"`
	Values []float64   `json:"values,omitempty"` // in order of measuring
	Bins   map[int]Bin `json:"bins,omitempty"`   // by floor(log(x) / log(growth))
}

// Bin is the values of one bin.
type Bin struct {
	N   int     `json:"n"`
	Sum float64 `json:"s"`
}

// Add takes a value >= 0.
func (d *Distribution) Add(x float64) {
	if d.N == 0 || x < d.Min {
		d.Min = x
	}
	d.Max = max(d.Max, x)
	d.N++
	d.Sum += x
	d.Values = append(d.Values, x)
	if d.Bins == nil && len(d.Values) <= exactLimit {
		return
	}
	if d.Bins == nil {
		d.Bins = map[int]Bin{}
	}
	for _, v := range d.Values {
		d.put(v)
	}
	d.Values = nil
}

func (d *Distribution) put(x float64) {
	i := math.MinInt32 // zeros
	if x > 0 {
		i = int(math.Floor(math.Log(x) / math.Log(growth)))
	}
	b := d.Bins[i]
	d.Bins[i] = Bin{b.N + 1, round(b.Sum + x)} // rounded, because float sums have many digits in JSON
}

// Mean returns the exact mean; NaN if there are no values.
func (d *Distribution) Mean() float64 { return d.Sum / float64(d.N) }

// runs returns the values in ascending order, as groups with one mean each.
func (d *Distribution) runs() (out []Bin) {
	for _, v := range slices.Sorted(slices.Values(d.Values)) {
		out = append(out, Bin{1, v})
	}
	for _, i := range slices.Sorted(maps.Keys(d.Bins)) {
		out = append(out, d.Bins[i])
	}
	return out
}

// TrimmedMean leaves out floor(share * n) values at each end, as Power Tuning does.
func (d *Distribution) TrimmedMean(share float64) float64 {
	cut := int(float64(d.N) * share)
	lo, hi := cut, d.N-cut // the ranks that are kept
	total, at := 0.0, 0
	for _, r := range d.runs() {
		n := max(0, min(at+r.N, hi)-max(at, lo))
		total += r.Sum / float64(r.N) * float64(n)
		at += r.N
	}
	return total / float64(hi-lo)
}

// Quantile returns the quantile q, from 0 to 1.
func (d *Distribution) Quantile(q float64) float64 {
	if d.Bins == nil {
		return stat.NewSample(d.Values).Quantile(q)
	}
	return d.atRank(q * float64(d.N))
}

// atRank returns the value at a rank of a binned distribution.
func (d *Distribution) atRank(rank float64) float64 {
	if rank < 1 {
		return d.Min
	}
	if rank >= float64(d.N-1) {
		return d.Max
	}
	at := 0.0
	for _, r := range d.runs() {
		if at += float64(r.N); rank < at {
			return r.Sum / float64(r.N)
		}
	}
	return d.Max
}

// Interval returns the 95 % confidence interval of a quantile; ok is false if there are too few values for one.
func (d *Distribution) Interval(q float64) (ci stat.Interval, ok bool) {
	if d.Bins == nil {
		return stat.NewSample(d.Values).Interval(q)
	}
	// The rank of the quantile has a binomial distribution, which is nearly normal above exactLimit values.
	n := float64(d.N)
	half := 1.959964 * math.Sqrt(n*q*(1-q))
	return stat.Interval{Lo: d.atRank(n*q - half), Hi: d.atRank(n*q + half)}, true
}
