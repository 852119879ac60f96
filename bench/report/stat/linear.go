package stat

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Line is a least-squares fit of y = X b.
type Line struct {
	Coefficients []float64
	DF           int     // rows less columns
	RSS          float64 // residual sum of squares
	covariance   mat.Dense
}

// Fit is ordinary least squares. Each row of x is an observation; an intercept is a column of ones.
func Fit(x [][]float64, y []float64) (*Line, error) {
	if len(x) == 0 || len(x) <= len(x[0]) {
		return nil, errors.New("fewer observations than a line needs")
	}
	b, rss, rank := solve(x, y, nil)
	if rank < len(x[0]) {
		return nil, errors.New("the columns depend on each other")
	}
	l := &Line{Coefficients: b, DF: len(x) - rank, RSS: rss}
	design := mat.NewDense(len(x), rank, slices.Concat(x...))
	l.covariance.Mul(design.T(), design)
	if err := l.covariance.Inverse(&l.covariance); err != nil {
		return nil, err
	}
	l.covariance.Scale(l.RSS/float64(l.DF), &l.covariance)
	return l, nil
}

// Coefficient returns the i-th coefficient with its interval, and the p-value of the hypothesis that it is 0.
func (l *Line) Coefficient(i int) Effect {
	return NewEffect(l.Coefficients[i], math.Sqrt(math.Max(0, l.covariance.At(i, i))), float64(l.DF))
}

// Root returns the x at which a + b x is 0, for a fit with the columns 1 and x, and Fieller's interval. If the slope
// cannot be told from 0, the interval is unbounded and ok is false.
func (l *Line) Root() (x float64, ci Interval, ok bool) {
	a, b := l.Coefficients[0], l.Coefficients[1]
	t := distuv.StudentsT{Sigma: 1, Nu: float64(l.DF)}.Quantile((1 + Confidence) / 2)
	v := func(i, j int) float64 { return t * t * l.covariance.At(i, j) }
	// All x whose a + b x cannot be told from 0: (b^2-vbb) x^2 + 2 (ab-vab) x + (a^2-vaa) <= 0.
	p, q, r := b*b-v(1, 1), a*b-v(0, 1), a*a-v(0, 0)
	disc := q*q - p*r
	if !(p > 0) || !(disc >= 0) {
		return -a / b, Interval{}, false
	}
	return -a / b, Interval{(-q - math.Sqrt(disc)) / p, (-q + math.Sqrt(disc)) / p}, true
}

// Effect is an estimate with its interval, and the two-sided p-value of the hypothesis that it is 0, by Student's t.
type Effect struct {
	Estimate float64
	CI       Interval
	P        float64
}

// NewEffect takes an estimate with its standard error and degrees of freedom.
func NewEffect(estimate, se, df float64) Effect {
	if !(df > 0) || math.IsNaN(se) {
		return Effect{estimate, Interval{math.Inf(-1), math.Inf(1)}, 1}
	}
	d := distuv.StudentsT{Sigma: 1, Nu: df}
	t := d.Quantile((1 + Confidence) / 2)
	e := Effect{Estimate: estimate, CI: Interval{estimate - t*se, estimate + t*se}, P: 1}
	if se > 0 {
		e.P = 2 * d.Survival(math.Abs(estimate)/se)
	} else if estimate != 0 {
		e.P = 0
	}
	return e
}

// FTest returns the probability of an F at least as large by chance.
func FTest(f, df1, df2 float64) float64 {
	if !(df1 > 0) || !(df2 > 0) || math.IsNaN(f) {
		return 1
	}
	return distuv.F{D1: df1, D2: df2}.Survival(f)
}

// WeightedResiduals returns the residual sum of squares of a weighted fit, and the rank of its design. Columns may be
// linearly dependent, as in a factorial with empty cells.
func WeightedResiduals(x [][]float64, y, weights []float64) (rss float64, rank int) {
	_, rss, rank = solve(x, y, weights)
	return rss, rank
}

// solve returns the coefficients of a least-squares fit. Nil weights mean equal weights. The rank is 0 if there is no
// solution.
func solve(x [][]float64, y, weights []float64) (b []float64, rss float64, rank int) {
	design, target := mat.NewDense(len(x), len(x[0]), slices.Concat(x...)), mat.NewVecDense(len(y), slices.Clone(y))
	for i, w := range weights {
		floats.Scale(math.Sqrt(w), design.RawRowView(i))
		target.SetVec(i, math.Sqrt(w)*y[i])
	}
	var svd mat.SVD
	if !svd.Factorize(design, mat.SVDThin) {
		return nil, math.NaN(), 0
	}
	rank = svd.Rank(1e-10)
	var solution, residual mat.VecDense
	svd.SolveVecTo(&solution, target, rank)
	residual.MulVec(design, &solution)
	residual.SubVec(target, &residual)
	return solution.RawVector().Data, mat.Dot(&residual, &residual), rank
}
