package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Digits formats a time in ms with at most two decimals, as a REPORT has.
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

// withInterval formats a time with its interval, if it is known.
func withInterval(x float64, ci stat.Interval, ok bool) string {
	if !ok {
		return ms(x)
	}
	return fmt.Sprintf("%s [%s, %s]", ms(x), Digits(ci.Lo), Digits(ci.Hi))
}

// medianText returns a median with its interval, if there are enough values for one.
func medianText(of *stat.Sample) string { return withInterval(of.Median()) }

// times formats a ratio with its interval: "1.45x [1.40, 1.51]".
func times(c Comparison) string {
	return fmt.Sprintf("%.2fx [%.2f, %.2f]", c.Ratio, c.CI[0], c.CI[1])
}

// by says how far an arm lies behind the best, and how sure that is.
func by(c Comparison) string {
	count := fmt.Sprintf("n = %d", c.N)
	if c.Effective > 0 {
		count += fmt.Sprintf(" that count like %.0f", c.Effective)
	}
	return fmt.Sprintf("%s as long (%s, %s)", times(c), Probability(c.P), count)
}

// plain returns a comparison in a few words.
func plain(c Comparison) string {
	if !c.Told {
		return "not told apart, " + times(c)
	}
	word := "slower"
	if c.Ratio < 1 {
		word = "faster"
	}
	return fmt.Sprintf("%s, %s", word, times(c))
}

// Probability formats a p-value: "p = 0.012" or "p < 0.001".
func Probability(x float64) string {
	if x < 0.001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.3f", x)
}

func percent(ratio float64) string {
	p := 100 * (ratio - 1)
	if math.Abs(p) < 9.95 {
		return fmt.Sprintf("%+.1f", p)
	}
	return fmt.Sprintf("%+.0f", p)
}

// percentChange returns "-21 % [-23, -19]" for a ratio of 0.79.
func percentChange(ratio float64, ci [2]float64) string {
	return fmt.Sprintf("%s [%s, %s]", percent(ratio)+" %", percent(ci[0]), percent(ci[1]))
}

// size formats a number of bytes for people.
func size(bytes float64) string {
	switch {
	case bytes >= 10<<20:
		return fmt.Sprintf("%.0f MB", bytes/(1<<20))
	case bytes >= 100<<10:
		return fmt.Sprintf("%.1f MB", bytes/(1<<20))
	}
	return fmt.Sprintf("%.0f KiB", bytes/1024)
}

// Plural returns a number with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// and joins at most six texts: "a, b and c". Of more it names five and counts the rest.
func and(xs []string) string {
	xs = list.Few(xs, 6)
	if len(xs) < 2 {
		return strings.Join(xs, "")
	}
	return strings.Join(xs[:len(xs)-1], ", ") + " and " + xs[len(xs)-1]
}

// some joins at most three names. Of more it names two and counts the rest.
func some(names []string) string { return and(list.Few(names, 3)) }
