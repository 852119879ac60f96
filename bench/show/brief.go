package show

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/table"
)

// A terminal shows as many arms as fill a screen with the answers, and what stands around both.
const (
	screen               = 30
	around               = 6
	leastRows, briefRows = 3, 10
)

// briefColumns are what is left of two tables, most telling first: a narrow terminal drops the last ones.
var briefColumns = []column{
	armColumn,
	{"INIT p50, ms", func(a *report.Arm) string { return interval(a.P50, a.P50CI) }},
	{"predicted on AWS", predicted},
	{"warm p50", func(a *report.Arm) string { return ms(a.Warm.P50) }},
	{"package KiB", func(a *report.Arm) string { return kib(a.PackageSizeBytes) }},
}

// brief is what a terminal shows at the end of a run: the answers, the best arms, and nothing else.
func brief(w io.Writer, r *report.Report, o Options) error {
	paint, width := painter(o.Colour), o.width()
	out := new(strings.Builder)
	out.WriteString(table.Wrap(width, "", title(r)))
	if err := answers(r).Text(out, width, paint); err != nil {
		return err
	}
	arms := ranked(r)
	rows := max(leastRows, min(briefRows, screen-around+1-strings.Count(out.String(), "\n")))
	shown := arms[:min(len(arms), rows)]
	if len(shown) > 0 {
		part := *r
		part.Arms = shown
		out.WriteString("\n")
		if err := armTable("", "", &part, briefColumns).Fitting(width).Text(out, width, paint); err != nil {
			return err
		}
	}
	var rest []string
	if more := len(arms) - len(shown); more > 0 {
		rest = append(rest, report.Plural(more, "arm")+" more")
	}
	if n := len(r.NotMeasured); n > 0 {
		rest = append(rest, fmt.Sprintf("not measured: %s", report.Plural(n, "arm")))
	}
	if n := len(r.Warnings); n > 0 {
		rest = append(rest, report.Plural(n, "warning"))
	}
	if len(rest) > 0 {
		out.WriteString(table.Wrap(width, "", strings.Join(rest, "; ")+": with --full, and in the report"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// answers are the answers with what they are about.
func answers(r *report.Report) table.Table {
	t := table.Table{Heads: table.Heads(2, "", "")}
	for _, a := range r.Answers {
		t.Add("  "+a.Question, said(a))
	}
	return t
}

// said is an answer with how sure it is, where neither its interval nor its words say so.
func said(a report.Answer) string {
	if a.Sure == "" || a.CI != nil || a.Predicted {
		return a.Answer
	}
	return a.Answer + " (" + a.Sure + ")"
}

// ranked are the arms by what the reader can use: those of the lab by what is predicted on AWS, if that is known.
func ranked(r *report.Report) []report.Arm {
	arms := slices.Clone(r.Arms)
	if slices.ContainsFunc(arms, func(a report.Arm) bool { return a.Source != record.Lab }) {
		return arms
	}
	forecast := func(a report.Arm) float64 {
		if a.PredictedAWS == nil {
			return math.Inf(1)
		}
		return a.PredictedAWS.Init
	}
	slices.SortStableFunc(arms, func(a, b report.Arm) int { return cmp.Compare(forecast(a), forecast(b)) })
	return arms
}
