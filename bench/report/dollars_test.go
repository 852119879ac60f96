package report

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// row returns a lever. ratio is its cold total divided by the baseline's, and told says whether the two are told apart.
// month is its extra cost a month, with the standard deviation sd.
func row(name string, ratio float64, told bool, month, sd float64) Lever {
	return Lever{Lever: name, Level: "x", Gains: Gains{{Clock: ClockTotal, Ratio: ratio, Ms: 100 * (ratio - 1), Told: told}},
		Dollars: Dollars{Month: &month, MonthCI: &[2]float64{month - 2*sd, month + 2*sd}, sd: sd}}
}

// The next lever is chosen by latency and by dollars, among levers that are told apart. Dollars are told apart only if
// a clock told a lever apart.
func TestNextLever(t *testing.T) {
	twin := row(arm.Twin, 0.5, true, -9, 0.01)
	for name, c := range map[string]struct {
		rows []Lever
		want string
		sure string
	}{
		"nothing told":  {[]Lever{row("a", 0.5, false, -1, 0.01)}, "no lever is shown to cut latency; no lever is shown to cut cost (for 1 million calls a month, 1 % of them cold)", aTie},
		"latency alone": {[]Lever{twin, row("a", 0.8, true, 1, 5), row("b", 0.9, true, -1, 5)}, "is a x: 20.00 ms less per cold start (-20 % [-100, -100]), 0.20 ms less per call, at +1.000 [-9.000, +11.000] USD; no lever is shown to cut cost", toldApart},
		"both, two":     {[]Lever{twin, row("a", 0.8, true, 1, 5), row("b", 0.9, false, -1, 0.01)}, "; to cut cost it is b x, -1.000 [-1.020, -0.980] USD", toldApart},
		"both, one":     {[]Lever{row("a", 0.8, true, -1, 0.1), row("b", 1.2, true, 1, 0.1)}, "; to cut cost it is a x, -1.000 ", toldApart},
		"dollars alone": {[]Lever{row("a", 1.2, true, 1, 0.1), row("b", 1, false, -1, 0.01)}, "no lever is shown to cut latency; to cut cost it is b x, -1.000 [-1.020, -0.980] USD", toldApart},
	} {
		l := Levers{Baseline: "base", Monthly: 1e6, Share: 0.01, Rows: c.rows}
		l.tellDollars(stat.Alpha)
		if a := l.answer(); !strings.Contains(a.Answer, c.want) || a.Sure != c.sure {
			t.Errorf("%s: %s, %s", name, a.Answer, a.Sure)
		}
	}
}

func TestDollarsOfAMonth(t *testing.T) {
	var x, y ArmCost
	for i := range 1000 {
		x.draws, y.draws = append(x.draws, 2+float64(i%10)/10), append(y.draws, 3)
	}
	x.USD, y.USD = 2.45, 3
	d := x.less(&y)
	d.month(2e6, 10)
	if diff := cmp.Diff([]float64{-0.55, -1, -0.1, 8.9, 8, 9.8}, []float64{*d.USD, d.USDCI[0], d.USDCI[1], *d.Month, d.MonthCI[0], d.MonthCI[1]}); diff != "" || math.Abs(d.sd-0.575) > 0.001 {
		t.Errorf("%+v: %s", d, diff)
	}
	x.draws = nil
	if d := x.less(&y); d.USD == nil || d.USDCI != nil || d.sd != 0 || (*ArmCost)(nil).less(&y).USD != nil {
		t.Errorf("want a difference without an interval: %+v", d)
	}
}

// Guides skip five calls of one environment and take the median of the next hundred. They ignore other environments.
func TestGuided(t *testing.T) {
	var environments [][]float64
	for i, n := range []int{104, 105, 200} {
		e := make([]float64, n)
		for k := range e {
			if e[k] = float64(10 * i); k < 5 || k >= 105 {
				e[k] = 1000
			}
		}
		environments = append(environments, e)
	}
	m := &measured{group: &group{}, row: &Arm{}, environments: environments}
	if d := cmp.Diff(&Guided{Median: 10, Least: 10, Most: 20, Environments: 2}, guided(m)); d != "" {
		t.Error(d)
	}
	m.environments = environments[:1]
	if g := guided(m); g != nil {
		t.Errorf("want nothing from 104 calls: %+v", g)
	}
}
