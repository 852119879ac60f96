package power

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// recommend says in words which cell to take, what the other choices cost, and how sure that is.
func recommend(in Input, opening string, all []cell, chosen cell, currency string) string {
	var b strings.Builder
	measured := len(slices.DeleteFunc(slices.Clone(all), func(c cell) bool { return c.Failed != "" }))
	goal := map[Strategy]string{Cost: "the cheapest", Speed: "the fastest", Balanced: fmt.Sprintf("the best balance of cost and speed (weight %g)", in.BalancedWeight)}[in.Strategy]
	fmt.Fprintf(&b, "%s: %s of the %d measured, at %s and %s per million invocations.", opening, goal, measured, Milliseconds(chosen.AverageDuration), money(currency, 2, chosen.AveragePrice*1e6))
	for _, other := range []struct {
		what string
		by   Strategy
	}{{"Cheapest", Cost}, {"Fastest", Speed}} {
		v, err := best(all, other.by, 0)
		if err != nil || v.label == chosen.label {
			continue
		}
		fmt.Fprintf(&b, " %s is %s: %s, %s.", other.what, v.label, change("duration", v.AverageDuration, chosen.AverageDuration), change("cost", v.AveragePrice, chosen.AveragePrice))
	}
	if close := indistinct(all, chosen); len(close) > 0 {
		fmt.Fprintf(&b, " Medians of the duration at %s cannot be told from it with %d invocations each.", strings.Join(close, ", "), chosen.Invocations)
	}
	for _, c := range all {
		if c.Failed != "" {
			fmt.Fprintf(&b, " %s failed: %s.", c.label, strings.TrimSuffix(c.Failed, "."))
		}
	}
	return b.String()
}

// architectures holds the best of arm64 against the best of x86_64, where both were measured.
func architectures(in Input, all []cell) string {
	var bests []cell
	for _, a := range []arm.Architecture{arm.ARM64, arm.X8664} {
		c, err := best(slices.DeleteFunc(slices.Clone(all), func(c cell) bool { return c.architecture != string(a) }), in.Strategy, in.BalancedWeight)
		if err != nil {
			return ""
		}
		bests = append(bests, c)
	}
	a, b := bests[0], bests[1]
	told := "medians of the duration are told apart"
	switch {
	case a.Duration.P50Interval == nil || b.Duration.P50Interval == nil:
		told = "there are too few invocations for intervals"
	case len(indistinct(bests, a)) > 0:
		told = "medians of the duration cannot be told apart"
	}
	return fmt.Sprintf(" arm64 (%s) against x86_64 (%s): %s, %s; %s.", a.label, b.label, change("cost", a.AveragePrice, b.AveragePrice), change("duration", a.AverageDuration, b.AverageDuration), told)
}

// change is how x relates to base.
func change(what string, x, base float64) string {
	if base == 0 {
		return what + " not comparable"
	}
	return fmt.Sprintf("%s %+.0f %%", what, 100*(x/base-1))
}

// indistinct are the cells whose interval of the median overlaps the chosen one's.
func indistinct(all []cell, chosen cell) (out []string) {
	for _, c := range all {
		if c.label != chosen.label && c.Failed == "" && overlap(c.Value, chosen.Value) {
			out = append(out, c.label)
		}
	}
	return out
}

// overlap says that medians of the duration cannot be told apart.
func overlap(a, b Value) bool {
	if a.Duration == nil || b.Duration == nil || a.Duration.P50Interval == nil || b.Duration.P50Interval == nil {
		return false
	}
	x, y := a.Duration.P50Interval, b.Duration.P50Interval
	return x[0] <= y[1] && y[0] <= x[1]
}

// warnings are what the figures cannot say.
func warnings(p *Plan, values []Value) (out []string) {
	say := func(when bool, format string, of ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, of...))
		}
	}
	say(p.Num < stat.MinP99, "no p99: it takes %d invocations of each power value, these are %d", stat.MinP99, p.Num)
	for _, v := range values {
		at, ok := fmt.Sprintf("%d MB", v.Value), v.Failed == ""
		say(!ok, "%s is in no comparison: %s", at, v.Failed)
		say(ok && p.Cold && v.ColdStarts < v.Invocations, "%s: %d of %d invocations were no cold starts", at, v.Invocations-v.ColdStarts, v.Invocations)
		say(ok && !p.Cold && v.ColdStarts > v.Invocations/2, "%s: %d of %d invocations were cold starts, which the averages hold", at, v.ColdStarts, v.Invocations)
		say(ok && v.MaxMemoryUsedMB*10 >= v.Value*9, "%s: %d MB were used, little is left", at, v.MaxMemoryUsedMB)
		say(ok && v.FunctionErrors > 0, "%s: %d of %d invocations failed and were tried again (%s)", at, v.FunctionErrors, v.Invocations+v.FunctionErrors, v.LastError)
		say(v.AllowedErrors > 0, "%s: %d invocations ended with an allowed exception", at, v.AllowedErrors)
	}
	return out
}

// Milliseconds is a duration in words, of three digits at least.
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

// Ends are the cheapest and the fastest power value; nil if none was measured.
func Ends(values []Value) (cheapest, fastest *Value) {
	a, err := best(cells(values), Cost, 0)
	if err != nil {
		return nil, nil
	}
	b, _ := best(cells(values), Speed, 0)
	return &a.Value, &b.Value
}

// Extremes says in one sentence what memory buys.
func Extremes(values []Value) string {
	cheapest, fastest := Ends(values)
	switch {
	case cheapest == nil:
		return "No power value could be measured"
	case cheapest.Value == fastest.Value:
		return fmt.Sprintf("%d MB is the cheapest and the fastest", cheapest.Value)
	case overlap(*cheapest, *fastest):
		return fmt.Sprintf("%d MB is the cheapest; %d MB is not told to be faster", cheapest.Value, fastest.Value)
	}
	return fmt.Sprintf("%d MB is the cheapest; %d MB takes %.0f %% less time for %.0f %% more money", cheapest.Value, fastest.Value,
		100*(1-fastest.AverageDuration/cheapest.AverageDuration), 100*(fastest.AveragePrice/cheapest.AveragePrice-1))
}
