package report

import (
	"cmp"
	"fmt"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Baseline is a published figure of AWS. It is shown beside measured figures and never mixed with them.
type Baseline struct {
	Set          string           `json:"set"`               // where it was published
	Setting      string           `json:"setting,omitempty"` // the conditions
	Source       record.Source    `json:"source"`            // aws
	Published    bool             `json:"published"`
	Arm          string           `json:"arm"`
	Architecture arm.Architecture `json:"architecture,omitempty"`
	MemorySizeMB int              `json:"memory_size_mb,omitempty"`
	Clock        Clock            `json:"clock"`
	Count        int              `json:"count,omitempty"`
	Average      *float64         `json:"average_ms"`
	StdDev       *float64         `json:"sd_ms"`
	Spread
	PackageSizeBytes int64    `json:"package_size_bytes,omitempty"`
	USD              *float64 `json:"usd,omitempty"` // cost of an invocation, as published
}

// figures are the published figures of one arm, in ms.
type figures struct {
	Count, N, Mean, SD, Median, P20, P40, P50, P60, P80, P90, P95, P99, Max *float64

	MedianCI *[2]float64 `json:"median_ci95"`
	BinaryMB *float64    `json:"binary_mb"`
}

func (f figures) baseline(set, setting, id string) (Baseline, error) {
	for _, x := range []*float64{f.Count, f.N, f.Mean, f.SD, f.Median, f.P20, f.P40, f.P50, f.P60, f.P80, f.P90, f.P95,
		f.P99, f.Max, f.BinaryMB} {
		if orZero(x) < 0 {
			return Baseline{}, fmt.Errorf("set %q, %s: %v: want a number >= 0", set, id, *x)
		}
	}
	return Baseline{Set: set, Setting: setting, Source: record.AWS, Published: true, Arm: id, Clock: ClockInit,
		Count: int(orZero(cmp.Or(f.Count, f.N))), PackageSizeBytes: int64(orZero(f.BinaryMB) * (1 << 20)),
		Average: f.Mean, StdDev: f.SD, Spread: Spread{P20: f.P20, P40: f.P40, P50: cmp.Or(f.P50, f.Median),
			P50CI: f.MedianCI, P60: f.P60, P80: f.P80, P90: f.P90, P95: f.P95, P99: f.P99, Max: f.Max}}, nil
}

// baseline converts a record of published figures that an importer wrote.
func baseline(r *record.Record) Baseline {
	s := r.Summary
	b := Baseline{Set: r.Published, Source: r.Source, Published: true, Arm: r.Arm, Architecture: r.Architecture,
		MemorySizeMB: r.MemorySizeMB, Clock: Clock(s.Of), Count: s.Count, Average: s.AverageMs,
		PackageSizeBytes: r.PackageSizeBytes, USD: s.CostUSD}
	for _, q := range append(b.Quantiles(), Quantile{Name: "max", Value: &b.Max}) {
		if x, ok := s.Ms[q.Name]; ok {
			*q.Value = &x
		}
	}
	return b
}
