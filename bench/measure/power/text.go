package power

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const labNote = "Durations are the lab's, not AWS's; cost is what AWS would bill for them.\n"

// WriteText writes a result for a terminal: table, chart, recommendation, URL.
func (o *Output) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, %s, strategy %s, %d invocations of each power value, seed %d, %s\n", o.Title(), o.Source, o.Kind(), o.Strategy, o.Num, o.Seed, o.pricing())
	if o.Source == "lab" {
		b.WriteString(labNote)
	}
	var lines [][]string
	for _, v := range o.ByPowerValue {
		mark := ""
		if v.Value == o.Power {
			mark = "<- best"
		}
		lines = append(lines, append(v.Cells(), mark))
	}
	b.WriteString("\n" + table(Columns(o.Currency), lines) + "\n" + chart(o.ByPowerValue, o.Currency) + "\n" + o.Recommendation + "\n")
	if o.Optimised != "" {
		b.WriteString("Applied: " + o.Optimised + ".\n")
	}
	if o.NotOptimised != "" {
		b.WriteString("Not applied: " + o.NotOptimised + "\n")
	}
	for _, warning := range o.Warnings {
		b.WriteString("warning: " + warning + "\n")
	}
	fmt.Fprintf(&b, "\nLambda cost of this tuning: %s\n%s\n", money(o.Currency, 6, o.StateMachine.LambdaCost), o.StateMachine.Visualization)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteText writes the result of several functions: one table, the chart of the best function, the recommendation over all, URLs. Of one
// function it is that function's own.
func (s *Sweep) WriteText(w io.Writer) error {
	first := s.Functions[0]
	if len(s.Functions) == 1 && len(s.Failed) == 0 {
		return first.WriteText(w)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d functions on %s, strategy %s, %d invocations of each power value, seed %d, %s\n", len(s.Functions), first.Source, first.Strategy, first.Num, first.Seed, first.pricing())
	if first.Source == "lab" {
		b.WriteString(labNote)
	}
	var lines [][]string
	var best []Value
	var warnings, urls []string
	cost := 0.0
	for _, o := range s.Functions {
		for i, v := range o.ByPowerValue {
			name := []string{"", ""}
			if i == 0 {
				name = []string{o.Name, o.Kind()}
			}
			mark := ""
			if o.Name == s.Best.Name && v.Value == s.Best.Power {
				mark, best = "<- best", o.ByPowerValue
			}
			lines = append(lines, append(append(name, v.Cells()...), mark))
		}
		for _, warning := range o.Warnings {
			if !slices.Contains(warnings, warning) {
				warnings = append(warnings, warning)
			}
		}
		if o.Optimised != "" {
			warnings = append(warnings, o.Name+": "+o.Optimised)
		}
		if o.NotOptimised != "" {
			warnings = append(warnings, o.Name+": not applied: "+o.NotOptimised)
		}
		urls = append(urls, fmt.Sprintf("%s: %s", o.Name, o.StateMachine.Visualization))
		cost += o.StateMachine.LambdaCost
	}
	b.WriteString("\n" + table(append([]string{"function", "is"}, Columns(first.Currency)...), lines) + "\n" + s.Best.Name + ":\n" + chart(best, first.Currency) + "\n" + s.Recommendation + "\n")
	for _, why := range s.Failed {
		b.WriteString("not measured: " + why + "\n")
	}
	for _, warning := range warnings {
		b.WriteString("warning: " + warning + "\n")
	}
	fmt.Fprintf(&b, "\nLambda cost of this tuning: %s\n%s\n", money(first.Currency, 6, cost), strings.Join(urls, "\n"))
	if s.Visualization != "" {
		b.WriteString("both: " + s.Visualization + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
