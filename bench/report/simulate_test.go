package report

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/tools/need"
)

// simulate is the number of simulated reports for each row of the tables in docs/report.md. Without it the tests
// simulate a few hundred, to see that the error of claims does not get worse.
var simulate = flag.Int("simulate", 0, "simulated reports for each row of the tables in docs/report.md")

// TestFalseWinners counts reports that name a winner among arms that do not differ: 5 % over all claims.
func TestFalseWinners(t *testing.T) {
	need.Time(t)
	if *simulate > 0 {
		table := newTable("arms alike", "2 arms", "3 arms", "26 arms")
		for _, s := range same() {
			row := []string{s.name}
			for _, k := range []int{2, 3, 26} {
				s.k, s.n = k, 60
				wrong := s.count(*simulate, names())[0]
				if wrong > 0.06+2*math.Sqrt(0.05*0.95/float64(*simulate)) {
					t.Errorf("%s, %d arms: a winner in %.1f %% of reports", s.name, k, 100*wrong)
				}
				row = append(row, share(wrong))
			}
			table.add(row...)
		}
		table.print(t)
		return
	}
	const times = 150
	sum, n := 0.0, 0.0
	for i, s := range same() {
		if s.k, s.n = 2+i%2, 60; i%3 == 0 {
			sum, n = sum+s.count(times, names())[0], n+1
		}
	}
	if got := sum / n; got < 0.025 || got > 0.075 { // two standard errors of 600 reports around 5 %
		t.Errorf("a winner among arms that do not differ in %.1f %% of reports", 100*got)
	}
}

// TestEqualMedians: two arms have equal medians and different distributions. One may be usually faster, because their
// mean ranks differ. Neither has the lower median.
func TestEqualMedians(t *testing.T) {
	need.Time(t)
	times := 150
	if *simulate > 0 {
		times = *simulate
	}
	table := newTable("equal medians, 2 arms", "a lower median is claimed in %", "as it would be without the sequence")
	for _, s := range []scene{
		{name: "net/http ZIP, image", arms: []drawer{netHTTPZip.scaled(), netHTTPImage.scaled()}},
		{name: "net/http ZIP, raw TCP ZIP", arms: []drawer{netHTTPZip.scaled(), rawTCPZip.scaled()}},
		{name: "net/http image, raw TCP ZIP", arms: []drawer{netHTTPImage.scaled(), rawTCPZip.scaled()}},
		{name: "lognormal 0.05, 0.4", arms: []drawer{lognormal(0.05), lognormal(0.4)}},
	} {
		s.k, s.n = 2, 60
		alone := func(r *Report) bool {
			return r.medians(t).Told
		}
		claimed := func(r *Report) bool {
			return slices.ContainsFunc(r.Verdict.Claims, func(c *Claim) bool { return c.Clock == ClockInit && c.At == LowerMedian && c.Told() })
		}
		got := s.count(times, claimed, alone)
		if got[1] > 0.06+2*math.Sqrt(0.05*0.95/float64(times)) {
			t.Errorf("%s: a lower median in %.1f %% of reports", s.name, 100*got[1])
		}
		table.add(s.name, share(got[0]), share(got[1]))
	}
	table.print(t)
}

// medians compares the medians of the first two arms, whatever the result of the claims before.
func (r *Report) medians(t testing.TB) stat.Shift {
	c := newContest(side{source: record.AWS}, ClockInit, r.behind(), stat.Alpha)
	s, ok := c.quantile(0.5, c.arms).Pair(1, 0)
	if !ok {
		t.Fatal("no medians")
	}
	return s
}

// TestPower counts runs in which an arm that is faster is told from the others.
func TestPower(t *testing.T) {
	need.Time(t)
	if *simulate > 0 {
		lower := func(r *Report) bool {
			return slices.ContainsFunc(r.Verdict.Claims, func(c *Claim) bool { return c.Clock == ClockInit && c.At == LowerMedian && c.Told() })
		}
		table := newTable("one arm faster", "by 5 %, of 2: told, %", "its lower median, %", "by 20 %, of 26: told, %", "the only winner, %")
		for _, s := range same() {
			s.k, s.n, s.factors = 2, 60, []float64{1 / 1.05}
			two := s.count(5**simulate, tells(true), lower) // five times as many: 70 % is the goal, and the table must show single percents
			s.k, s.factors, s.primary = 26, []float64{0.8}, true
			many := s.count(*simulate, tells(false), tells(true))
			table.add(s.name, share(two[0]), share(two[1]), share(many[0]), share(many[1]))
		}
		table.print(t)
		return
	}
	s := scene{name: "common AR(1) 0.9, sd 0.2", arms: []drawer{lognormal(0.1)}, common: [2]float64{0.9, 0.2}, k: 2, n: 60, factors: []float64{1 / 1.05}}
	if got := s.count(300, tells(true))[0]; got < 0.65 { // 70 %, less two standard errors
		t.Errorf("5 %% are told in %.0f %% of runs", 100*got)
	}
	s = scene{arms: []drawer{lognormal(0.1)}, k: 26, n: 60, factors: []float64{0.8}, primary: true}
	if got := s.count(15, tells(true))[0]; got < 0.8 {
		t.Errorf("20 %% among 26 arms are told in %.0f %% of runs", 100*got)
	}
}

// tells reports whether the primary claim tells the first arm from another arm, or, with all, from all other arms.
func tells(all bool) func(*Report) bool {
	return func(r *Report) bool {
		i := slices.IndexFunc(r.Verdict.Claims, func(c *Claim) bool { return c.Primary })
		c := r.Verdict.Claims[i]
		if !c.Told() || !slices.Contains(c.Winners, "a/zip") {
			return false
		}
		return !all || len(c.Winners) == 1
	}
}

// TestOwnDependence: arms that do not differ. Each has its own AR(1) series, which rounds do not share.
func TestOwnDependence(t *testing.T) {
	if *simulate == 0 {
		t.Skip("a table of make simulate; package stat tests the correction")
	}
	table := newTable("each arm's own course", "2 arms", "3 arms", "26 arms")
	for _, s := range []scene{
		{name: "AR(1) 0.5", arms: []drawer{lognormal(0)}, own: [2]float64{0.5, 0.1}},
		{name: "AR(1) 0.5 and as much white noise", arms: []drawer{lognormal(0.1)}, own: [2]float64{0.5, 0.1}},
		{name: "AR(1) 0.8", arms: []drawer{lognormal(0)}, own: [2]float64{0.8, 0.1}},
	} {
		row := []string{s.name}
		for _, k := range []int{2, 3, 26} {
			s.k, s.n = k, 60
			row = append(row, share(s.count(*simulate, names())[0]))
		}
		table.add(row...)
	}
	table.print(t)
}

// TestCoverageOfPercentiles: how often the interval of a report holds the percentile.
func TestCoverageOfPercentiles(t *testing.T) {
	need.Time(t)
	times := 500
	if *simulate > 0 {
		times = 4000
	}
	table := newTable("interval of", "n", "exact, %", "lognormal 0.1, %", "8 % doubled, %", "net/http image, %")
	sources := []struct {
		draw  drawer
		truth func(q float64) float64
	}{
		{lognormal(0.1), func(q float64) float64 { return 40 * math.Exp(0.1*distuv.UnitNormal.Quantile(q)) }},
		{mixture, nil},
		{netHTTPImage.draw, netHTTPImage.at},
	}
	rng := rand.New(rand.NewPCG(8, 16))
	long := make([]float64, 400_000)
	for i := range long {
		long[i] = mixture(rng)
	}
	known := stat.NewSample(long)
	sources[1].truth = known.Quantile
	for _, n := range []int{20, 60, 100, 200, 1000} {
		for _, q := range []float64{0.5, 0.8, 0.9, 0.95, 0.99} {
			o, ok := stat.Order(n, q)
			if !ok {
				continue
			}
			row := []string{fmt.Sprintf("p%.0f", 100*q), fmt.Sprint(n), fmt.Sprintf("%.1f", 100*o.Coverage)}
			for i, s := range sources {
				rng := rand.New(rand.NewPCG(uint64(i), uint64(n)))
				held, truth := 0, s.truth(q)
				for range times {
					x := make([]float64, n)
					for k := range x {
						x[k] = s.draw(rng)
					}
					if ci, ok := stat.NewSample(x).Interval(q); ok && ci.Lo <= truth && truth <= ci.Hi {
						held++
					}
				}
				got := float64(held) / float64(times)
				if math.Abs(got-o.Coverage) > 0.01+2.5*math.Sqrt(0.05*0.95/float64(times)) {
					t.Errorf("%s of %d values: %.4f of intervals hold it, Order says %.4f", fmt.Sprintf("p%.0f", 100*q), n, got, o.Coverage)
				}
				row = append(row, fmt.Sprintf("%.1f", 100*got))
			}
			table.add(row...)
		}
	}
	table.print(t)
}
