package power

import (
	"fmt"
	"math"

	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Value is the result for one power value.
type Value struct {
	Value           int     `json:"value"`                     // MB
	AverageDuration float64 `json:"averageDuration,omitempty"` // ms, INIT and restore included, trimmed; 0 if it failed
	AveragePrice    float64 `json:"averagePrice,omitempty"`    // of an invocation, trimmed likewise, with the request fee
	TotalCost       float64 `json:"totalCost,omitempty"`       // of all its invocations, untrimmed

	Invocations int      `json:"invocations"`
	ColdStarts  int      `json:"coldStarts"`
	Duration    *Summary `json:"duration,omitempty"` // the sum
	Handler     *Summary `json:"handler,omitempty"`
	Init        *Summary `json:"init,omitempty"`    // of cold starts
	Restore     *Summary `json:"restore,omitempty"` // of cold starts with SnapStart
	Billed      *Summary `json:"billed,omitempty"`
	Course
}

// Course is what happened while a power value was measured.
type Course struct {
	MaxMemoryUsedMB int    `json:"maxMemoryUsedMB,omitempty"`
	Failed          string `json:"failed,omitempty"` // why nothing more is measured
	Throttles       int    `json:"throttles,omitempty"`
	Retries         int    `json:"retries,omitempty"`        // repeated calls, which the service or network lost
	FunctionErrors  int    `json:"functionErrors,omitempty"` // repeated invocations, which ended with an error
	LastError       string `json:"lastError,omitempty"`
	AllowedErrors   int    `json:"allowedErrors,omitempty"` // that allowedExceptions allows
}

// Summary describes a distribution, in ms. Percentiles for which there are too few values are absent.
type Summary struct {
	N           int         `json:"n"`
	Mean        float64     `json:"mean"`
	TrimmedMean float64     `json:"trimmedMean"`
	Min         float64     `json:"min"`
	P50         float64     `json:"p50"`
	P50Interval *[2]float64 `json:"p50Interval,omitempty"` // 95 % confidence
	P90         *float64    `json:"p90,omitempty"`
	P90Interval *[2]float64 `json:"p90Interval,omitempty"`
	P95         *float64    `json:"p95,omitempty"`
	P99         *float64    `json:"p99,omitempty"`
	Max         float64     `json:"max"`
}

// The least numbers of values for a percentile. With fewer values, it would be the largest value or nearly so.
const (
	minP90 = 10
	minP95 = 20
)

func summarise(d *Distribution, trim float64) *Summary {
	if d.N == 0 {
		return nil
	}
	s := &Summary{N: d.N, Min: d.Min, Max: d.Max}
	s.Mean, s.TrimmedMean, s.P50 = round(d.Mean()), round(d.TrimmedMean(trim)), round(d.Quantile(0.5))
	interval := func(q float64, least int) *[2]float64 {
		if ci, ok := d.Interval(q); ok && d.N >= least {
			return &[2]float64{round(ci.Lo), round(ci.Hi)}
		}
		return nil
	}
	s.P50Interval, s.P90Interval = interval(0.5, 0), interval(0.9, stat.MinTail)
	quantile := func(q float64, least int) *float64 {
		if d.N < least {
			return nil
		}
		return new(round(d.Quantile(q)))
	}
	s.P90, s.P95, s.P99 = quantile(0.9, minP90), quantile(0.95, minP95), quantile(0.99, stat.MinP99)
	return s
}

// round rounds to a tenth of a microsecond; REPORT has two decimals of a millisecond.
func round(ms float64) float64 { return math.Round(ms*1e4) / 1e4 }

// compatibleRate returns Power Tuning's price of a millisecond at 128 MB: the list's price, rounded up as in Power
// Tuning's table, without a request fee.
func compatibleRate(rate price.Rate) float64 { return math.Ceil(rate.GBSecond/8000*1e10-1e-6) / 1e10 }

// units is the unit of cost if no price is known.
const units = "GB-s"

// rateOf returns the price for the function's architecture and region. If none is known, cost is in GB-seconds,
// which sorts power values like any price.
func rateOf(t *price.Table, p *Plan) (rate price.Rate, warning string) {
	rate, ok := t.Rate(p.Region, p.Architecture)
	if !ok {
		warning = fmt.Sprintf("no price for %s (%s): cost in units of GB-seconds, without the request fee; "+
			"twinstart tune --prices FILE gives one", rate.Region, p.Architecture)
		rate.Currency, rate.GBSecond, rate.Request, rate.AsOf = units, 1, 0, ""
	}
	return rate, warning
}

// money formats an amount in a currency, or in units.
func money(currency string, digits int, x float64) string {
	if currency == price.USD {
		return fmt.Sprintf("$%.*f", digits, x)
	}
	return fmt.Sprintf("%.*f %s", digits, x, currency)
}
