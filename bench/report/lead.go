package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
)

// A lead names at most namesShown arms of a group, and shows at most groupsShown groups.
const namesShown, groupsShown = 3, 4

// short returns an arm's name without the part that all arms of a claim share.
func (c *Claim) short(name string) string {
	if c.Among == "" {
		return name
	}
	return strings.Replace(name, "/"+c.Among, "", 1)
}

// lead says which arm wins a claim, and how fast the others are. It puts more than two arms into groups of similar
// speed. The winners are one group. Each other group holds the arms whose intervals overlap its first arm's interval.
func (c *Claim) lead() string {
	if !c.Told() || len(c.of) < 3 {
		text, _, _ := strings.Cut(strings.TrimSuffix(c.Text, "."), "; such a run") // without its power
		return text
	}
	var groups []string
	center := func(m *measured) string { return Digits(m.tests[c.Clock].Quantile(0.5)) }
	for rest := c.of; len(rest) > 0; {
		won := slices.Contains(c.Winners, rest[0].label)
		_, first, known := rest[0].tests[c.Clock].Median()
		n := 1
		for ; n < len(rest); n++ {
			_, own, also := rest[n].tests[c.Clock].Median()
			similar := won || also && known && own.Lo <= first.Hi
			if won != slices.Contains(c.Winners, rest[n].label) || !similar {
				break
			}
		}
		value := center(rest[0])
		if last := center(rest[n-1]); last != value {
			value += "-" + last
		}
		names := list.Map(rest[:n], func(m *measured) string { return c.short(m.label) })
		groups, rest = append(groups, strings.Join(list.Few(names, namesShown), ", ")+" "+value), rest[n:]
	}
	if n := len(groups); n > groupsShown {
		groups = append(groups[:groupsShown-1], "...", groups[n-1])
	}
	return strings.Join(groups, " | ") + " ms"
}

// leastForP90 is how many cold starts are needed to show a p90.
const leastForP90 = 50

// alone returns the answers of a report with one arm, which compares nothing.
func alone(a *Arm) (out []Answer) {
	add := func(question, format string, args ...any) {
		out = append(out, Answer{Question: question, Answer: fmt.Sprintf(format, args...), Source: a.Source})
	}
	if a.InitCount > 0 && a.P50 != nil {
		text := ""
		if total := a.ColdTotal.P50; total != nil && *total > 0 {
			text = fmt.Sprintf("; INIT is %.0f %% of a cold start", math.Min(100, 100**a.P50 / *total))
		}
		if a.P90 != nil && a.InitCount >= leastForP90 {
			text += "; p90 " + ms(*a.P90)
		}
		add("How long is a cold start?", "%s: median INIT %s, of %s%s", a.Arm, medianText(a.Sample(ClockInit)),
			Plural(a.InitCount, "cold start"), text)
	}
	if a.Warm.P50 != nil {
		add("How long when warm?", "median %s, of %s", ms(*a.Warm.P50), Plural(a.Warm.Count, "invocation"))
	}
	if p := a.PredictedAWS; p != nil {
		add("On AWS?", "predicted INIT %s", p.Estimate().Text(1, " ms"))
		out[len(out)-1].Sure, out[len(out)-1].Predicted = onlyPredicted, true
	}
	if a.MaxMemoryUsedMB != nil && a.MemorySizeMB > 0 {
		add("Enough memory?", "%d of %d MB used", *a.MaxMemoryUsedMB, a.MemorySizeMB)
	}
	if a.ColdCost != nil && a.WarmCost != nil {
		add("What does it cost?", "%.2f USD for a million cold starts, %.2f for as many warm", *a.ColdCost, *a.WarmCost)
	}
	return out
}
