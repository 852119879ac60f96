package power

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/report/price"
)

// Output has all fields of the output of Power Tuning 4.4.0, and our additions.
type Output struct {
	Choice                    // the best power value by the strategy
	StateMachine StateMachine `json:"stateMachine"`
	Stats        []Stat       `json:"stats,omitempty"` // with includeOutputResults

	Source         string   `json:"source"` // aws or lab
	Seed           uint32   `json:"seed"`
	Num            int      `json:"num"`
	Strategy       Strategy `json:"strategy"`
	Memory         int      `json:"memory"` // MB, before the tuning
	PriceRegion    string   `json:"priceRegion"`
	PricesAsOf     string   `json:"pricesAsOf,omitempty"` // date of the price list
	Currency       string   `json:"currency"`             // USD, CNY, or GB-s if no price is known
	Percentiles    *Summary `json:"percentiles"`          // of the duration at the best power value
	ByPowerValue   []Value  `json:"byPowerValue"`
	Recommendation string   `json:"recommendation"`
	Warnings       []string `json:"warnings,omitempty"`
	Optimised      string   `json:"optimised,omitempty"`    // what autoOptimize changed
	NotOptimised   string   `json:"notOptimised,omitempty"` // why autoOptimize could not change everything
	DryRun         bool     `json:"dryRun,omitempty"`

	balancedWeight float64
}

// StateMachine says what the tuning itself cost.
type StateMachine struct {
	ExecutionCost float64 `json:"executionCost"` // of Step Functions; 0 without a state machine
	LambdaCost    float64 `json:"lambdaCost"`    // of the tuned function's invocations
	Visualization string  `json:"visualization"`
	Transitions   int     `json:"transitions,omitempty"`
}

// Stat is a power value as Power Tuning reports it.
type Stat struct {
	AveragePrice    float64 `json:"averagePrice"`
	AverageDuration float64 `json:"averageDuration"`
	Value           int     `json:"value"`
}

// analyse turns the measured values into the output. transitions is 0 without a state machine.
func analyse(in Input, p *Plan, values []Value, prices *price.Table, transitions int) (*Output, error) {
	rate, warning := rateOf(prices, p)
	for _, power := range p.Powers { // every planned value is in the output
		if !slices.ContainsFunc(values, func(v Value) bool { return v.Value == power }) {
			why := cmp.Or(p.Refused[power], "measuring it had no result")
			values = append(values, Value{Value: power, Course: Course{Failed: why}})
		}
	}
	slices.SortFunc(values, func(a, b Value) int { return a.Value - b.Value })
	all := cells(values)
	chosen, err := best(all, in.Strategy, in.BalancedWeight)
	if err != nil {
		return nil, err
	}
	out := &Output{
		Choice: Choice{Function: p.Function, Architecture: string(p.Architecture), PackageType: p.PackageType},
		Source: "aws", Seed: p.Seed, Num: p.Num, Strategy: in.Strategy, balancedWeight: in.BalancedWeight, DryRun: in.DryRun,
		Memory: p.Memory, PriceRegion: rate.Region, PricesAsOf: rate.AsOf, Currency: rate.Currency,
		Percentiles: chosen.Duration, ByPowerValue: values,
	}
	out.Power, out.Cost, out.Duration = chosen.Value.Value, chosen.AveragePrice, chosen.AverageDuration
	out.StateMachine.Transitions, out.StateMachine.ExecutionCost = transitions, rate.Transition*float64(transitions)
	out.StateMachine.Visualization = CurveOf("", values).URL(visualizationBase(rate.Currency))
	for _, v := range values {
		out.StateMachine.LambdaCost += v.TotalCost
		if in.IncludeResults && v.Failed == "" {
			out.Stats = append(out.Stats, Stat{v.AveragePrice, v.AverageDuration, v.Value})
		}
	}
	out.Warnings = append(slices.Clone(p.Warnings), warnings(p, values)...)
	if warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	opening := "Set the memory to " + chosen.label
	if out.Power == p.Memory {
		opening = fmt.Sprintf("Leave the memory at %d MB", p.Memory)
	}
	out.Recommendation = recommend(in, opening, all, chosen, rate.Currency)
	return out, nil
}

// Title returns the function's name for people.
func (o *Output) Title() string {
	return cmp.Or(o.Name, o.Function[strings.LastIndex(o.Function, ":")+1:])
}

// Kind describes the function apart from its memory: "arm64, zip".
func (o *Output) Kind() string {
	return strings.TrimSuffix(o.Architecture+", "+strings.ToLower(o.PackageType), ", ")
}

// VisualizationBase is the page that draws a result. Everything after # stays in the browser.
const VisualizationBase = "https://lambda-power-tuning.show/"

// visualizationBase returns that page with an axis in the currency, as Power Tuning does for amounts that are not
// in USD.
func visualizationBase(currency string) string {
	if currency == price.USD {
		return VisualizationBase
	}
	return VisualizationBase + "?currency=" + currency
}

// Curve is what the page draws: time and cost against memory.
type Curve struct {
	Name  string  // in a comparison
	Sizes []int16 // MB, ascending; 10240 at most
	Times []float32
	Costs []float32 // of an invocation
}

// CurveOf returns the curve of the power values that did not fail.
func CurveOf(name string, values []Value) Curve {
	c := Curve{Name: name}
	sorted := slices.SortedFunc(slices.Values(values), func(a, b Value) int { return a.Value - b.Value })
	for _, v := range sorted {
		if v.Failed == "" {
			c.Sizes = append(c.Sizes, int16(v.Value))
			c.Times = append(c.Times, float32(v.AverageDuration))
			c.Costs = append(c.Costs, float32(v.AveragePrice))
		}
	}
	return c
}

// URL returns the page of one curve: sizes as int16, times and costs as float32, little-endian, each in base64.
func (c Curve) URL(base string) string { return base + "#" + c.encode() }

// CompareURL returns the page of two curves with their names.
func CompareURL(base string, a, b Curve) string {
	return base + "#" + strings.Join([]string{a.encode(), b.encode(), url.PathEscape(a.Name), url.PathEscape(b.Name)}, ";")
}

func (c Curve) encode() string {
	return strings.Join([]string{pack(c.Sizes), pack(c.Times), pack(c.Costs)}, ";")
}

func pack(numbers any) string {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, numbers); err != nil {
		panic(err) // slices of numbers can always be written
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
