package dynamo

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Sigma is the standard deviation of the service time's logarithm: with a median of 4 ms, one request in a hundred takes
// more than 7.2 ms.
const Sigma = 0.25

// serviceTime draws service times, the same ones in each lab.
type serviceTime struct {
	median time.Duration
	sigma  float64
	mu     *sync.Mutex
	random *rand.Rand
}

func newServiceTime(median time.Duration) serviceTime {
	return serviceTime{median: median, sigma: Sigma, mu: new(sync.Mutex), random: rand.New(rand.NewPCG(1, 2))}
}

func (s serviceTime) draw() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(float64(s.median) * math.Exp(s.sigma*s.random.NormFloat64()))
}
