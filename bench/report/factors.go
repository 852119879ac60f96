package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	gonumstat "gonum.org/v1/gonum/stat"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// cell is an arm as a cell of the factorial.
type cell struct {
	*measured
	levels [3]string // of factorNames
	logs   []float64 // of times by one clock, by the report's rounds; NaN if a round has no time
	n      int
	mean   float64
	ss     float64 // sum of squared deviations from the mean
}

func (c *cell) level(factor string) string { return c.levels[slices.Index(factorNames, factor)] }

// factorial is a set of cells that differ in bootstrap, package and memory only.
type factorial struct {
	cells   []*cell
	factors []string // with at least two levels
}

// factorNames are in the order of models and reports.
var factorNames = []string{"bootstrap", "package", "memory"}

// minCell is how many values an arm needs to be a cell.
const minCell = 6

// analyse finds the factorials among the arms and models each by a clock. If the primary claim tells no arms apart, no
// effect is told apart either.
func analyse(rep *Report, clock Clock, all []*measured, sequences []*sequence) {
	strata := groupBy(slices.DeleteFunc(slices.Clone(all), func(m *measured) bool {
		g := m.group
		return g.bootstrap == "" || g.kind == "" || g.restore != "" || g.lever != "" || m.tests[clock].N() < minCell
	}), setting)
	for _, arms := range strata {
		s, f := arms[0].group, newFactorial(arms, clock)
		if len(f.factors) < 2 || len(f.cells) < 4 {
			continue
		}
		out := Factors{Source: s.source, Region: s.region, Experiment: s.experiment, Architecture: s.architecture,
			Handler: s.handler, Clock: clock, Cells: len(f.cells), Terms: []Term{}, Effects: []Effect{},
			Model:      fmt.Sprintf("log %s ~ %s", clock, strings.Join(f.factors, " x ")),
			Covariates: []Covariate{}, Crossovers: []Crossover{}}
		alpha := rep.Alpha
		if !slices.ContainsFunc(sequences, func(q *sequence) bool { return q.told && q.has(arms[0]) }) {
			alpha = 0
		}
		f.variance(&out)
		f.effects(&out, alpha)
		if clock == ClockInit {
			f.covariates(&out)
			f.crossovers(&out)
		}
		out.Text = f.words(&out, alpha)
		rep.Factors = append(rep.Factors, out)
	}
}

func newFactorial(arms []*measured, clock Clock) *factorial {
	f := &factorial{cells: list.Map(arms, func(m *measured) *cell { return newCell(m, clock) })}
	for _, name := range factorNames {
		if len(f.levels(name)) > 1 {
			f.factors = append(f.factors, name)
		}
	}
	return f
}

func newCell(m *measured, clock Clock) *cell {
	values := stat.NewSample(Logs(m.tests[clock].Values()))
	n, sd := values.N(), values.StdDev()
	levels := [3]string{m.group.bootstrap, string(m.group.kind), fmt.Sprint(m.group.memory)}
	return &cell{measured: m, levels: levels, logs: Logs(m.rounds[clock]), n: n, mean: values.Mean(),
		ss: sd * sd * float64(n-1)}
}

// lab reports whether the cells were measured in the lab, which says nothing about ZIP against image.
func (f *factorial) lab() bool {
	return len(f.cells) > 0 && f.cells[0].group.source == record.Lab && f.cells[0].group.published == ""
}

// levels returns the levels of a factor: packages in the order of arm.Packages, memory ascending, bootstraps by
// package size.
func (f *factorial) levels(factor string) (out []string) {
	for _, c := range slices.SortedStableFunc(slices.Values(f.cells), func(a, b *cell) int {
		switch factor {
		case "package":
			return cmp.Compare(slices.Index(arm.Packages(), a.group.kind), slices.Index(arm.Packages(), b.group.kind))
		case "memory":
			return cmp.Compare(a.group.memory, b.group.memory)
		}
		x, y := a.group.bootstrap, b.group.bootstrap
		return cmp.Or(cmp.Compare(f.size(x), f.size(y)), cmp.Compare(x, y))
	}) {
		out = list.Add(out, c.level(factor))
	}
	return out
}

// size returns the size of a bootstrap's package. It prefers the ZIP, because an image holds more than the code.
func (f *factorial) size(bootstrap string) (bytes int64) {
	for _, c := range f.cells {
		if c.group.bootstrap == bootstrap && c.group.sizeBytes > 0 && (bytes == 0 || c.group.kind == arm.ZIP) {
			bytes = c.group.sizeBytes
		}
	}
	return bytes
}

// variance adds the analysis of variance, with type II sums of squares: each term given all terms that do not contain
// it.
func (f *factorial) variance(out *Factors) {
	within := 0.0
	means, weights := make([]float64, len(f.cells)), make([]float64, len(f.cells))
	for i, c := range f.cells {
		within += c.ss
		means[i], weights[i] = c.mean, float64(c.n)
	}
	n := floats.Sum(weights)
	total := within + n*gonumstat.MomentAbout(2, means, gonumstat.Mean(means, weights), weights)
	errorDF := n - float64(len(f.cells))
	out.Observations = int(n)
	out.ResidualSD = Round(math.Sqrt(within / errorDF))
	if total > 0 {
		out.R2 = Round(1 - within/total)
	}
	terms := f.terms()
	for _, t := range terms {
		others := slices.DeleteFunc(slices.Clone(terms), func(o []string) bool { return contains(o, t) })
		without, rank0 := stat.WeightedResiduals(f.design(others), means, weights)
		with, rank1 := stat.WeightedResiduals(f.design(append(others, t)), means, weights)
		df := rank1 - rank0
		if df <= 0 {
			continue
		}
		ss := math.Max(0, without-with)
		term := Term{Term: strings.Join(t, " x "), DF: df, Share: Round(ss / total)}
		if within > 0 {
			term.F = Round(ss / float64(df) / (within / errorDF))
			term.p = stat.FTest(term.F, float64(df), errorDF)
		}
		if !f.lab() || !slices.Contains(t, "package") {
			out.Terms = append(out.Terms, term)
		}
	}
}

// terms returns all factors and interactions, main effects first.
func (f *factorial) terms() (out [][]string) {
	for mask := 1; mask < 1<<len(f.factors); mask++ {
		var t []string
		for i, name := range f.factors {
			if mask>>i&1 == 1 {
				t = append(t, name)
			}
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
	return out
}

// contains reports whether term a is b or an interaction that includes b.
func contains(a, b []string) bool {
	return !slices.ContainsFunc(b, func(x string) bool { return !slices.Contains(a, x) })
}

// design returns a column of ones and an indicator for each combination of levels of each term.
func (f *factorial) design(terms [][]string) [][]float64 {
	rows := list.Map(f.cells, func(*cell) []float64 { return []float64{1} })
	for _, t := range terms {
		var seen []string
		for _, c := range f.cells {
			seen = list.Add(seen, c.key(t))
		}
		for _, k := range seen {
			for i, c := range f.cells {
				rows[i] = append(rows[i], map[bool]float64{true: 1}[c.key(t) == k])
			}
		}
	}
	return rows
}

func (c *cell) key(factors []string) string {
	return strings.Join(list.Map(factors, c.level), "\x00")
}

// A size sweep has at least sweepSizes sizes, and the largest is at least sweepSpan times the smallest.
const sweepSizes, sweepSpan = 4, 4

// crossovers looks for the package size at which an image takes as long as a ZIP. It fits a line through log ratios
// over sizes, for the bootstraps that come as both, but not in the lab, which mounts both alike. The replicates are
// sizes, not cold starts: the interval comes from the distances of the sizes from the line.
func (f *factorial) crossovers(out *Factors) {
	for _, kind := range []arm.Package{arm.Image, arm.ImageMinimal} {
		var sizes, logs []float64 // KiB, ascending
		var x [][]float64
		for _, b := range f.levels("bootstrap") {
			pairs := f.pairs("package", string(kind), string(arm.ZIP), func(c *cell) bool { return c.group.bootstrap == b })
			if len(pairs) > 0 && f.size(b) > 0 {
				kib := Round(float64(f.size(b)) / 1024)
				sizes, x, logs = append(sizes, kib), append(x, []float64{1, kib}), append(logs, contrast(pairs).Estimate)
			}
		}
		n := len(list.Add(nil, sizes...))
		if f.lab() || n < sweepSizes || sizes[len(sizes)-1] < sweepSpan*sizes[0] {
			continue // not a size sweep
		}
		if fit, err := stat.Fit(x, logs); err == nil {
			c := Crossover{Package: kind, Than: arm.ZIP}
			c.cross(fit, n, sizes[0], sizes[len(sizes)-1])
			out.Crossovers = append(out.Crossovers, c)
		}
	}
}

// cross says where the line crosses zero. The line was fitted to a number of sizes, from least to most KiB.
func (c *Crossover) cross(fit *stat.Line, sizes int, least, most float64) {
	slope := fit.Coefficient(1)
	c.Text = fmt.Sprintf("%s against %s, over %d package sizes from %s to %s: %s of INIT a MiB, ", c.Package, c.Than,
		sizes, size(least*1024), size(most*1024),
		percentChange(math.Exp(1024*slope.Estimate), [2]float64{math.Exp(1024 * slope.CI.Lo), math.Exp(1024 * slope.CI.Hi)}))
	root, ci, ok := fit.Root()
	if !ok {
		c.Text += "no crossover found"
		return
	}
	c.CI = &[2]float64{Round(math.Max(0, ci.Lo)), Round(ci.Hi)}
	c.Text += fmt.Sprintf("equally long at %s [%s, %s]", size(math.Max(0, root)*1024), size(c.CI[0]*1024),
		size(math.Max(0, ci.Hi)*1024))
	if root < least || root > most {
		c.Text += ", which is beyond the measured sizes"
	} else {
		c.KiB = number(root)
	}
}
