// Package compare compares two runs, arm by arm, as benchstat does: did anything get slower?
//
// Times are in ms, sizes in KiB, memory in MB. A change counts only if a test tells the two runs apart, after
// correction for all arms of a metric. Lab and AWS are mixed only on request.
package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Schema is the version of the JSON form.
const Schema = 1

// Comparison is a table with a row for each arm and metric.
type Comparison struct {
	Schema   int             `json:"schema"`
	Sources  []record.Source `json:"sources"` // of both runs; one, unless mixing was asked for
	Alpha    float64         `json:"alpha"`
	Method   string          `json:"method"`
	Rows     []*Row          `json:"rows"` // by metric, then in the order of NEW's arms
	OnlyOld  []string        `json:"only_old"`
	OnlyNew  []string        `json:"only_new"`
	Warnings []string        `json:"warnings"`
	Failed   []Failure       `json:"failed"` // rows that break a limit

	limits int // number of limits that were checked
}

// key identifies the same arm in both runs: id, memory, architecture, handler, published set, source. Run, region and
// experiment may differ.
type key [6]any

// Reports compares two reports. It refuses to compare a lab run with an AWS run, unless mixSources is set.
func Reports(before, after *report.Report, mixSources bool) (*Comparison, error) {
	c := &Comparison{Schema: Schema, Alpha: min(before.Alpha, after.Alpha),
		Rows: []*Row{}, Warnings: []string{}, Failed: []Failure{}}
	c.Sources = slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.Sources, after.Sources))))
	if len(c.Sources) > 1 && !mixSources {
		return nil, errors.New("one run is of the lab, one of AWS: their times do not compare; allow it with --mix-sources")
	}
	c.Method = fmt.Sprintf("medians have %.0f %% intervals by order statistics; a change is Hodges and Lehmann's, "+
		"with interval and p by rank sums over all arms of a metric (Sidak); ~ means p >= %g", 100*stat.Confidence, c.Alpha)
	keyOf := func(a *report.Arm) key {
		if mixSources {
			return key{a.ID, a.MemorySizeMB, a.Architecture, a.Handler, a.Published}
		}
		return key{a.ID, a.MemorySizeMB, a.Architecture, a.Handler, a.Published, a.Source}
	}
	var arms [2]map[key]*report.Arm // of OLD and NEW
	for side, r := range []*report.Report{before, after} {
		arms[side] = map[key]*report.Arm{}
		for _, a := range r.Arms {
			if twice := arms[side][keyOf(a)]; twice != nil {
				return nil, fmt.Errorf("%s has %s twice (%s, %s): compare one run with one run",
					[]string{"OLD", "NEW"}[side], a.ID, twice.Arm, a.Arm)
			}
			arms[side][keyOf(a)] = a
		}
	}
	missing := func(r *report.Report, in map[key]*report.Arm) []string {
		alone := slices.DeleteFunc(slices.Clone(r.Arms), func(a *report.Arm) bool { return in[keyOf(a)] != nil })
		return list.Map(alone, func(a *report.Arm) string { return a.Arm })
	}
	c.OnlyOld, c.OnlyNew = missing(before, arms[1]), missing(after, arms[0])
	if len(c.OnlyNew) == len(after.Arms) {
		return nil, fmt.Errorf("the runs have no arm in common: OLD has %s; NEW has %s; "+
			"two packages are compared in one run: twinstart run OLD.zip NEW.zip", names(before), names(after))
	}
	for _, metric := range report.Metrics() {
		first := len(c.Rows)
		for _, a := range after.Arms {
			was := arms[0][keyOf(a)]
			if was == nil {
				continue
			}
			if r, ok := countedRow(metric, was, a); ok {
				c.Rows = append(c.Rows, r)
			} else if old, current := was.Measure(metric), a.Measure(metric); old.N() > 0 && current.N() > 0 {
				c.Rows = append(c.Rows, row(metric, a, old, current))
			}
		}
		c.judge(c.Rows[first:], metric)
	}
	c.warn(before, after)
	return c, nil
}

// names lists the first arms of a report.
func names(r *report.Report) string {
	return strings.Join(list.Few(list.Map(r.Arms, func(a *report.Arm) string { return a.Arm }), 5), ", ")
}
