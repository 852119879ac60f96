package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// quantiles is a published distribution: shares and times. Draws lie between neighbouring percentiles.
type quantiles [][2]float64

// Init Duration in ms of the published packaging experiment. The first and the last value are guesses: no minimum or
// maximum was published.
var (
	netHTTPZip   = quantiles{{0, 39.6}, {0.2, 40.41}, {0.4, 40.92}, {0.6, 41.16}, {0.8, 47.30}, {0.95, 49.15}, {1, 53}}
	netHTTPImage = quantiles{{0, 22}, {0.2, 25.71}, {0.4, 28.21}, {0.5, 29.80}, {0.6, 31.88}, {0.8, 36.46}, {0.9, 59.3}, {0.95, 67.45}, {1, 76}}
	rawTCPZip    = quantiles{{0, 19.4}, {0.2, 19.99}, {0.4, 20.24}, {0.6, 20.82}, {0.8, 23.74}, {0.95, 24.62}, {1, 27}}
)

func (q quantiles) at(u float64) float64 {
	i := 1
	for q[i][0] < u {
		i++
	}
	a, b := q[i-1], q[i]
	return a[1] + (b[1]-a[1])*(u-a[0])/(b[0]-a[0])
}

func (q quantiles) draw(rng *rand.Rand) float64 { return q.at(rng.Float64()) }

type drawer func(*rand.Rand) float64

func lognormal(sd float64) drawer {
	return func(rng *rand.Rand) float64 { return 40 * math.Exp(sd*rng.NormFloat64()) }
}

// mixture draws from lognormal(0.1); one start in twelve takes twice as long.
func mixture(rng *rand.Rand) float64 {
	x := lognormal(0.1)(rng)
	if rng.Float64() < 0.08 {
		x *= 2
	}
	return x
}

// ar1 is a stationary series of logs with the standard deviation sd.
func ar1(rng *rand.Rand, rho, sd float64) func() float64 {
	x := sd * rng.NormFloat64()
	return func() float64 {
		out := x
		x = rho*x + sd*math.Sqrt(1-rho*rho)*rng.NormFloat64()
		return out
	}
}

// scene says how arms behave. An arm's value is a draw from its drawer, times the round's factor for all arms, times a
// factor of the arm's own series.
type scene struct {
	name    string
	arms    []drawer   // taken in turn
	factors []float64  // of the first arms; 1 for the rest
	drift   float64    // linear over the run, the same for all arms
	common  [2]float64 // rho and sd of an AR(1) that all arms share
	own     [2]float64 // rho and sd of each arm's own AR(1)
	k, n    int        // arms and rounds
	primary bool       // test the primary claim only: all claims of 26 arms that differ take seconds
}

// claims runs the experiment and judges it. It leaves out the rest of a report, because the rest claims something only
// if the primary claim does. First Durations and waits are independent of INIT, so that later claims can err too.
func (s scene) claims(seed uint64) *Report {
	rng := rand.New(rand.NewPCG(seed, 16))
	b := newBuilder(Options{Seed: seed})
	shared := ar1(rng, s.common[0], s.common[1])
	own := make([]func() float64, s.k)
	for i := range own {
		own[i] = ar1(rng, s.own[0], s.own[1])
	}
	cents := func(x float64) *float64 { return new(math.Round(100*x) / 100) }
	add := func(i, round int, start record.Start, init float64) {
		name := string(rune('a' + i))
		r := &record.Record{Schema: record.Schema, Source: record.AWS, Arm: name + "/zip", Bootstrap: name, Package: arm.ZIP, Architecture: arm.ARM64, MemorySizeMB: 1024,
			Start: start, Round: round, Environment: round, DurationMs: cents(1.5 * math.Exp(0.2*rng.NormFloat64()))}
		r.ClientDurationMs = cents(*r.DurationMs + 20*math.Exp(0.2*rng.NormFloat64()))
		if start == record.Cold {
			r.InitDurationMs = cents(init)
			*r.ClientDurationMs += init
		}
		b.add(r, "simulated")
	}
	for round := 1; round <= s.n; round++ {
		all := shared() + s.drift*float64(round)/float64(s.n)
		for i := range s.k {
			factor := 1.0
			if i < len(s.factors) {
				factor = s.factors[i]
			}
			add(i, round, record.Cold, factor*s.arms[i%len(s.arms)](rng)*math.Exp(all+own[i]()))
		}
	}
	for round := 1; round <= 10; round++ {
		for i := range s.k {
			add(i, round, record.Warm, 0)
		}
	}
	rep := &Report{Alpha: stat.Alpha}
	all := make([]*measured, len(b.order))
	for i, g := range b.order {
		all[i] = measure(g, g.arm, seed+uint64(i))
		rep.Arms = append(rep.Arms, &Arm{of: all[i]})
	}
	pairRounds(all)
	if s.primary {
		primary := &sequence{rep: rep, side: side{source: record.AWS}, contests: []map[Clock]*contest{{ClockInit: newContest(side{source: record.AWS}, ClockInit, all, stat.Alpha)}}}
		primary.step(ClockInit, UsuallyFaster, (*contest).usuallyClaim)
		rep.Verdict.Claims = primary.claims
		return rep
	}
	b.judge(rep, all)
	return rep
}

// behind returns the samples of the report's arms.
func (r *Report) behind() (all []*measured) {
	for _, a := range r.Arms {
		all = append(all, a.of)
	}
	return all
}

// count runs the scene many times. It returns the share of reports for which each function returns true.
func (s scene) count(times int, is ...func(*Report) bool) []float64 {
	var wait sync.WaitGroup
	var next atomic.Int64
	found := make([]atomic.Int64, len(is))
	for range 2 {
		wait.Go(func() {
			for i := next.Add(1); i <= int64(times); i = next.Add(1) {
				rep := s.claims(uint64(i))
				for k := range is {
					if is[k](rep) {
						found[k].Add(1)
					}
				}
			}
		})
	}
	wait.Wait()
	out := make([]float64, len(is))
	for k := range is {
		out[k] = float64(found[k].Load()) / float64(times)
	}
	return out
}

// names reports whether a claim by one of the clocks calls an arm better than another. Without clocks it looks at all
// claims.
func names(clocks ...Clock) func(*Report) bool {
	return func(r *Report) bool {
		return slices.ContainsFunc(r.Verdict.Claims, func(c *Claim) bool {
			return c.Topic != "folklore" && (len(clocks) == 0 || slices.Contains(clocks, c.Clock)) && c.Told()
		})
	}
}

// same are scenes of arms that do not differ.
func same() []scene {
	white := func(name string, d drawer) scene { return scene{name: name, arms: []drawer{d}} }
	out := []scene{white("net/http ZIP", netHTTPZip.draw), white("net/http image", netHTTPImage.draw), white("raw TCP ZIP", rawTCPZip.draw),
		white("lognormal 0.05", lognormal(0.05)), white("lognormal 0.1", lognormal(0.1)), white("lognormal 0.4", lognormal(0.4)), white("8 % doubled", mixture)}
	out = append(out, scene{name: "common drift 30 %", arms: []drawer{lognormal(0.1)}, drift: 0.3},
		scene{name: "common AR(1) 0.5, sd 0.1", arms: []drawer{lognormal(0.1)}, common: [2]float64{0.5, 0.1}},
		scene{name: "common AR(1) 0.9, sd 0.2", arms: []drawer{lognormal(0.1)}, common: [2]float64{0.9, 0.2}})
	return out
}

// scaled makes a drawer whose median is 40 ms.
func (q quantiles) scaled() drawer {
	middle := q.at(0.5)
	return func(rng *rand.Rand) float64 { return 40 * q.draw(rng) / middle }
}

func share(x float64) string { return fmt.Sprintf("%.1f", 100*x) }

// simulated is a table that collects rows and prints them in Markdown.
type simulated struct{ rows [][]string }

func newTable(heads ...string) *simulated { return &simulated{[][]string{heads}} }

func (s *simulated) add(cells ...string) {
	s.rows = append(s.rows, cells)
	if *simulate > 0 { // the table takes long, so each row is shown at once
		fmt.Fprintf(os.Stderr, "| %s |\n", strings.Join(cells, " | "))
	}
}

func (s *simulated) print(t *testing.T) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 1, 1, ' ', 0)
	for i, r := range s.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(r, "\t| "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat(" --- |", len(r)))
		}
	}
	w.Flush()
	if *simulate > 0 {
		fmt.Fprintln(os.Stderr, b.String())
	} else {
		t.Log("\n" + b.String())
	}
}
