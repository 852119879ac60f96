package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// words says what the model found.
func (f *factorial) words(out *Factors, alpha float64) (lines []string) {
	if alpha == 0 {
		lines = append(lines, "the primary claim tells no arms apart, so that no effect is called one")
	}
	switch {
	case !slices.Contains(f.factors, "package"):
	case f.lab():
		lines = append(lines, "ZIP against image: cannot be seen here, for the lab mounts both alike; what is predicted on AWS is in a table of its own")
	default:
		for _, level := range f.levels("package") {
			if than := f.reference("package"); level != than {
				if line := f.packageLine(out, level, than); line != "" {
					lines = append(lines, line)
				}
			}
		}
	}
	for _, factor := range []string{"bootstrap", "memory"} {
		if slices.Contains(f.factors, factor) {
			lines = append(lines, mainLine(out, factor, f.reference(factor)))
		}
	}
	for _, t := range out.Terms {
		if strings.Contains(t.Term, " x ") && t.p < alpha && t.Share >= 0.005 {
			lines = append(lines, fmt.Sprintf("%s: they interact (%.0f %% of the variance): one factor's effect depends on the other's level, a mean over all hides it",
				t.Term, 100*t.Share))
		}
	}
	for _, c := range out.Covariates {
		if alpha == 0 || c.CI[0] <= 1 && c.CI[1] >= 1 {
			continue // an interval on both sides of nothing says nothing
		}
		name := "each further MiB of package"
		if c.Name == "read" {
			name = "each further MiB read before GET /next"
		}
		lines = append(lines, fmt.Sprintf("%s: %s (%s, over %d arms, kind of package and memory held fixed)", name, percentChange(c.Ratio, c.CI), p(c.P), len(f.cells)))
	}
	for _, c := range out.Crossovers {
		none := func(o Crossover) bool { return o.Clock == ClockInit && o.Package == c.Package && o.KiB == nil }
		if c.KiB == nil && c.Clock != ClockInit && slices.ContainsFunc(out.Crossovers, none) {
			continue // said once
		}
		lines = append(lines, c.Text)
	}
	return lines
}

// sameWay is bootstraps next to each other in size of which a package says the same.
type sameWay struct {
	sign       int
	bootstraps []string
	sizes      []float64
}

// packageLine is "image against zip: -21 % [-23, -19] for 5.6 to 6.0 MB (nethttp, lambdago); no difference at 0.7 MB (rawtcp-upx)".
func (f *factorial) packageLine(out *Factors, level, than string) string {
	var groups []*sameWay
	for _, b := range f.levels("bootstrap") {
		i := slices.IndexFunc(out.Effects, func(e Effect) bool {
			return e.Factor == "package" && e.Level == level && e.Than == than && e.Within == b
		})
		if i < 0 {
			continue
		}
		sign := 0
		if e := out.Effects[i]; e.Told {
			sign = 1
			if e.Ratio < 1 {
				sign = -1
			}
		}
		if len(groups) == 0 || groups[len(groups)-1].sign != sign {
			groups = append(groups, &sameWay{sign: sign})
		}
		g := groups[len(groups)-1]
		g.bootstraps, g.sizes = append(g.bootstraps, b), append(g.sizes, float64(f.size(b)))
	}
	var parts []string
	for _, g := range groups {
		pairs := f.pairs("package", level, than, func(c *cell) bool { return slices.Contains(g.bootstraps, c.group.bootstrap) })
		e := contrast(pairs)
		change := percentChange(math.Exp(e.Estimate), [2]float64{math.Exp(e.CI.Lo), math.Exp(e.CI.Hi)})
		where := between(g.sizes)
		if g.sizes[0] == 0 {
			where = "packages"
		}
		switch {
		case g.sign == 0 && e.CI.Lo <= 0 && e.CI.Hi >= 0:
			parts = append(parts, fmt.Sprintf("not told apart at %s (%s: %s)", where, list(g.bootstraps), change))
		case g.sign == 0:
			parts = append(parts, fmt.Sprintf("not told apart one by one at %s (%s: together %s)", where, list(g.bootstraps), change))
		default:
			parts = append(parts, fmt.Sprintf("%s for %s (%s)", change, where, list(g.bootstraps)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s against %s: %s", level, than, strings.Join(parts, "; "))
}

// mainLine is "bootstrap against nethttp: bashtcp-static -60 % [..], ...".
func mainLine(out *Factors, factor, than string) string {
	var parts []string
	for _, e := range out.Effects {
		if e.Factor != factor || e.Within != "" {
			continue
		}
		part := fmt.Sprintf("%s %s", e.Level, percentChange(e.Ratio, e.CI))
		if !e.Told {
			part += " ~"
		}
		parts = append(parts, part)
	}
	if factor == "memory" {
		than += " MB"
	}
	return fmt.Sprintf("%s against %s, mean over the rest: %s", factor, than, strings.Join(parts, "; "))
}
