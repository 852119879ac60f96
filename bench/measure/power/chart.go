package power

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/show/table"
)

// barWidth is how long the longest bar is, in characters.
const barWidth = 30

// chart draws time and cost against memory, each as bars from 0 to its largest.
func chart(values []Value) table.Table {
	t := table.Table{Heads: append(table.Heads(0, "MB"), table.Heads(2, fmt.Sprintf("%-*s", barWidth, "time"), "cost")...)}
	shown := slices.DeleteFunc(slices.Clone(values), func(v Value) bool { return v.Failed != "" })
	most := most(cells(shown))
	bar := func(mark string, share float64) string { return strings.Repeat(mark, int(barWidth*share+0.5)) }
	for _, v := range shown {
		t.Add(fmt.Sprint(v.Value), bar("t", share(v.AverageDuration, most.AverageDuration)), bar("c", share(v.AveragePrice, most.AveragePrice)))
	}
	return t
}
