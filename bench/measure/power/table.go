package power

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/twinstart/twinstart/bench/report/price"
)

// Columns are the heads of Value.Cells. Durations with no other name are INIT + restore + handler.
func Columns(currency string) []string {
	if currency == price.USD {
		currency = "$"
	}
	return []string{"MB", "mean", "p50", "interval", "p90", "p99", "handler p50", "INIT p50", "billed p50", "cold", "used MB", currency + " / million"}
}

// Cells are the value's line of a table; "-" is what was not measured or cannot be said.
func (v *Value) Cells() []string {
	mb, cold, used := fmt.Sprint(v.Value), fmt.Sprint(v.ColdStarts), whole0(v.MaxMemoryUsedMB)
	if v.Failed != "" {
		return []string{mb, "-", "-", "-", "-", "-", "-", "-", "-", cold, used, "-"}
	}
	return []string{mb, Milliseconds(v.AverageDuration), median(v.Duration), span(v.Duration.P50Interval), optional(v.Duration.P90), optional(v.Duration.P99),
		median(v.Handler), median(v.Init), median(v.Billed), cold, used, fmt.Sprintf("%.3f", v.AveragePrice*1e6)}
}

// table aligns lines of cells to the right, below the heads; the last cell of each is a remark.
func table(heads []string, lines [][]string) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, strings.Join(heads, "\t")+"\t\t")
	for _, cells := range lines {
		fmt.Fprintln(t, strings.Join(cells, "\t")+"\t")
	}
	t.Flush()
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

func median(s *Summary) string {
	if s == nil {
		return "-"
	}
	return Milliseconds(s.P50)
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
