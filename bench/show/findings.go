package show

import (
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
)

// findings are the sections on factors, costs and outliers.
func findings(r *report.Report) (out []section) {
	for _, f := range r.Factors {
		s := section{head: "What the factors do (" + f.Model +
			fmt.Sprintf("; %d cold starts of %d arms, geometric means, R2 %.3f)", f.Observations, f.Cells, f.R2)}
		if len(r.Factors) > 1 {
			s.head += ", " + strings.Join(fields(string(f.Source), f.Region, string(f.Architecture), f.Experiment, f.Handler), " ")
		}
		s.lines = f.Text
		out = append(out, s)
	}
	if c := r.Cost; c != nil {
		s := section{head: "Cost"}
		for _, b := range c.BreakEven {
			s.lines = append(s.lines, fmt.Sprintf("up to %s cold starts %s is the cheapest, above it %s", percentShare(b.ColdShare), b.Arm, b.Than))
		}
		if len(c.BreakEven) == 0 && len(c.Arms) > 1 {
			s.lines = append(s.lines, fmt.Sprintf("%s is the cheapest whatever the share of cold starts", c.Arms[0].Arm))
		}
		if len(s.lines) > 0 {
			out = append(out, s)
		}
	}
	if s := outliers(r); len(s.lines) > 0 {
		out = append(out, s)
	}
	return out
}

// shownOutliers bounds the text; the JSON form has more.
const shownOutliers = 8

func outliers(r *report.Report) section {
	s := section{head: "Outliers (beyond 3 interquartile ranges, on the log scale): shown, in every figure"}
	rest := 0
	for _, a := range r.Arms {
		if a.OutlierCount == 0 {
			continue
		}
		if len(s.lines) == shownOutliers {
			rest++
			continue
		}
		var parts []string
		for i, o := range a.Outliers {
			if i == 3 {
				break
			}
			part := fmt.Sprintf("%s %s ms", o.Clock, ms(&o.Ms))
			if o.Round > 0 {
				part += fmt.Sprintf(" in round %d", o.Round)
			}
			parts = append(parts, part)
		}
		line := fmt.Sprintf("%s: %d: %s", a.Arm, a.OutlierCount, strings.Join(parts, "; "))
		if a.OutlierCount > len(parts) {
			line += "; ..."
		}
		s.lines = append(s.lines, line)
	}
	if rest > 0 {
		s.lines = append(s.lines, plural(rest, "more arm")+" with outliers")
	}
	return s
}

func fields(xs ...string) (out []string) {
	for _, x := range xs {
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}
