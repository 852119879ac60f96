package tune

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNothingMeasured says that every power value failed.
var ErrNothingMeasured = errors.New("no power value could be measured")

// best is the power value that the strategy chooses among those that did not fail. Ties go to the faster, or cheaper, one, and then to the
// smaller.
func best(values []Value, strategy Strategy, balancedWeight float64) (Value, error) {
	var ok []Value
	var why []string
	for _, v := range values {
		if v.Failed != "" {
			why = append(why, fmt.Sprintf("%d MB: %s", v.Value, v.Failed))
			continue
		}
		ok = append(ok, v)
	}
	if len(ok) == 0 {
		return Value{}, fmt.Errorf("%w: %s", ErrNothingMeasured, strings.Join(why, "; "))
	}
	most := ok[0]
	for _, v := range ok {
		most.AveragePrice, most.AverageDuration = max(most.AveragePrice, v.AveragePrice), max(most.AverageDuration, v.AverageDuration)
	}
	return slices.MinFunc(ok, func(a, b Value) int {
		for _, key := range keys(strategy, balancedWeight, most) {
			if x, y := key(a), key(b); x < y {
				return -1
			} else if x > y {
				return 1
			}
		}
		return a.Value - b.Value
	}), nil
}

// keys are what a strategy compares, in that order.
func keys(strategy Strategy, w float64, most Value) []func(Value) float64 {
	cost := func(v Value) float64 { return v.AveragePrice }
	time := func(v Value) float64 { return v.AverageDuration }
	switch strategy {
	case Speed:
		return []func(Value) float64{time, cost}
	case Balanced:
		// A share of the most expensive and a share of the slowest; functions of no duration at all have no slowest.
		return []func(Value) float64{func(v Value) float64 { return w*share(cost(v), cost(most)) + (1-w)*share(time(v), time(most)) }, cost, time}
	}
	return []func(Value) float64{cost, time}
}

func share(x, of float64) float64 {
	if of == 0 {
		return 0
	}
	return x / of
}
