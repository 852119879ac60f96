// Package plan computes how many cold starts an experiment needs, from the spread of an earlier one.
package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/bench/show/table"
)

// Limit is the largest number of cold starts of an arm in a plan.
const Limit = 100_000

// minPilot is how many cold starts an arm needs to show its spread.
const minPilot = 10

// Options say what the experiment must detect. A Power of 0 means 0.8, an Alpha of 0 means 0.05.
type Options struct {
	Clock  report.Clock
	Effect float64 // 0.05: an arm is 5 % slower
	Power  float64 // chance to detect it
	Alpha  float64 // chance of any false claim
	Arms   []string
	// Subject is the end of the planned run's command line: what it measures.
	Subject string
}

// Plan is the size of an experiment.
type Plan struct {
	Source   record.Source `json:"source"`
	Clock    report.Clock  `json:"clock"`
	Scale                  // for the requested effect: what the arm with the largest spread needs
	Power    float64       `json:"power"`
	Alpha    float64       `json:"alpha"`
	Pairs    int           `json:"pairs"`             // number of pairs of arms; all are tested
	Level    float64       `json:"level_per_pair"`    // level of one pair, so that all pairs together err no more often than alpha
	Subject  string        `json:"subject,omitempty"` // end of the run's command line
	Arms     []Arm         `json:"arms"`
	Scales   []Scale       `json:"scales"` // for the effect, and for larger ones
	Warnings []string      `json:"warnings"`
}

// Scale is what detecting an effect takes.
type Scale struct {
	Effect     float64  `json:"effect"`
	Rounds     int      `json:"rounds"`      // cold starts of each arm; 0 if more than Limit
	ColdStarts int      `json:"cold_starts"` // of all arms
	USD        *float64 `json:"usd"`         // of all arms, at list prices; null without prices
	Seconds    *float64 `json:"seconds"`     // time of measuring if a cold start takes as long as in the pilot; null if unknown
}

// firstRestore is what report calls restores that take a version each.
const firstRestore = string(record.FirstRestore) + " restore"

// scales are the multiples of the effect that a plan shows, so that users see what larger effects cost.
var scales = []float64{1, 2, 4, 10}

// Arm says what one arm needs.
type Arm struct {
	Arm    string  `json:"arm"`
	Pilot  int     `json:"pilot_cold_starts"`
	Median float64 `json:"median_ms"`
	SD     float64 `json:"sd_share"`       // standard deviation within rounds, as a share of the value
	Power  float64 `json:"power_of_pilot"` // chance that so many cold starts detect the effect
	Needed *int    `json:"needed"`         // null if more than Limit
}

// Make plans an experiment with the arms of an earlier one.
func Make(pilot *report.Report, o Options) (*Plan, error) {
	o.Power, o.Alpha, o.Clock = cmp.Or(o.Power, 0.8), cmp.Or(o.Alpha, stat.Alpha), cmp.Or(o.Clock, report.ClockInit)
	switch {
	case !(o.Effect > 0) || o.Effect > 100:
		return nil, fmt.Errorf("an effect of %v: want a share above 0, such as 5%%", o.Effect)
	case !(o.Power > 0) || o.Power >= 1:
		return nil, fmt.Errorf("a power of %v: want a chance between 0 and 1, such as 0.8", o.Power)
	case !(o.Alpha > 0) || o.Alpha >= 1:
		return nil, fmt.Errorf("an alpha of %v: want a chance between 0 and 1, such as 0.05", o.Alpha)
	case len(pilot.Sources) > 1:
		return nil, errors.New("the records are from lab and AWS: plan from one of them")
	}
	p := &Plan{Source: pilot.Sources[0], Clock: o.Clock, Power: o.Power, Alpha: o.Alpha, Subject: o.Subject, Arms: []Arm{}, Warnings: []string{}}
	spreads := map[string][]float64{}
	usd, priced := 0.0, true
	for _, a := range pilot.Arms {
		if len(o.Arms) > 0 && !slices.Contains(o.Arms, a.Arm) {
			continue
		}
		s := a.Sample(o.Clock)
		if s.N() < minPilot {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: %d values by %s are too few to say how it spreads: left out", a.Arm, s.N(), o.Clock))
			continue
		}
		spreads[a.Arm] = pilot.Residuals(a, o.Clock)
		p.Arms = append(p.Arms, Arm{Arm: a.Arm, Pilot: s.N(), Median: s.Quantile(0.5)})
		if a.ColdCost == nil {
			priced = false
		} else {
			usd += *a.ColdCost / 1e6
			if a.Restore == firstRestore { // a version each
				rate, _ := price.Default().Rate(a.Region, a.Architecture)
				usd += rate.Cached(a.MemorySizeMB, price.MinCache)
				p.Warnings = append(p.Warnings, a.Arm+": each takes a version, three control-plane calls, and its snapshot's caching, 3 h at the least, which is in USD (Java's managed runtimes: free)")
			}
		}
	}
	if len(p.Arms) == 0 {
		return nil, fmt.Errorf("no arm has %d values by %s: measure a pilot first, such as twinstart run --cold 20", minPilot, o.Clock)
	}
	arms := max(2, len(p.Arms)) // a single arm is planned as if compared with another one like it
	p.Pairs = arms * (arms - 1) / 2
	p.Level = stat.Family{Arms: arms, Alpha: o.Alpha}.Level()
	perCold := pilot.ColdSeconds()
	for _, scale := range scales {
		at := Scale{Effect: o.Effect * scale}
		if scale > 1 && at.Effect > 1 { // an arm that takes more than twice as long needs no plan
			break
		}
		within := true
		for i := range p.Arms {
			a := &p.Arms[i]
			pair := stat.NewSlower(spreads[a.Arm], 1+at.Effect)
			n, ok := pair.Needed(o.Power, p.Level, Limit)
			if within = within && ok; ok {
				at.Rounds = max(at.Rounds, n)
			}
			if scale > 1 {
				continue
			}
			a.SD, a.Power = stat.NewSample(spreads[a.Arm]).StdDev(), pair.Power(a.Pilot, p.Level)
			if ok {
				a.Needed = &n
			}
		}
		if !within {
			at.Rounds = 0
		}
		at.ColdStarts = at.Rounds * len(p.Arms)
		if priced && at.Rounds > 0 {
			at.USD = new(usd * float64(at.Rounds))
		}
		if perCold > 0 && at.Rounds > 0 {
			at.Seconds = new(perCold * float64(at.ColdStarts))
		}
		p.Scales = append(p.Scales, at)
	}
	p.Scale = p.Scales[0]
	return p, nil
}

// Text returns the plan for people.
func (p *Plan) Text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "To see an arm that is %.3g %% slower by %s with a chance of %.3g %%, at %.3g %% for any false claim among %s of arms (signed ranks within rounds):\n\n",
		100*p.Effect, p.Clock, 100*p.Power, 100*p.Alpha, report.Plural(p.Pairs, "pair"))
	t := table.Table{Heads: table.Heads(1, "arm", "pilot", "p50, ms", "sd", "the pilot's power", "cold starts")}
	for _, a := range p.Arms {
		needed := fmt.Sprintf("> %d", Limit)
		if a.Needed != nil {
			needed = fmt.Sprint(*a.Needed)
		}
		t.Add(a.Arm, fmt.Sprint(a.Pilot), fmt.Sprintf("%.2f", a.Median), fmt.Sprintf("%.0f%%", 100*a.SD), fmt.Sprintf("%.0f%%", 100*a.Power), needed)
	}
	effects := table.Table{Heads: table.Heads(0, "effect", "cold starts of each", "of all", "time", "USD")}
	for _, at := range p.Scales {
		each, all, took, usd := fmt.Sprintf("> %d", Limit), table.None, table.None, table.None
		if at.Rounds > 0 {
			each, all = fmt.Sprint(at.Rounds), fmt.Sprint(at.ColdStarts)
		}
		if at.Seconds != nil {
			took = time.Duration(*at.Seconds * float64(time.Second)).Round(time.Second).String()
		}
		if at.USD != nil {
			usd = fmt.Sprintf("%.4f", *at.USD)
		}
		effects.Add(fmt.Sprintf("%.3g%%", 100*at.Effect), each, all, took, usd)
	}
	if p.Source == record.Lab {
		effects.Note = "USD if AWS took as long (the lab costs nothing), where a cold start is two calls, an update and an invocation."
	}
	s.WriteString(t.Text(0) + "\n" + effects.Text(0) + "\n")
	if p.Rounds == 0 {
		fmt.Fprintf(&s, "No plan: an arm needs more than %d cold starts. Look for a larger effect, or for fewer arms.\n", Limit)
	} else {
		fmt.Fprintf(&s, "twinstart run --cold %d", p.Rounds)
		if p.Source == record.AWS {
			s.WriteString(" --source aws")
		}
		if p.Subject != "" {
			s.WriteString(" " + p.Subject)
		}
		fmt.Fprintf(&s, "\nmeasures %s of %s. ", report.Plural(p.ColdStarts, "cold start"), report.Plural(len(p.Arms), "arm"))
		s.WriteString("Warm invocations come on top. The pilot's spread is that of its day: other days may spread more.\n")
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(&s, "warning: %s\n", warning)
	}
	return s.String()
}
