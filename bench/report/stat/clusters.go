package stat

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// MinClusters is how many environments an interval of warm samples needs. With fewer, a bootstrap interval is too
// narrow.
const MinClusters = 10

// clusterResamples is the number of resamples for intervals in tables.
const clusterResamples = 999

// Clusters holds samples that are correlated within a cluster, such as the warm invocations of one environment. Only
// the clusters are independent of each other.
type Clusters struct {
	sizes  []int
	values []clustered // all, descending
}

type clustered struct {
	x  float64
	of int // its cluster
}

// NewClusters takes the values of each cluster.
func NewClusters(clusters [][]float64) *Clusters {
	c := new(Clusters)
	for i, values := range clusters {
		c.sizes = append(c.sizes, len(values))
		for _, x := range values {
			c.values = append(c.values, clustered{x, i})
		}
	}
	slices.SortFunc(c.values, func(a, b clustered) int { return cmp.Compare(b.x, a.x) })
	return c
}

// Intervals returns bootstrap percentile intervals of quantiles, which must be in ascending order. It draws whole
// clusters. ok is false below MinClusters.
func (c *Clusters) Intervals(qs []float64, seed uint64) (out []Interval, ok bool) {
	if len(c.sizes) < MinClusters {
		return nil, false
	}
	for _, draws := range c.resample(qs, clusterResamples, seed) {
		out = append(out, Bounds(draws))
	}
	return out, true
}

// Resample returns one quantile of each of Resamples bootstrap resamples of clusters.
func (c *Clusters) Resample(q float64, seed uint64) []float64 {
	if len(c.values) == 0 {
		return nil
	}
	return c.resample([]float64{q}, Resamples, seed)[0]
}

// resample returns the draws of each quantile. The quantile q of a resample is its smallest value x such that a share
// of at least q of its values is at most x.
func (c *Clusters) resample(qs []float64, times int, seed uint64) [][]float64 {
	out := make([][]float64, len(qs))
	for i := range out {
		out[i] = make([]float64, times)
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	drawn := make([]int, len(c.sizes))
	for t := range times {
		clear(drawn)
		total := 0
		for range c.sizes {
			k := rng.IntN(len(c.sizes))
			drawn[k]++
			total += c.sizes[k]
		}
		above, at := 0, 0 // values passed, each as often as its cluster was drawn
		for i := len(qs) - 1; i >= 0; i-- {
			allowed := int((1 - qs[i]) * float64(total) * (1 + 1e-12))
			for ; above <= allowed && at < len(c.values); at++ {
				above += drawn[c.values[at].of]
			}
			out[i][t] = c.values[max(at-1, 0)].x
		}
	}
	return out
}
