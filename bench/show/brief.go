package show

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

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
	out := bufio.NewWriter(w)
	paint := painter(o.Colour)
	width := o.width()
	fmt.Fprint(out, table.Wrap(width, "", title(r)))
	var answers strings.Builder
	writeAnswers(&answers, width, r, paint)
	fmt.Fprint(out, answers.String())
	arms := ranked(r)
	rows := max(leastRows, min(briefRows, screen-around-strings.Count(answers.String(), "\n")))
	shown := arms[:min(len(arms), rows)]
	if len(shown) > 0 {
		part := *r
		part.Arms = shown
		fmt.Fprintln(out)
		if err := armTable("", "", &part, briefColumns).Fitting(width).Text(out, 0, paint); err != nil {
			return err
		}
	}
	var rest []string
	if more := len(arms) - len(shown); more > 0 {
		rest = append(rest, plural(more, "arm")+" more")
	}
	if n := len(r.NotMeasured); n > 0 {
		rest = append(rest, fmt.Sprintf("not measured: %s", plural(n, "arm")))
	}
	if n := len(r.Warnings); n > 0 {
		rest = append(rest, plural(n, "warning"))
	}
	if len(rest) > 0 {
		fmt.Fprint(out, table.Wrap(width, "", strings.Join(rest, "; ")+": with --full, and in the report"))
	}
	return out.Flush()
}

// narrow is where there is no room for a column of questions.
const narrow = 90

// writeAnswers writes the answers below each other, what they are about in a column of its own.
func writeAnswers(w io.Writer, width int, r *report.Report, paint table.Painter) {
	widest := 0
	for _, a := range r.Answers {
		widest = max(widest, utf8.RuneCountInString(a.Question))
	}
	for _, a := range r.Answers {
		prefix := fmt.Sprintf("  %-*s  ", widest, a.Question)
		if width < narrow {
			prefix = "  "
			a.Answer = a.Question + " " + a.Answer
		}
		text := table.Wrap(width, prefix, said(a))
		fmt.Fprint(w, strings.Replace(text, a.Question, paint.Paint(table.Strong, a.Question), 1))
	}
}

// said is an answer with how sure it is.
func said(a report.Answer) string {
	if a.Sure == "" {
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
