// Package schedule decides in which order arms are measured.
//
// Within a round every arm has its turn once, in random order, so that whatever drifts on the machine or in the region
// falls on all arms alike. The order of a round follows from the seed and the round alone: a run that is resumed, or one
// with more rounds, goes through the same orders.
package schedule

import "math/rand/v2"

// Phase keeps the orders of cold and warm rounds apart.
type Phase uint64

// The phases of a run.
const (
	Cold Phase = iota + 1
	Warm
)

// Order is the order of n arms in a round (from 1), as indices into the list of arms.
func Order(seed uint64, phase Phase, round, n int) []int {
	return rand.New(rand.NewPCG(seed, uint64(phase)<<32|uint64(round))).Perm(n)
}

// Blocks divides total warm samples over environments as evenly as whole numbers allow; the earlier ones take the rest.
// There are never more environments than samples.
func Blocks(total, environments int) []int {
	environments = min(environments, total)
	if environments <= 0 {
		return nil
	}
	out := make([]int, environments)
	for i := range out {
		out[i] = total / environments
		if i < total%environments {
			out[i]++
		}
	}
	return out
}
