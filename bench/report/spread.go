package report

import (
	"slices"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Spread describes how a sample spreads, in ms. Null means too few values: fewer than 200 for p99, 1,000 for p99.9.
// Intervals come from order statistics and need more values in the tail: 6 for p50, 14 for p80, 29 for p90, 59 for
// p95, 299 for p99 (stat.Order).
type Spread struct {
	P20    *float64    `json:"p20_ms"`
	P20CI  *[2]float64 `json:"p20_ci95_ms"`
	P40    *float64    `json:"p40_ms"`
	P40CI  *[2]float64 `json:"p40_ci95_ms"`
	P50    *float64    `json:"p50_ms"`
	P50CI  *[2]float64 `json:"p50_ci95_ms"`
	P60    *float64    `json:"p60_ms"`
	P60CI  *[2]float64 `json:"p60_ci95_ms"`
	P80    *float64    `json:"p80_ms"`
	P80CI  *[2]float64 `json:"p80_ci95_ms"`
	P90    *float64    `json:"p90_ms"`
	P90CI  *[2]float64 `json:"p90_ci95_ms"`
	P95    *float64    `json:"p95_ms"`
	P95CI  *[2]float64 `json:"p95_ci95_ms"`
	P99    *float64    `json:"p99_ms"`
	P99CI  *[2]float64 `json:"p99_ci95_ms"`
	P999   *float64    `json:"p99_9_ms"`
	P999CI *[2]float64 `json:"p99_9_ci95_ms"`
	Max    *float64    `json:"max_ms"`
}

// Quantile is a quantile of a Spread, with pointers to read and set it.
type Quantile struct {
	Name  string // "p50"; "p99_9" as in the JSON form
	Q     float64
	Least int // number of values that it needs
	Value **float64
	CI    **[2]float64
}

// Quantiles returns the quantiles in ascending order.
func (s *Spread) Quantiles() []Quantile {
	return []Quantile{
		{"p20", 0.2, 1, &s.P20, &s.P20CI}, {"p40", 0.4, 1, &s.P40, &s.P40CI}, {"p50", 0.5, 1, &s.P50, &s.P50CI},
		{"p60", 0.6, 1, &s.P60, &s.P60CI}, {"p80", 0.8, 1, &s.P80, &s.P80CI}, {"p90", 0.9, 1, &s.P90, &s.P90CI},
		{"p95", 0.95, 1, &s.P95, &s.P95CI},
		{"p99", 0.99, stat.MinP99, &s.P99, &s.P99CI}, {"p99_9", 0.999, stat.MinP999, &s.P999, &s.P999CI},
	}
}

// Distribution summarizes a sample that was timed by one clock.
type Distribution struct {
	Count   int      `json:"count"`
	Average *float64 `json:"average_ms"`
	StdDev  *float64 `json:"sd_ms"`
	Spread
}

func distribution(s *stat.Sample) Distribution {
	d := Distribution{Count: s.N()}
	if s.N() == 0 {
		return d
	}
	d.Average, d.StdDev = number(s.Mean()), number(s.StdDev())
	d.Max = number(s.Quantile(1))
	for _, q := range d.Quantiles() {
		if s.N() < q.Least {
			continue
		}
		*q.Value = number(s.Quantile(q.Q))
		if c, ok := s.Interval(q.Q); ok {
			*q.CI = rounded(c)
		}
	}
	return d
}

// clustered returns the distribution of values that depend on each other within a cluster, as warm invocations of one
// environment do. Intervals come from resampling clusters. There are none if clusters are fewer than stat.MinClusters,
// or too few for the quantile: their number decides, not the number of values.
func clustered(clusters [][]float64, seed uint64) Distribution {
	d := distribution(stat.NewSample(slices.Concat(clusters...)))
	all := d.Quantiles()
	qs := list.Map(all, func(q Quantile) float64 { return q.Q })
	cis, ok := stat.NewClusters(clusters).Intervals(qs, seed)
	for i, q := range all {
		*q.CI = nil
		if _, enough := stat.Order(len(clusters), q.Q); ok && enough && *q.Value != nil {
			*q.CI = rounded(cis[i])
		}
	}
	return d
}
