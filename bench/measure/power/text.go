package power

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/show/table"
)

const labNote = "Durations are the lab's, not AWS's; cost is what AWS would bill for them.\n"

// WriteText writes a result for a terminal.
func (o *Output) WriteText(w io.Writer) error {
	return (&Sweep{Best: Choice{Name: o.Name, Power: o.Power}, Recommendation: o.Recommendation, Functions: []*Output{o}}).WriteText(w)
}

// WriteText writes the result of one or several functions for a terminal: one table, the chart of the best function, what to know, and last
// the recommendation over all.
func (s *Sweep) WriteText(w io.Writer) error {
	first, several := s.Functions[0], len(s.Functions) > 1
	of := first.Title() + " on " + first.Source + ", " + first.Kind()
	if several {
		of = fmt.Sprintf("%d functions on %s", len(s.Functions), first.Source)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, strategy %s, %d invocations of each power value, seed %d, %s\n", of, first.Strategy, first.Num, first.Seed, first.pricing())
	if first.Source == "lab" {
		b.WriteString(labNote)
	}
	all := table.Table{}
	best := first
	var know, last []string
	cost := 0.0
	for _, o := range s.Functions {
		t, name := Table(o), ""
		if several {
			name = o.Name + ": "
			for i := range t.Rows {
				of := []string{"", ""}
				if i == 0 {
					of = []string{o.Name, o.Kind()}
				}
				t.Rows[i].Best = t.Rows[i].Best && o.Name == s.Best.Name
				t.Rows[i].Cells = append(of, t.Rows[i].Cells...)
			}
			t.Heads = append(table.Heads(2, "function", "is"), t.Heads...)
		}
		all.Heads, all.Rows = t.Heads, append(all.Rows, t.Rows...)
		if o.Name == s.Best.Name {
			best = o
		}
		for _, warning := range o.Warnings {
			if warning = "warning: " + warning; !slices.Contains(know, warning) {
				know = append(know, warning)
			}
		}
		if o.Optimised != "" {
			last = append(last, name+"applied: "+o.Optimised+".")
		}
		if o.NotOptimised != "" {
			last = append(last, name+"not applied: "+o.NotOptimised)
		}
		know = append(know, name+o.StateMachine.Visualization)
		cost += o.StateMachine.LambdaCost
	}
	bars := chart(best.ByPowerValue)
	if several {
		bars.Title = best.Name
	}
	for _, t := range []table.Table{marked(all), bars} {
		b.WriteString("\n")
		if err := t.Text(&b, 0, nil); err != nil {
			return err
		}
	}
	b.WriteString("\n")
	for _, why := range s.Failed {
		b.WriteString("not measured: " + why + "\n")
	}
	if s.Visualization != "" {
		know = append(know, "both: "+s.Visualization)
	}
	b.WriteString(strings.Join(know, "\n") + "\nLambda cost of this tuning: " + money(first.Currency, 6, cost) + "\n\n")
	b.WriteString(strings.Join(append([]string{s.Recommendation}, last...), "\n") + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}
