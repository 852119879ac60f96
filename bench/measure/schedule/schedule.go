// Package schedule decides in which order arms are measured.
//
// Within a round every arm has its turn once, in random order, so that whatever drifts on the machine or in the region
// falls on all arms alike. The order of a round follows from the seed and the round alone: a run that is resumed, or one
// with more rounds, goes through the same orders.
package schedule

import (
	"context"
	"iter"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
)

// Phase keeps the orders of different rounds apart.
type Phase uint64

// The phases of a run. In one of Power an arm is a memory size.
const (
	Cold Phase = iota + 1
	Warm
	Power
)

// Order is the order of n arms in a round (from 1), as indices into the list of arms.
func Order(seed uint64, phase Phase, round, n int) []int {
	return rand.New(rand.NewPCG(seed, uint64(phase)<<32|uint64(round))).Perm(n)
}

// Each gives every arm of an order its turn, with its place in it from 1, some at a time. The first error ends it, and so does the context.
func Each(ctx context.Context, order iter.Seq[int], atOnce int, turn func(ctx context.Context, arm, place int) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, atOnce))
	place := 0
	for arm := range order {
		if gctx.Err() != nil {
			break
		}
		place++
		at := place
		g.Go(func() error { return turn(gctx, arm, at) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
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
