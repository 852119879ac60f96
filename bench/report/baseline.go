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

	"github.com/twinstart/twinstart/arm"
)

// byRuntime holds [p50, p95] by runtime and kind of package.
type byRuntime map[string]map[arm.Package][]float64

// LoadBaselines reads a file of published figures: an object of sets. Each set has a "setting", and either figures by
// arm ("arms", "recomputed_from_raw") or percentiles by runtime ("arm64", "x86_64"). All figures are INIT on AWS, in
// ms. It skips other entries. A file without any set is an error.
func LoadBaselines(path string) ([]Baseline, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading baselines: %w", err)
	}
	out, err := parseBaselines(data)
	if err != nil {
		return nil, fmt.Errorf("reading baselines %s: %w (docs/report.md has the form)", path, err)
	}
	return out, nil
}

func parseBaselines(data []byte) (out []Baseline, err error) {
	var sets map[string]json.RawMessage
	if err := json.Unmarshal(data, &sets); err != nil {
		line := 1
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line += bytes.Count(data[:syntax.Offset], []byte{'\n'})
		}
		return nil, fmt.Errorf("%w (line %d)", err, line)
	}
	for name, raw := range sets {
		var set struct {
			Setting    string             `json:"setting"`
			Arms       map[string]figures `json:"arms"`
			Recomputed map[string]figures `json:"recomputed_from_raw"`

			ARM64 byRuntime `json:"arm64"`
			X8664 byRuntime `json:"x86_64"`
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
			err = cmp.Or(err, add(name, set.Setting, id, f)) // the first error: an error is one line
		}
		for id, f := range set.Recomputed {
			err = cmp.Or(err, add(name+", recomputed from raw", set.Setting, id, f))
		}
		architectures := map[arm.Architecture]byRuntime{arm.ARM64: set.ARM64, arm.X8664: set.X8664}
		for architecture, runtimes := range architectures {
			for runtime, packages := range runtimes {
				for kind, p := range packages {
					if len(p) != 2 {
						return nil, fmt.Errorf("set %q, %s %s: want [p50, p95]", name, runtime, kind)
					}
					err = cmp.Or(err, add(name, set.Setting, arm.ID(runtime, kind), figures{P50: &p[0], P95: &p[1]}))
					out[len(out)-1].Architecture = architecture
				}
			}
		}
	}
	if err == nil && len(out) == 0 {
		err = errors.New(`it holds no set with a "setting" and "arms"`)
	}
	slices.SortFunc(out, func(a, b Baseline) int {
		return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Architecture, b.Architecture),
			cmp.Compare(first(a), first(b)), cmp.Compare(a.Arm, b.Arm))
	})
	return out, err
}

// first is the sort key of baselines: the median, or the mean.
func first(b Baseline) float64 {
	if x := cmp.Or(b.P50, b.Average, b.P20); x != nil {
		return *x
	}
	return math.Inf(1)
}
