package show

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show/page"
	"github.com/twinstart/twinstart/bench/show/table"
)

func underLoad(a *report.Arm) bool { return a.Load != nil }

// ofLoad is a column of arms under load.
func ofLoad(head string, cell func(*report.Load) string) column {
	return column{head, func(a *report.Arm) string { return cell(a.Load) }}
}

// loadColumns are what callers met; the first are shown at the end of a run, too. Times in ms.
var loadColumns = []column{
	armColumn,
	ofLoad("p50 [95 % CI]", func(l *report.Load) string { return interval(l.Latency.P50, l.Latency.P50CI) }),
	ofLoad("p10", func(l *report.Load) string { return ms(l.P10) }),
	ofLoad("p20", func(l *report.Load) string { return ms(l.Latency.P20) }),
	ofLoad("p80", func(l *report.Load) string { return ms(l.Latency.P80) }),
	ofLoad("p90", func(l *report.Load) string { return ms(l.Latency.P90) }),
	ofLoad("p95", func(l *report.Load) string { return ms(l.Latency.P95) }),
	ofLoad("p99", func(l *report.Load) string { return ms(l.Latency.P99) }),
	ofLoad("max", func(l *report.Load) string { return ms(l.Latency.Max) }),
	ofLoad("cold", func(l *report.Load) string { return count(l.Cold) }),
	ofLoad("of\ntail", func(l *report.Load) string { return fmt.Sprintf("%d/%d", l.TailCold, l.Tail) }),
	ofLoad("n", func(l *report.Load) string { return count(l.Latency.Count) }),
	ofLoad("answered\n/s", func(l *report.Load) string { return strconv.FormatFloat(l.Rate, 'f', 1, 64) }),
	ofLoad("shed,\nfailed", func(l *report.Load) string { return fmt.Sprintf("%d, %d", l.Shed, l.Failed) }),
	ofLoad("late\np99", func(l *report.Load) string { return ms(l.LagP99) }),
	ofLoad("env", func(l *report.Load) string { return count(l.Environments) }),
	ofLoad("billed\np50", func(l *report.Load) string { return opt("%.0f", l.Billed) }),
	ofLoad("USD/M", func(l *report.Load) string { return opt("%.3f", l.USD) }),
}

// briefLoadColumns is how many of them a terminal shows.
const briefLoadColumns = 10

// loadTable shows the arms that were under load.
func loadTable(r *report.Report, columns []column) table.Table {
	if slices.ContainsFunc(r.Arms, func(a *report.Arm) bool { return underLoad(a) && a.Load.Ahead != nil }) {
		columns = slices.Insert(slices.Clone(columns), 10, ofLoad("spilled", func(l *report.Load) string {
			if l.Ahead == nil {
				return none
			}
			return count(l.Ahead.Spilled)
		}))
	}
	part := *r
	part.Arms = slices.DeleteFunc(slices.Clone(r.Arms), func(a *report.Arm) bool { return !underLoad(a) })
	if len(part.Arms) == 0 {
		return table.Table{}
	}
	t := armTable("load", banner(r)+"Latency under load ("+part.Arms[0].Load.Of+"), ms", &part, columns)
	t.Note = "From when a request was due (closed: sent) to its response, of requests that were answered. Of tail: cold starts among the slowest 5 %. Late: the generator, not the function. env: environments. USD/M: a million requests as they came."
	for i := range t.Rows {
		t.Rows[i].Arm = strconv.Itoa(slices.Index(r.Arms, part.Arms[i]))
	}
	return t
}

// loadPart shows latencies and cold starts against time.
func loadPart(r *report.Report) (p page.Part, why string) {
	p = page.Part{ID: "load", Title: "Latency under load", Open: true, Plot: true, Tables: []table.Table{loadTable(r, loadColumns)},
		Text: []string{"Each request by the time at which it was due, in all repeats. Rings: cold starts. Many requests are a random choice, all cold starts among them."}}
	if len(p.Tables[0].Rows) == 0 {
		return p, "twinstart load"
	}
	return p, ""
}
