package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// pair holds two cells that differ in one factor.
type pair struct{ level, than *cell }

// pairs returns each cell with one level of a factor, together with the cell that has the other level and is
// otherwise the same. keep selects cells; nil keeps all.
func (f *factorial) pairs(factor, level, than string, keep func(*cell) bool) (out []pair) {
	at := slices.Index(factorNames, factor)
	for _, c := range f.cells {
		key := c.levels
		key[at] = than
		i := slices.IndexFunc(f.cells, func(other *cell) bool { return other.levels == key })
		if i >= 0 && c.level(factor) == level && (keep == nil || keep(c)) {
			out = append(out, pair{c, f.cells[i]})
		}
	}
	return out
}

// contrast returns the mean of log(level / than) over pairs. If the cells share rounds, it is taken within each round,
// so that a round's effect on all arms cancels. Else it comes from the cells' means, by Welch's method.
func contrast(pairs []pair) stat.Effect {
	rounds := len(pairs[0].level.logs)
	var within []float64
	for r := range rounds {
		sum := 0.0
		for _, p := range pairs {
			sum += p.level.logs[r] - p.than.logs[r] // NaN if one is absent
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

// reference returns the level that others are compared with.
func (f *factorial) reference(factor string) string {
	levels := f.levels(factor)
	switch {
	case factor == "package" && slices.Contains(levels, string(arm.ZIP)):
		return string(arm.ZIP)
	case factor == "bootstrap" && slices.Contains(levels, "nethttp"): // the reference of the published experiment
		return "nethttp"
	case factor == "memory":
		return levels[len(levels)-1]
	}
	return levels[0]
}

// effects compares each level of each factor with the reference: over all cells, and within each level of the other
// factor that matters most to it. It marks the effects that are told apart, by Holm over the effects of one factor.
func (f *factorial) effects(out *Factors, alpha float64) {
	inner := map[string]string{"package": "bootstrap", "bootstrap": "package", "memory": "bootstrap"}
	for _, factor := range f.factors {
		if f.lab() && factor == "package" {
			continue // the lab mounts both in the same way
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
				some := f.pairs(factor, level, than, func(c *cell) bool { return c.level(within) == w })
				if len(some) > 0 && len(f.levels(within)) > 1 {
					e := newEffect(factor, level, than, w, some)
					e.PackageSizeBytes = f.size(some[0].level.group.bootstrap)
					out.Effects = append(out.Effects, e)
				}
			}
		}
		of := out.Effects[first:]
		for i, p := range stat.Holm(list.Map(of, func(e Effect) float64 { return e.P })) {
			of[i].Told = p < alpha
		}
	}
}

func newEffect(factor, level, than, within string, pairs []pair) Effect {
	e := contrast(pairs)
	return Effect{Factor: factor, Level: level, Than: than, Within: within, P: e.P, Ratio: Round(math.Exp(e.Estimate)),
		CI: exp(e.CI)}
}

// covariates adds what KiB read and package size explain over the arms, with kind of package and memory held fixed.
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
		for _, l := range slices.Concat(kinds[1:], memories[1:]) {
			row = append(row, map[bool]float64{true: 1}[c.level("package") == l || c.level("memory") == l])
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
	names := []string{"package"}
	if read {
		names = append(names, "what is read before GET /next")
	}
	for i, name := range names {
		e := fit.Coefficient(len(x[0]) - len(names) + i)
		out.Covariates = append(out.Covariates, Covariate{Name: name, Unit: "MiB", DF: fit.DF, P: e.P,
			Ratio: Round(math.Exp(e.Estimate)), CI: exp(e.CI)})
	}
}

// words returns the model's findings as sentences.
func (f *factorial) words(out *Factors, alpha float64) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if alpha == 0 {
		say("the primary claim tells no arms apart, so no effect is claimed either")
	}
	for _, factor := range f.factors {
		if f.lab() && factor == "package" {
			say("ZIP against image: cannot be seen here, because the lab mounts both alike; another table has " +
				"predictions for AWS")
			continue
		}
		unit, over := map[string]string{"memory": " MB"}[factor], ", mean over all other factors"
		if factor == "package" {
			over = ""
		}
		var parts []string
		for _, e := range out.Effects {
			name := e.Level
			if e.Within != "" && e.PackageSizeBytes > 0 {
				name += fmt.Sprintf(", %s of %s", e.Within, size(float64(e.PackageSizeBytes)))
			} else if e.Within != "" {
				name += ", " + e.Within
			}
			if e.Factor == factor && (e.Within != "") == (factor == "package") {
				parts = append(parts, name+" "+percentChange(e.Ratio, e.CI)+map[bool]string{false: " (not told apart)"}[e.Told])
			}
		}
		say("%s against %s%s%s: %s", factor, f.reference(factor), unit, over, strings.Join(parts, "; "))
	}
	for _, t := range out.Terms {
		if strings.Contains(t.Term, " x ") && t.p < alpha && t.Share >= 0.005 {
			say("%s: they interact (%.0f %% of the variance): one factor's effect depends on the other's level, and a "+
				"mean over all levels hides that", t.Term, 100*t.Share)
		}
	}
	for _, c := range out.Covariates {
		if alpha == 0 || c.CI[0] <= 1 && c.CI[1] >= 1 {
			continue // there may be no effect
		}
		say("each further %s of %s: %s (%s, over %d arms, kind of package and memory held fixed)", c.Unit, c.Name,
			percentChange(c.Ratio, c.CI), Probability(c.P), len(f.cells))
	}
	return append(lines, list.Map(out.Crossovers, func(c Crossover) string { return c.Text })...)
}
