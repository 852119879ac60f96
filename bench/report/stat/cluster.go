package stat

import (
	"math/rand/v2"
	"slices"
)

// MinClusters is how many environments an interval of warm samples needs. Of fewer the bootstrap's interval is too narrow.
const MinClusters = 10

// clusterResamples are drawn for a table's intervals.
const clusterResamples = 999

// Clusters are samples of which those of one cluster are correlated, as warm invocations of one environment are. The independent
// replicates are the clusters.
type Clusters struct {
	n      int
	values []float64 // all, descending
	of     []int32   // the cluster of each
	sizes  []int
}

// NewClusters takes the values of each cluster.
func NewClusters(clusters [][]float64) *Clusters {
	type value struct {
		x       float64
		cluster int32
	}
	var all []value
	c := &Clusters{n: len(clusters)}
	for i, values := range clusters {
		c.sizes = append(c.sizes, len(values))
		for _, x := range values {
			all = append(all, value{x, int32(i)})
		}
	}
	slices.SortFunc(all, func(a, b value) int {
		switch {
		case a.x > b.x:
			return -1
		case a.x < b.x:
			return 1
		}
		return 0
	})
	c.values, c.of = make([]float64, len(all)), make([]int32, len(all))
	for i, v := range all {
		c.values[i], c.of[i] = v.x, v.cluster
	}
	return c
}

// Intervals are the bootstrap percentile intervals of quantiles, whole clusters being drawn. ok is false below MinClusters.
func (c *Clusters) Intervals(qs []float64, seed uint64) (out []Interval, ok bool) {
	if c.n < MinClusters {
		return nil, false
	}
	for _, draws := range c.resample(qs, clusterResamples, seed) {
		out = append(out, Bounds(draws))
	}
	return out, true
}

// Resample draws a quantile of Resamples bootstrap resamples of clusters.
func (c *Clusters) Resample(q float64, seed uint64) []float64 {
	if len(c.values) == 0 {
		return nil
	}
	return c.resample([]float64{q}, Resamples, seed)[0]
}

// resample returns the draws of each quantile. A resample's quantile is the least value that at least the share q of it does not exceed.
func (c *Clusters) resample(qs []float64, times int, seed uint64) [][]float64 {
	order := make([]int, len(qs))
	out := make([][]float64, len(qs))
	for i := range order {
		order[i], out[i] = i, make([]float64, times)
	}
	slices.SortFunc(order, func(i, j int) int { // highest first: values descend
		if qs[i] > qs[j] {
			return -1
		}
		return 1
	})
	rng := rand.New(rand.NewPCG(seed, 3))
	times32 := make([]int32, c.n)
	for t := range times {
		clear(times32)
		total := 0
		for range c.n {
			k := rng.IntN(c.n)
			times32[k]++
			total += c.sizes[k]
		}
		above, at := 0, 0 // values passed, each as often as its cluster was drawn
		for _, q := range order {
			allowed := int((1 - qs[q]) * float64(total) * (1 + 1e-12))
			for above <= allowed && at < len(c.values) {
				above += int(times32[c.of[at]])
				at++
			}
			out[q][t] = c.values[max(at-1, 0)]
		}
	}
	return out
}
