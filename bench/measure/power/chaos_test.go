package power

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/api/double"
)

var chaosRuns = flag.Int("chaos", 60, "tunings against an API whose calls go wrong; `make chaos-tune` has 1,000")

// chaos lets about half of the calls go wrong, the same call never twice in a row: an error of the service, a cut
// connection, a lost answer, a late answer, the same call twice. A second try can mend each of them.
type chaos struct {
	mu   sync.Mutex
	r    *rand.Rand
	last map[string]bool // calls that went wrong at their last try
}

func (c *chaos) decide(call double.Call) *double.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := call.Operation + call.Function + call.Qualifier
	if c.last[key] || c.r.IntN(2) == 0 {
		delete(c.last, key)
		return nil
	}
	c.last[key] = true
	switch c.r.IntN(7) {
	case 0:
		return &double.Fault{Error: double.Service("ServiceException")}
	case 1:
		return &double.Fault{Error: fails(429, "TooManyRequestsException")}
	case 2:
		return &double.Fault{Cut: true}
	case 3:
		return &double.Fault{Lost: true}
	case 4:
		return &double.Fault{Twice: true}
	case 5:
		return &double.Fault{Error: fails(502, "ResourceNotReadyException")}
	}
	return &double.Fault{Delay: time.Duration(c.r.IntN(3000)) * time.Microsecond}
}

// Whatever goes wrong in whatever order, each tuning gives the right result and leaves the function as it was.
func TestChaos(t *testing.T) {
	kinds := []string{``, `, "onlyColdStarts": true`, `, "parallelInvocation": true`, `, "preProcessorARN": "pre", "postProcessorARN": "post"`, `, "streamed": true`}
	for seed := range *chaosRuns {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.Stale = seed % 2
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			s.Decide = (&chaos{r: r, last: map[string]bool{}}).decide
			tuner := tuner(s)
			tuner.Beside = seed % 3
			text := fmt.Sprintf(`{"lambdaARN": "F", "num": %d, "powerValues": [128, 512, 1769], "strategy": "speed"%s}`, 5+seed%3, kinds[seed/2%len(kinds)])
			var out *Output
			var err error
			if seed%5 == 0 {
				out, _, err = newMachine(s, text).run(t.Context())
			} else {
				out, err = tuner.Run(t.Context(), input(t, text), fmt.Sprint("run-", seed))
			}
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for _, v := range out.ByPowerValue {
				if v.Failed != "" || v.Invocations != 5+seed%3 || v.Duration.N != v.Invocations {
					t.Errorf("%s: got %+v", text, v)
				}
			}
			if out.Power != 1769 {
				t.Errorf("%s: chose %d MB", text, out.Power)
			}
			s.untouched(t)
		})
	}
}
