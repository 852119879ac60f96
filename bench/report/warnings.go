package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
)

// readingWarnings returns warnings about the files and about all arms.
func (b *builder) readingWarnings() []string {
	out := slices.Clone(b.problems)
	warn := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if n := b.unusable - len(b.problems); n > 0 {
		warn("%s could not be used", Plural(n, "more line"))
	}
	if o := b.twice; o.count > 0 {
		warn("%s with a request id that came before: counted once; the first is at %s", Plural(o.count, "record"), o.first)
	}
	for _, field := range slices.Sorted(maps.Keys(b.absent)) {
		o := b.absent[field]
		warn("%s without %s: left out of all averages; the first is at %s", Plural(o.count, "record"), field, o.first)
	}
	if o := b.backwards; o.count > 0 {
		warn("the clock went backwards before %s, the first at %s: times of day may be wrong; durations are right, because "+
			"the service measures them", Plural(o.count, "record"), o.first)
	}
	if n := len(b.runIDs); n > 1 {
		warn("%d runs are pooled: days differ by more than many effects, so compare within a run first", n)
	}
	first := 0
	for _, g := range b.order {
		first += g.firstAfterDeploy
	}
	if first > 0 {
		warn("%s left out: the first after a deployment, when caches are empty", Plural(first, "cold start"))
	}
	return out
}

// armWarnings returns warnings about single arms.
func armWarnings(all []*measured) (out []string) {
	for _, m := range all {
		g := m.group
		var apart []string
		for _, why := range slices.Sorted(maps.Keys(g.apart)) {
			if why != string(record.Priming) {
				apart = append(apart, fmt.Sprintf("%d %s", g.apart[why], why))
			}
		}
		if len(apart) > 0 {
			out = append(out, fmt.Sprintf("%s: samples left out of all averages: %s", m.label, strings.Join(apart, ", ")))
		}
		if n := g.errors; n > 0 {
			out = append(out, fmt.Sprintf("%s: %s, the last: %s", m.label, Plural(n, "function error"), g.lastError))
		}
	}
	return out
}

// trendWarnings says which arms drift, and which have cold starts that depend on each other, in one line for all arms.
func trendWarnings(all []*measured) (out []string) {
	var alike []string
	for _, m := range all {
		for _, c := range coldClocks {
			s := m.samples[c]
			if a, found := s.Autocorrelation(); found {
				like := math.Max(1, a.Effective)
				alike = append(alike, fmt.Sprintf("%s (%s: %d count like %.0f)", m.label, c, s.N(), like))
				break // the other clocks time the same cold starts
			}
		}
	}
	if len(alike) > 0 {
		out = append(out, fmt.Sprintf("successive cold starts are alike in %s: %s; intervals are wider accordingly",
			Plural(len(alike), "arm"), and(alike)))
	}
	for _, c := range allClocks {
		var drifting []string
		for _, m := range all {
			if d, found := m.samples[c].Drift(); found {
				drifting = append(drifting, fmt.Sprintf("%s %+.0f %%", m.label, 100*(d.Ratio-1)))
			}
		}
		if len(drifting) > 0 {
			out = append(out, fmt.Sprintf("%s drifted from the first to the second half of the run in %s: %s", c,
				Plural(len(drifting), "arm"), and(drifting)))
		}
	}
	return out
}
