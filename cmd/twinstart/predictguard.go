package main

import (
	"cmp"
	"errors"
	"fmt"
	goio "io"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/probe"
)

// guarded are the figures of a prediction that --fail-on knows, with their units and decimals.
var guarded = map[string]struct {
	unit   string
	digits int
	of     func(*predicted) float64
}{
	"initReadKiB": {"KiB", 0, func(p *predicted) float64 { return float64(p.Measured.Reads[0].Next.PackageKiB) }},
	"init":        {"ms", 1, (*predicted).init},
	"package":     {"KiB", 0, func(p *predicted) float64 { return float64(p.Measured.Bytes) / 1024 }},
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

// holds says whether a limit does, with the figures.
func (g guard) holds(before, now *predicted) (text string, ok bool) {
	metric := guarded[g.metric]
	was, is := metric.of(before), metric.of(now)
	if math.IsInf(was, 1) || math.IsInf(is, 1) {
		return fmt.Sprintf("%s: %s is not predicted, so %s cannot be held", now.Measured.Name, g.metric, g.text), false
	}
	limit, unit := was+g.amount, metric.unit
	if g.percent {
		limit, unit = was*(1+g.amount/100), "%"
	}
	return fmt.Sprintf("%s: %s %.*f -> %.*f %s (limit +%g %s)", now.Measured.Name, g.metric, metric.digits, was, metric.digits, is, metric.unit, g.amount, unit), is <= limit
}

// check holds all packages but the last against the last, which --against named.
func check(guards []guard, all []predicted, io streams) (err error) {
	last := len(all) - 1
	for i := range all[:last] {
		for _, g := range guards {
			text, ok := g.holds(&all[last], &all[i])
			if ok {
				fmt.Fprintln(io.out, text+": holds")
				continue
			}
			err = errFinding
			fmt.Fprintln(io.err, "twinstart: failed:", text)
		}
	}
	return err
}

// sameArchitecture refuses to hold packages of two architectures against each other; a mere table of them has a warning.
func sameArchitecture(packages []*probe.Package, guarded bool, io streams) error {
	last := packages[len(packages)-1]
	i := slices.IndexFunc(packages, func(p *probe.Package) bool { return p.Architecture != last.Architecture })
	if i < 0 {
		return nil
	}
	text := fmt.Sprintf("%s is for %s, %s for %s: build both for one architecture", packages[i].Name, packages[i].Architecture, last.Name, last.Architecture)
	if guarded {
		return errors.New(text)
	}
	fmt.Fprintln(io.err, "warning:", text)
	return nil
}

// writeRanking is one table of several packages, the fastest first, each with its ratio to that; or to the last, which --against named.
func writeRanking(out goio.Writer, all []predicted, against bool, width int) error {
	ranked := slices.Clone(all)
	rest, to := ranked, "the first"
	if against {
		ranked = append(ranked[len(all)-1:], ranked[:len(all)-1]...)
		rest, to = ranked[1:], ranked[0].Measured.Name
	}
	slices.SortStableFunc(rest, func(a, b predicted) int { return cmp.Compare(a.init(), b.init()) })
	t := table.Table{Heads: table.Heads(1, "package", "KiB read", "KiB packed", "INIT on AWS as ZIP, predicted", "as image", "against "+to)}
	first := ranked[0].Prediction
	for i := range ranked {
		p := &ranked[i]
		name, zip, image, ratio := p.Measured.Name, "not predicted", table.None, table.None
		if i == 0 && against {
			name = "against " + name
		}
		if f := p.Prediction; f != nil {
			zip, image = estimate(&f.ZipInit, "ms"), estimate(f.ImageInit, "ms")
		}
		if f := p.Prediction; f != nil && first != nil {
			ratio = fmt.Sprintf("%.2fx", f.ZipInit.Ms/first.ZipInit.Ms)
			if i > 0 && f.ZipInit.Low <= first.ZipInit.High && first.ZipInit.Low <= f.ZipInit.High {
				ratio += ", not told apart"
			}
		}
		t.Add(name, fmt.Sprintf("%.0f", guarded["initReadKiB"].of(p)), fmt.Sprintf("%.0f", guarded["package"].of(p)), zip, image, ratio)
	}
	t.Heads[5].Left = true
	return t.Text(out, width, nil)
}
