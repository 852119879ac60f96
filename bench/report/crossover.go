package report

import (
	"fmt"
	"math"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// What makes a size sweep: so many sizes, the largest so many times the smallest.
const (
	sweepSizes = 4
	sweepSpan  = 4
)

// crossovers looks for the package size at which an image takes as long as a ZIP: a line through the log ratios of the bootstraps that
// come in both, over their sizes. Sizes, not cold starts, are the replicates: how far they lie off the line is what its interval says.
func (f *factorial) crossovers(out *Factors, clock Clock) {
	for _, kind := range arm.Packages() {
		if kind == arm.ZIP {
			continue
		}
		c := Crossover{Clock: clock, Package: kind, Than: arm.ZIP}
		for _, b := range f.levels("bootstrap") {
			pairs := f.pairs("package", string(kind), string(arm.ZIP), func(c *cell) bool { return c.group.bootstrap == b })
			if len(pairs) == 0 || f.size(b) == 0 {
				continue
			}
			e := contrast(pairs)
			c.Points = append(c.Points, SizePoint{Bootstrap: b, KiB: round(float64(f.size(b)) / 1024), Ratio: round(math.Exp(e.Estimate)),
				CI: exp(e.CI)})
		}
		if c.cross() {
			out.Crossovers = append(out.Crossovers, c)
		}
	}
}

// cross fits the line; false where the points are no size sweep.
func (c *Crossover) cross() bool {
	sizes := map[float64]bool{}
	var x [][]float64
	var y []float64
	for _, p := range c.Points {
		sizes[p.KiB] = true
		x, y = append(x, []float64{1, p.KiB}), append(y, math.Log(p.Ratio))
	}
	if len(sizes) < sweepSizes || c.Points[len(c.Points)-1].KiB < sweepSpan*c.Points[0].KiB {
		return false
	}
	fit, err := stat.Fit(x, y)
	if err != nil {
		return false
	}
	least, most := c.Points[0].KiB, c.Points[len(c.Points)-1].KiB
	root, ci, ok := fit.Root()
	over := fmt.Sprintf("over %d package sizes from %s to %s", len(sizes), size(least*1024), size(most*1024))
	slope := fit.Coefficient(1)
	lo := math.Max(0, ci.Lo)
	from, to := size(lo*1024), size(math.Max(0, ci.Hi)*1024)
	head := fmt.Sprintf("%s against %s by %s", c.Package, c.Than, c.Clock)
	if ok {
		c.CI = &[2]float64{round(lo), round(ci.Hi)}
	}
	outside := root < least || root > most
	word := "faster"
	switch {
	case !ok:
		c.Text = fmt.Sprintf("%s: no crossover told %s: how they compare does not follow the size beyond its scatter (%s a MiB)",
			head, over, percentChange(math.Exp(1024*slope.Estimate), [2]float64{math.Exp(1024 * slope.CI.Lo), math.Exp(1024 * slope.CI.Hi)}))
	case outside && ci.Hi >= least && ci.Lo <= most:
		c.Text = fmt.Sprintf("%s: a crossover may lie at %s to %s, or beyond what was measured, %s", head, from, to, over)
	case outside:
		if (math.Log(c.Points[0].Ratio) < 0) != (slope.Estimate < 0 || root > most) {
			word = "slower"
		}
		c.Text = fmt.Sprintf("%s: %s throughout, %s: they cross at %s to %s", head, word, over, from, to)
	default:
		if c.KiB = number(root); slope.Estimate > 0 {
			word = "slower"
		}
		c.Text = fmt.Sprintf("%s is %s than %s by %s for packages above %s [%s, %s], %s", c.Package, word, c.Than, c.Clock, size(root*1024), from, to, over)
	}
	return true
}

// size is a number of bytes as people write it.
func size(bytes float64) string {
	switch {
	case bytes >= 10<<20:
		return fmt.Sprintf("%.0f MB", bytes/(1<<20))
	case bytes >= 100<<10:
		return fmt.Sprintf("%.1f MB", bytes/(1<<20))
	}
	return fmt.Sprintf("%.0f KiB", bytes/1024)
}

// percentChange is "-21 % [-23, -19]" for a ratio of 0.79.
func percentChange(ratio float64, ci [2]float64) string {
	return fmt.Sprintf("%s [%s, %s]", percent(ratio)+" %", percent(ci[0]), percent(ci[1]))
}

func percent(ratio float64) string {
	p := 100 * (ratio - 1)
	if math.Abs(p) < 9.95 {
		return fmt.Sprintf("%+.1f", p)
	}
	return fmt.Sprintf("%+.0f", p)
}
