// Package tuning writes the result of a tuning as one HTML page: the recommendation, the chart of time and cost against memory, the table of
// its figures.
package tuning

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/show/page"
)

const text = `{{define "hero"}}<div><h2 id="h-tuning">{{.Says}}</h2>
{{template "plot" .}}
<p class="note">Time is the mean Duration with INIT and restore, trimmed as discardTopBottom says; bars are 95 % intervals of the median. Cost has the request fee.{{if .Lab}} Lab, not AWS.{{end}}</p></div>{{end}}
{{define "main"}}{{range .Links}}<p class="note"><a href="{{.URL}}">{{.Text}}</a></p>{{end}}{{end}}`

var form = sync.OnceValue(func() *page.Form { return page.NewForm(text, "tuning") })

// body is what the form's own templates show.
type body struct {
	ID, Title, Says string
	Lab             bool
	Links           []link
}

type link struct{ Text, URL string }

// picture is the data part of the page: what its script draws. ms, and money per million invocations.
type picture struct {
	Source    string         `json:"source"`
	Currency  string         `json:"currency"`
	Functions []pictureCurve `json:"functions"`
}

type pictureCurve struct {
	Title  string         `json:"title"`
	Marks  []pictureMark  `json:"marks"`
	Values []pictureValue `json:"values"`
	Failed []int          `json:"failed"` // MB
}

type pictureMark struct {
	MB   int    `json:"mb"`
	Text string `json:"text"`
}

type pictureValue struct {
	MB   int         `json:"mb"`
	Ms   float64     `json:"ms"`
	CI   *[2]float64 `json:"ci"`
	P50  float64     `json:"p50"`
	Cost float64     `json:"cost"`
}

// Write writes the page of one function's tuning or of several's.
func Write(w io.Writer, s *power.Sweep) error {
	first := s.Functions[0]
	several := len(s.Functions) > 1
	lab := first.Source == "lab"
	b := body{ID: "tuning", Title: "Time and cost against memory", Lab: lab, Says: power.Extremes(first.ByPowerValue)}
	p := &page.Page{Title: "Power tuning: " + first.Title(), Kicker: "Twinstart power tuning", Heading: first.Title(), Badges: []page.Badge{{Kind: "aws", Text: "Measured on AWS"}},
		Answers: []page.Answer{{Question: "Which memory?", Answer: s.Recommendation}}}
	if lab {
		p.Badges = []page.Badge{{Kind: "lab", Text: "Durations are the lab's, not AWS's; cost is what AWS would bill for them"}}
	}
	figures := page.Part{ID: "figures", Title: "Figures", Open: true}
	know := page.Part{ID: "warnings", Title: "Warnings, and what was not measured", Lines: slices.Clone(s.Failed)}
	data := picture{Source: first.Source, Currency: first.Currency}
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
		data.Functions = append(data.Functions, curve(o, title))
		cost += o.StateMachine.LambdaCost
		for _, warning := range o.Warnings {
			if !slices.Contains(know.Lines, warning) {
				know.Lines = append(know.Lines, warning)
			}
		}
		b.Links = append(b.Links, link{title + " on lambda-power-tuning.show (nothing but the figures in the address leaves this page)", o.StateMachine.Visualization})
	}
	facts := []string{fmt.Sprintf("%d power values", len(first.ByPowerValue)), fmt.Sprintf("%d invocations of each", first.Num), "strategy " + string(first.Strategy), first.Kind(),
		fmt.Sprintf("seed %d", first.Seed), "prices of " + first.PriceRegion + " " + first.PricesAsOf, fmt.Sprintf("Lambda cost of this tuning %.6f %s", cost, first.Currency)}
	if first.StateMachine.Transitions > 0 {
		facts = append(facts, fmt.Sprintf("%d transitions of Step Functions, %.6f %s", first.StateMachine.Transitions, first.StateMachine.ExecutionCost, first.Currency))
	}
	if several {
		p.Heading = fmt.Sprintf("%d functions", len(s.Functions))
		p.Title, b.Says = "Power tuning: "+p.Heading, b.Title
		b.Links = append(b.Links, link{"Both curves on lambda-power-tuning.show", s.Visualization})
	}
	for _, f := range facts {
		p.Facts = append(p.Facts, page.Fact{Text: f})
	}
	p.Parts = []page.Part{figures}
	if n := len(know.Lines); n > 0 {
		p.Facts = append(p.Facts, page.Fact{Text: fmt.Sprintf("%d to know", n), To: know.ID})
		p.Parts = append(p.Parts, know)
	}
	b.Links = slices.DeleteFunc(b.Links, func(l link) bool { return l.URL == "" })
	p.Body, p.Data = b, data
	return form().Write(w, p)
}

func curve(o *power.Output, title string) pictureCurve {
	c := pictureCurve{Title: title, Failed: []int{}, Values: []pictureValue{}, Marks: []pictureMark{}}
	if o.Power > 0 {
		c.Marks = append(c.Marks, pictureMark{o.Power, "best"})
	}
	if cheapest, fastest := power.Ends(o.ByPowerValue); cheapest != nil {
		c.Marks = append(c.Marks, pictureMark{cheapest.Value, "cheapest"}, pictureMark{fastest.Value, "fastest"})
	}
	for _, v := range o.ByPowerValue {
		if v.Failed != "" {
			c.Failed = append(c.Failed, v.Value)
			continue
		}
		c.Values = append(c.Values, pictureValue{v.Value, v.AverageDuration, v.Duration.P50Interval, v.Duration.P50, v.AveragePrice * 1e6})
	}
	return c
}
