package report

import (
	"math"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// pair is two cells that differ in one factor.
type pair struct{ level, than *cell }

// pairs are the cells with one level of a factor, each beside the cell with the other that is like it in all else; where keep allows.
func (f *factorial) pairs(factor, level, than string, keep func(*cell) bool) (out []pair) {
	at := slices.Index(factorNames, factor)
	for _, c := range f.cells {
		if c.level(factor) != level || keep != nil && !keep(c) {
			continue
		}
		key := [3]string{c.level("bootstrap"), c.level("package"), c.level("memory")}
		key[at] = than
		if other := f.byKey[key]; other != nil {
			out = append(out, pair{c, other})
		}
	}
	return out
}

// contrast is the mean over pairs of log(level / than). Where the cells share rounds it is taken within each round, so that what a round does
// to all arms cancels; else from the cells' means, by Welch.
func contrast(pairs []pair) stat.Effect {
	rounds := len(pairs[0].level.logs)
	var within []float64
	for r := range rounds {
		sum := 0.0
		for _, p := range pairs {
			sum += p.level.logs[r] - p.than.logs[r] // NaN where one is absent
		}
		if !math.IsNaN(sum) {
			within = append(within, sum/float64(len(pairs)))
		}
	}
	least := math.MaxInt
	for _, p := range pairs {
		least = min(least, p.level.n, p.than.n)
	}
	if len(within) >= minCell && 2*len(within) >= min(least, maxRounds) {
		s := stat.NewSample(within)
		return stat.NewEffect(s.Mean(), s.StdDev()/math.Sqrt(float64(s.N())), float64(s.N()-1))
	}
	k := float64(len(pairs))
	estimate, variance, denominator := 0.0, 0.0, 0.0
	for _, p := range pairs {
		estimate += (p.level.mean - p.than.mean) / k
		for _, c := range []*cell{p.level, p.than} {
			v := c.ss / float64(c.n-1) / float64(c.n) / (k * k)
			variance += v
			denominator += v * v / float64(c.n-1)
		}
	}
	df := k // all values equal
	if denominator > 0 {
		df = variance * variance / denominator
	}
	return stat.NewEffect(estimate, math.Sqrt(variance), df)
}

// reference is the level that others are held against.
func (f *factorial) reference(factor string) string {
	levels := f.levels(factor)
	switch {
	case factor == "package" && slices.Contains(levels, string(arm.ZIP)):
		return string(arm.ZIP)
	case factor == "bootstrap" && slices.Contains(levels, "nethttp"): // what the published experiment held others against
		return "nethttp"
	case factor == "memory":
		return levels[len(levels)-1]
	}
	return levels[0]
}

// effects are, for each factor, each level against the reference: over all, and within each level of the other factor that
// matters most to it.
func (f *factorial) effects(out *Factors, alpha float64) {
	inner := map[string]string{"package": "bootstrap", "bootstrap": "package", "memory": "bootstrap"}
	for _, factor := range f.factors {
		if f.lab() && factor == "package" {
			continue // both are mounted alike
		}
		first := len(out.Effects)
		than := f.reference(factor)
		for _, level := range f.levels(factor) {
			if level == than {
				continue
			}
			if all := f.pairs(factor, level, than, nil); len(all) > 0 {
				out.Effects = append(out.Effects, newEffect(factor, level, than, "", all))
			}
			within := inner[factor]
			for _, w := range f.levels(within) {
				if some := f.pairs(factor, level, than, func(c *cell) bool { return c.level(within) == w }); len(some) > 0 && len(f.levels(within)) > 1 {
					e := newEffect(factor, level, than, w, some)
					e.PackageSizeBytes = f.size(some[0].level.group.bootstrap)
					out.Effects = append(out.Effects, e)
				}
			}
		}
		adjust(out.Effects[first:], alpha)
	}
}

func newEffect(factor, level, than, within string, pairs []pair) Effect {
	e := contrast(pairs)
	out := Effect{Factor: factor, Level: level, Than: than, Within: within, P: e.P,
		Ratio: round(math.Exp(e.Estimate)), CI: exp(e.CI)}
	for _, p := range pairs {
		if b := p.level.group.bootstrap; !slices.Contains(out.Bootstraps, b) {
			out.Bootstraps = append(out.Bootstraps, b)
		}
	}
	return out
}

// adjust says which effects of one factor are told, by Holm's method.
func adjust(effects []Effect, alpha float64) {
	var ps []float64
	for _, e := range effects {
		ps = append(ps, e.P)
	}
	for i, p := range stat.Holm(ps) {
		effects[i].Told = p < alpha
	}
}

// covariates asks what KiB read and package size explain over the arms, the kind of package and the memory being held fixed.
func (f *factorial) covariates(out *Factors) {
	var x [][]float64
	var y []float64
	kinds, memories := f.levels("package"), f.levels("memory")
	read := !slices.ContainsFunc(f.cells, func(c *cell) bool { return c.group.readStart() == nil })
	for _, c := range f.cells {
		if c.group.sizeBytes == 0 {
			continue
		}
		row := []float64{1}
		for _, levels := range [][]string{kinds[1:], memories[1:]} {
			for _, l := range levels {
				v := 0.0
				if c.level("package") == l || c.level("memory") == l {
					v = 1
				}
				row = append(row, v)
			}
		}
		row = append(row, float64(f.size(c.group.bootstrap))/(1<<20))
		if read {
			row = append(row, *c.group.readStart()/1024)
		}
		x, y = append(x, row), append(y, c.mean)
	}
	fit, err := stat.Fit(x, y)
	if err != nil {
		return // too few arms, or all of one size
	}
	names := []string{"package size"}
	if read {
		names = append(names, "read")
	}
	for i, name := range names {
		e := fit.Coefficient(len(x[0]) - len(names) + i)
		out.Covariates = append(out.Covariates, Covariate{Name: name, Unit: "MiB", DF: fit.DF, P: e.P,
			Ratio: round(math.Exp(e.Estimate)), CI: exp(e.CI)})
	}
}
