package report

import (
	"fmt"
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
		for _, level := range f.levels("package")[1:] {
			lines = append(lines, effectLine(out, level+" against "+f.reference("package"), func(e Effect) string {
				switch {
				case e.Factor != "package" || e.Level != level || e.Within == "":
					return ""
				case e.PackageSizeBytes == 0:
					return e.Within
				}
				return fmt.Sprintf("%s of %s", e.Within, size(float64(e.PackageSizeBytes)))
			}))
		}
	}
	for _, factor := range []string{"bootstrap", "memory"} {
		if slices.Contains(f.factors, factor) {
			unit := map[string]string{"memory": " MB"}[factor]
			lines = append(lines, effectLine(out, fmt.Sprintf("%s against %s%s, mean over the rest", factor, f.reference(factor), unit), func(e Effect) string {
				if e.Factor != factor || e.Within != "" {
					return ""
				}
				return e.Level
			}))
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

// effectLine is "image against zip: lambdago of 6.0 MB -21 % [-23, -19]; rawtcp-upx of 0.7 MB +1.2 % [-2, +4] ~", of the effects that have a name.
func effectLine(out *Factors, head string, name func(Effect) string) string {
	var parts []string
	for _, e := range out.Effects {
		if n := name(e); n != "" {
			part := n + " " + percentChange(e.Ratio, e.CI)
			if !e.Told {
				part += " ~"
			}
			parts = append(parts, part)
		}
	}
	return head + ": " + strings.Join(parts, "; ")
}
