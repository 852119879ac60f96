package model

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/twinstart/twinstart/arm/list"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence of every interval.
const Confidence = 0.95

// floor is the smallest relative error of a fit: repeated counts of KiB differ by as much. Without it, a few points
// that lie on a line by chance would have no error.
const floor = 0.02

// apart is the distance in robust standard deviations beyond which a point is left out of the fit.
const apart = 4.685

// MinPoints is the least number of points for a line with an error.
const MinPoints = 3

// Fit is Init = InterceptMs + MsPerKiB x KiB. Errors are relative: each point counts by 1 / Init squared.
type Fit struct {
	InterceptMs   float64    `json:"interceptMs"`
	MsPerKiB      float64    `json:"msPerKiB"`
	RelativeError float64    `json:"relativeError"` // residual standard error, relative
	DF            int        `json:"df"`
	RangeKiB      [2]float64 `json:"rangeKiB"` // range of the points used
	Residuals     []Residual `json:"residuals"`
	// Days is the relative standard deviation of a function's Init from day to day; 0 if unknown.
	Days float64 `json:"days,omitempty"`
	// Times is the ratio of this architecture's Init to that of the architecture that it was fitted together with.
	Times float64 `json:"times,omitempty"`

	kept                 []Point // points in the fit
	weight, mean, spread float64 // sum of weights, weighted mean of KiB, weighted sum of squares about it
	times                float64 // relative variance of Times, in units of a residual's

	left func(Point) (*Fit, error) // fits a line without a point
}

// Residual is the position of one point relative to the line.
type Residual struct {
	Name     string   `json:"name"`
	ReadKiB  float64  `json:"readKiB"`
	InitMs   float64  `json:"initMs"`
	FittedMs float64  `json:"fittedMs"`
	LeftOut  *float64 `json:"leftOutMs,omitempty"` // predicted by a line without this point; nil if too few are left
	Apart    bool     `json:"setApart,omitempty"`  // left out of the fit: it is not on the line of the others
}

// ErrFewPoints means that there are too few points for an interval.
var ErrFewPoints = errors.New("at least three ZIP arms with different KiB read are needed: measure more arms")

// FitPoints fits a line robustly: by weighted least squares, without the points that lie far from the line of median
// slopes. It leaves out a third of the points at most.
func FitPoints(points []Point) (*Fit, error) {
	if len(points) < MinPoints {
		return nil, fmt.Errorf("%d points: %w", len(points), ErrFewPoints)
	}
	a, b, ok := medianLine(points)
	if !ok {
		return nil, fmt.Errorf("every point has the same KiB read: %w", ErrFewPoints)
	}
	distance := make([]float64, len(points))
	for i, p := range points {
		distance[i] = math.Abs(p.InitMs-(a+b*p.ReadKiB)) / math.Max(a+b*p.ReadKiB, p.InitMs/10)
	}
	sorted := slices.Sorted(slices.Values(distance))
	scale := math.Max(1.4826*sorted[len(sorted)/2], floor)
	out := min(len(points)-MinPoints, len(points)/3) // at most
	limit := math.Max(apart*scale, sorted[len(sorted)-1-out])
	var kept []Point
	for i, p := range points {
		if distance[i] <= limit {
			kept = append(kept, p)
		}
	}
	f, err := leastSquares(kept, 2)
	if err != nil {
		return nil, err
	}
	f.left = func(p Point) (*Fit, error) { return leastSquares(without(kept, p), 2) }
	f.describe(points, func(i int) bool { return distance[i] > limit })
	return f, nil
}

// describe adds the residuals, each with its prediction by the other points, and the variation from day to day.
func (f *Fit) describe(points []Point, apart func(int) bool) {
	f.Days = days(points)
	for i, p := range points {
		r := Residual{Name: p.Name, ReadKiB: p.ReadKiB, InitMs: p.InitMs, FittedMs: f.At(p.ReadKiB), Apart: apart(i)}
		if g, err := f.left(p); err == nil {
			left := g.At(p.ReadKiB)
			r.LeftOut = &left
		}
		f.Residuals = append(f.Residuals, r)
	}
}

// days returns the relative standard deviation of Init from day to day: the median of the points for which it is
// known.
func days(points []Point) float64 {
	var all []float64
	for _, p := range points {
		if p.DaysMs != nil {
			all = append(all, (p.DaysMs[1]-p.DaysMs[0])/(2*1.645)/p.InitMs)
		}
	}
	if len(all) == 0 {
		return 0
	}
	return median(all)
}

func without(points []Point, p Point) []Point {
	return slices.DeleteFunc(slices.Clone(points), func(k Point) bool { return k == p })
}

// levels counts the points in the fit whose KiB differ by more than a twentieth.
func (f *Fit) levels() (n int) {
	last := 0.0
	for _, kib := range slices.Sorted(slices.Values(list.Map(f.kept, func(p Point) float64 { return p.ReadKiB }))) {
		if n == 0 || kib > 1.05*last {
			n, last = n+1, kib
		}
	}
	return n
}

// At returns the line's Init in ms.
func (f *Fit) At(kib float64) float64 { return f.InterceptMs + f.MsPerKiB*kib }

// KiB returns the KiB at which the line reaches an Init.
func (f *Fit) KiB(ms float64) float64 { return (ms - f.InterceptMs) / f.MsPerKiB }

// Interval returns the interval of another package's Init, with Confidence, if the line holds there.
func (f *Fit) Interval(kib float64) (low, high float64) {
	at := f.At(kib)
	t := distuv.StudentsT{Sigma: 1, Nu: float64(f.DF)}.Quantile((1 + Confidence) / 2)
	d := kib - f.mean
	half := t * f.RelativeError * math.Sqrt(at*at*(1+f.times)+1/f.weight+d*d/f.spread)
	half = math.Hypot(half, distuv.UnitNormal.Quantile((1+Confidence)/2)*f.Days*at)
	return math.Max(0, at-half), at + half
}

// medianLine returns the Theil-Sen line: the median of the slopes of all pairs, and the median intercept. It tolerates
// 29 % of bad points.
func medianLine(points []Point) (a, b float64, ok bool) {
	var slopes, rest []float64
	for i, p := range points {
		for _, q := range points[:i] {
			if p.ReadKiB != q.ReadKiB {
				slopes = append(slopes, (p.InitMs-q.InitMs)/(p.ReadKiB-q.ReadKiB))
			}
		}
	}
	if len(slopes) == 0 {
		return 0, 0, false
	}
	b = median(slopes)
	for _, p := range points {
		rest = append(rest, p.InitMs-b*p.ReadKiB)
	}
	return median(rest), b, true
}

// leastSquares fits a line with weights of 1 / fitted squared, by iteration. parameters is how many parameters the
// points determine.
func leastSquares(points []Point, parameters int) (*Fit, error) {
	if len(points) < 2 {
		return nil, ErrFewPoints
	}
	var weights, kib, ms []float64
	for _, p := range points {
		weights, kib, ms = append(weights, 1/(p.InitMs*p.InitMs)), append(kib, p.ReadKiB), append(ms, p.InitMs)
	}
	f := &Fit{DF: len(points) - parameters, kept: points, RangeKiB: [2]float64{slices.Min(kib), slices.Max(kib)}}
	for range 8 {
		f.weight, f.mean = floats.Sum(weights), stat.Mean(kib, weights)
		if f.spread = f.weight * stat.MomentAbout(2, kib, f.mean, weights); !(f.spread > 0) {
			return nil, fmt.Errorf("every point has the same KiB read: %w", ErrFewPoints)
		}
		f.InterceptMs, f.MsPerKiB = stat.LinearRegression(kib, ms, weights, false)
		var rss float64
		for i, p := range points {
			at := math.Max(f.At(p.ReadKiB), p.InitMs/10)
			rss += (p.InitMs - at) * (p.InitMs - at) / (at * at)
			weights[i] = 1 / (at * at)
		}
		f.RelativeError = floor
		if f.DF > 0 {
			f.RelativeError = math.Max(floor, math.Sqrt(rss/float64(f.DF)))
		}
	}
	if f.MsPerKiB <= 0 {
		return nil, fmt.Errorf("init does not grow with KiB read (%.2g ms per KiB): these arms differ in something else",
			f.MsPerKiB)
	}
	return f, nil
}

// rounds is how often line and ratio are fitted in turn: enough for seven digits.
const rounds = 50

// fitTogether fits two architectures if one has too few points to be fitted alone. It fits one line, and a factor for
// the second architecture: three parameters for all points.
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

// together is fitTogether without the descriptions.
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

// scaled returns the points with Init multiplied by a factor.
func scaled(points []Point, times float64) (out []Point) {
	for _, p := range points {
		p.InitMs *= times
		out = append(out, p)
	}
	return out
}
