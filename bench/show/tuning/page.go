// Package tuning writes the result of a tuning as an HTML page: the recommendation, a chart of time (ms) and cost
// against memory (MB), and a table. If the lab measured, the page says that its times are not AWS's.
package tuning

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/show/page"
)

//go:embed tuning.tmpl
var text string

var form = sync.OnceValue(func() *page.Form { return page.NewForm(text, "tuning") })

// body is the data of the form's own templates.
type body struct {
	ID, Title string
	Lab       bool
	Links     []link
}

type link struct{ Text, URL string }

// curve is a function's tuning as the script draws it.
type curve struct {
	*power.Output
	Title string `json:"title"`
	Marks []mark `json:"marks"`
}

type mark struct {
	MB   int    `json:"mb"`
	Text string `json:"text"`
}

// Write writes the page of a tuning of one or several functions.
func Write(w io.Writer, s *power.Sweep) error {
	first := s.Functions[0]
	several := len(s.Functions) > 1
	lab := first.Source == "lab"
	b := body{ID: "tuning", Title: "Time and cost against memory", Lab: lab}
	badge := page.Badge{Kind: "aws", Text: "Measured on AWS"}
	if lab {
		badge = page.Badge{Kind: "lab", Text: "Durations are the lab's, not AWS's; cost is what AWS would bill for them"}
	}
	p := &page.Page{Title: "Power tuning: " + first.Title(), Kicker: "Twinstart power tuning", Heading: first.Title(),
		Badges: []page.Badge{badge}, Answers: []page.Answer{{Question: "Which memory?", Answer: s.Recommendation}}}
	figures := page.Part{ID: "figures", Title: "Figures", Open: true}
	know := page.Part{ID: "warnings", Title: "Warnings, and what was not measured", Lines: slices.Clone(s.Failed)}
	var curves []curve
	cost := 0.0
	for i, o := range s.Functions {
		title := o.Title()
		if several {
			title += ", " + o.Kind()
			p.Answers = append(p.Answers, page.Answer{Question: o.Title(), Answer: o.Recommendation})
		}
		t := power.Table(o)
		t.ID, t.Title = fmt.Sprint(i), title
		figures.Tables = append(figures.Tables, t)
		curves = append(curves, curve{o, title, marks(o)})
		cost += o.StateMachine.LambdaCost
		know.Lines = list.Add(know.Lines, o.Warnings...)
		b.Links = append(b.Links, link{title + " on lambda-power-tuning.show (the link holds only these figures)",
			o.StateMachine.Visualization})
	}
	fact := func(format string, args ...any) {
		p.Facts = append(p.Facts, page.Fact{Text: fmt.Sprintf(format, args...)})
	}
	fact("%d power values, %d invocations of each", len(first.ByPowerValue), first.Num)
	fact("strategy %s, seed %d", first.Strategy, first.Seed)
	fact("%s", first.Kind())
	fact("prices of %s %s", first.PriceRegion, first.PricesAsOf)
	fact("Lambda cost of this tuning %.6f %s", cost, first.Currency)
	if m := first.StateMachine; m.Transitions > 0 {
		fact("%d transitions of Step Functions, %.6f %s", m.Transitions, m.ExecutionCost, first.Currency)
	}
	if several {
		p.Heading = fmt.Sprintf("%d functions", len(s.Functions))
		p.Title = "Power tuning: " + p.Heading
		b.Links = append(b.Links, link{"Both curves on lambda-power-tuning.show", s.Visualization})
	}
	p.Parts = []page.Part{figures}
	if n := len(know.Lines); n > 0 {
		p.Facts = append(p.Facts, page.Fact{Text: fmt.Sprintf("warnings and failures: %d", n), To: know.ID})
		p.Parts = append(p.Parts, know)
	}
	b.Links = slices.DeleteFunc(b.Links, func(l link) bool { return l.URL == "" })
	p.Body, p.Data = b, curves
	return form().Write(w, p)
}

// marks returns the power values that stand out.
func marks(o *power.Output) []mark {
	out := []mark{}
	if o.Power > 0 {
		out = append(out, mark{o.Power, "best"})
	}
	if cheapest, fastest := power.Ends(o.ByPowerValue); cheapest != nil {
		out = append(out, mark{cheapest.Value, "cheapest"}, mark{fastest.Value, "fastest"})
	}
	return out
}
