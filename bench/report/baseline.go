package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// figures are the published figures of one arm by name: those of figureNames, and "median_ci95" with two values.
type figures map[string]any

var figureNames = strings.Fields("count n total_ms mean sd median p20 p40 p50 p60 p80 p90 p95 p99 max binary_mb")

// LoadBaselines reads a file of published figures: an object of sets. Each set has a "setting" and either "arms" (arm
// -> figures, perhaps with "recomputed_from_raw") or architectures (runtime -> package -> [p50, p95]). All figures
// are INIT on AWS, in ms. Entries of other shapes are skipped; a file without a set is an error.
func LoadBaselines(path string) ([]Baseline, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading baselines: %w", err)
	}
	out, err := parseBaselines(data)
	if err != nil {
		return nil, fmt.Errorf("reading baselines %s: %w", path, err)
	}
	return out, nil
}

func parseBaselines(data []byte) (out []Baseline, err error) {
	var sets map[string]json.RawMessage
	if err := json.Unmarshal(data, &sets); err != nil {
		return nil, fmt.Errorf("%w (line %d)", err, 1+bytes.Count(data[:offset(err, data)], []byte{'\n'}))
	}
	for name, raw := range sets {
		var set struct {
			Setting    string             `json:"setting"`
			Arms       map[string]figures `json:"arms"`
			Recomputed map[string]figures `json:"recomputed_from_raw"`

			ARM64 map[string]map[arm.Package][]float64 `json:"arm64"`
			X8664 map[string]map[arm.Package][]float64 `json:"x86_64"`
		}
		if raw[0] != '{' {
			continue
		}
		if err := json.Unmarshal(raw, &set); err != nil {
			return nil, fmt.Errorf("set %q: %w", name, err)
		}
		if set.Setting == "" {
			continue
		}
		add := func(set, setting, arm string, f figures) error {
			b, err := f.baseline(set, setting, arm)
			out = append(out, b)
			return err
		}
		for id, f := range set.Arms {
			err = errors.Join(err, add(name, set.Setting, id, f))
		}
		for id, f := range set.Recomputed {
			err = errors.Join(err, add(name+", recomputed from raw", set.Setting, id, f))
		}
		for architecture, runtimes := range map[arm.Architecture]map[string]map[arm.Package][]float64{arm.ARM64: set.ARM64, arm.X8664: set.X8664} {
			for runtime, packages := range runtimes {
				for kind, p := range packages {
					if len(p) != 2 {
						return nil, fmt.Errorf("set %q, %s %s: want [p50, p95]", name, runtime, kind)
					}
					err = errors.Join(err, add(name, set.Setting, arm.ID(runtime, kind), figures{"p50": p[0], "p95": p[1]}))
					out[len(out)-1].Architecture = architecture
				}
			}
		}
	}
	if err == nil && len(out) == 0 {
		err = errors.New(`it holds no set with a "setting" and "arms"`)
	}
	slices.SortFunc(out, func(a, b Baseline) int {
		return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(first(a), first(b)), cmp.Compare(a.Arm, b.Arm))
	})
	return out, err
}

func offset(err error, data []byte) int64 {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return min(syntax.Offset, int64(len(data)))
	}
	return 0
}

// first is the sort key of baselines: the median, or the mean.
func first(b Baseline) float64 {
	for _, x := range []*float64{b.P50, b.Average, b.P20} {
		if x != nil {
			return *x
		}
	}
	return math.Inf(1)
}

func (f figures) baseline(set, setting, id string) (Baseline, error) {
	ms := map[string]float64{}
	for _, name := range figureNames {
		if f[name] == nil {
			continue
		}
		x, ok := f[name].(float64)
		if !ok || x < 0 {
			return Baseline{}, fmt.Errorf("set %q, %s: %v: want a number >= 0", set, id, f[name])
		}
		ms[name] = x
	}
	if p50, ok := ms["median"]; ok && f["p50"] == nil {
		ms["p50"] = p50
	}
	b := Baseline{Set: set, Setting: setting, Source: record.AWS, Published: true, Arm: id, Clock: ClockInit, Count: int(max(ms["count"], ms["n"])), PackageSizeBytes: int64(ms["binary_mb"] * (1 << 20)),
		Average: at(ms, "mean"), StdDev: at(ms, "sd"), Spread: spread(ms)}
	if ci, ok := f["median_ci95"].([]any); ok && len(ci) == 2 {
		lo, _ := ci[0].(float64)
		hi, _ := ci[1].(float64)
		b.P50CI = &[2]float64{lo, hi}
	}
	return b, nil
}

func at(ms map[string]float64, name string) *float64 {
	if x, ok := ms[name]; ok {
		return &x
	}
	return nil
}

// spread makes a Spread of percentiles by name.
func spread(ms map[string]float64) (s Spread) {
	for _, q := range s.Quantiles() {
		*q.Value = at(ms, q.Name)
	}
	s.Max = at(ms, "max")
	return s
}

// baseline converts a record of published figures that an importer wrote.
func baseline(r *record.Record) Baseline {
	s := r.Summary
	return Baseline{Set: r.Published, Source: r.Source, Published: true, Arm: r.Arm, Architecture: r.Architecture, MemorySizeMB: r.MemorySizeMB,
		Clock: Clock(s.Of), Count: s.Count, Average: s.AverageMs, PackageSizeBytes: r.PackageSizeBytes, USD: s.CostUSD, Spread: spread(s.Ms)}
}
