// Package tuning writes the result of a tuning as one HTML page: the chart of time and cost against memory, the table of its figures, the
// recommendation. The page needs nothing else, neither server nor network.
package tuning

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"sync"

	"github.com/twinstart/twinstart/bench/measure/power"
	parts "github.com/twinstart/twinstart/bench/show/page"
)

//go:embed page.tmpl
var text string

var common = sync.OnceValues(func() (c struct {
	tmpl    *template.Template
	program string
}, err error,
) {
	if c.program, err = parts.Program("draw", "labels", "frame", "tuning"); err != nil {
		return c, err
	}
	c.tmpl, err = template.New("page").Parse(text)
	return c, err
})

// view is what the template shows.
type view struct {
	Policy           string
	Style            template.CSS
	Library, Program template.JS
	Data             template.JS

	Title          string
	Currency       string
	Lab            bool
	Badge          string
	Facts          []string
	Recommendation string
	Functions      []function
	Warnings       []string
	Failed         []string
	Compare        string // URL; "" unless there are two
	Pairs          [][2]string
}

// function is one that was tuned.
type function struct {
	Title string
	Rows  []row
	URL   string
	Own   string // its own recommendation, where there are several
}

// row is a power value. Cells are those of columns.
type row struct {
	Best  bool
	Cells []string
}

// picture is the data part of the page: what its script draws. ms, and money per million invocations.
type picture struct {
	Source    string         `json:"source"`
	Currency  string         `json:"currency"`
	Functions []pictureCurve `json:"functions"`
}

type pictureCurve struct {
	Title  string         `json:"title"`
	Best   int            `json:"best"` // MB
	Values []pictureValue `json:"values"`
	Failed []int          `json:"failed"` // MB
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
	c, err := common()
	if err != nil {
		return err
	}
	v, data := show(s)
	encoded, err := json.Marshal(data) // escapes <, > and &, so that no name can end the script element
	if err != nil {
		return err
	}
	v.Policy = parts.Policy(parts.Library(), c.program)
	v.Style, v.Library, v.Program = template.CSS(parts.Style()), template.JS(parts.Library()), template.JS(c.program) //nolint:gosec // the program's own files
	v.Data = template.JS(encoded)                                                                                     //nolint:gosec // escaped by json.Marshal
	return c.tmpl.Execute(w, v)
}

func show(s *power.Sweep) (*view, *picture) {
	first := s.Functions[0]
	v := &view{Title: first.Title(), Currency: first.Currency, Recommendation: s.Recommendation, Lab: first.Source == "lab", Badge: "Measured on AWS", Failed: s.Failed, Compare: s.Visualization}
	if v.Lab {
		v.Badge = "Durations are the lab's, not AWS's; cost is what AWS would bill for them"
	}
	if len(s.Functions) > 1 {
		v.Title = fmt.Sprintf("%d functions", len(s.Functions))
	}
	data := &picture{Source: first.Source, Currency: first.Currency}
	seen := map[string]bool{}
	lambdaCost := 0.0
	for _, o := range s.Functions {
		f, curve := showFunction(o, len(s.Functions) > 1)
		v.Functions, data.Functions = append(v.Functions, f), append(data.Functions, curve)
		lambdaCost += o.StateMachine.LambdaCost
		for _, warning := range o.Warnings {
			if !seen[warning] {
				seen[warning] = true
				v.Warnings = append(v.Warnings, warning)
			}
		}
	}
	v.Facts = []string{fmt.Sprintf("%d power values", len(first.ByPowerValue)), fmt.Sprintf("%d invocations of each", first.Num), "strategy " + string(first.Strategy), first.Kind()}
	if len(s.Functions) > 1 {
		v.Facts = v.Facts[:3]
	}
	v.Pairs = [][2]string{{"seed of the order", fmt.Sprint(first.Seed)}, {"prices of", first.PriceRegion + " " + first.PricesAsOf}, {"Lambda cost of this tuning", fmt.Sprintf("%.6f %s", lambdaCost, first.Currency)}}
	if first.StateMachine.Transitions > 0 {
		v.Pairs = append(v.Pairs, [2]string{"Step Functions", fmt.Sprintf("%d transitions, %.6f %s", first.StateMachine.Transitions, first.StateMachine.ExecutionCost, first.Currency)})
	}
	return v, data
}

func showFunction(o *power.Output, several bool) (function, pictureCurve) {
	f := function{Title: o.Title(), URL: o.StateMachine.Visualization}
	if several {
		f.Title += ", " + o.Kind()
		f.Own = o.Recommendation
	}
	curve := pictureCurve{Title: f.Title, Best: o.Power, Failed: []int{}, Values: []pictureValue{}}
	for _, value := range o.ByPowerValue {
		f.Rows = append(f.Rows, row{value.Failed == "" && value.Value == o.Power, value.Cells()})
		if value.Failed != "" {
			curve.Failed = append(curve.Failed, value.Value)
			continue
		}
		curve.Values = append(curve.Values, pictureValue{value.Value, value.AverageDuration, value.Duration.P50Interval, value.Duration.P50, value.AveragePrice * 1e6})
	}
	return f, curve
}

// Columns are the heads of the tables.
func (v *view) Columns() []string { return power.Columns(v.Currency) }
