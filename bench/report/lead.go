package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// namesShown is how many arms of a group are named.
const namesShown = 3

// lead says who wins a claim and how far the others lie behind: two arms in a sentence, more arms in groups of
// similar speed. Its text has at most room characters if possible.
func lead(r *Report, c *Claim, room int) string {
	var arms []*Arm
	for _, a := range r.Arms {
		if a.Source == c.Source && a.Published == c.Published && (c.Among == "" || slices.Contains([]string{a.Handler, string(a.Package), a.Handler + " " + string(a.Package)}, c.Among)) && a.P50 != nil {
			arms = append(arms, a)
		}
	}
	if len(arms) < 2 {
		return ""
	}
	slices.SortStableFunc(arms, func(x, y *Arm) int { return cmp.Compare(*x.P50, *y.P50) })
	var two *Comparison // one arm with the other
	for i := range r.Comparisons {
		if p := &r.Comparisons[i]; two == nil && p.Clock == c.Clock && p.At == c.At && (p.Arm == arms[0].Arm || p.Arm == arms[1].Arm) {
			two = p
		}
	}
	switch {
	case !c.Tested:
		return c.Text
	case !c.Told() && len(arms) == 2:
		text := fmt.Sprintf("no difference told between %s and %s (%s and %s)", arms[0].Arm, arms[1].Arm, ms(*arms[0].P50), ms(*arms[1].P50))
		if two != nil && two.Why == "" {
			text += fmt.Sprintf(": %s takes %s as long as %s", two.Arm, ratio(*two), two.Than)
		}
		return text
	case !c.Told():
		return fmt.Sprintf("no winner among %d (%s to %s): their differences are within the noise", len(arms), ms(*arms[0].P50), ms(*arms[len(arms)-1].P50))
	case len(arms) == 2 && two != nil:
		return fmt.Sprintf("%s: %s takes %s as long (%s against %s of %s)", c.Winners[0], two.Arm, ratio(*two), ms(*arms[1].P50), ms(*arms[0].P50), c.Clock.Means())
	}
	return tiers(arms, c, room)
}

// tiers groups arms by speed: a group holds the arms whose intervals overlap that of its first arm. The winners of
// the claim are one group.
func tiers(arms []*Arm, c *Claim, room int) string {
	var groups []string
	for i := 0; i < len(arms); {
		first := arms[i]
		group := []string{short(first, c)}
		j := i + 1
		for ; j < len(arms); j++ {
			a := arms[j]
			overlaps := first.P50CI != nil && a.P50CI != nil && a.P50CI[0] <= first.P50CI[1]
			if won := slices.Contains(c.Winners, a.Arm) && slices.Contains(c.Winners, first.Arm); !won && (!overlaps || slices.Contains(c.Winners, first.Arm)) {
				break
			}
			group = append(group, short(a, c))
		}
		value := rough(*first.P50)
		if last := rough(*arms[j-1].P50); last != value {
			value += "-" + last
		}
		groups = append(groups, strings.Join(list.Few(group, namesShown), ", ")+" "+value)
		i = j
	}
	text := strings.Join(groups, " | ")
	for n := len(groups); n > 2 && len(text) > room; n-- {
		text = strings.Join(groups[:n-2], " | ") + " | ... | " + groups[len(groups)-1]
	}
	return text + " ms"
}

// rough formats a time in ms for a group of arms.
func rough(x float64) string {
	switch {
	case x >= 10:
		return fmt.Sprintf("%.0f", x)
	case x >= 1:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// short returns an arm's name without the part that all arms of a claim share.
func short(a *Arm, c *Claim) string {
	if c.Among != "" {
		return strings.Replace(a.Arm, "/"+c.Among, "", 1)
	}
	return a.Arm
}

// builds returns the bootstraps of a claim's winners.
func builds(r *Report, c *Claim) (out []string) {
	for _, a := range r.Arms {
		if slices.Contains(c.Winners, a.Arm) {
			out = append(out, a.Bootstrap)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// leastForP90 is how many cold starts a p90 needs.
const leastForP90 = 50

// alone gives the answers for a report with one arm, where there is nothing to compare.
func alone(a *Arm) []Answer {
	out := []Answer{}
	add := func(question, answer string) {
		out = append(out, Answer{Question: question, Answer: answer, Source: a.Source})
	}
	if a.InitCount > 0 && a.P50 != nil {
		text := fmt.Sprintf("%s %s of INIT at the median, %s", a.Arm, medianText(a.Sample(ClockInit)), Plural(a.InitCount, "cold start"))
		if total := a.ColdTotal.P50; total != nil && *total > 0 {
			text += fmt.Sprintf("; INIT is %.0f %% of a cold start", math.Min(100, 100**a.P50 / *total))
		}
		if a.P90 == nil || a.InitCount < leastForP90 {
			text += "; too few for a p90 (50)"
		} else if a.P99 == nil {
			text += fmt.Sprintf("; p90 %s, too few for a p99 (200)", ms(*a.P90))
		}
		add("How long is a cold start?", text)
	}
	if a.Warm.P50 != nil {
		text := fmt.Sprintf("%s at the median of %s", ms(*a.Warm.P50), Plural(a.Warm.Count, "invocation"))
		if n := a.InitCount + a.Warm.Count; a.InitCount > 0 && a.Source == record.AWS {
			text += fmt.Sprintf("; %.1f %% of %d invocations started cold (%d)", 100*float64(a.InitCount)/float64(n), n, a.InitCount)
		}
		add("And warm?", text)
	}
	if p := a.PredictedAWS; p != nil {
		add("On AWS?", p.Estimate().Text(1, " ms")+" of INIT, not measured there")
		out[len(out)-1].Sure, out[len(out)-1].Predicted = onlyPredicted, true
	}
	if a.MaxMemoryUsedMB != nil && a.MemorySizeMB > 0 {
		add("Enough memory?", fmt.Sprintf("%d of %d MB used", *a.MaxMemoryUsedMB, a.MemorySizeMB))
	}
	if a.ColdCost != nil && a.WarmCost != nil {
		add("What does it cost?", fmt.Sprintf("%.2f USD a million cold starts, %.2f warm", *a.ColdCost, *a.WarmCost))
	}
	return out
}

// withInterval formats a time with its interval, if it is known.
func withInterval(x float64, ci stat.Interval, ok bool) string {
	if !ok {
		return ms(x)
	}
	return fmt.Sprintf("%s [%s, %s]", ms(x), Digits(ci.Lo), Digits(ci.Hi))
}

// Digits formats a time in ms with its significant digits: a REPORT has two decimals.
func Digits(x float64) string {
	switch {
	case math.Abs(x) >= 1000:
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) >= 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func ms(x float64) string { return Digits(x) + " ms" }

// Probability formats a p-value: "p = 0.012" or "p < 0.001".
func Probability(x float64) string {
	if x < 0.001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.3f", x)
}

// ratio is "1.45x [1.40, 1.51]".
func ratio(c Comparison) string {
	return fmt.Sprintf("%.2fx [%.2f, %.2f]", c.Ratio, c.CI[0], c.CI[1])
}

// by says how far an arm lies behind the best, and how sure that is.
func by(c Comparison) string {
	count := fmt.Sprintf("n = %d", c.N)
	if c.Effective > 0 {
		count += fmt.Sprintf(" that count like %.0f", c.Effective)
	}
	return fmt.Sprintf("%s as long (%s, %s)", ratio(c), Probability(c.P), count)
}

// and joins texts: "a, b and c". Of more than six it counts the rest.
func and(xs []string) string {
	xs = list.Few(xs, 6)
	if len(xs) < 2 {
		return strings.Join(xs, "")
	}
	return strings.Join(xs[:len(xs)-1], ", ") + " and " + xs[len(xs)-1]
}

// Plural returns a number with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
