package compare

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report"
)

// Expression is a limit that NEW must keep:
//
//	expression = [ arms ":" ] metric [ "." quantile ] ">" amount
//	arms       = glob of arm ids, such as nethttp/* or */zip; if left out, all
//	metric     = init | cold | wait | warm | memory | initReadKiB | package
//	quantile   = median | p90 | p95 | p99; if left out, the median
//	amount     = number ( "%" | "ms" | "KiB" | "MB" )
//
// NEW breaks it if its figure exceeds OLD's by more than amount and the two are told apart, so noise breaks no limit.
// An amount in "%" is relative to OLD's figure; any other unit must be the metric's own.
type Expression struct {
	Text     string
	Arms     string // glob; "" for all
	Metric   string
	Quantile float64
	Limit    float64
	Relative bool // Limit is a share of OLD's figure
}

var quantileNames = map[string]float64{"median": 0.5, "p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

// ParseExpression reads an expression. Its errors say what an expression is.
func ParseExpression(text string) (e Expression, err error) {
	fail := func(format string, args ...any) (Expression, error) {
		return Expression{}, fmt.Errorf("reading %q: %s; an expression is [ARMS:]METRIC[.QUANTILE]>AMOUNT, "+
			"such as init>5%%, */zip:cold.p95>10%% or wait>2ms", text, fmt.Sprintf(format, args...))
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
