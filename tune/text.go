package tune

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes a result for a terminal: table, chart, recommendation, URL.
func (o *Output) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, %s, strategy %s, %d invocations of each power value, seed %d, prices of %s\n", o.Function, o.Source, o.Architecture, o.Strategy, o.Num, o.Seed, o.PriceRegion)
	if o.Source == "lab" {
		b.WriteString("Durations are the lab's, not AWS's; cost is what AWS would bill for them.\n")
	}
	b.WriteByte('\n')
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "MB\tmean\tp50\tinterval\tp90\tp99\tINIT p50\tcold\tused MB\t$ / million\t\t")
	for _, v := range o.ByPowerValue {
		if v.Failed != "" {
			fmt.Fprintf(t, "%d\t-\t-\t-\t-\t-\t-\t%d\t%s\t-\t\t\n", v.Value, v.ColdStarts, whole0(v.MaxMemoryUsedMB))
			continue
		}
		mark := ""
		if v.Value == o.Power {
			mark = "<- best"
		}
		init := "-"
		if v.Init != nil {
			init = Milliseconds(v.Init.P50)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%.3f\t%s\t\n", v.Value, Milliseconds(v.AverageDuration), Milliseconds(v.Duration.P50), span(v.Duration.P50Interval),
			optional(v.Duration.P90), optional(v.Duration.P99), init, v.ColdStarts, whole0(v.MaxMemoryUsedMB), v.AveragePrice*1e6, mark)
	}
	t.Flush()
	for line := range strings.Lines(table.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	b.WriteString("\n" + chart(o.ByPowerValue) + "\n" + o.Recommendation + "\n")
	if o.Optimised != "" {
		b.WriteString("Applied: " + o.Optimised + ".\n")
	}
	for _, warning := range o.Warnings {
		b.WriteString("warning: " + warning + "\n")
	}
	fmt.Fprintf(&b, "\nLambda cost of this tuning: $%.6f\n%s\n", o.StateMachine.LambdaCost, o.StateMachine.Visualization)
	_, err := io.WriteString(w, b.String())
	return err
}

func whole0(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func optional(ms *float64) string {
	if ms == nil {
		return "-"
	}
	return Milliseconds(*ms)
}

func span(i *[2]float64) string {
	if i == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g to %.4g", i[0], i[1])
}

// The chart's size in characters.
const (
	chartHeight = 12
	columnWidth = 9
)

// chart draws time (t) and cost (c) against memory, each from 0 to its largest; * is both.
func chart(values []Value) string {
	var shown []Value
	most := Value{}
	for _, v := range values {
		if v.Failed == "" {
			shown = append(shown, v)
			most.AverageDuration, most.AveragePrice = max(most.AverageDuration, v.AverageDuration), max(most.AveragePrice, v.AveragePrice)
		}
	}
	if len(shown) == 0 {
		return ""
	}
	rows := make([][]byte, chartHeight+1)
	for i := range rows {
		rows[i] = []byte(strings.Repeat(" ", columnWidth*len(shown)))
	}
	put := func(column int, share float64, mark byte) {
		row := rows[chartHeight-int(share*chartHeight+0.5)]
		at := column*columnWidth + columnWidth/2
		if row[at] != ' ' {
			mark = '*'
		}
		row[at] = mark
	}
	for i, v := range shown {
		put(i, share(v.AverageDuration, most.AverageDuration), 't')
		put(i, share(v.AveragePrice, most.AveragePrice), 'c')
	}
	var b strings.Builder
	for i, row := range rows {
		left, right := "", ""
		if i == 0 {
			left, right = Milliseconds(most.AverageDuration), fmt.Sprintf("$%.3f / million", most.AveragePrice*1e6)
		}
		if i == chartHeight {
			left, right = "0", "0"
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%10s |%s| %s", left, row, right), " ") + "\n")
	}
	fmt.Fprintf(&b, "%10s  ", "MB")
	for _, v := range shown {
		label := fmt.Sprint(v.Value)
		pad := (columnWidth - len(label)) / 2
		fmt.Fprintf(&b, "%s%s%s", strings.Repeat(" ", columnWidth-len(label)-pad), label, strings.Repeat(" ", pad))
	}
	return strings.TrimRight(b.String(), " ") + "\n            t time, c cost, * both\n"
}
