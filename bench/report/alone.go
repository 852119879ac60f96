package report

import (
	"fmt"
	"math"

	"github.com/twinstart/twinstart/bench/record"
)

// leastForP90 is how many cold starts a p90 takes.
const leastForP90 = 50

// alone answers for one arm, which there is nothing to compare with.
func alone(a *Arm) []Answer {
	out := []Answer{}
	add := func(question, answer string) {
		out = append(out, Answer{Question: question, Answer: answer, Source: a.Source})
	}
	if a.InitCount > 0 && a.P50 != nil {
		text := fmt.Sprintf("%s %s of INIT at the median, %s", a.Arm, withInterval(a.P50, a.P50CI), Plural(a.InitCount, "cold start"))
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

func withInterval(x *float64, ci *[2]float64) string {
	if ci == nil {
		return ms(*x)
	}
	return fmt.Sprintf("%s [%s, %s]", ms(*x), Digits(ci[0]), Digits(ci[1]))
}
