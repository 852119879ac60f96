package schedule

import (
	"slices"
	"testing"
)

func TestOrderIsAPermutationThatFollowsFromSeedAndRound(t *testing.T) {
	seen := map[string]bool{}
	for round := 1; round <= 50; round++ {
		o := Order(7, Cold, round, 9)
		if !slices.Equal(o, Order(7, Cold, round, 9)) {
			t.Fatal("the same seed gave two orders")
		}
		seen[string(rune(o[0]))] = true
		slices.Sort(o)
		if !slices.Equal(o, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}) {
			t.Fatalf("round %d: not a permutation: %v", round, o)
		}
	}
	if len(seen) < 6 {
		t.Errorf("only %d of 9 arms ever came first in 50 rounds", len(seen))
	}
	if slices.Equal(Order(7, Cold, 1, 9), Order(7, Warm, 1, 9)) || slices.Equal(Order(7, Cold, 1, 9), Order(8, Cold, 1, 9)) {
		t.Error("phase and seed must change the order")
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		total, environments int
		want                []int
	}{{10, 3, []int{4, 3, 3}}, {2, 5, []int{1, 1}}, {0, 5, nil}, {5, 0, nil}, {6, 2, []int{3, 3}}} {
		if got := Blocks(c.total, c.environments); !slices.Equal(got, c.want) {
			t.Errorf("Blocks(%d, %d) = %v, want %v", c.total, c.environments, got, c.want)
		}
	}
}
