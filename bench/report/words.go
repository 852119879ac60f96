package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
)

// Digits writes a time in ms with as many digits as it can stand for: a REPORT has two after the point.
func Digits(x float64) string {
	switch {
	case math.Abs(x) >= 1000:
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) >= 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func ms(x float64) string { return Digits(x) + " ms" }

// p writes a p-value.
func p(x float64) string {
	if x < 0.001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.3f", x)
}

// ratio is "1.45x [1.40, 1.51]".
func ratio(c Comparison) string {
	return fmt.Sprintf("%.2fx [%.2f, %.2f]", c.Ratio, c.CI[0], c.CI[1])
}

// by is how far an arm lies behind the best, and how sure that is.
func by(c Comparison) string {
	count := fmt.Sprintf("n = %d", c.N)
	if c.Effective > 0 {
		count += fmt.Sprintf(" that count like %.0f", c.Effective)
	}
	return fmt.Sprintf("%s as long (%s, %s)", ratio(c), p(c.P), count)
}

// and joins texts: "a, b and c". Of more than six it counts the rest.
func and(xs []string) string {
	xs = list.Few(xs, 6)
	if len(xs) < 2 {
		return strings.Join(xs, "")
	}
	return strings.Join(xs[:len(xs)-1], ", ") + " and " + xs[len(xs)-1]
}

// either is the winners of a headline.
func either(xs []string) string {
	switch {
	case len(xs) > 3:
		return fmt.Sprintf("%s (tied with %d more)", xs[0], len(xs)-1)
	case len(xs) > 1:
		return strings.Join(xs, " = ")
	}
	return strings.Join(xs, "")
}

// Plural is a number with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
