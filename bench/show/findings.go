package show

import (
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
)

// findings are the sections on what was published, factors, costs and outliers.
func findings(r *report.Report) (out []section) {
	if lines := publishedFindings(r); len(lines) > 0 {
		out = append(out, section{head: "Published findings, held against this run", lines: lines})
	}
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
		s := section{head: fmt.Sprintf("Cost, %s of invocations cold", percentShare(c.ColdShare))}
		for _, k := range c.Cheapest {
			line := label(r, k.Source)
			if k.Among != "" {
				line += "as " + k.Among + ": "
			}
			s.lines = append(s.lines, line+k.Text)
		}
		for _, b := range c.BreakEven {
			s.lines = append(s.lines, fmt.Sprintf("below %s cold starts %s costs less, above it %s", breakEven(&b), b.Arm, b.Than))
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

func publishedFindings(r *report.Report) (out []string) {
	for _, f := range r.Findings {
		line := label(r, f.Source) + f.Text
		if f.Settles != "" {
			line += "; to settle it: " + f.Settles
		}
		out = append(out, line)
	}
	return out
}

// breakEven is "12 % [9, 16]".
func breakEven(b *report.BreakEven) string {
	return fmt.Sprintf("%s [%.2g, %.2g]", percentShare(b.ColdShare), 100*b.CI[0], 100*b.CI[1])
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
