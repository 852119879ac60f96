package probe

import "math"

// mean of counts, field by field.
func mean(counts []Count) Count {
	of := func(field func(Count) int) int {
		sum := 0
		for _, c := range counts {
			sum += field(c)
		}
		return int(math.Round(float64(sum) / float64(len(counts))))
	}
	return Count{
		PackageKiB:    of(func(c Count) int { return c.PackageKiB }),
		PackageChunks: of(func(c Count) int { return c.PackageChunks }),
		BaseKiB:       of(func(c Count) int { return c.BaseKiB }),
		BaseChunks:    of(func(c Count) int { return c.BaseChunks }),
		LibcKiB:       of(func(c Count) int { return c.LibcKiB }),
		BaseCounted:   counts[0].BaseCounted,
	}
}

// standardError of the mean of a package's KiB, as a part of the mean; of fewer than two counts it is 0.
func standardError(counts []Count) float64 {
	n, sum, squares := float64(len(counts)), 0.0, 0.0
	for _, c := range counts {
		sum += float64(c.PackageKiB)
	}
	if n < 2 || sum == 0 {
		return 0
	}
	for _, c := range counts {
		d := float64(c.PackageKiB) - sum/n
		squares += d * d
	}
	return math.Sqrt(squares/(n-1)/n) / (sum / n)
}

// span is the smallest and the largest count of a package's KiB.
func span(counts []Count) (least, most int) {
	least, most = counts[0].PackageKiB, counts[0].PackageKiB
	for _, c := range counts {
		least, most = min(least, c.PackageKiB), max(most, c.PackageKiB)
	}
	return least, most
}
