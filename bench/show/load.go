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

const loadQuantiles = "p20 p50* p80 p90 p95 p99"

// loadColumns show what callers met. Times are in ms. A terminal shows the first columns at the end of a run.
var loadColumns = slices.Concat([]column{
	armColumn,
	ofLoad("p10", func(l *report.Load) string { return ms(l.P10) }),
}, quantileColumns(func(a *report.Arm) *report.Spread { return &a.Load.Latency.Spread }, loadQuantiles), []column{
	ofLoad("cold", func(l *report.Load) string { return count(l.Cold) }),
	ofLoad("spilled", func(l *report.Load) string {
		if l.Ahead == nil {
			return none
		}
		return count(l.Ahead.Spilled)
	}),
	ofLoad("of\ntail", func(l *report.Load) string { return fmt.Sprintf("%d/%d", l.TailCold, l.Tail) }),
	ofLoad("n", func(l *report.Load) string { return count(l.Latency.Count) }),
	ofLoad("answered\n/s", func(l *report.Load) string { return strconv.FormatFloat(l.Rate, 'f', 1, 64) }),
	ofLoad("shed,\nfailed", func(l *report.Load) string { return fmt.Sprintf("%d, %d", l.Shed, l.Failed) }),
	ofLoad("late\np99", func(l *report.Load) string { return ms(l.LagP99) }),
	ofLoad("env", func(l *report.Load) string { return count(l.Environments) }),
	ofLoad("billed\np50", func(l *report.Load) string { return opt("%.0f", l.Billed) }),
	ofLoad("USD/M", func(l *report.Load) string { return opt("%.3f", l.USD) }),
})

// briefLoadColumns is how many of loadColumns a terminal shows.
const briefLoadColumns = 11

// loadTable shows the arms that were under load.
func loadTable(r *report.Report, columns []column) table.Table {
	part := *r
	part.Arms = slices.DeleteFunc(slices.Clone(r.Arms), func(a *report.Arm) bool { return !underLoad(a) })
	if len(part.Arms) == 0 {
		return table.Table{}
	}
	t := armTable("load", banner(r)+"Latency under load ("+part.Arms[0].Load.Of+"), ms", &part, columns).Filled()
	t.Note = note("load", nil)
	for i := range t.Rows {
		t.Rows[i].Arm = strconv.Itoa(slices.Index(r.Arms, part.Arms[i]))
	}
	return t
}

// loadPart shows latencies and cold starts against time.
func loadPart(r *report.Report) page.Part {
	p := page.Part{ID: "load", Title: "Latency under load", Open: true, Plot: true,
		Tables: filled(loadTable(r, loadColumns))}
	if len(p.Tables) == 0 {
		p.Absent = "no arm was under load: use twinstart load"
	}
	return p
}
