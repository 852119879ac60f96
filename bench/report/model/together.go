package model

import "slices"

// rounds of fitting line and ratio in turn; they settle to seven digits.
const rounds = 50

// fitTogether fits two architectures, of which one has too few points for a line with an error, by one line, which takes a number of times as
// long on the second: three parameters for all points.
func fitTogether(first, second []Point) (a, b *Fit, err error) {
	a, b, err = together(first, second)
	if err != nil {
		return nil, nil, err
	}
	a.left = func(p Point) (*Fit, error) {
		f, _, err := together(without(first, p), second)
		return f, err
	}
	b.left = func(p Point) (*Fit, error) {
		_, f, err := together(first, without(second, p))
		return f, err
	}
	none := func(int) bool { return false }
	a.describe(first, none)
	b.describe(second, none)
	a.Days = days(slices.Concat(first, second))
	b.Days = a.Days
	return a, b, nil
}

// together is fitTogether without its descriptions.
func together(first, second []Point) (a, b *Fit, err error) {
	if len(second) == 0 {
		return nil, nil, ErrFewPoints
	}
	times := 1.0
	for range rounds {
		if a, err = leastSquares(slices.Concat(first, scaled(second, 1/times)), 3); err != nil {
			return nil, nil, err
		}
		times = 0
		for _, p := range second {
			times += p.InitMs / a.At(p.ReadKiB) / float64(len(second))
		}
	}
	line := *a
	b = &line
	b.InterceptMs, b.MsPerKiB, b.Times, b.times = a.InterceptMs*times, a.MsPerKiB*times, times, 1/float64(len(second))
	b.weight, b.spread, b.kept = a.weight/(times*times), a.spread/(times*times), scaled(a.kept, times)
	return a, b, nil
}

// scaled are points whose Init takes so many times as long.
func scaled(points []Point, times float64) (out []Point) {
	for _, p := range points {
		p.InitMs *= times
		out = append(out, p)
	}
	return out
}
