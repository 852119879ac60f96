package power

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// recommend says which cell to take, what the other choices cost, and how sure that is.
func recommend(in Input, opening string, all []cell, chosen cell, currency string) string {
	var b strings.Builder
	balance := fmt.Sprintf("the best balance of cost and speed (weight %g)", in.BalancedWeight)
	goal := map[Strategy]string{Cost: "the cheapest", Speed: "the fastest", Balanced: balance}[in.Strategy]
	fmt.Fprintf(&b, "%s: %s of the %d measured, at %s and %s per million invocations.", opening, goal, len(measured(all)),
		Milliseconds(chosen.AverageDuration), money(currency, 2, chosen.AveragePrice*1e6))
	for _, other := range []struct {
		what string
		by   Strategy
	}{{"Cheapest", Cost}, {"Fastest", Speed}} {
		v, err := best(all, other.by, 0)
		if err != nil || v.label == chosen.label {
			continue
		}
		cost, duration := v.against(chosen)
		fmt.Fprintf(&b, " %s is %s: %s, %s.", other.what, v.label, duration, cost)
	}
	if close := indistinct(all, chosen); len(close) > 0 {
		fmt.Fprintf(&b, " Median durations at %s cannot be told apart from it with %d invocations each.",
			strings.Join(close, ", "), chosen.Invocations)
	}
	for _, c := range all {
		if c.Failed != "" {
			fmt.Fprintf(&b, " %s failed: %s.", c.label, strings.TrimSuffix(c.Failed, "."))
		}
	}
	return b.String()
}

// architectures compares the best of arm64 with the best of x86_64, if both were measured.
func architectures(in Input, all []cell) string {
	var bests []cell
	for _, a := range []arm.Architecture{arm.ARM64, arm.X8664} {
		others := func(c cell) bool { return c.of.Architecture != string(a) }
		c, err := best(slices.DeleteFunc(slices.Clone(all), others), in.Strategy, in.BalancedWeight)
		if err != nil {
			return ""
		}
		bests = append(bests, c)
	}
	a, b := bests[0], bests[1]
	told := "median durations are told apart"
	switch {
	case a.Duration.P50Interval == nil || b.Duration.P50Interval == nil:
		told = "there are too few invocations for intervals"
	case len(indistinct(bests, a)) > 0:
		told = "median durations cannot be told apart"
	}
	cost, duration := a.against(b)
	return fmt.Sprintf(" arm64 (%s) against x86_64 (%s): %s, %s; %s.", a.label, b.label, cost, duration, told)
}

// against says by how many percent the cell costs more, and takes longer, than another.
func (c cell) against(base cell) (cost, duration string) {
	change := func(what string, x, base float64) string {
		if base == 0 {
			return what + " not comparable"
		}
		return fmt.Sprintf("%s %+.0f %%", what, 100*(x/base-1))
	}
	return change("cost", c.AveragePrice, base.AveragePrice), change("duration", c.AverageDuration, base.AverageDuration)
}

// indistinct returns the cells whose median duration cannot be told apart from that of the chosen one: their
// intervals overlap.
func indistinct(all []cell, chosen cell) (out []string) {
	for _, c := range measured(all) {
		if c.label == chosen.label || c.Duration == nil || chosen.Duration == nil {
			continue
		}
		x, y := c.Duration.P50Interval, chosen.Duration.P50Interval
		if x != nil && y != nil && x[0] <= y[1] && y[0] <= x[1] {
			out = append(out, c.label)
		}
	}
	return out
}

// Milliseconds formats a duration with at least three digits.
func Milliseconds(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.2f ms", ms)
}

// Ends returns the cheapest and the fastest power value; nil if none was measured.
func Ends(values []Value) (cheapest, fastest *Value) {
	a, err := best(cells(values), Cost, 0)
	if err != nil {
		return nil, nil
	}
	b, _ := best(cells(values), Speed, 0)
	return &a.Value, &b.Value
}
