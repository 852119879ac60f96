package power

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// turns gives out the payloads by weight, evenly, so that every part of a tuning has the same mix. Every power
// value gets the same sequence.
type turns struct {
	p     Payloads
	given []float64
	n     float64
}

func (p Payloads) turns() *turns { return &turns{p: p, given: make([]float64, len(p.events))} }

// next returns the event that is furthest behind its share.
func (t *turns) next() []byte {
	t.n++
	best, lag := 0, math.Inf(-1)
	total := floats.Sum(t.p.weights)
	for i, w := range t.p.weights {
		if l := w/total*t.n - t.given[i]; l > lag+1e-9 {
			best, lag = i, l
		}
	}
	t.given[best]++
	return t.p.events[best]
}
