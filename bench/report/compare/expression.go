package compare

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Expression is a limit that a comparison must keep:
//
//	expression = [ arms ":" ] metric [ "." quantile ] ">" amount
//	arms       = glob of arm ids, such as nethttp/* or */zip; all where it is left out
//	metric     = init | cold | wait | warm | memory | initReadKiB | package
//	quantile   = median | p90 | p95 | p99; median where it is left out
//	amount     = number ( "%" | "ms" | "KiB" | "MB" )
//
// It is broken if the new figure exceeds the old one by more than amount and the two are told apart, so noise breaks
// nothing. An amount in "%" is relative to the old figure; any other unit must be the metric's own.
type Expression struct {
	Text     string
	Arms     string // glob; "" for all
	Metric   string
	Quantile float64
	Limit    float64
	Relative bool // Limit is a share of the old figure
}

// Failure is a row that breaks an expression.
type Failure struct {
	Expression string      `json:"expression"`
	Arm        string      `json:"arm"`
	Metric     string      `json:"metric"`
	At         string      `json:"at"`
	Old        float64     `json:"old"`
	New        float64     `json:"new"`
	Unit       string      `json:"unit"`
	Ratio      *float64    `json:"ratio"`      // from the test
	CI         *[2]float64 `json:"ratio_ci95"` // KiB read at which they do
	P          *float64    `json:"p"`
}

func (f Failure) String() string {
	change := ""
	if f.Old > 0 {
		change = fmt.Sprintf(" (%+.1f %%)", 100*(f.New/f.Old-1))
	}
	p := ""
	if f.P != nil {
		p = ", " + probability(*f.P)
	}
	if f.CI != nil {
		p = fmt.Sprintf(", ratio %.2f [%.2f, %.2f]", *f.Ratio, f.CI[0], f.CI[1]) + p
	}
	return fmt.Sprintf("%s: %s %s at the %s is %s %s, was %s%s%s", f.Expression, f.Arm, f.Metric, f.At, figure(f.New), f.Unit, figure(f.Old), change, p)
}

var quantileNames = map[string]float64{"median": 0.5, "p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

// ParseExpression reads an expression.
func ParseExpression(text string) (e Expression, err error) {
	fail := func(format string, args ...any) (Expression, error) {
		return Expression{}, fmt.Errorf("reading %q: %s; an expression is [ARMS:]METRIC[.QUANTILE]>AMOUNT, such as init>5%%, */zip:cold.p95>10%% or wait>2ms", text, fmt.Sprintf(format, args...))
	}
	left, amount, ok := strings.Cut(strings.ReplaceAll(text, " ", ""), ">")
	if !ok {
		return fail("it has no >")
	}
	e = Expression{Text: text, Quantile: 0.5}
	if i := strings.LastIndexByte(left, ':'); i >= 0 {
		e.Arms, left = left[:i], left[i+1:]
		if _, err := path.Match(e.Arms, ""); err != nil || e.Arms == "" {
			return fail("%q is not a valid pattern of arms", e.Arms)
		}
	}
	name, quantile, hasQuantile := strings.Cut(left, ".")
	metrics := report.Metrics()
	i := slices.IndexFunc(metrics, func(m report.Metric) bool { return m.Name == name })
	if i < 0 {
		known := list.Map(metrics, func(m report.Metric) string { return m.Name })
		return fail("%q is not a metric: use %s", name, strings.Join(known, ", "))
	}
	e.Metric = name
	if hasQuantile {
		if e.Quantile, ok = quantileNames[quantile]; !ok {
			return fail("%q is not a quantile: use median, p90, p95 or p99", quantile)
		}
		if metrics[i].Exact || name == "warm" && e.Quantile > 0.5 {
			return fail("%s has no quantiles: an arm has too few independent values of it", name)
		}
	}
	unit := strings.TrimLeft(amount, "+-0123456789.eE")
	e.Limit, err = strconv.ParseFloat(strings.TrimSuffix(amount, unit), 64)
	switch {
	case err != nil || !(e.Limit >= 0) || e.Limit > 1e12:
		return fail("%q is not an amount: want a number >= 0 with %% or %s", amount, metrics[i].Unit)
	case unit == "%":
		e.Relative, e.Limit = true, e.Limit/100
	case unit != metrics[i].Unit:
		return fail("%s is in %s: %q is not in %% or %s", name, metrics[i].Unit, amount, metrics[i].Unit)
	}
	return e, nil
}

// UnmarshalText reads an expression, for a flag.
func (e *Expression) UnmarshalText(text []byte) (err error) {
	*e, err = ParseExpression(string(text))
	return err
}

// Check adds the rows that break an expression to Failed. It returns an error if an expression cannot be judged,
// because no arm has the metric or an arm has too few values: a limit that cannot fail guards nothing.
func (c *Comparison) Check(expressions []Expression) error {
	c.limits = len(expressions)
	for _, e := range expressions {
		var rows []*Row
		for _, r := range c.Rows {
			if ok, _ := path.Match(e.Arms, r.id); r.Metric == e.Metric && (e.Arms == "" || ok) {
				rows = append(rows, r)
			}
		}
		blind, why := 0, ""
		for _, r := range rows {
			f, broken, few := e.judge(r, stat.Sidak(c.Alpha, len(rows)), len(rows))
			if few != "" {
				blind, why = blind+1, fmt.Sprintf("%s: %s", r.Arm, few)
			} else if broken {
				c.Failed = append(c.Failed, f)
			}
		}
		switch {
		case len(rows) == 0:
			return fmt.Errorf("%s cannot be judged: no arm of both runs that it names has %s", e.Text, e.Metric)
		case blind > 0:
			return fmt.Errorf("%s cannot be judged for %d of %d arms: %s; measure more (twinstart plan says how many)", e.Text, blind, len(rows), why)
		}
	}
	return nil
}

// judge reports whether a row breaks the limit, or why that cannot be judged. tests is the number of rows that are
// tested.
func (e Expression) judge(r *Row, level float64, tests int) (f Failure, broken bool, blind string) {
	f = Failure{Expression: e.Text, Arm: r.Arm, Metric: r.Metric, At: "median", Old: r.Old.Median, New: r.New.Median, Unit: r.Unit, Ratio: r.Ratio, CI: r.CI, P: r.P}
	broken, blind = r.Told, r.Blind
	if q := e.Quantile; q != 0.5 {
		f.At, f.Old, f.New = fmt.Sprintf("p%.0f", 100*q), round(r.old.Quantile(q)), round(r.new.Quantile(q))
		s := r.quantile(q, level)
		f.P, broken, f.Ratio, f.CI = new(adjust(s.P, tests)), s.Told, new(round(math.Exp(s.Estimate))), &[2]float64{round(math.Exp(s.CI.Lo)), round(math.Exp(s.CI.Hi))}
		if tail, ok := stat.Tail(min(r.Old.N, r.New.N)); !ok || tail < q {
			blind = fmt.Sprintf("%d against %d values are too few for %s", r.Old.N, r.New.N, f.At)
		}
	}
	limit := e.Limit
	if e.Relative {
		limit *= f.Old
	}
	return f, broken && f.New-f.Old > limit, blind
}

// quantile compares a quantile of the two runs by resampling each.
func (r *Row) quantile(q, level float64) stat.Shift {
	draws := stat.Draws{stat.Rounds{r.new.InOrder()}.Quantile(q, 1, 1)[0], stat.Rounds{r.old.InOrder()}.Quantile(q, 1, 2)[0]}
	s, _ := stat.Ratios([]float64{r.new.Quantile(q), r.old.Quantile(q)}, draws, level).Pair(0, 1)
	return s
}
