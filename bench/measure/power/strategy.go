package power

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
)

// ErrNothingMeasured means that every power value failed.
var ErrNothingMeasured = errors.New("no power value could be measured")

// cell is a power value of one of the functions that are compared.
type cell struct {
	Value
	label string  // "512 MB", or "rawtcp/zip at 512 MB" among several functions
	of    *Output // of the function; nil if cells of one function are compared
}

func cells(values []Value) []cell {
	return list.Map(values, func(v Value) cell { return cell{v, fmt.Sprintf("%d MB", v.Value), nil} })
}

// best returns the cell that the strategy chooses among those that did not fail. If two are equal, it takes the
// faster or cheaper one, then the smaller one.
func best(all []cell, strategy Strategy, balancedWeight float64) (cell, error) {
	ok := measured(all)
	if len(ok) == 0 {
		why := list.Map(all, func(c cell) string { return fmt.Sprintf("%s: %s", c.label, c.Failed) })
		return cell{}, fmt.Errorf("%w: %s", ErrNothingMeasured, strings.Join(why, "; "))
	}
	most := most(ok)
	return slices.MinFunc(ok, func(a, b cell) int {
		for _, key := range keys(strategy, balancedWeight, most) {
			if c := cmp.Compare(key(a.Value), key(b.Value)); c != 0 {
				return c
			}
		}
		return a.Value.Value - b.Value.Value
	}), nil
}

// measured leaves out the cells that failed.
func measured(all []cell) []cell {
	return slices.DeleteFunc(slices.Clone(all), func(c cell) bool { return c.Failed != "" })
}

// most returns the largest cost and the largest duration. Cells that failed have 0 for both.
func most(all []cell) (most Value) {
	for _, c := range all {
		most.AveragePrice = max(most.AveragePrice, c.AveragePrice)
		most.AverageDuration = max(most.AverageDuration, c.AverageDuration)
	}
	return most
}

// keys returns what a strategy compares, in this order.
func keys(strategy Strategy, w float64, most Value) []func(Value) float64 {
	cost := func(v Value) float64 { return v.AveragePrice }
	time := func(v Value) float64 { return v.AverageDuration }
	switch strategy {
	case Speed:
		return []func(Value) float64{time, cost}
	case Balanced:
		// A share of the largest cost and a share of the largest duration. If every duration is zero, no value is
		// slowest.
		both := func(v Value) float64 { return w*share(cost(v), cost(most)) + (1-w)*share(time(v), time(most)) }
		return []func(Value) float64{both, cost, time}
	}
	return []func(Value) float64{cost, time}
}

func share(x, of float64) float64 {
	if of == 0 {
		return 0
	}
	return x / of
}

// Moved reports whether the best power value differs from the function's memory, and by how many percent it is better
// by the strategy. If time decides and the two cannot be told apart, it has not moved.
func (o *Output) Moved() (moved bool, percent float64, err error) {
	if o.Memory == o.Power {
		return false, 0, nil
	}
	all := cells(o.ByPowerValue)
	was := slices.IndexFunc(all, func(c cell) bool { return c.Value.Value == o.Memory && c.Failed == "" })
	is := slices.IndexFunc(all, func(c cell) bool { return c.Value.Value == o.Power })
	if was < 0 {
		return false, 0, fmt.Errorf("%d MB was not measured, so whether %d MB is better is unknown: add it to powerValues",
			o.Memory, o.Power)
	}
	if o.Strategy != Cost && slices.Contains(indistinct(all, all[is]), all[was].label) {
		return false, 0, nil
	}
	key := keys(o.Strategy, o.balancedWeight, most(all))[0]
	return true, 100 * (1 - key(all[is].Value)/key(all[was].Value)), nil
}
