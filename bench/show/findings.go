package show

import (
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
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
	return out
}

func publishedFindings(r *report.Report) (out []string) {
	for _, f := range r.Findings {
		line := label(r, f.Source) + f.Text
		if f.Settles != "" {
			line += ". To settle it: " + f.Settles
		}
		out = append(out, line)
	}
	return out
}

// breakEven is "12 % [9, 16]".
func breakEven(b *report.BreakEven) string {
	return fmt.Sprintf("%s [%.2g, %.2g]", percentShare(b.ColdShare), 100*b.CI[0], 100*b.CI[1])
}

// outlierTable is cold starts and invocations far from the others of their arm.
func outlierTable(r *report.Report) table.Table {
	t := table.Table{ID: "outliers", Title: "Outliers (beyond 3 interquartile ranges, on the log scale): shown, in every figure", Heads: table.Heads(1, "arm", "outliers", "the farthest")}
	for _, a := range r.Arms {
		for i, o := range a.Outliers {
			if round := fmt.Sprintf(" in round %d", o.Round); i == 0 {
				t.Add(a.Arm, fmt.Sprint(a.OutlierCount), fmt.Sprintf("%s %s ms", o.Clock, ms(&o.Ms))+strings.TrimSuffix(round, " in round 0"))
			}
		}
	}
	return t
}

func fields(xs ...string) (out []string) {
	for _, x := range xs {
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}
