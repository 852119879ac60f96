// Package plan computes how many cold starts an experiment needs, from the spread of an earlier one, the pilot. Shares
// are between 0 and 1, times in ms, costs in USD at list prices.
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

// MinPilot is how many cold starts it takes to show an arm's spread.
const MinPilot = 10

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
	Effect   float64       `json:"effect"`
	Power    float64       `json:"power"`
	Alpha    float64       `json:"alpha"`
	Pairs    int           `json:"pairs"`             // number of pairs of arms; all are tested
	Level    float64       `json:"level_per_pair"`    // at which all pairs together err no more often than alpha
	Subject  string        `json:"subject,omitempty"` // end of the run's command line
	Arms     []Arm         `json:"arms"`
	Warnings []string      `json:"warnings"`

	Rounds     int      `json:"rounds"`      // cold starts of each arm: the most that any arm needs; 0 if above Limit
	ColdStarts int      `json:"cold_starts"` // of all arms
	USD        *float64 `json:"usd"`         // of all arms, at list prices; null without prices
	Seconds    *float64 `json:"seconds"`     // if a cold start takes as long as in the pilot; null if unknown
}

// Arm says what one arm needs.
type Arm struct {
	Arm    string  `json:"arm"`
	Pilot  int     `json:"pilot_cold_starts"`
	Median float64 `json:"median_ms"`
	SD     float64 `json:"sd_share"`       // standard deviation within rounds, as a share of the value
	Power  float64 `json:"power_of_pilot"` // chance that as many cold starts as the pilot's detect the effect
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
	p := &Plan{Source: pilot.Sources[0], Clock: o.Clock, Effect: o.Effect, Power: o.Power, Alpha: o.Alpha,
		Subject: o.Subject, Arms: []Arm{}, Warnings: []string{}}
	spreads := map[string][]float64{}
	usd, priced := 0.0, true
	for _, a := range pilot.Arms {
		if len(o.Arms) > 0 && !slices.Contains(o.Arms, a.Arm) {
			continue
		}
		s := a.Sample(o.Clock)
		if s.N() < MinPilot {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s is left out: %d values by %s are too few", a.Arm, s.N(), o.Clock))
			continue
		}
		spreads[a.Arm] = pilot.Residuals(a, o.Clock)
		p.Arms = append(p.Arms, Arm{Arm: a.Arm, Pilot: s.N(), Median: s.Quantile(0.5)})
		if a.ColdCost == nil {
			priced = false
			continue
		}
		usd += *a.ColdCost / 1e6
		if a.Restore == string(record.FirstRestore)+" restore" { // each needs a new version
			rate, _ := price.Default().Rate(a.Region, a.Architecture)
			usd += rate.Cached(a.MemorySizeMB, price.MinCache)
			p.Warnings = append(p.Warnings, a.Arm+": each cold start takes a version, three control-plane calls, and at least "+
				"3 h of caching its snapshot, which is part of USD (free for Java's managed runtimes)")
		}
	}
	if len(p.Arms) == 0 {
		return nil, fmt.Errorf("no arm has %d values by %s: measure a pilot first, with run --cold 20", MinPilot, o.Clock)
	}
	arms := max(2, len(p.Arms)) // a single arm is compared with another one like it
	p.Pairs = arms * (arms - 1) / 2
	p.Level = stat.Family{Arms: arms, Alpha: o.Alpha}.Level()
	for i := range p.Arms {
		a := &p.Arms[i]
		pair := stat.NewSlower(spreads[a.Arm], 1+o.Effect)
		a.SD, a.Power = stat.NewSample(spreads[a.Arm]).StdDev(), pair.Power(a.Pilot, p.Level)
		if n, ok := pair.Needed(o.Power, p.Level, Limit); ok {
			a.Needed = &n
		}
	}
	if slices.ContainsFunc(p.Arms, func(a Arm) bool { return a.Needed == nil }) {
		return p, nil
	}
	for _, a := range p.Arms {
		p.Rounds = max(p.Rounds, *a.Needed)
	}
	p.ColdStarts = p.Rounds * len(p.Arms)
	if priced {
		p.USD = new(usd * float64(p.Rounds))
	}
	if perCold := pilot.ColdSeconds(); perCold > 0 {
		p.Seconds = new(perCold * float64(p.ColdStarts))
	}
	return p, nil
}

// Text returns the plan for people.
func (p *Plan) Text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "To see an arm that is %.3g %% slower by %s with a chance of %.3g %%, "+
		"at %.3g %% for any false claim among %s of arms (signed ranks within rounds):\n\n",
		100*p.Effect, p.Clock, 100*p.Power, 100*p.Alpha, report.Plural(p.Pairs, "pair"))
	t := table.Table{Heads: table.Heads(1, "arm", "pilot", "p50, ms", "sd", "the pilot's power", "cold starts")}
	for _, a := range p.Arms {
		needed := fmt.Sprintf("> %d", Limit)
		if a.Needed != nil {
			needed = fmt.Sprint(*a.Needed)
		}
		t.Add(a.Arm, fmt.Sprint(a.Pilot), fmt.Sprintf("%.2f", a.Median), fmt.Sprintf("%.0f%%", 100*a.SD),
			fmt.Sprintf("%.0f%%", 100*a.Power), needed)
	}
	s.WriteString(t.Text(0) + "\n")
	if p.Rounds == 0 {
		fmt.Fprintf(&s, "No plan: an arm needs more than %d cold starts. Plan for a larger effect or fewer arms.\n", Limit)
	} else {
		fmt.Fprintf(&s, "twinstart run --cold %d", p.Rounds)
		if p.Source == record.AWS {
			s.WriteString(" --source aws")
		}
		if p.Subject != "" {
			s.WriteString(" " + p.Subject)
		}
		fmt.Fprintf(&s, "\nmeasures %s of %s", report.Plural(p.ColdStarts, "cold start"), report.Plural(len(p.Arms), "arm"))
		if p.Seconds != nil {
			fmt.Fprintf(&s, " in %v", time.Duration(*p.Seconds*float64(time.Second)).Round(time.Second))
		}
		if p.USD != nil {
			fmt.Fprintf(&s, " for %.4f USD", *p.USD)
			if p.Source == record.Lab {
				s.WriteString(", if AWS took as long (the lab costs nothing)")
			}
		}
		s.WriteString(". Warm invocations are not included. The spread is the pilot's; other days may spread more.\n")
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(&s, "warning: %s\n", warning)
	}
	return s.String()
}
