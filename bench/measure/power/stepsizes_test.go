package power

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// No input reaches the limits of Step Functions.
func TestSizes(t *testing.T) {
	for _, test := range []struct {
		values, num int
		distributed bool
	}{{1, 5, false}, {40, 25, false}, {41, 24, false}, {41, 25, true}, {1, 1000, false}, {1, 1001, true}, {40, 26, true}, {46, 1000, true}, {maxPowers, 5, false}, {maxPowers, MaxNum, true}} {
		p := &Plan{Num: test.num, Powers: make([]int, test.values)}
		p.size()
		own, child := p.Events()
		if p.Distributed != test.distributed || own >= maxHistoryEvents || child >= maxHistoryEvents || (!p.Distributed && len(p.Groups) > maxInline) {
			t.Errorf("%d values x %d: distributed %v, %d and %d events", test.values, test.num, p.Distributed, own, child)
		}
	}
	// The largest state is after the Map, which returns the results of all values.
	v := Value{Value: 10240, AverageDuration: 123456.7891, AveragePrice: 0.0012345678901234567, TotalCost: 1.2345678901234567, Invocations: MaxNum, Course: Course{Failed: strings.Repeat("x", 200)}}
	var d Distribution
	for i := range 5000 {
		d.Add(900_000 / float64(i+1))
	}
	v.Duration, v.Handler, v.Init, v.Restore, v.Billed = summarise(&d, 0.2), summarise(&d, 0.2), summarise(&d, 0.2), summarise(&d, 0.2), summarise(&d, 0.2)
	text, _ := json.Marshal(slices.Repeat([]Value{v}, maxPowers))
	if len(text)+room(maxPowers)+4<<10 > MaxStateBytes { // Analyse and Optimise get the results and the input
		t.Errorf("%d bytes for %d values", len(text), maxPowers)
	}
	t.Logf("%d bytes for %d values, %d each", len(text), maxPowers, len(text)/maxPowers)
}

func TestTransitionsAtTheLimits(t *testing.T) {
	for _, test := range []struct {
		values, num, calls, want int
	}{
		{1, 5, 1, 7 + 3}, {6, 50, 1, 7 + 3}, {40, 25, 2, 7 + 5}, {46, 1000, 1, 7 + 46*4}, {1, 100_000, MaxCalls, 7 + 2*MaxCalls + 2},
	} {
		p := &Plan{Num: test.num, Powers: make([]int, test.values), Publishes: 1}
		p.size()
		if got := p.Transitions(slices.Repeat([]int{test.calls}, len(p.Groups))); got != test.want {
			t.Errorf("%+v: %d transitions, want %d", test, got, test.want)
		}
	}
}

// The progress of an inline Map always fits into a state.
func TestAGroupFitsIntoAState(t *testing.T) {
	for _, values := range []int{1, 6, maxPowers} {
		var g GroupProgress
		for v := range values {
			p := &Progress{Power: arm.MaxMemoryMB, Course: Course{Failed: strings.Repeat("x", 100)}}
			for range MaxInlineInvocations / values {
				for _, d := range []*Distribution{&p.Total, &p.Handler, &p.Billed, &p.Init} {
					d.Add(123_456.78 + float64(v))
				}
				p.Done++
			}
			g.Powers = append(g.Powers, p)
		}
		text, _ := json.Marshal(g)
		if len(text)+room(values)+4<<10 > MaxStateBytes {
			t.Errorf("%d values: %d bytes do not fit into a state with an input of %d bytes", values, len(text), room(values))
		}
		t.Logf("%d values: %d bytes", values, len(text))
	}
}
