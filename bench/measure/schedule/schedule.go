// Package schedule decides in which order arms are measured.
//
// Within a round every arm has one turn, in random order, so that any drift of the machine or the region affects
// all arms alike. The order of a round depends on the seed and the round only. So a resumed run, or one with more
// rounds, has the same orders.
package schedule

import (
	"context"
	"iter"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
)

// Phase gives rounds of the same number different orders.
type Phase uint64

// The phases of a run. In Power an arm is a memory size.
const (
	Cold Phase = iota + 1
	Warm
	Power
	Load
)

// Order returns the order of n arms in a round (from 1), as indices into the list of arms.
func Order(seed uint64, phase Phase, round, n int) []int {
	return rand.New(rand.NewPCG(seed, uint64(phase)<<32|uint64(round))).Perm(n)
}

// Each calls turn for each arm of an order, with its place in the order from 1, some at a time. It ends at the
// first error, or with the context.
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

// Blocks distributes total warm samples evenly over environments; the first ones get what is left over. There are
// never more environments than samples.
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
