package main

import (
	"cmp"
	"fmt"
	goio "io"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/bench/show/table"
)

// guarded are the figures of a prediction that --fail-on knows, with their units.
var guarded = map[string]struct {
	unit string
	of   func(*predicted) float64
}{
	"initReadKiB": {"KiB", func(p *predicted) float64 { return float64(p.Measured.Reads[0].Next.PackageKiB) }},
	"init":        {"ms", (*predicted).init},
	"package":     {"KiB", func(p *predicted) float64 { return float64(p.Measured.Bytes) / 1024 }},
}

// init is predicted as ZIP, in ms: endless where nothing is.
func (p *predicted) init() float64 {
	if p.Prediction == nil {
		return math.Inf(1)
	}
	return p.Prediction.ZipInit.Ms
}

// guard is a limit of --fail-on: broken where a figure grows by more.
type guard struct {
	text, metric string
	amount       float64
	percent      bool
}

var guardForm = regexp.MustCompile(`^(initReadKiB|init|package)>([0-9]+(?:\.[0-9]+)?)\s*(%|KiB|ms)$`)

func parseGuard(text string) (g guard, err error) {
	m := guardForm.FindStringSubmatch(text)
	if m == nil || m[3] != "%" && m[3] != guarded[m[1]].unit {
		return g, fmt.Errorf("--fail-on %q: want METRIC>AMOUNT, such as initReadKiB>2%%, init>1ms or package>100KiB", text)
	}
	amount, err := strconv.ParseFloat(m[2], 64)
	return guard{text, m[1], amount, m[3] == "%"}, err
}

// broken says how a limit is broken; "" is not.
func (g guard) broken(before, now *predicted) string {
	metric := guarded[g.metric]
	was, is := metric.of(before), metric.of(now)
	if math.IsInf(was, 1) || math.IsInf(is, 1) {
		return fmt.Sprintf("%s: %s is not predicted, so %s cannot be held", now.Measured.Name, g.metric, g.text)
	}
	limit := was + g.amount
	if g.percent {
		limit = was * (1 + g.amount/100)
	}
	if is <= limit {
		return ""
	}
	return fmt.Sprintf("%s: %s %.0f -> %.0f %s, more than %s", now.Measured.Name, g.metric, was, is, metric.unit, g.text)
}

// check holds all packages but the last against the last, which --against named.
func check(guards []guard, all []predicted, io streams) error {
	last := len(all) - 1
	broken := 0
	for i := range all[:last] {
		for _, g := range guards {
			if why := g.broken(&all[last], &all[i]); why != "" {
				broken++
				fmt.Fprintln(io.err, "twinstart: failed:", why)
			}
		}
	}
	if broken > 0 {
		return errFinding
	}
	fmt.Fprintln(io.out, plural(len(guards)*last, "limit holds", "limits hold"))
	return nil
}

// writeRanking is one table of several packages, the fastest first, each with its ratio to that.
func writeRanking(out goio.Writer, all []predicted, width int) error {
	ranked := slices.Clone(all)
	slices.SortStableFunc(ranked, func(a, b predicted) int { return cmp.Compare(a.init(), b.init()) })
	t := table.Table{Heads: table.Heads(1, "package", "KiB read", "KiB packed", "INIT on AWS as ZIP, predicted", "as image", "against the first")}
	for i := range ranked {
		p := &ranked[i]
		zip, image, against := "not predicted", table.None, table.None
		if f := p.Prediction; f != nil {
			first := ranked[0].Prediction.ZipInit
			zip, image, against = estimate(&f.ZipInit, "ms"), estimate(f.ImageInit, "ms"), fmt.Sprintf("%.2fx", f.ZipInit.Ms/first.Ms)
			if i > 0 && f.ZipInit.Low <= first.High {
				against += ", not told apart"
			}
		}
		t.Add(p.Measured.Name, fmt.Sprintf("%.0f", guarded["initReadKiB"].of(p)), fmt.Sprintf("%.0f", guarded["package"].of(p)), zip, image, against)
	}
	t.Heads[5].Left = true
	return t.Text(out, width, nil)
}
