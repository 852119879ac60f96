package power

import (
	"fmt"
	"slices"
	"strings"
)

// The chart's size in characters.
const (
	chartHeight = 8
	chartWidth  = 108 // at most
	maxColumn   = 9
)

// chart draws time (t) and cost (c) against memory, each from 0 to its largest; * is both.
func chart(values []Value, currency string) string {
	shown := slices.DeleteFunc(slices.Clone(values), func(v Value) bool { return v.Failed != "" })
	most := most(cells(shown))
	if len(shown) == 0 {
		return ""
	}
	columnWidth := max(2, min(maxColumn, chartWidth/len(shown)))
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
			left, right = Milliseconds(most.AverageDuration), money(currency, 3, most.AveragePrice*1e6)+" / million"
		}
		if i == chartHeight {
			left, right = "0", "0"
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%10s |%s| %s", left, row, right), " ") + "\n")
	}
	fmt.Fprintf(&b, "%10s  %s\n", "MB", strings.TrimRight(labels(shown, columnWidth), " "))
	return b.String() + "            t time, c cost, * both\n"
}

// labels writes the sizes below their columns, as many as have room.
func labels(shown []Value, columnWidth int) string {
	line := []byte(strings.Repeat(" ", columnWidth*len(shown)+maxColumn))
	free := 0
	for i, v := range shown {
		text := fmt.Sprint(v.Value)
		at := max(0, i*columnWidth+columnWidth/2-len(text)/2)
		if at < free {
			continue
		}
		copy(line[at:], text)
		free = at + len(text) + 1
	}
	return string(line)
}
